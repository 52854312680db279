//! What to do about the errors of whole requests, row by row as the tables of errors have them.

use connector_core::{Error, ErrorKind, Retry};

use super::SIGN_IN;

/// How often a request is sent that Salesforce answers with an error it cannot explain itself.
const MAX_UNKNOWN: u32 = 3;

/// What an error code means; the status says less.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    kind: ErrorKind,
    retry: Retry,
    help: Option<&'static str>,
    /// The code does not say whether a write had been carried out when the error came up.
    doubtful: bool,
}

impl Known {
    /// The same request will fail the same way.
    pub(super) const fn fail(kind: ErrorKind) -> Self {
        Self {
            kind,
            retry: Retry::Never,
            help: None,
            doubtful: false,
        }
    }

    /// It may pass in a while; the request was not carried out.
    pub(super) const fn again(kind: ErrorKind) -> Self {
        Self {
            kind,
            retry: Retry::Backoff,
            help: None,
            doubtful: false,
        }
    }

    /// It may pass in a while, and nobody knows how far the request had come.
    const fn doubtful() -> Self {
        Self {
            doubtful: true,
            ..Self::again(ErrorKind::Unavailable)
        }
    }

    /// It passes in hours: nothing that waits here helps.
    const fn defer(help: &'static str) -> Self {
        Self::fail(ErrorKind::RateLimited).help(help)
    }

    pub(super) const fn help(self, help: &'static str) -> Self {
        Self {
            help: Some(help),
            ..self
        }
    }

    /// The error of `code`; `base` is what HTTP alone says.
    pub(super) fn to_error(self, code: &str, base: &Error, may_write: bool) -> Error {
        let error = Error::new(self.kind, format!("Salesforce refuses the request: {code}"));
        let error = match (self.retry, base.retry()) {
            (Retry::Backoff, after @ Retry::After(_)) => error.with_retry(after),
            (retry, _) => error.with_retry(retry),
        };
        let error = match self.help {
            Some(help) => error.with_help(help),
            None => error,
        };
        doubt(error, self.doubtful && may_write)
    }
}

fn doubt(error: Error, doubtful: bool) -> Error {
    if doubtful {
        error.with_may_have_applied()
    } else {
        error
    }
}

/// The error where the code says nothing, or there is none: an edge answers with pages for people.
pub(super) fn by_status(status: u16, code: Option<&str>, base: Error, may_write: bool) -> Error {
    let error = match (status, code) {
        // The edge has no route to the org, or the org is being set up.
        (406 | 420, _) => Error::new(
            ErrorKind::Unavailable,
            format!("Salesforce cannot answer right now (status {status})"),
        ),
        (300, _) => Error::new(
            ErrorKind::Data,
            "several records of Salesforce have the key, and none of them was chosen",
        )
        .with_help("match on a field that is unique, or make the values in Salesforce so"),
        (405 | 415, _) => Error::new(
            ErrorKind::Bug,
            format!("Salesforce does not take such a request (status {status})"),
        )
        .with_help("report it, with the request that is named here"),
        (413, _) => Error::new(
            ErrorKind::Unsupported,
            "the request is larger than Salesforce takes (status 413)",
        )
        .with_help("report it, with the object and the number of fields"),
        (414 | 431, _) => Error::new(
            ErrorKind::Unsupported,
            format!("the request is too long for Salesforce (status {status})"),
        )
        .with_help("read fewer fields at once"),
        (410, _) => Error::new(ErrorKind::Config, "this version of the API is retired")
            .with_help("set a newer `api_version`"),
        (428, _) => Error::new(
            ErrorKind::Conflict,
            "Salesforce wants to be told which version of the record is meant (status 428)",
        ),
        (401, _) => base.with_help(SIGN_IN),
        (404, None) => base.with_help(
            "check the address: after a move of the org to another instance the old one no longer knows it",
        ),
        (_, None) => base,
        (_, Some(code)) => Error::new(base.kind(), format!("Salesforce refuses the request: {code}"))
            .with_retry(base.retry()),
    };
    doubt(error, status == 406 && may_write)
}

/// What `code` means; `attempt` counts the tries of the request.
pub(super) fn known(code: &str, message: &str, attempt: u32) -> Option<Known> {
    use ErrorKind::{
        Auth, Bug, Config, Conflict, Data, Forbidden, NotFound, RateLimited, Schema, Unavailable,
    };
    // Bulk API 2.0 spells the CamelCase codes of the first Bulk API in capitals; both are taken.
    let known = match code.to_ascii_uppercase().as_str() {
        "REQUEST_LIMIT_EXCEEDED" if message.contains("Concurrent") => Known::again(RateLimited)
            .help("too many long requests run in the org at once: run fewer jobs side by side"),
        "REQUEST_LIMIT_EXCEEDED" => Known::defer(
            "the org's API calls of the last 24 hours are used up: run again in an hour or later, for calls stop \
             counting 24 hours after they were made; or raise the org's limit",
        ),
        "STORAGE_LIMIT_EXCEEDED" => Known::defer(
            "the org has no storage left: free some under Setup, Storage Usage, then run again",
        ),
        "LIMIT_EXCEEDED" | "EXCEEDEDQUOTA" => Known::defer(
            "a daily limit of the Bulk API is used up: run again in some hours; Setup, Company Information shows \
             what is left",
        ),
        "SERVER_UNAVAILABLE" | "API_CURRENTLY_DISABLED" => Known::again(Unavailable),
        "UNKNOWN_EXCEPTION" | "INTERNAL_ERROR" | "UNKNOWN" if attempt < MAX_UNKNOWN => Known::doubtful(),
        "UNKNOWN_EXCEPTION" | "INTERNAL_ERROR" | "UNKNOWN" => Known {
            retry: Retry::Never,
            ..Known::doubtful()
        }
        .help("Salesforce cannot say what is wrong: run again later; give its support the message if it stays so"),
        "TXN_SECURITY_METERING_ERROR" | "REQUEST_RUNNING_TOO_LONG" | "TIMEOUT" => Known::doubtful(),
        "TOO_MANY_APEX_REQUESTS" => {
            Known::again(Unavailable).help("the org's own code is too busy: run at a quieter time")
        }
        "UNABLE_TO_LOCK_ROW" | "TOO_MANY_LOCK_FAILURE" | "TOOMANYLOCKFAILURE" => Known::again(Unavailable)
            .help("others hold the same records: run at a quieter time"),
        // Repeating these blindly does not help; the reader knows what does.
        "QUERY_TIMEOUT" => Known::fail(Unavailable).help("read fewer fields, or a shorter span at once"),
        "INVALID_QUERY_LOCATOR" => {
            Known::fail(Unavailable).help("run again: the read goes on from its last checkpoint")
        }
        "INVALID_SESSION_ID" if message.contains("not valid for use with the REST API") => {
            Known::fail(Auth).help("grant the app the scope `api` in Salesforce, then sign in anew")
        }
        "INVALID_SESSION_ID" | "INVALIDSESSIONID" | "INVALID_AUTH_HEADER" | "INVALID_JWT_FORMAT" => {
            Known::fail(Auth).help(SIGN_IN)
        }
        "INVALIDUSER" => Known::fail(Forbidden).help("grant the user the permission `API Enabled`"),
        "API_DISABLED_FOR_ORG" => {
            Known::fail(Forbidden).help("the org's edition or the user's profile does not include the API")
        }
        "FUNCTIONALITY_NOT_ENABLED" | "FEATURENOTENABLED" => {
            Known::fail(Forbidden).help("switch the feature on in the org's setup, or do without it")
        }
        "INSUFFICIENT_ACCESS" | "INSUFFICIENT_ACCESS_OR_READONLY" => {
            Known::fail(Forbidden).help("grant the user access to the object and its fields")
        }
        "NOT_FOUND" => Known::fail(NotFound),
        "INVALID_FIELD" => {
            Known::fail(Schema).help("describe the object anew: a field is gone or hidden from the user")
        }
        "INVALID_TYPE" | "INVALIDENTITY" => {
            Known::fail(Schema).help("check the object's name, and that the user may see the object")
        }
        "INVALIDJOBSTATE" => Known::fail(Conflict),
        "INVALIDJOB" | "INVALIDBATCH" | "CLIENTINPUTERROR" => {
            Known::fail(Data).help("report it, with Salesforce's words")
        }
        "UNSUPPORTED_API_VERSION" | "INVALIDVERSION" => Known::fail(Config).help("set a newer `api_version`"),
        "JSON_PARSER_ERROR" | "MALFORMED_QUERY" => Known::fail(Data),
        "QUERY_TOO_COMPLICATED" => {
            Known::fail(Data).help("read fewer fields at once: formula fields weigh most")
        }
        "OPERATION_TOO_LARGE" => Known::fail(Forbidden).help(
            "grant the user the permission `View All Data`, or give the stream a `filter` that leaves fewer records",
        ),
        "EXCEEDED_ID_LIMIT" | "INVALID_REPLICATION_DATE" => {
            Known::fail(Unavailable).help("more has changed than Salesforce lists: read the stream in full")
        }
        "BATCH_PROCESSING_HALTED" | "PROCESSING_HALTED" => Known::fail(Conflict),
        "METHOD_NOT_ALLOWED" | "UNSUPPORTED_MEDIA_TYPE" => {
            Known::fail(Bug).help("report it, with the request that is named here")
        }
        _ => return None,
    };
    Some(known)
}
