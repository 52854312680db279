//! Parents named by a key of their own instead of their id: `Parent__r.Key__c`, or `Type:Owner.Key__c` where the
//! reference may point to several objects.

use std::collections::BTreeMap;
use std::sync::Arc;

use connector_core::{Error, ErrorKind, Result, Schema, nearest};

use crate::connector::Salesforce;
use crate::describe::{Described, FieldDescribe};

/// A parent that records name by one of its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parent {
    /// The relationship's name, such as `Parent__r` or `Owner`.
    pub(crate) relationship: String,
    /// The parent's object, where the reference may point to several.
    pub(crate) object: Option<String>,
    /// The reference behind it, such as `Parent__c` or `OwnerId`.
    pub(crate) reference: String,
}

impl Parent {
    /// The path to the parent's `field`, as a Bulk column spells it.
    pub(crate) fn path(&self, field: &str) -> String {
        let relationship = &self.relationship;
        match &self.object {
            Some(object) => format!("{object}:{relationship}.{field}"),
            None => format!("{relationship}.{field}"),
        }
    }

    /// A mapping's name taken apart, if it is a path.
    pub(super) fn parse(name: &str) -> Option<Path<'_>> {
        let (head, field) = name.split_once('.')?;
        let (object, relationship) = match head.split_once(':') {
            Some((object, relationship)) => (Some(object), relationship),
            None => (None, head),
        };
        Some(Path {
            object,
            relationship,
            field,
        })
    }
}

/// A path of a mapping.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Path<'a> {
    object: Option<&'a str>,
    relationship: &'a str,
    field: &'a str,
}

/// The objects that a mapping's paths lead to, by name.
#[derive(Debug, Default)]
pub(crate) struct Parents(BTreeMap<String, Arc<Described>>);

impl Parents {
    /// Describes the parents that `schema` names; what leads nowhere is left to [`follow`](Self::follow).
    pub(crate) async fn of(crm: &Salesforce, described: &Described, schema: &Schema) -> Result<Self> {
        let mut parents = BTreeMap::new();
        for path in schema
            .fields()
            .iter()
            .filter_map(|field| Parent::parse(&field.name))
        {
            let Ok((_, object)) = reference(described, &path) else {
                continue;
            };
            if !parents.contains_key(object) {
                parents.insert(object.to_owned(), crm.object(&object.into()).await?);
            }
        }
        Ok(Self(parents))
    }

    /// The reference that `path` goes through, the parent's field at its end, and the parent.
    pub(super) fn follow<'d>(
        &self,
        described: &'d Described,
        path: &Path<'_>,
    ) -> Result<(&'d FieldDescribe, FieldDescribe, Parent)> {
        let (reference, object) = reference(described, path)?;
        let Some(parent) = self.0.get(object) else {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("there is no object `{object}`"),
            ));
        };
        let Some(field) = parent.object.field(path.field) else {
            return Err(parent
                .spec
                .schema
                .unknown_field(path.field)
                .with_context("parent", object));
        };
        if field.kind == "id" || !(field.external_id || field.id_lookup) {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "`{}` is no field that a record of `{object}` is found by",
                    path.field
                ),
            )
            .with_help(format!(
                "name an external id of `{object}`, or map the parent's id onto `{}`",
                reference.name
            )));
        }
        let several = reference.reference_to.len() > 1;
        let parent = Parent {
            relationship: path.relationship.to_owned(),
            object: several.then(|| object.to_owned()),
            reference: reference.name.clone(),
        };
        Ok((reference, field.clone(), parent))
    }
}

/// The reference that a path goes through, and the object it leads to.
fn reference<'d, 'o>(described: &'d Described, path: &Path<'o>) -> Result<(&'d FieldDescribe, &'o str)>
where
    'd: 'o,
{
    let named = |field: &&FieldDescribe| field.relationship_name.as_deref() == Some(path.relationship);
    let Some(reference) = described.object.fields.iter().find(named) else {
        let message = format!("there is no relationship `{}`", path.relationship);
        let known = described.object.fields.iter();
        let known = known.filter_map(|field| field.relationship_name.as_deref());
        let error = Error::new(ErrorKind::Schema, message);
        return Err(match nearest(path.relationship, known).as_slice() {
            [] => error.with_help("a custom reference `Parent__c` is followed as `Parent__r.Key__c`"),
            near => error.with_help(format!("did you mean `{}`?", near.join("` or `"))),
        });
    };
    match (path.object, reference.reference_to.as_slice()) {
        (None, [only]) => Ok((reference, only)),
        (Some(object), objects) if objects.iter().any(|known| known == object) => Ok((reference, object)),
        (Some(object), objects) => Err(Error::new(
            ErrorKind::Schema,
            format!("`{}` never points to `{object}`", reference.name),
        )
        .with_help(format!("it points to `{}`", objects.join("`, `")))),
        (None, objects) => Err(Error::new(
            ErrorKind::Schema,
            format!("`{}` may point to `{}`", reference.name, objects.join("`, `")),
        )
        .with_help(format!(
            "say to which: `{}:{}.{}`",
            objects.first().map_or("Object", String::as_str),
            path.relationship,
            path.field
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_relationship_field_and_perhaps_the_object() {
        let path = |object, relationship, field| {
            Some(Path {
                object,
                relationship,
                field,
            })
        };
        assert_eq!(
            Parent::parse("Account__r.Key__c"),
            path(None, "Account__r", "Key__c")
        );
        assert_eq!(
            Parent::parse("User:Owner.Username"),
            path(Some("User"), "Owner", "Username")
        );
        assert_eq!(Parent::parse("LastName"), None);
    }
}
