//! The shape of a stream's records.

mod data_type;
mod diff;
mod policy;
mod settle;

use serde::{Deserialize, Serialize};

pub use {
    data_type::{DataType, DecimalSize, ElementType},
    diff::{SchemaChange, SchemaDiff},
    policy::SchemaPolicy,
};

use crate::error::{Error, ErrorKind, Result, nearest};

/// The fields of a stream's records, in order, and which of them are the primary key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    fields: Vec<Field>,
    primary_key: Vec<usize>,
}

/// One field of a schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Field {
    /// The name, spelt as the system spells it.
    pub name: String,
    /// The type.
    pub data_type: DataType,
    /// Whether the field may be null.
    pub nullable: bool,
    /// What the connection may do with it.
    pub access: Access,
}

/// What a connection may do with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Access {
    /// Can be read.
    pub readable: bool,
    /// Can be given when a record is created.
    pub creatable: bool,
    /// Can be changed afterwards: what a person or a program may edit.
    pub updatable: bool,
    /// Can be the key of an upsert or update.
    pub match_key: bool,
    /// Must be given when a record is created.
    pub required: bool,
}

impl Access {
    /// Everything a table's ordinary column allows.
    pub const ALL: Self = Self {
        readable: true,
        creatable: true,
        updatable: true,
        match_key: true,
        required: false,
    };
    /// Set by the system: readable, never writable.
    pub const READ_ONLY: Self = Self {
        readable: true,
        creatable: false,
        updatable: false,
        match_key: false,
        required: false,
    };

    /// The same, but creatable or not.
    #[must_use]
    pub const fn with_creatable(mut self, creatable: bool) -> Self {
        self.creatable = creatable;
        self
    }

    /// The same, but updatable or not.
    #[must_use]
    pub const fn with_updatable(mut self, updatable: bool) -> Self {
        self.updatable = updatable;
        self
    }

    /// The same, but usable as a key or not.
    #[must_use]
    pub const fn with_match_key(mut self, match_key: bool) -> Self {
        self.match_key = match_key;
        self
    }

    /// The same, but required or not.
    #[must_use]
    pub const fn with_required(mut self, required: bool) -> Self {
        self.required = required;
        self
    }
}

impl Field {
    /// A nullable field with every access.
    pub fn new(name: impl Into<String>, data_type: DataType) -> Self {
        Self {
            name: name.into(),
            data_type,
            nullable: true,
            access: Access::ALL,
        }
    }

    /// The same, but never null.
    #[must_use]
    pub fn not_null(mut self) -> Self {
        self.nullable = false;
        self
    }

    /// The same, with other access.
    #[must_use]
    pub fn with_access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// The same under another name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }
}

impl Schema {
    /// A schema of `fields`; `primary_key` names some of them, or none.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`]: a name stands twice, or the key names a field that is not there.
    pub fn new<'a>(fields: Vec<Field>, primary_key: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let mut names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::new(
                ErrorKind::Schema,
                format!("the field `{}` stands twice in a schema", twice[0]),
            ));
        }
        let mut schema = Self {
            fields,
            primary_key: Vec::new(),
        };
        schema.primary_key = primary_key
            .into_iter()
            .map(|name| schema.index_of(name))
            .collect::<Result<_>>()?;
        Ok(schema)
    }

    /// The fields in order.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Positions of the primary key's fields; empty where there is none.
    pub fn primary_key(&self) -> &[usize] {
        &self.primary_key
    }

    /// Names of the primary key's fields.
    pub fn primary_key_names(&self) -> impl Iterator<Item = &str> {
        self.primary_key.iter().map(|&i| self.fields[i].name.as_str())
    }

    /// The field called `name`, if there is one.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The position of the field called `name`.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`]: there is none; the help names the nearest ones.
    pub fn index_of(&self, name: &str) -> Result<usize> {
        self.fields
            .iter()
            .position(|field| field.name == name)
            .ok_or_else(|| self.unknown_field(name))
    }

    /// The error for a field that is not there.
    pub fn unknown_field(&self, name: &str) -> Error {
        let near = nearest(name, self.fields.iter().map(|field| field.name.as_str()));
        let error = Error::new(ErrorKind::Schema, format!("there is no field `{name}`"));
        match near.as_slice() {
            [] => error.with_help(
                "`describe` lists the fields there are; one that is missing may be hidden from this user",
            ),
            near => error.with_help(format!("did you mean `{}`?", near.join("` or `"))),
        }
    }

    /// The fields called `names`, in that order; the primary key is kept where all of its fields are.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`]: a name is not there.
    pub fn select(&self, names: &[impl AsRef<str>]) -> Result<Self> {
        let fields = names
            .iter()
            .map(|name| self.index_of(name.as_ref()).map(|i| self.fields[i].clone()))
            .collect::<Result<Vec<_>>>()?;
        let kept = |name: &&str| fields.iter().any(|field| field.name == **name);
        let key: Vec<&str> = if self.primary_key_names().all(|name| kept(&name)) {
            self.primary_key_names().collect()
        } else {
            Vec::new()
        };
        Self::new(fields, key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lead() -> Schema {
        let fields = vec![
            Field::new("Id", DataType::TEXT).not_null(),
            Field::new("LeadScore__c", DataType::Int32),
        ];
        Schema::new(fields, ["Id"]).unwrap()
    }

    #[test]
    fn a_misspelt_field_names_the_nearest() {
        let error = lead().index_of("LeadScore_c").unwrap_err();
        assert_eq!(
            error.report().to_string(),
            "there is no field `LeadScore_c`\nhelp: did you mean `LeadScore__c`?"
        );
    }

    #[test]
    fn selecting_keeps_the_key_only_whole() {
        assert_eq!(lead().select(&["LeadScore__c", "Id"]).unwrap().primary_key(), [1]);
        assert!(lead().select(&["LeadScore__c"]).unwrap().primary_key().is_empty());
    }

    #[test]
    fn a_name_stands_once() {
        let twice = vec![Field::new("a", DataType::Bool), Field::new("a", DataType::Bool)];
        assert!(Schema::new(twice, []).is_err());
    }
}
