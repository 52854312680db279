//! The schema a task goes on with after a change.

use std::fmt;

use super::{DataType, Field, Schema, SchemaChange, SchemaDiff, SchemaPolicy};
use crate::error::{Error, ErrorKind, Result};

impl SchemaDiff {
    /// The schema that a task goes on with, as `policy` wants it.
    ///
    /// - [`Apply`](SchemaPolicy::Apply): new fields join at the end, nullable, for older records lack them. Wider
    ///   types are taken; a field that holds less keeps its wider type. A field that may be null on either side
    ///   may be null. A removed field stays, nullable, and is left unset from now on.
    /// - [`Hold`](SchemaPolicy::Hold): the older schema, as it is. New fields are left out; values that fit no
    ///   longer are for the destination to reject, record by record.
    /// - [`Fail`](SchemaPolicy::Fail): the older schema if nothing changed.
    ///
    /// Settling what was settled against the same newer schema changes nothing more.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`], with what to do: for `Apply` and `Hold`, a field holds something else, or records are
    /// known by another key or the same key in another writing; for `Hold` also where a removed field may not be
    /// null; for `Fail`, any change.
    pub fn settle(&self, policy: SchemaPolicy) -> Result<Schema> {
        match policy {
            SchemaPolicy::Apply => {
                self.refuse(SchemaChange::breaks_apply)?;
                Ok(self.applied())
            }
            SchemaPolicy::Hold => {
                self.refuse(SchemaChange::breaks_hold)?;
                Ok(self.older.clone())
            }
            SchemaPolicy::Fail if self.is_empty() => Ok(self.older.clone()),
            SchemaPolicy::Fail => Err(Error::new(
                ErrorKind::Schema,
                format!("the schema changed: {}", join(&self.changes)),
            )
            .with_help(
                "check that the destination can take it, then run once with the schema policy `apply`, or `hold` to \
                 leave it out",
            )),
        }
    }

    /// Fails where a change is one that cannot be followed; every such change is named.
    fn refuse(&self, breaks: fn(&SchemaChange, &Schema) -> bool) -> Result<()> {
        let broken: Vec<_> = self
            .changes
            .iter()
            .filter(|change| breaks(change, &self.older))
            .collect();
        let Some(first) = broken.first() else {
            return Ok(());
        };
        Err(Error::new(
            ErrorKind::Schema,
            format!(
                "the schema changed in a way that cannot be followed: {}",
                join(&broken)
            ),
        )
        .with_help(first.way_out(&self.older)))
    }

    /// The older schema with everything of the newer that can join it.
    fn applied(&self) -> Schema {
        let Schema { fields, primary_key } = &self.older;
        let mut fields: Vec<Field> = fields
            .iter()
            .map(|older| match self.newer.field(&older.name) {
                Some(newer) => Field {
                    name: older.name.clone(),
                    data_type: if older.data_type.widens_to(newer.data_type) {
                        newer.data_type
                    } else {
                        older.data_type
                    },
                    nullable: older.nullable || newer.nullable,
                    access: newer.access,
                },
                None => nullable(older),
            })
            .collect();
        fields.extend(self.changes.iter().filter_map(|change| match change {
            SchemaChange::Added(field) => Some(nullable(field)),
            _ => None,
        }));
        Schema {
            fields,
            primary_key: primary_key.clone(),
        }
    }
}

fn nullable(field: &Field) -> Field {
    Field {
        nullable: true,
        ..field.clone()
    }
}

fn join(changes: &[impl fmt::Display]) -> String {
    let lines: Vec<String> = changes.iter().map(ToString::to_string).collect();
    lines.join("; ")
}

impl SchemaChange {
    fn breaks_apply(&self, older: &Schema) -> bool {
        match self {
            Self::Retyped { .. } | Self::PrimaryKey { .. } => true,
            Self::Widened { name, from, to } | Self::Narrowed { name, from, to } => {
                older.primary_key_names().any(|key| key == name) && !same_text(*from, *to)
            }
            _ => false,
        }
    }

    fn breaks_hold(&self, older: &Schema) -> bool {
        match self {
            // Nothing can be put where a value must be.
            Self::Removed(field) => !field.nullable,
            other => other.breaks_apply(older),
        }
    }

    /// What to do about a change that cannot be followed.
    fn way_out(&self, older: &Schema) -> String {
        match self {
            Self::Retyped { name, .. } if !older.primary_key_names().any(|key| key == name) => format!(
                "leave `{name}` out of the mapping, or load the stream anew, from the start and into a new table"
            ),
            Self::Removed(field) => format!(
                "let `{}` be null at the destination, or take the change with the schema policy `apply`",
                field.name
            ),
            _ => "load the stream anew, from the start and into a new table: what is there is known by other keys".to_owned(),
        }
    }
}

/// Whether a value of both types has the same text in both, so that a record's key stays what it is.
fn same_text(from: DataType, to: DataType) -> bool {
    let scale = |data_type| match data_type {
        DataType::Int16 | DataType::Int32 | DataType::Int64 => Some(0),
        DataType::Decimal(Some(size)) => Some(size.scale),
        _ => None,
    };
    match (from, to) {
        (DataType::Text { .. }, DataType::Text { .. }) => true,
        _ => scale(from).is_some() && scale(from) == scale(to),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(fields: &[Field]) -> Schema {
        let key = fields.iter().any(|field| field.name == "Id").then_some("Id");
        Schema::new(fields.to_vec(), key).unwrap()
    }

    fn id() -> Field {
        Field::new("Id", DataType::Int32).not_null()
    }

    fn field(name: &str, data_type: DataType) -> Field {
        Field::new(name, data_type)
    }

    fn text(max_chars: u32) -> DataType {
        DataType::Text {
            max_chars: Some(max_chars),
        }
    }

    /// A schema before and after everything that can be followed has happened to it.
    fn before_and_after() -> (Schema, Schema) {
        let before = schema(&[
            id(),
            field("Amount", DataType::decimal(18, 2)).not_null(),
            field("Fax", text(40)).not_null(),
            field("Name", DataType::TEXT),
            field("City", text(80)),
        ]);
        let after = schema(&[
            field("City", text(40)),
            field("Email", text(80)).not_null(),
            field("Score", DataType::Float64),
            field("Name", DataType::TEXT).not_null(),
            field("Amount", DataType::decimal(20, 4)),
            id(),
        ]);
        (before, after)
    }

    #[test]
    fn applying_follows_what_can_be_followed_and_nothing_twice() {
        let (before, after) = before_and_after();
        let settled = before.diff(&after).settle(SchemaPolicy::Apply).unwrap();
        let wanted = schema(&[
            id(),
            field("Amount", DataType::decimal(20, 4)),
            field("Fax", text(40)),
            field("Name", DataType::TEXT),
            field("City", text(80)),
            field("Email", text(80)),
            field("Score", DataType::Float64),
        ]);
        assert_eq!(settled, wanted);
        let again = settled.diff(&after);
        assert_eq!(again.settle(SchemaPolicy::Apply).unwrap(), settled);
    }

    #[test]
    fn holding_goes_on_as_before() {
        let (before, after) = before_and_after();
        let diff = before.diff(&after);
        let error = diff.settle(SchemaPolicy::Hold).unwrap_err();
        assert_eq!(
            error.report().to_string(),
            "the schema changed in a way that cannot be followed: `Fax` is gone, it was text(40)\n\
             help: let `Fax` be null at the destination, or take the change with the schema policy `apply`"
        );
        let before = schema(&[
            id(),
            field("Fax", DataType::TEXT),
            field("Amount", DataType::Int16).not_null(),
        ]);
        let after = schema(&[
            id(),
            field("Amount", DataType::Int32),
            field("Score", DataType::Int32),
        ]);
        assert_eq!(before.diff(&after).settle(SchemaPolicy::Hold).unwrap(), before);
    }

    #[test]
    fn failing_lists_every_change() {
        let before = schema(&[id(), field("Fax", DataType::TEXT)]);
        let after = schema(&[id(), field("Score", DataType::Int32)]);
        let error = before.diff(&after).settle(SchemaPolicy::Fail).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Schema);
        assert_eq!(
            error.report().to_string(),
            "the schema changed: `Fax` is gone, it was text; `Score` is new, int32\n\
             help: check that the destination can take it, then run once with the schema policy `apply`, or `hold` \
             to leave it out"
        );
    }

    #[test]
    fn what_holds_something_else_stops_the_task() {
        let before = schema(&[id(), field("Score", DataType::TEXT), field("Due", DataType::Date)]);
        let after = schema(&[
            id(),
            field("Score", DataType::Int32),
            field("Due", DataType::Instant),
            field("New", DataType::Bool),
        ]);
        for policy in [SchemaPolicy::Apply, SchemaPolicy::Hold] {
            let error = before.diff(&after).settle(policy).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Schema);
            assert_eq!(
                error.report().to_string(),
                "the schema changed in a way that cannot be followed: `Score` holds something else: text became \
                 int32; `Due` holds something else: date became instant\n\
                 help: leave `Score` out of the mapping, or load the stream anew, from the start and into a new table"
            );
        }
    }

    #[test]
    fn another_key_stops_the_task() {
        let fields = vec![field("a", DataType::Int32), field("b", DataType::Int32)];
        let keyed = |key: &[&'static str]| Schema::new(fields.clone(), key.iter().copied()).unwrap();
        for (before, after, wanted) in [
            (
                &["a", "b"][..],
                &["b", "a"][..],
                "the primary key was `a`, `b` and is `b`, `a`",
            ),
            (&[], &["a"], "the primary key was none and is `a`"),
            (&["b"], &[], "the primary key was `b` and is none"),
        ] {
            let diff = keyed(before).diff(&keyed(after));
            assert_eq!(diff.to_string(), wanted);
            for policy in [SchemaPolicy::Apply, SchemaPolicy::Hold, SchemaPolicy::Fail] {
                let error = diff.settle(policy).unwrap_err();
                assert!(error.to_string().ends_with(wanted), "{error}");
                assert!(error.help().is_some());
            }
        }
    }

    #[test]
    fn a_key_whose_text_would_change_stops_the_task() {
        let decimal = DataType::decimal;
        for (from, to, followed) in [
            (DataType::Int32, DataType::Int64, true),
            (DataType::Int64, DataType::Int32, true),
            (DataType::Int32, decimal(12, 0), true),
            (text(18), DataType::TEXT, true),
            (decimal(9, 2), decimal(12, 2), true),
            // 5 would be 5.00.
            (DataType::Int32, decimal(12, 2), false),
            (decimal(9, 2), decimal(12, 4), false),
            (DataType::Int32, DataType::Decimal(None), false),
            (DataType::TEXT, DataType::Int32, false),
        ] {
            let diff = schema(&[field("Id", from)]).diff(&schema(&[field("Id", to)]));
            for policy in [SchemaPolicy::Apply, SchemaPolicy::Hold] {
                let settled = diff.settle(policy);
                assert_eq!(settled.is_ok(), followed, "{from} {to} {policy}");
                if let Err(error) = settled {
                    assert!(error.help().unwrap().starts_with("load the stream anew"));
                }
            }
        }
    }
}
