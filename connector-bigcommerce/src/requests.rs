//! Requests, made of what is to be read and nothing else.

use connector_core::{Error, ErrorKind, Result};
use connector_http::{HeaderValue, Request, Url, header};

use crate::progress::Window;
use crate::streams::{Paging, StreamDef};

/// Most records of a page.
const PAGE: u32 = 250;

/// Makes the requests to one store.
#[derive(Clone, Debug)]
pub(crate) struct Requests {
    /// `…/stores/{hash}/`
    base: Url,
}

impl Requests {
    pub(crate) fn new(api_url: &Url, store_hash: &str) -> Result<Self> {
        let base = format!("{}/stores/{store_hash}/", api_url.as_str().trim_end_matches('/'));
        let base = Url::parse(&base)
            .map_err(|error| Error::new(ErrorKind::Config, "`api_url` is no address").with_source(error))?;
        Ok(Self { base })
    }

    /// The store's clock.
    pub(crate) fn time(&self) -> Result<Request> {
        self.get("v2/time")
    }

    /// The store itself.
    pub(crate) fn store(&self) -> Result<Request> {
        self.get("v2/store")
    }

    /// The page of `stream` that follows the window's place.
    pub(crate) fn page(&self, stream: &StreamDef, window: &Window) -> Result<Request> {
        let mut request = self.filtered(stream, stream.path, window)?.query("limit", PAGE);
        match (stream.paging, &window.after) {
            (Paging::Cursor, None) => {}
            (Paging::Cursor, Some(after)) => request = request.query("after", after),
            (Paging::Keyset { sort, min }, after) => {
                request = request.query("sort", sort);
                if let Some(last) = after {
                    request = request.query(min, above(last)?);
                }
            }
        }
        Ok(request)
    }

    /// How many records one pass of a window has: a count, or a page of one record that says it.
    pub(crate) fn count(&self, stream: &StreamDef, window: &Window) -> Result<Request> {
        match stream.count {
            Some(path) => self.filtered(stream, path, window),
            None => Ok(self.filtered(stream, stream.path, window)?.query("limit", 1)),
        }
    }

    /// One record of a stream: to see whether it may be read.
    pub(crate) fn probe(&self, stream: &StreamDef) -> Result<Request> {
        Ok(self.get(stream.path)?.query("limit", 1))
    }

    fn filtered(&self, stream: &StreamDef, path: &str, window: &Window) -> Result<Request> {
        let mut request = self.get(path)?;
        if let Some((name, value)) = stream.passes.get(window.pass).and_then(|pass| pass.parameter) {
            request = request.query(name, value);
        }
        if !window.full {
            let (min, max) = stream.window;
            if let Some(lo) = window.lo {
                request = request.query(min, lo);
            }
            request = request.query(max, window.hi);
        }
        Ok(request)
    }

    fn get(&self, path: &str) -> Result<Request> {
        let url = self.base.join(path);
        let url =
            url.map_err(|error| Error::new(ErrorKind::Bug, "a stream's path is none").with_source(error))?;
        // Some endpoints require the content type of a body that is not there.
        Ok(Request::get(url).header(header::CONTENT_TYPE, HeaderValue::from_static("application/json")))
    }
}

fn above(last: &str) -> Result<i64> {
    let last: Option<i64> = last.parse().ok();
    last.and_then(|last| last.checked_add(1)).ok_or_else(|| {
        Error::new(ErrorKind::State, "the stored state holds a key that is no number")
            .with_help("reset the state of this task")
    })
}

#[cfg(test)]
mod tests {
    use connector_core::Selection;
    use connector_core::value::Instant;

    use super::*;
    use crate::progress::Stamp;
    use crate::streams::find;

    fn window(full: bool, lo: Option<&str>) -> Window {
        let stamp = |text: &str| Stamp(Instant::parse_iso(text).unwrap());
        Window {
            full,
            lo: lo.map(stamp),
            hi: stamp("2024-01-02T00:00:00Z"),
            pass: 0,
            after: None,
        }
    }

    /// Path and query, colons as people write them.
    fn shown(request: &Result<Request>) -> String {
        let url = &request.as_ref().unwrap().url;
        format!("{}?{}", url.path(), url.query().unwrap_or_default()).replace("%3A", ":")
    }

    fn page(stream: &str, window: &Window) -> String {
        let api_url = Url::parse("https://api.bigcommerce.com").unwrap();
        shown(
            &Requests::new(&api_url, "abc123")
                .unwrap()
                .page(find(&Selection::stream(stream)).unwrap(), window),
        )
    }

    #[test]
    fn customers_follow_a_cursor_inside_a_window() {
        assert_eq!(
            page("customers", &window(true, None)),
            "/stores/abc123/v3/customers?limit=250"
        );
        let mut window = window(false, Some("2024-01-01T00:00:00Z"));
        window.after = Some("eyJpZCI6MjA0fQ==".to_owned());
        assert_eq!(
            page("customers", &window),
            "/stores/abc123/v3/customers?date_modified:min=2024-01-01T00:00:00Z&date_modified:max=2024-01-02T00:00:00Z\
             &limit=250&after=eyJpZCI6MjA0fQ%3D%3D"
        );
    }

    #[test]
    fn orders_begin_above_the_last_id_and_end_with_the_archived_ones() {
        let mut window = window(false, None);
        assert_eq!(
            page("orders", &window),
            "/stores/abc123/v2/orders?max_date_modified=2024-01-02T00:00:00Z&limit=250&sort=id:asc"
        );
        (window.pass, window.after) = (1, Some("99".to_owned()));
        assert_eq!(
            page("orders", &window),
            "/stores/abc123/v2/orders?is_deleted=true&max_date_modified=2024-01-02T00:00:00Z&limit=250&sort=id:asc&min_id=100"
        );
    }

    #[test]
    fn counts_take_the_same_filters_and_a_gateway_may_have_a_path() {
        let requests = Requests::new(&Url::parse("https://gate.example.com/bc/").unwrap(), "abc123").unwrap();
        let (orders, customers) = (Selection::stream("orders"), Selection::stream("customers"));
        assert_eq!(
            shown(&requests.count(find(&orders).unwrap(), &window(false, None))),
            "/bc/stores/abc123/v2/orders/count?max_date_modified=2024-01-02T00:00:00Z"
        );
        assert_eq!(
            shown(&requests.count(find(&customers).unwrap(), &window(true, None))),
            "/bc/stores/abc123/v3/customers?limit=1"
        );
    }
}
