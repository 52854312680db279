//! One page of a list.

use connector_core::Result;
use connector_http::{Response, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::streams::Version;

/// The records of one page, not yet looked into, and where to go on.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    pub(crate) rows: Vec<&'a RawValue>,
    /// The cursor of the next page, in lists that have one.
    pub(crate) cursor: Option<String>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    meta: Option<&'a RawValue>,
}

/// What is left of `meta`; an empty one comes as an array.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Meta<'a> {
    #[serde(borrow)]
    pagination: Option<&'a RawValue>,
    #[serde(borrow)]
    cursor_pagination: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Pagination {
    total: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CursorPagination {
    end_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Count {
    count: u64,
}

impl<'a> Page<'a> {
    pub(crate) fn parse(version: Version, response: &'a Response) -> Result<Self> {
        match version {
            Version::V2 if is_empty(response) => Ok(Self {
                rows: Vec::new(),
                cursor: None,
            }),
            Version::V2 => Ok(Self {
                rows: response.json()?,
                cursor: None,
            }),
            Version::V3 => {
                let envelope: Envelope<'_> = response.json()?;
                let meta: Meta<'_> = lenient(envelope.meta);
                let pagination: CursorPagination = lenient(meta.cursor_pagination);
                // Links are not followed: the place is ours to name, and the last page has a next link too.
                Ok(Self {
                    rows: envelope.data,
                    cursor: pagination.end_cursor,
                })
            }
        }
    }
}

/// How many records a list has, from its count or from the first page.
pub(crate) fn total(version: Version, response: &Response) -> Result<Option<u64>> {
    match version {
        Version::V2 if is_empty(response) => Ok(Some(0)),
        Version::V2 => Ok(Some(response.json::<Count>()?.count)),
        Version::V3 => {
            let meta: Meta<'_> = lenient(response.json::<Envelope<'_>>()?.meta);
            Ok(lenient::<Pagination>(meta.pagination).total)
        }
    }
}

/// The end of a V2 list is a 204.
fn is_empty(response: &Response) -> bool {
    response.status == StatusCode::NO_CONTENT || response.body.is_empty()
}

/// What stands there, or nothing where it is of another form.
fn lenient<'a, T: Deserialize<'a> + Default>(raw: Option<&'a RawValue>) -> T {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default()
}
