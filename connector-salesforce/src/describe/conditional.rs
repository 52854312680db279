//! Asking only for what has changed since it was last looked at.

use connector_core::Result;
use connector_core::value::Instant;
use connector_http::header::{IF_MODIFIED_SINCE, LAST_MODIFIED};
use connector_http::{HeaderMap, HeaderValue, Request, Response, server_time};

use crate::error::{ApiError, api_error};
use crate::org::Org;

/// The moment after which a change makes an answer out of date, as the header says it.
#[derive(Clone, Debug)]
pub(super) struct Validator(HeaderValue);

impl Validator {
    /// What the server itself says, else a second before its clock: within the same second, something may have
    /// changed after the answer was made.
    fn of(headers: &HeaderMap) -> Option<Self> {
        if let Some(said) = headers.get(LAST_MODIFIED) {
            return Some(Self(said.clone()));
        }
        let before = server_time(headers)?.minus(std::time::Duration::from_secs(1));
        HeaderValue::from_str(&http_date(before)).ok().map(Self)
    }
}

/// Asks for `path`; `None`: nothing has changed since `known`.
pub(super) async fn get(
    org: &Org,
    path: &str,
    known: Option<&Validator>,
) -> Result<Option<(Response, Option<Validator>)>> {
    let request = Request::get(org.url(path).await?);
    let request = match known {
        Some(Validator(since)) => request.header(IF_MODIFIED_SINCE, since.clone()),
        None => request,
    };
    match org.send(&request).await {
        Ok(response) => {
            let validator = Validator::of(&response.headers);
            Ok(Some((response, validator)))
        }
        Err(error) if known.is_some() && is_unchanged(api_error(&error)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_unchanged(error: Option<&ApiError>) -> bool {
    matches!(error, Some(ApiError::Page { status: 304 }))
}

/// The form of dates in headers: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(instant: Instant) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    // Such as `1994-11-06T08:49:37Z`.
    let text = instant.floor_to_second().to_string();
    let number = |from: usize, to: usize| text.get(from..to).and_then(|digits| digits.parse::<usize>().ok());
    let month = number(5, 7).and_then(|month| MONTHS.get(month.checked_sub(1)?));
    let weekday = instant.unix_micros().div_euclid(86_400_000_000).rem_euclid(7);
    let weekday = usize::try_from(weekday).ok().and_then(|day| DAYS.get(day));
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    format!(
        "{}, {} {} {} {} GMT",
        weekday.copied().unwrap_or_default(),
        part(8, 10),
        month.copied().unwrap_or_default(),
        part(0, 4),
        part(11, 19)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_in_the_form_of_headers_and_read_back() {
        for (text, wanted) in [
            ("1994-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("2026-03-05T00:00:00Z", "Thu, 05 Mar 2026 00:00:00 GMT"),
        ] {
            let instant = Instant::parse_iso(text).unwrap();
            assert_eq!(http_date(instant), wanted);
            assert_eq!(Instant::parse_rfc2822(wanted), Ok(instant));
        }
    }
}
