//! What an object looks like, as the org describes it to this user.

mod cache;
mod conditional;
mod left_out;
mod picklist;
mod spec;
mod wire;

pub(crate) use cache::DescribeCache;
pub(crate) use left_out::why_left_out;
pub use picklist::{Picklist, PicklistValue};
pub(crate) use spec::Described;
pub(crate) use wire::{FieldDescribe, ObjectDescribe};

use conditional::Validator;
use connector_core::{Error, ErrorKind, Result, nearest};

use crate::error::code;
use crate::org::Org;
use crate::soql::is_name;

/// One object; `None` where it is what it was when `known` was taken.
///
/// # Errors
/// [`ErrorKind::NotFound`]: there is none of that name, or it is hidden from this user; the help names the nearest.
async fn fetch(
    cache: &DescribeCache,
    org: &Org,
    object: &str,
    known: Option<&Validator>,
) -> Result<Option<(ObjectDescribe, Option<Validator>)>> {
    if !is_name(object) {
        return Err(unknown(cache, org, object).await);
    }
    match conditional::get(org, &format!("sobjects/{object}/describe"), known).await {
        Ok(None) => Ok(None),
        Ok(Some((response, validator))) => Ok(Some((response.json()?, validator))),
        Err(error) if error.kind() == ErrorKind::NotFound && code(&error) == Some("NOT_FOUND") => {
            Err(unknown(cache, org, object).await)
        }
        Err(error) => Err(error.with_context("object", object)),
    }
}

async fn unknown(cache: &DescribeCache, org: &Org, object: &str) -> Error {
    let error = Error::new(ErrorKind::NotFound, format!("there is no object `{object}`"));
    let known = match cache.list(org).await {
        Ok(known) => known,
        Err(cause) => return error.with_source(cause),
    };
    match nearest(object, known.iter().map(|entry| entry.name.as_str())).as_slice() {
        [] => error.with_help("list the streams; an object that is missing may be hidden from this user"),
        near => error.with_help(format!("did you mean `{}`?", near.join("` or `"))),
    }
}
