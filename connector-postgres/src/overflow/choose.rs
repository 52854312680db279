//! Which fields have columns of their own, so that the same have them in every run.

use connector_core::{Error, ErrorKind, Field, Fold, Result, Schema, WriteRequest};
use tokio_postgres::Client;

use super::{Overflow, REST, Why};
use crate::catalog::{ColumnInfo, Facts};
use crate::connector::Postgres;
use crate::error::failed;
use crate::ident::{Table, column_name};
use crate::limits::{MAX_COLUMNS, PASSING, fits_page};
use crate::own::Own;
use crate::types::PgType;

/// The fields of the request that go into the column [`REST`]; `None` where each has a column of its own, as nearly
/// always.
///
/// What is a column of the table stays one, and what once was folded stays so: all that is not a column, if the table
/// has the one for it. Else new fields become columns, in their order, as long as there is room for them and a row with
/// a value in each fits a page. What rows are found by, or compared by, is always a column.
///
/// # Errors
/// [`ErrorKind::Schema`]: not even those fit, or a field or column that is called like that one is in the way.
pub(crate) async fn choose(
    client: &Client,
    postgres: &Postgres,
    request: &WriteRequest,
    table: &Table,
    own: &Own,
    there: Option<&[ColumnInfo]>,
    facts: Facts,
) -> Result<Option<Overflow>> {
    if request.mode.is_naming() {
        return Ok(None);
    }
    let mut wanted = Wanted {
        schema: &request.schema,
        table,
        own,
        there: there.unwrap_or_default(),
        attributes: facts.attributes,
        stays: Vec::new(),
        rest: None,
    };
    wanted.rest = wanted.there.iter().find(|column| column.name == REST);
    wanted.stays = request
        .schema
        .fields()
        .iter()
        .map(|field| wanted.has(field))
        .collect::<Result<_>>()?;
    if wanted.is_roomy() {
        return Ok(None);
    }
    let mut pinned: Vec<&str> = request
        .match_on
        .iter()
        .chain(&request.keep)
        .map(String::as_str)
        .collect();
    pinned.extend(request.schema.primary_key_names());
    let confirmed = confirmed_fields(client, postgres, request).await?;
    pinned.extend(confirmed.iter().map(String::as_str));
    wanted.fold(&pinned)
}

/// The fields whose values are compared with what was written back to where they come from.
async fn confirmed_fields(
    client: &Client,
    postgres: &Postgres,
    request: &WriteRequest,
) -> Result<Vec<String>> {
    let (Some(origin), true) = (&request.origin, request.fence.is_some()) else {
        return Ok(Vec::new());
    };
    let doing = "look for fingerprints";
    let sync = postgres.sync();
    let there = client
        .query_one("SELECT to_regclass($1) IS NOT NULL", &[&format!("{sync}.target")])
        .await
        .map_err(|error| failed(doing, error))?;
    if !there.get::<_, bool>(0) {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT match_on || fields FROM {sync}.target WHERE identity = $1 AND object = $2");
    let row = client
        .query_opt(&sql, &[&origin.target.identity.as_str(), &origin.target.object])
        .await
        .map_err(|error| failed(doing, error))?;
    let theirs: Vec<String> = row.map(|row| row.get(0)).unwrap_or_default();
    let here = |(here, there): &(String, String)| theirs.contains(there).then(|| here.clone());
    Ok(origin.fields.iter().filter_map(here).collect())
}

struct Wanted<'a> {
    schema: &'a Schema,
    table: &'a Table,
    own: &'a Own,
    there: &'a [ColumnInfo],
    /// The number of columns that the table has had.
    attributes: usize,
    /// By position: the field has a column, or is to have one.
    stays: Vec<bool>,
    /// The column for those that have none.
    rest: Option<&'a ColumnInfo>,
}

impl Wanted<'_> {
    /// Whether the table has a column for the field.
    fn has(&self, field: &Field) -> Result<bool> {
        let name = column_name(&field.name)?;
        Ok(self.there.iter().any(|column| column.name == *name))
    }

    /// Whether every field can have a column, and none was folded before.
    fn is_roomy(&self) -> bool {
        if self.stays.iter().all(|stays| *stays) {
            return true;
        }
        let new = self.stays.iter().filter(|stays| !**stays).count();
        let all = vec![true; self.stays.len()];
        !self.has_rest() && self.has_room_for(new, self.stays.len()) && self.fits(&all, false)
    }

    /// Whether the table has the column for what has none of its own. To a source with such a field it is that field's.
    fn has_rest(&self) -> bool {
        self.rest.is_some() && self.schema.field(REST).is_none()
    }

    /// Whether the table can get so many `new` columns, and rows of so many `written` ones can pass through another.
    fn has_room_for(&self, new: usize, written: usize) -> bool {
        let spare = if self.there.is_empty() { PASSING } else { 0 };
        let is_new = |name: &&&str| !self.there.iter().any(|column| column.name == **name);
        let own = self.own.names().iter().filter(is_new).count();
        self.attributes + new + own + spare <= MAX_COLUMNS && written + PASSING <= MAX_COLUMNS
    }

    /// Whether a row of these columns, and with `rest` the one for the others, fits a page.
    fn fits(&self, stays: &[bool], rest: bool) -> bool {
        let fields = self.schema.fields().iter().zip(stays);
        let made: Vec<PgType> = fields
            .filter(|&(_, stays)| *stays)
            .map(|(field, _)| PgType::for_core(field.data_type))
            .collect();
        let rest = rest.then_some(&PgType::Jsonb);
        if self.there.is_empty() {
            return fits_page(made.iter().chain(rest), 0, self.own);
        }
        let added = self.schema.fields().iter().zip(stays).zip(&self.stays);
        let added: Vec<PgType> = added
            .filter(|((_, stays), was)| **stays && !**was)
            .map(|((field, _), _)| PgType::for_core(field.data_type))
            .collect();
        let there = self.there.iter().map(|column| &column.pg_type);
        fits_page(there.chain(&added).chain(rest), self.attributes, self.own)
    }

    /// Folds what there is no room for, but none of `pinned`.
    fn fold(mut self, pinned: &[&str]) -> Result<Option<Overflow>> {
        self.check_rest()?;
        let is_new: Vec<bool> = self.stays.iter().map(|stays| !stays).collect();
        let number = is_new.len();
        let is_pinned = |position: usize| pinned.contains(&self.schema.fields()[position].name.as_str());
        let loose: Vec<usize> = (0..number)
            .filter(|&position| is_new[position] && !is_pinned(position))
            .collect();
        // The first so many of the loose ones have columns.
        let with = |columns: usize| {
            let mut stays: Vec<bool> = (0..number).map(|i| !is_new[i] || is_pinned(i)).collect();
            loose[..columns]
                .iter()
                .for_each(|&position| stays[position] = true);
            stays
        };
        let new_rest = usize::from(self.rest.is_none());
        let has_room = |stays: &[bool]| {
            let written = stays.iter().filter(|stays| **stays).count();
            let new = stays
                .iter()
                .zip(&is_new)
                .filter(|&(stays, new)| *stays && *new)
                .count();
            self.has_room_for(new + new_rest, written + 1)
        };
        let least = with(0);
        let is_page_full = !self.fits(&least, true);
        if !has_room(&least) || (is_page_full && self.there.is_empty()) {
            return Err(self.no_room(&least));
        }
        if loose.is_empty() {
            return Ok(None);
        }
        let columns = if self.has_rest() || is_page_full {
            0
        } else {
            let numbers: Vec<usize> = (1..=loose.len()).collect();
            numbers.partition_point(|&columns| {
                let stays = with(columns);
                has_room(&stays) && self.fits(&stays, true)
            })
        };
        let why = match () {
            () if self.has_rest() => Why::Before,
            () if !has_room(&with((columns + 1).min(loose.len()))) => Why::Columns,
            () => Why::Page,
        };
        self.stays = with(columns);
        let fold = Fold::new(self.schema, REST, |position, _| !self.stays[position])?;
        let fields = self.schema.fields().iter();
        let folded = fields.clone().zip(&self.stays).filter(|&(_, stays)| !stays);
        Ok(Some(Overflow {
            fold,
            folded: folded
                .map(|(field, _)| (field.name.clone(), field.data_type))
                .collect(),
            names: fields.map(|field| field.name.clone()).collect(),
            why,
        }))
    }

    /// The column must hold what is to be put into it, and nothing else.
    fn check_rest(&self) -> Result<()> {
        let (wrong, help) = if self.schema.field(REST).is_some() {
            (
                format!(
                    "the field `{REST}` would share its column with the fields that have no column of their own"
                ),
                "give the field another name with `fields`, or leave fields out with `columns` or `except`",
            )
        } else {
            match self.rest {
                Some(rest)
                    if rest.pg_type != PgType::Jsonb || !rest.nullable || rest.domain || !rest.writable =>
                {
                    (
                        format!("`{REST}` is there and cannot hold fields: it is no jsonb that takes nulls"),
                        "rename that column, or leave fields out with `columns` or `except`",
                    )
                }
                _ => return Ok(()),
            }
        };
        Err(Error::new(ErrorKind::Schema, wrong)
            .with_context("table", self.table.to_string())
            .with_help(help))
    }

    /// Not even the columns that must be ones have room.
    fn no_room(&self, least: &[bool]) -> Error {
        let columns = least.iter().filter(|stays| **stays).count();
        if self.there.is_empty() {
            let message = format!(
                "the {columns} fields that rows are found by, or that are kept, are more than a row of PostgreSQL holds"
            );
            return Error::new(ErrorKind::Schema, message)
                .with_context("table", self.table.to_string())
                .with_help("name fewer with `match_on` and `keep`");
        }
        let message = format!(
            "{} has had {} columns of the {MAX_COLUMNS} that PostgreSQL gives a table, dropped ones included: there is no room for \
             new fields, nor for the column `{REST}` that would hold them",
            self.table, self.attributes
        );
        Error::new(ErrorKind::Schema, message).with_help(
            "copy the table into a new one, which counts only the columns that are there, or leave fields out with \
             `columns` or `except`",
        )
    }
}
