//! What a plan says of folded fields.

use connector_core::ColumnPlan;

use super::{Overflow, REST, Why};

/// The most fields that are named.
const NAMED: usize = 10;

impl Overflow {
    /// Which fields, where they are, and why.
    pub(crate) fn note(&self) -> String {
        let names: Vec<String> = self
            .folded
            .iter()
            .take(NAMED)
            .map(|(name, _)| format!("`{name}`"))
            .collect();
        let more = match self.folded.len() - names.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let why = match self.why {
            Why::Before => "the table keeps new fields there",
            Why::Columns => "a table of PostgreSQL has 1,600 columns at most, dropped ones included",
            Why::Page => {
                "a row of PostgreSQL lies in one page, and with a value in every field it might not fit"
            }
        };
        format!(
            "fields without a column of their own, {} of them, go into the jsonb column `{REST}`, because {why}: {}{more}; in SQL, \
             \"{REST}\"->>'name' is the value of one",
            self.folded.len(),
            names.join(", ")
        )
    }

    /// What becomes of each of the fields.
    pub(crate) fn columns(&self) -> impl Iterator<Item = ColumnPlan> {
        self.folded.iter().map(|(name, data_type)| ColumnPlan {
            name: name.clone(),
            from: data_type.to_string(),
            to: format!("jsonb, in `{REST}`"),
            lossless: true,
            reason: Some(format!(
                "it has no column of its own; a null is left out of `{REST}`"
            )),
        })
    }

    /// What is said of the column in the database.
    pub(crate) fn remark() -> &'static str {
        "Fields that have no column of their own, by name; one that is not here is null."
    }
}
