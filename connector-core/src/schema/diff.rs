//! What became of a schema since it was last seen.

use std::fmt;

use super::{DataType, Field, Schema};
use crate::error::nearest;

/// How a schema differs from an older one of the same stream.
///
/// Fields are known by their names. What a connection may do with them ([`Access`](super::Access)) is no part of
/// their shape and is not compared; their order neither, but for the primary key's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaDiff {
    pub(super) older: Schema,
    pub(super) newer: Schema,
    pub(super) changes: Vec<SchemaChange>,
}

/// One thing that became of a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemaChange {
    /// There is a new field.
    Added(Field),
    /// The field is gone.
    Removed(Field),
    /// The field holds more: every old value is one of the new type, unchanged.
    Widened {
        /// The field.
        name: String,
        /// Its type before.
        from: DataType,
        /// Its type now.
        to: DataType,
    },
    /// The field holds less: every new value is one of the old type, unchanged.
    Narrowed {
        /// The field.
        name: String,
        /// Its type before.
        from: DataType,
        /// Its type now.
        to: DataType,
    },
    /// The field holds something else: neither type has all values of the other.
    Retyped {
        /// The field.
        name: String,
        /// Its type before.
        from: DataType,
        /// Its type now.
        to: DataType,
    },
    /// The field may be null, and could not before.
    BecameNullable(String),
    /// The field may no longer be null.
    BecameNotNull(String),
    /// A guess: the only removed and the only added field of one type have names that are near. It stands besides
    /// the [`Removed`](Self::Removed) and [`Added`](Self::Added) that are certain, and nothing is done because of it.
    PerhapsRenamed {
        /// The removed field.
        from: String,
        /// The added field.
        to: String,
    },
    /// Records are known by other fields, or by the same in another order.
    PrimaryKey {
        /// The key's fields before.
        from: Vec<String>,
        /// The key's fields now.
        to: Vec<String>,
    },
}

impl Schema {
    /// What became of this schema: how `newer`, the schema of the same stream as it is now, differs from it.
    pub fn diff(&self, newer: &Self) -> SchemaDiff {
        let mut changes = Vec::new();
        for field in &self.fields {
            match newer.field(&field.name) {
                Some(now) => compare(field, now, &mut changes),
                None => changes.push(SchemaChange::Removed(field.clone())),
            }
        }
        let added = newer
            .fields
            .iter()
            .filter(|field| self.field(&field.name).is_none());
        changes.extend(added.cloned().map(SchemaChange::Added));
        let renamed = renamed(&changes);
        changes.extend(renamed);
        if !self.primary_key_names().eq(newer.primary_key_names()) {
            let names = |schema: &Self| schema.primary_key_names().map(str::to_owned).collect();
            changes.push(SchemaChange::PrimaryKey {
                from: names(self),
                to: names(newer),
            });
        }
        SchemaDiff {
            older: self.clone(),
            newer: newer.clone(),
            changes,
        }
    }
}

/// What became of one field's type, then of its being null.
fn compare(older: &Field, newer: &Field, changes: &mut Vec<SchemaChange>) {
    let (name, from, to) = (older.name.clone(), older.data_type, newer.data_type);
    if from != to {
        changes.push(if from.widens_to(to) {
            SchemaChange::Widened { name, from, to }
        } else if to.widens_to(from) {
            SchemaChange::Narrowed { name, from, to }
        } else {
            SchemaChange::Retyped { name, from, to }
        });
    }
    match (older.nullable, newer.nullable) {
        (false, true) => changes.push(SchemaChange::BecameNullable(older.name.clone())),
        (true, false) => changes.push(SchemaChange::BecameNotNull(older.name.clone())),
        _ => {}
    }
}

/// The pairs of a removed and an added field that may be one field, in the order of the removed ones.
fn renamed(changes: &[SchemaChange]) -> Vec<SchemaChange> {
    let removed = || {
        changes.iter().filter_map(|change| match change {
            SchemaChange::Removed(field) => Some(field),
            _ => None,
        })
    };
    let added = || {
        changes.iter().filter_map(|change| match change {
            SchemaChange::Added(field) => Some(field),
            _ => None,
        })
    };
    removed()
        .filter_map(|from| {
            let same_type = |field: &&Field| field.data_type == from.data_type;
            let mut candidates = added().filter(same_type);
            let to = candidates.next()?;
            let alone = candidates.next().is_none() && removed().filter(same_type).count() == 1;
            let near = !nearest(&from.name, [to.name.as_str()]).is_empty();
            (alone && near).then(|| SchemaChange::PerhapsRenamed {
                from: from.name.clone(),
                to: to.name.clone(),
            })
        })
        .collect()
}

impl SchemaDiff {
    /// The changes: those of the older schema's fields in their order, then new fields in theirs, then guesses at
    /// renamings, then the primary key.
    pub fn changes(&self) -> &[SchemaChange] {
        &self.changes
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

impl fmt::Display for SchemaDiff {
    /// One line per change.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, change) in self.changes.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{change}")?;
        }
        Ok(())
    }
}

impl fmt::Display for SchemaChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added(field) => write!(f, "`{}` is new, {}", field.name, field.data_type),
            Self::Removed(field) => write!(f, "`{}` is gone, it was {}", field.name, field.data_type),
            Self::Widened { name, from, to } => write!(f, "`{name}` holds more: {from} became {to}"),
            Self::Narrowed { name, from, to } => write!(f, "`{name}` holds less: {from} became {to}"),
            Self::Retyped { name, from, to } => {
                write!(f, "`{name}` holds something else: {from} became {to}")
            }
            Self::BecameNullable(name) => write!(f, "`{name}` may be null now"),
            Self::BecameNotNull(name) => write!(f, "`{name}` may no longer be null"),
            Self::PerhapsRenamed { from, to } => write!(f, "perhaps `{from}` was renamed to `{to}`"),
            Self::PrimaryKey { from, to } => {
                let list = |names: &[String]| match names {
                    [] => "none".to_owned(),
                    names => format!("`{}`", names.join("`, `")),
                };
                write!(f, "the primary key was {} and is {}", list(from), list(to))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::SchemaPolicy;

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
    fn changes_stand_in_the_order_of_the_fields() {
        let (before, after) = before_and_after();
        let diff = before.diff(&after);
        assert_eq!(
            diff.changes(),
            [
                SchemaChange::Widened {
                    name: "Amount".into(),
                    from: DataType::decimal(18, 2),
                    to: DataType::decimal(20, 4),
                },
                SchemaChange::BecameNullable("Amount".into()),
                SchemaChange::Removed(field("Fax", text(40)).not_null()),
                SchemaChange::BecameNotNull("Name".into()),
                SchemaChange::Narrowed {
                    name: "City".into(),
                    from: text(80),
                    to: text(40),
                },
                SchemaChange::Added(field("Email", text(80)).not_null()),
                SchemaChange::Added(field("Score", DataType::Float64)),
            ]
        );
        assert_eq!(
            diff.to_string(),
            "`Amount` holds more: decimal(18,2) became decimal(20,4)\n\
             `Amount` may be null now\n\
             `Fax` is gone, it was text(40)\n\
             `Name` may no longer be null\n\
             `City` holds less: text(80) became text(40)\n\
             `Email` is new, text(80)\n\
             `Score` is new, float64"
        );
    }

    #[test]
    fn the_same_schema_in_another_order_or_with_other_access_has_not_changed() {
        let before = schema(&[id(), field("Name", DataType::TEXT)]);
        let read_only = field("Name", DataType::TEXT).with_access(crate::Access::READ_ONLY);
        let after = schema(&[read_only, id()]);
        let diff = before.diff(&after);
        assert!(diff.is_empty());
        assert_eq!(diff.to_string(), "");
        for policy in [SchemaPolicy::Hold, SchemaPolicy::Fail] {
            assert_eq!(diff.settle(policy).unwrap(), before);
        }
        // What may be done with a field is today's.
        let settled = diff.settle(SchemaPolicy::Apply).unwrap();
        assert_eq!(settled.fields()[1].access, crate::Access::READ_ONLY);
    }

    #[test]
    fn every_pair_of_types_widens_narrows_or_is_retyped() {
        use DataType::{Bool, Date, Float32, Float64, Instant, Int16, Int32, Int64, Timestamp};
        let decimal = DataType::decimal;
        for (from, to, wanted) in [
            (Int16, Int64, "more"),
            (Int64, Int16, "less"),
            (Int16, Float32, "more"),
            (Int32, Float32, "something else"),
            (Int64, Float64, "something else"),
            (Int32, decimal(10, 0), "more"),
            (decimal(10, 0), Int32, "less"),
            (Int32, decimal(10, 1), "something else"),
            (Float64, Float32, "less"),
            (decimal(9, 2), DataType::Decimal(None), "more"),
            (decimal(9, 2), decimal(9, 3), "something else"),
            (decimal(9, 2), decimal(8, 1), "less"),
            (text(80), DataType::TEXT, "more"),
            (DataType::TEXT, text(80), "less"),
            (DataType::TEXT, Int64, "something else"),
            (Bool, Int16, "something else"),
            (Timestamp, Instant, "something else"),
            (Date, Timestamp, "something else"),
        ] {
            let diff = schema(&[field("x", from)]).diff(&schema(&[field("x", to)]));
            assert_eq!(
                diff.to_string(),
                format!("`x` holds {wanted}: {from} became {to}")
            );
        }
    }

    #[test]
    fn a_renaming_is_guessed_only_where_one_field_can_be_meant() {
        let guess = |before: &[Field], after: &[Field]| {
            let guesses: Vec<String> = schema(before)
                .diff(&schema(after))
                .changes()
                .iter()
                .filter(|change| matches!(change, SchemaChange::PerhapsRenamed { .. }))
                .map(ToString::to_string)
                .collect();
            guesses.join("\n")
        };
        let score = field("LeadScore_c", DataType::Int32);
        let scores = field("LeadScores_c", DataType::Int32);
        let suffixed = field("LeadScore__c", DataType::Int32);
        let once = "perhaps `LeadScore_c` was renamed to `LeadScore__c`";
        assert_eq!(
            guess(std::slice::from_ref(&score), std::slice::from_ref(&suffixed)),
            once
        );
        // Other fields come and go beside them.
        let beside = [score.clone(), field("Fax", DataType::TEXT)];
        assert_eq!(
            guess(&beside, &[suffixed.clone(), field("Due", DataType::Date)]),
            once
        );
        // Two of a type on either side: nobody can say which.
        assert_eq!(
            guess(&[score.clone(), scores.clone()], std::slice::from_ref(&suffixed)),
            ""
        );
        assert_eq!(
            guess(std::slice::from_ref(&suffixed), &[score.clone(), scores]),
            ""
        );
        // Another type, another word.
        assert_eq!(
            guess(
                std::slice::from_ref(&score),
                &[field("LeadScore__c", DataType::Int64)]
            ),
            ""
        );
        assert_eq!(guess(&[score], &[field("Employees", DataType::Int32)]), "");
        // The certain part stays.
        let diff = schema(&[field("Mail", DataType::TEXT)]).diff(&schema(&[field("EMail", DataType::TEXT)]));
        assert_eq!(
            diff.to_string(),
            "`Mail` is gone, it was text\n`EMail` is new, text\nperhaps `Mail` was renamed to `EMail`"
        );
    }
}
