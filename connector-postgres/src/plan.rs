//! What a plan says of a write, for people.

use connector_core::{ColumnPlan, WriteMode, WritePlan};

use crate::overflow::Overflow;
use crate::table::Layout;

/// See `are_few` in writer/settle.rs.
const HOW_MERGED: &str = "by way of a staging table; a sample of each commit's records decides how they get in: where few are \
    new or differ, only those are looked up and touched, else all go to INSERT … ON CONFLICT";

impl Layout {
    /// What a plan says of all this; `obstacles` keep an overwrite from taking the table's place.
    pub(crate) fn write_plan(&self, mode: WriteMode, obstacles: &[String]) -> WritePlan {
        let mut plan = WritePlan::new(self.first_note(mode));
        if mode == WriteMode::Overwrite {
            plan.notes.push(match obstacles {
                _ if !self.exists => "built beside; it gets its name with the last commit".to_owned(),
                [] => "built beside with the same constraints, indexes and rights; with the last commit it takes the table's place".to_owned(),
                obstacles => format!(
                    "built beside; with the last commit the table's rows are changed in place, in one transaction, because {}",
                    obstacles.join(", ")
                ),
            });
        }
        plan.notes.extend(self.own.note(self.exists));
        for column in self.looked_at().filter(|column| column.name != column.field) {
            plan.notes.push(format!(
                "`{}` is too long a name for PostgreSQL: its column is `{}`, whose comment has the name in full",
                column.field, column.name
            ));
        }
        for column in self.looked_at() {
            if let Some(narrow) = &column.widened {
                plan.notes.push(format!(
                    "`{}` becomes {} instead of {narrow}",
                    column.name,
                    column.pg_type.sql()
                ));
            }
        }
        plan.notes.extend(self.overflow.as_ref().map(Overflow::note));
        if mode == WriteMode::Upsert && self.exists {
            plan.notes.push(HOW_MERGED.to_owned());
        }
        let rest = self.rest();
        let own = self.looked_at().enumerate();
        let columns = own.filter(|&(position, _)| Some(position) != rest);
        let columns = columns.map(|(_, column)| ColumnPlan {
            name: column.field.clone(),
            from: column.from.to_string(),
            to: column.pg_type.sql(),
            lossless: column.lossless,
            reason: column.pg_type.reason(column.from),
        });
        let folded = self.overflow.iter().flat_map(Overflow::columns);
        plan.with_columns(columns.chain(folded).collect())
    }

    fn first_note(&self, mode: WriteMode) -> String {
        let key = self.key_names().collect::<Vec<_>>().join(", ");
        let table = &self.table;
        if !self.exists {
            let number = self.columns.len();
            return if key.is_empty() {
                format!("makes {table} with {number} columns and no key")
            } else {
                format!("makes {table} with {number} columns and the primary key ({key})")
            };
        }
        let added = self.columns.iter().filter(|column| column.added).count();
        let after = match added {
            0 => String::new(),
            added => format!(", after adding {added} columns"),
        };
        match mode {
            WriteMode::Delete => format!("delete from {table} by ({key})"),
            WriteMode::Prune => format!(
                "prune {table} by ({key}): what no record names goes with the last commit; what was made or changed \
                 since the sweep began stays"
            ),
            WriteMode::Insert if self.facts.guarded => format!(
                "insert into {table}{after}, by way of a staging table: the server may refuse a row, and the others must land"
            ),
            WriteMode::Insert => format!("insert straight into {table}{after}"),
            WriteMode::Overwrite => format!("overwrite {table}{after}"),
            _ if added > 0 => format!("{mode} into {table} by ({key}){after}"),
            _ => format!("{mode} into {table} by ({key}); rows that are the same are not touched"),
        }
    }
}
