//! The budget of API calls: what is used of the last 24 hours, as each answer tells it, and what is left for people.

use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use connector_core::value::Instant;
use connector_core::{Error, ErrorKind, Result, Retry, Usage};
use connector_http::{HeaderMap, Request};
use serde::Deserialize;

use crate::org::Org;

/// The API calls that are never used, so that people and other programs can go on working.
///
/// Written as a share of what the org is allowed in 24 hours, such as `10%`, or as a number of calls, such as `1500`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiReserve {
    /// So many of a hundred calls that the org is allowed.
    Percent(u8),
    /// So many calls.
    Calls(u64),
}

impl Default for ApiReserve {
    /// A tenth.
    fn default() -> Self {
        Self::Percent(10)
    }
}

impl ApiReserve {
    fn of(self, allowed: u64) -> u64 {
        match self {
            Self::Percent(percent) => {
                allowed / 100 * u64::from(percent) + allowed % 100 * u64::from(percent) / 100
            }
            Self::Calls(calls) => calls,
        }
    }
}

impl ApiReserve {
    /// The same share of another limit; a number of calls is about calls only.
    fn share_of(self, allowed: u64) -> u64 {
        match self {
            Self::Percent(_) => self.of(allowed),
            Self::Calls(_) => 0,
        }
    }
}

impl FromStr for ApiReserve {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            Error::new(
                ErrorKind::Config,
                "`api_reserve` is neither a share nor a number of calls",
            )
            .with_help("write it as `10%` or as a number of API calls, such as `1500`")
        };
        match text.trim().strip_suffix('%') {
            Some(percent) => match percent.trim_end().parse() {
                Ok(percent @ 0..=100) => Ok(Self::Percent(percent)),
                _ => Err(wrong()),
            },
            None => text.trim().parse().map(Self::Calls).map_err(|_| wrong()),
        }
    }
}

impl fmt::Display for ApiReserve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percent(percent) => write!(f, "{percent}%"),
            Self::Calls(calls) => write!(f, "{calls}"),
        }
    }
}

/// For how long what an answer told holds: calls stop counting as they grow older than 24 hours, and without asking
/// again nobody would learn of it.
const HOLDS: Duration = Duration::from_secs(600);

/// Calls used and allowed in 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    used: u64,
    allowed: u64,
}

/// What all handles of one connection use together.
#[derive(Debug)]
pub(crate) struct Budget {
    reserve: ApiReserve,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Calls of this process.
    made: u64,
    told: Option<Told>,
}

/// What the last answer told.
#[derive(Clone, Copy, Debug)]
struct Told {
    at: Instant,
    org: Window,
    /// Of the app that we sign in as, where somebody has set it a limit of its own.
    app: Option<Window>,
}

impl Budget {
    pub(crate) fn new(reserve: ApiReserve) -> Self {
        Self {
            reserve,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call that is about to be made, or refuses it: the reserve is not ours.
    ///
    /// What brings a job that was begun to its end is let through: otherwise nobody would learn what it has done.
    ///
    /// # Errors
    /// [`ErrorKind::RateLimited`], not to be tried again here: calls come back within hours.
    pub(crate) fn admit(&self, request: &Request, now: Instant) -> Result<()> {
        if !is_counted(request.url.path()) {
            return Ok(());
        }
        let mut state = self.state();
        if let Some(told) = state.told.filter(|told| now < told.at.plus(HOLDS))
            && !ends_a_job(request)
        {
            self.check(&told)?;
        }
        state.made += 1;
        Ok(())
    }

    fn check(&self, told: &Told) -> Result<()> {
        let Window { used, allowed } = told.org;
        let reserve = self.reserve.of(allowed);
        if used >= allowed.saturating_sub(reserve) {
            let message = format!(
                "the API calls of the org are used up: {used} of {allowed} in 24 hours, and {reserve} are kept for people"
            );
            return Err(spent(message).with_help(
                "run again in an hour or later, for calls stop counting after 24 hours and what is not done yet goes \
                 on from there; or set `api_reserve` lower, or raise the org's limit",
            ));
        }
        match told.app {
            Some(Window { used, allowed }) if used >= allowed => Err(spent(format!(
                "the API calls of the app are used up: {used} of {allowed} in 24 hours"
            ))
            .with_help(
                "run again in an hour or later, for calls stop counting after 24 hours; or raise the app's limit in the \
                 org's setup",
            )),
            _ => Ok(()),
        }
    }

    /// Learns from an answer.
    pub(crate) fn observe(&self, headers: &HeaderMap, now: Instant) {
        let text = headers
            .get("sforce-limit-info")
            .and_then(|value| value.to_str().ok());
        if let Some((org, app)) = text.and_then(parse) {
            self.state().told = Some(Told { at: now, org, app });
        }
    }

    /// Batches that Bulk jobs may write today, without the reserve.
    pub(crate) fn batches(&self, limits: &Limits) -> u64 {
        let batches = limits.daily_bulk_api_batches;
        batches.map_or(u64::MAX, |Limit { max, remaining }| {
            remaining.saturating_sub(self.reserve.share_of(max))
        })
    }

    /// Calls that are left in the org, reserve included, once an answer has told.
    pub(crate) fn left(&self) -> Option<u64> {
        let Window { used, allowed } = self.state().told?.org;
        Some(allowed.saturating_sub(used))
    }

    /// Used and allowed, once an answer has told.
    pub(crate) fn last(&self) -> Option<(u64, u64)> {
        let Window { used, allowed } = self.state().told?.org;
        Some((used, allowed))
    }

    /// The account of it.
    pub(crate) fn usage(&self) -> Vec<Usage> {
        let state = self.state();
        let usage = Usage::new("API calls", state.made);
        let mut all = vec![match state.told {
            Some(told) => usage.with_window(told.org.used, told.org.allowed),
            None => usage,
        }];
        if let Some(app) = state.told.and_then(|told| told.app) {
            all.push(Usage::new("API calls of the app", state.made).with_window(app.used, app.allowed));
        }
        all
    }
}

fn spent(message: String) -> Error {
    Error::new(ErrorKind::RateLimited, message).with_retry(Retry::Never)
}

/// Whether a request counts: signing in and listing the versions do not.
fn is_counted(path: &str) -> bool {
    path.starts_with("/services/data/v")
}

/// Whether a request brings a Bulk job that writes to its end: by its data, by closing or stopping it, by asking how it
/// stands and what became of its records.
fn ends_a_job(request: &Request) -> bool {
    request.url.path().contains("/jobs/ingest/")
}

/// `api-usage=18/15000`, perhaps with `per-app-api-usage=17/250(appName=x)` behind a comma.
fn parse(text: &str) -> Option<(Window, Option<Window>)> {
    let part = |name: &str| {
        let usage = text.split(',').find_map(|part| part.trim().strip_prefix(name))?;
        let (used, allowed) = usage.split_once('/')?;
        let allowed = allowed.split_once('(').map_or(allowed, |(allowed, _)| allowed);
        Some(Window {
            used: used.parse().ok()?,
            allowed: allowed.trim().parse().ok()?,
        })
    };
    Some((part("api-usage=")?, part("per-app-api-usage=")))
}

/// What `/limits` says; at most five minutes old.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Limits {
    /// Batches of 10,000 records that Bulk jobs may still write.
    #[serde(default)]
    pub(crate) daily_bulk_api_batches: Option<Limit>,
    /// Bulk jobs that may still read.
    #[serde(default)]
    pub(crate) daily_bulk_v2_query_jobs: Option<Limit>,
}

/// One limit.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Limit {
    pub(crate) max: u64,
    pub(crate) remaining: u64,
}

impl Limits {
    /// Asks the org; `None` where the user may not see its setup, for that is needed.
    pub(crate) async fn ask(org: &Org) -> Result<Option<Self>> {
        match org.get("limits").await {
            Ok(response) => response.json().map(Some),
            Err(error) if matches!(error.kind(), ErrorKind::Forbidden | ErrorKind::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(text: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("sforce-limit-info", text.parse().unwrap());
        headers
    }

    fn get(path: &str) -> Request {
        Request::get(format!("https://acme.my.salesforce.com{path}").parse().unwrap())
    }

    const QUERY: &str = "/services/data/v62.0/query";

    #[test]
    fn the_header_is_read_with_and_without_its_second_part() {
        let window = |used, allowed| Window { used, allowed };
        assert_eq!(parse("api-usage=18/15000"), Some((window(18, 15_000), None)));
        assert_eq!(
            parse("api-usage=25/5000, per-app-api-usage=17/250(appName=x)"),
            Some((window(25, 5_000), Some(window(17, 250))))
        );
        assert_eq!(parse("nonsense"), None);
    }

    #[test]
    fn the_reserve_is_left_and_jobs_are_ended_all_the_same() {
        let budget = Budget::new(ApiReserve::default());
        let now = Instant::from_unix_micros(0);
        budget.admit(&get(QUERY), now).unwrap();
        budget.observe(&headers("api-usage=899/1000"), now);
        budget.admit(&get(QUERY), now).unwrap();
        budget.observe(&headers("api-usage=900/1000"), now);
        let error = budget.admit(&get(QUERY), now).unwrap_err();
        assert_eq!(
            (error.kind(), error.retry()),
            (ErrorKind::RateLimited, Retry::Never)
        );
        assert!(error.to_string().contains("900 of 1000") && error.to_string().contains("100 are kept"));
        budget.admit(&get("/services/oauth2/token"), now).unwrap();
        budget
            .admit(&get("/services/data/v62.0/jobs/ingest/750x"), now)
            .unwrap();
        assert_eq!(
            budget.usage()[0].here,
            3,
            "what was refused and what is free does not count"
        );
        // By then some calls may be older than a day.
        budget.admit(&get(QUERY), now.plus(HOLDS)).unwrap();
    }

    #[test]
    fn an_app_with_a_limit_of_its_own_stops_at_it() {
        let budget = Budget::new(ApiReserve::Calls(0));
        let now = Instant::from_unix_micros(0);
        budget.observe(
            &headers("api-usage=25/5000, per-app-api-usage=250/250(appName=x)"),
            now,
        );
        let error = budget.admit(&get(QUERY), now).unwrap_err();
        assert!(error.to_string().contains("of the app are used up"), "{error}");
        assert_eq!(budget.usage().len(), 2);
    }

    #[test]
    fn a_reserve_is_a_share_or_a_number() {
        assert_eq!("10%".parse::<ApiReserve>().unwrap().of(15_050), 1_505);
        assert_eq!("1500".parse::<ApiReserve>().unwrap().of(15_000), 1_500);
        assert_eq!("0 %".parse::<ApiReserve>().unwrap().of(u64::MAX), 0);
        assert_eq!(ApiReserve::Percent(100).of(u64::MAX), u64::MAX);
        for wrong in ["", "ten", "101%", "-1", "0.1"] {
            assert!(wrong.parse::<ApiReserve>().is_err(), "{wrong}");
        }
    }
}
