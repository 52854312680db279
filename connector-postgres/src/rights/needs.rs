//! What each mode does, as the rights that it takes.

use connector_core::{Deletes, WriteMode, WriteRequest};

use crate::merge::changing;
use crate::shape::Shape;
use crate::table::Layout;

/// An overwrite builds its table anew.
pub(super) fn makes_tables(mode: WriteMode, layout: &Layout) -> bool {
    !layout.exists || mode == WriteMode::Overwrite
}

/// Whether rows may have to pass through a staging table.
pub(crate) fn stages(mode: WriteMode, layout: &Layout) -> bool {
    match mode {
        WriteMode::Insert => {
            layout.facts.guarded
                || layout.overflow.is_some()
                || layout.columns.iter().any(|column| column.default.is_some())
        }
        WriteMode::Overwrite => !layout.key.is_empty() || layout.facts.checked,
        _ => true,
    }
}

/// The columns that a right must be on: each granted by itself, or with the table; or the table as a whole.
pub(super) enum On<'a> {
    Columns(Vec<&'a str>),
    Table,
}

/// Each right that changing the rows takes, and on what.
pub(super) fn needs<'a>(
    request: &WriteRequest,
    layout: &'a Layout,
    obstacles: &[String],
) -> Vec<(&'static str, On<'a>)> {
    // Columns that are to be added will be the owner's own.
    let there = |positions: &mut dyn Iterator<Item = usize>| -> Vec<&'a str> {
        positions
            .map(|position| &layout.columns[position])
            .filter(|column| !column.added)
            .map(|column| column.name.as_str())
            .collect()
    };
    let shape = Shape::direct();
    let written = || On::Columns(there(&mut (0..layout.columns.len())));
    let changed = || there(&mut changing(layout, &shape).map(|(position, _)| position));
    let mut compared = there(&mut layout.key.iter().copied());
    compared.extend(changed());
    let mut needs = match request.mode {
        WriteMode::Insert => {
            let primary = there(&mut layout.primary.iter().copied());
            vec![("SELECT", On::Columns(primary)), ("INSERT", written())]
        }
        WriteMode::Update => vec![
            ("SELECT", On::Columns(compared)),
            ("UPDATE", On::Columns(changed())),
        ],
        WriteMode::Upsert => {
            // By it a row that was made is told from one that was changed.
            compared.push("xmax");
            vec![
                ("SELECT", On::Columns(compared)),
                ("INSERT", written()),
                ("UPDATE", On::Columns(changed())),
            ]
        }
        // It makes a table like this one, which it owns.
        WriteMode::Overwrite if obstacles.is_empty() => return vec![("SELECT", On::Table)],
        // What has come since a sweep began is told by the transaction that made it.
        WriteMode::Delete | WriteMode::Prune => vec![("SELECT", On::Table)],
        WriteMode::History => ["SELECT", "INSERT", "UPDATE"]
            .map(|right| (right, On::Table))
            .into(),
        _ => ["SELECT", "INSERT", "UPDATE", "DELETE"]
            .map(|right| (right, On::Table))
            .into(),
    };
    match request.deletes {
        _ if matches!(
            request.mode,
            WriteMode::Insert | WriteMode::History | WriteMode::Overwrite
        ) => {}
        Deletes::Ignore => {}
        Deletes::Hard => needs.push(("DELETE", On::Table)),
        // A mark that is to be added will be the owner's own.
        Deletes::Soft if layout.own.change().is_some() => {}
        Deletes::Soft => needs.push(("UPDATE", On::Columns(vec![Deletes::DELETED_AT]))),
    }
    needs
}
