//! What a refused record held, as JSON, for those who want it kept.

use connector_core::Record;

use crate::copy::check_escapes;
use crate::ident::Literal;
use crate::shape::Shape;
use crate::stage::{carried, is_unset};
use crate::table::Layout;
use crate::types::PgType;

/// What a refused record held, as the text of a JSON object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Payload(String);

impl Payload {
    pub(super) fn of(record: &Record<'_>, layout: &Layout) -> Self {
        let mut json = String::new();
        match &layout.overflow {
            Some(overflow) => overflow.write_unfolded(record, &mut json),
            None => record.write_json(&mut json),
        }
        // A `Json` field comes as it is, but text of PostgreSQL holds no such character.
        Self(if json.contains('\0') {
            json.replace('\0', "\\u0000")
        } else {
            json
        })
    }

    /// What the server made of a staged row.
    pub(super) fn from_server(json: String) -> Self {
        Self(json)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `jsonb` takes its escapes: that of NUL it does not, for one.
    pub(super) fn has_plain_escapes(&self) -> bool {
        check_escapes(&self.0).is_ok()
    }
}

/// What a staged row `s` holds, as a `jsonb` object: the fields it says something about, under their full names.
pub(super) fn staged(layout: &Layout, shape: &Shape) -> String {
    let is_said = |position| match shape.masked {
        true => format!("NOT {}", is_unset("s", position)),
        false => "true".to_owned(),
    };
    let fields: Vec<String> = carried(layout, shape)
        .filter(|&(position, _)| layout.overflow_at(position).is_none())
        .map(|(position, column)| {
            let name = column.ident();
            let value = match column.pg_type {
                PgType::Bytea => format!("encode(s.{name}, 'hex')"),
                // `jsonb` does not take all that `json` does.
                PgType::Json | PgType::Other(_) => format!("s.{name}::text"),
                _ => format!("s.{name}"),
            };
            let said = is_said(position);
            format!("({}, to_jsonb({value}), {said})", Literal(&column.field))
        })
        .collect();
    let own = format!(
        "(SELECT coalesce(jsonb_object_agg(field, held), '{{}}') FROM (VALUES {}) AS f (field, held, said) WHERE said)",
        fields.join(", ")
    );
    match (&layout.overflow, layout.rest().filter(|&rest| shape.has(rest))) {
        (Some(overflow), Some(rest)) => format!(
            "({own} || CASE WHEN {} THEN {} ELSE '{{}}' END)",
            is_said(rest),
            overflow.staged_members("s")
        ),
        _ => own,
    }
}
