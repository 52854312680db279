//! Headers that several APIs share.

use std::time::Duration;

use connector_core::value::Instant;
use connector_core::{Error, ErrorKind, Result};
use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue};

/// The pause that `Retry-After` asks for, in seconds or as a date.
///
/// A date is compared with the answer's own `Date` where there is one, else with `now`: the server's clock is the
/// one it was written by. A date that has passed is no pause.
pub fn parse_retry_after(headers: &HeaderMap, now: Instant) -> Option<Duration> {
    let text = text_of(headers, &RETRY_AFTER)?;
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = Instant::parse_rfc2822(text).ok()?;
    let now = server_time(headers).unwrap_or(now);
    let micros = until.unix_micros().saturating_sub(now.unix_micros());
    Some(Duration::from_micros(u64::try_from(micros).unwrap_or(0)))
}

/// The server's clock, from the `Date` header.
pub fn server_time(headers: &HeaderMap) -> Option<Instant> {
    Instant::parse_rfc2822(text_of(headers, &DATE)?).ok()
}

/// A header value that is never printed.
///
/// # Errors
/// [`ErrorKind::Config`]: `secret` has characters that no header can hold, such as a line break that was pasted along.
pub fn sensitive(secret: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(secret).map_err(|_| {
        Error::new(
            ErrorKind::Config,
            "a token has characters that no HTTP header can hold",
        )
        .with_help("paste the token anew, without line breaks")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn text_of<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_by_the_servers_clock() {
        let now = Instant::parse_iso("2018-01-10T21:05:00Z").unwrap();
        let pause = |pairs| parse_retry_after(&headers(pairs), now).map(|pause| pause.as_secs());
        assert_eq!(pause(&[("retry-after", " 12 ")]), Some(12));
        assert_eq!(
            pause(&[("retry-after", "Wed, 10 Jan 2018 21:05:30 GMT")]),
            Some(30)
        );
        assert_eq!(
            pause(&[("retry-after", "Wed, 10 Jan 2018 21:04:30 GMT")]),
            Some(0)
        );
        let skewed = [
            ("retry-after", "Wed, 10 Jan 2018 21:05:30 GMT"),
            ("date", "Wed, 10 Jan 2018 21:05:25 GMT"),
        ];
        assert_eq!(pause(&skewed), Some(5));
        assert_eq!(pause(&[("retry-after", "soon")]), None);
        assert_eq!(pause(&[]), None);
    }

    #[test]
    fn a_sensitive_value_is_not_printed() {
        assert_eq!(format!("{:?}", sensitive("hunter2").unwrap()), "Sensitive");
        assert_eq!(sensitive("hunter\n2").unwrap_err().kind(), ErrorKind::Config);
    }
}
