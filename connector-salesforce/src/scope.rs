//! What a request selects: an object or a query, its columns, and the conditions its records meet.

use std::sync::Arc;

use connector_core::{Error, ErrorKind, Field, ReadRequest, Result, Selection, StreamSpec, SyncMode};

use crate::connector::Salesforce;
use crate::describe::Described;
use crate::progress::fingerprint;
use crate::query::QueryShape;
use crate::reader::{Columns, ColumnsRequest};
use crate::{passing, types};

/// What a request selects.
#[derive(Debug)]
pub(crate) struct Scope {
    /// The object that records are of.
    pub(crate) described: Arc<Described>,
    /// What states call the stream.
    pub(crate) stream: String,
    /// What stands after `FROM`.
    pub(crate) from: String,
    pub(crate) columns: Arc<Columns>,
    pub(crate) conditions: Vec<String>,
    /// A query that is asked as it stands, and what in it is the reason.
    pub(crate) whole: Option<(String, String)>,
    /// What Bulk cannot read.
    pub(crate) rest_only: Option<&'static str>,
    /// The field by which a read of changes advances.
    pub(crate) cursor: Option<String>,
    /// What a plan says of it.
    pub(crate) notes: Vec<String>,
}

impl Salesforce {
    /// What `request` selects.
    ///
    /// # Errors
    /// Everything that can be known to be wrong before data moves.
    pub(crate) async fn scope(&self, request: &ReadRequest) -> Result<Scope> {
        match &request.selection {
            Selection::Query(text) => {
                let shape = self.query_shape(text).await?;
                of_query(&shape, text, request)
            }
            _ => of_object(self.described(&request.selection).await?, request),
        }
    }
}

fn of_object(described: Arc<Described>, request: &ReadRequest) -> Result<Scope> {
    let within = |error: Error| error.with_context("object", &described.object.name);
    let schema = &described.spec.schema;
    let mut rest_only = None;
    let fields = if request.fields.is_empty() {
        schema.fields().to_vec()
    } else {
        let mut fields = Vec::with_capacity(request.fields.len());
        for name in &request.fields {
            if let Some(compound) = described.compound(name)? {
                rest_only = Some("compound fields are chosen, which Bulk does not read");
                fields.push(compound);
            } else {
                fields.push(schema.fields()[schema.index_of(name).map_err(within)?].clone());
            }
        }
        fields
    };
    id_of(&described)?;
    let cursor = cursor(&described, request, described.spec.cursor.as_deref())?;
    let mut notes = Vec::new();
    if request.fields.is_empty() {
        notes.extend(left_out(&described.spec));
    }
    notes.extend(doubtful(&described, &fields));
    let columns = Columns::new(ColumnsRequest {
        fields,
        known: schema,
        filter: request.filter.as_ref(),
        has_id: true,
        keyed: true,
        deletions: cursor.is_some() && described.has_deletions(),
    })
    .map_err(within)?;
    let mut scope = Scope {
        stream: described.object.name.clone(),
        from: described.object.name.clone(),
        columns: Arc::new(columns),
        conditions: Vec::new(),
        whole: None,
        rest_only,
        cursor,
        notes,
        described,
    };
    scope.push_down(request);
    Ok(scope)
}

fn of_query(shape: &QueryShape, text: &str, request: &ReadRequest) -> Result<Scope> {
    let described = Arc::clone(&shape.described);
    let schema = &shape.spec.schema;
    if let (SyncMode::Keys(_), Some(_)) = (&request.sync, &shape.parsed.whole) {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "records of this query cannot be read by their keys: it is asked as it stands",
        ));
    }
    let fields = if request.fields.is_empty() {
        schema.fields().to_vec()
    } else {
        schema.select(&request.fields)?.fields().to_vec()
    };
    let cursor = cursor(&described, request, shape.spec.cursor.as_deref())?;
    let whole = shape
        .parsed
        .whole
        .clone()
        .map(|reason| (text.trim().to_owned(), reason));
    let columns = Columns::new(ColumnsRequest {
        fields,
        known: schema,
        filter: request.filter.as_ref(),
        has_id: whole.is_none() && described.spec.schema.field("Id").is_some(),
        keyed: !schema.primary_key().is_empty(),
        deletions: cursor.is_some() && described.has_deletions(),
    })?;
    let mut notes = Vec::new();
    if cursor.is_some() && schema.fields().iter().any(|field| field.name.contains('.')) {
        notes.push(
            "a change of a parent alone does not arrive: it moves no time of the record itself".to_owned(),
        );
    }
    let alias = shape.parsed.alias.as_ref();
    let mut scope = Scope {
        stream: format!("query {:016x}", fingerprint(&[text.to_owned()])),
        from: alias.map_or_else(
            || described.object.name.clone(),
            |alias| format!("{} {alias}", described.object.name),
        ),
        columns: Arc::new(columns),
        conditions: shape
            .parsed
            .condition
            .iter()
            .map(|condition| format!("({condition})"))
            .collect(),
        whole,
        rest_only: None,
        cursor,
        notes,
        described,
    };
    scope.push_down(request);
    Ok(scope)
}

impl Scope {
    /// Has the org leave out what surely does not pass the filter; what it answers is looked at again here.
    fn push_down(&mut self, request: &ReadRequest) {
        let Some(filter) = &request.filter else {
            return;
        };
        if self.whole.is_some() {
            self.notes
                .push("the filter is applied to what the query answers".to_owned());
            return;
        }
        let (conditions, here) = passing::conditions(filter, &self.described.object);
        if !here.is_empty() {
            self.notes.push(format!(
                "what is asked of `{}` is looked at here: the org compares it in another way",
                here.join("`, `")
            ));
        }
        if conditions.is_empty() {
            return;
        }
        let conditions = conditions.join(" AND ");
        // A record that is gone may have passed before.
        self.conditions.push(if self.columns.wants_deletions() {
            format!("(IsDeleted = TRUE OR ({conditions}))")
        } else {
            conditions
        });
    }

    /// A fingerprint of what is asked for: with another, what the server holds ready is of no use.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut parts = self.columns.names.clone();
        parts.extend(self.conditions.iter().cloned());
        fingerprint(&parts)
    }
}

/// The cursor of a read of changes.
fn cursor(described: &Described, request: &ReadRequest, own: Option<&str>) -> Result<Option<String>> {
    let object = &described.object.name;
    let refused = |message: String, help: &str| {
        Err(Error::new(ErrorKind::Unsupported, message).with_help(help.to_owned()))
    };
    if !described.object.queryable {
        return refused(
            format!("`{object}` cannot be queried"),
            "list the streams: they are what can be read",
        );
    }
    let named = request
        .cursor
        .as_deref()
        .map(|name| described.cursor(name))
        .transpose()?;
    match (&request.sync, named.or(own)) {
        (SyncMode::FullRefresh | SyncMode::Keys(_), _) => Ok(None),
        (SyncMode::Incremental, Some(_))
            if own.is_none() && matches!(request.selection, Selection::Query(_)) =>
        {
            refused(
                "a query that is asked as it stands is read whole".to_owned(),
                "read it with sync = \"full\", or write it without ORDER BY, LIMIT and functions",
            )
        }
        (SyncMode::Incremental, Some(cursor)) => Ok(Some(cursor.to_owned())),
        (SyncMode::Incremental, None) => refused(
            format!("`{object}` has no field that tells what changed"),
            "read it with sync = \"full\"",
        ),
        (other, _) => refused(
            format!("Salesforce cannot be read by {other}"),
            "read it with sync = \"incremental\" or \"full\"",
        ),
    }
}

fn id_of(described: &Described) -> Result<usize> {
    described.spec.schema.index_of("Id").map_err(|_| {
        Error::new(
            ErrorKind::Unsupported,
            format!("`{}` has no field `Id`", described.object.name),
        )
    })
}

/// What is left out, by its reason.
fn left_out(spec: &StreamSpec) -> Vec<String> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for (name, reason) in &spec.left_out {
        match reasons.iter_mut().find(|(known, _)| known == reason) {
            Some((_, names)) => names.push(name),
            None => reasons.push((reason, vec![name])),
        }
    }
    let note = |(reason, names): (&str, Vec<&str>)| format!("left out: `{}`: {reason}", names.join("`, `"));
    reasons.into_iter().map(note).collect()
}

/// What of `fields` is not what it may seem.
fn doubtful(described: &Described, fields: &[Field]) -> Vec<String> {
    let named = |is: fn(&crate::describe::FieldDescribe) -> bool| {
        let known = fields
            .iter()
            .filter_map(|field| described.object.field(&field.name));
        let names: Vec<&str> = known
            .filter(|field| is(field))
            .map(|field| field.name.as_str())
            .collect();
        (!names.is_empty()).then(|| names.join("`, `"))
    };
    let mut notes = Vec::new();
    if let Some(names) = named(types::is_masked) {
        notes.push(format!(
            "`{names}` may come with characters masked: that is how this user sees them"
        ));
    }
    if let Some(names) = named(|field| field.calculated) {
        notes.push(format!(
            "`{names}` are computed: their values may change without the record counting as changed; a task of their own \
             refreshes them: sync = \"full\", write = \"update\", match_on = [\"Id\"], and only these fields"
        ));
    }
    notes
}
