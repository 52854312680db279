//! What an object looks like, as the org describes it to this user.

mod cache;
mod spec;
mod wire;

pub(crate) use cache::DescribeCache;
pub(crate) use spec::Described;
#[cfg(test)]
pub(crate) use wire::PicklistValue;
pub(crate) use wire::{FieldDescribe, ObjectDescribe};

use connector_core::{Error, ErrorKind, Result, nearest};

use crate::error::code;
use crate::org::Org;
use crate::soql::is_name;
use wire::{ObjectEntry, ObjectList};

/// Every object this user may see.
pub(crate) async fn list(org: &Org) -> Result<Vec<ObjectEntry>> {
    let list: ObjectList = org.get("sobjects").await?.json()?;
    Ok(list.sobjects)
}

/// One object, fresh.
///
/// # Errors
/// [`ErrorKind::NotFound`]: there is none of that name, or it is hidden from this user; the help names the nearest.
async fn fetch(org: &Org, object: &str) -> Result<ObjectDescribe> {
    if !is_name(object) {
        return Err(unknown(org, object).await);
    }
    match org.get(&format!("sobjects/{object}/describe")).await {
        Ok(response) => response.json(),
        Err(error) if error.kind() == ErrorKind::NotFound && code(&error) == Some("NOT_FOUND") => {
            Err(unknown(org, object).await)
        }
        Err(error) => Err(error.with_context("object", object)),
    }
}

async fn unknown(org: &Org, object: &str) -> Error {
    let error = Error::new(ErrorKind::NotFound, format!("there is no object `{object}`"));
    let known = match list(org).await {
        Ok(known) => known,
        Err(cause) => return error.with_source(cause),
    };
    match nearest(object, known.iter().map(|entry| entry.name.as_str())).as_slice() {
        [] => error.with_help("list the streams; an object that is missing may be hidden from this user"),
        near => error.with_help(format!("did you mean `{}`?", near.join("` or `"))),
    }
}
