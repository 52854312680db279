//! What every record holds before anybody writes to it, from its number alone.

use std::borrow::Cow;

use super::external_key;
use super::id;
use super::lead_pools::{
    ACCURACIES, CITIES, CLEAN, COUNTRIES, INDUSTRIES, RATINGS, SALUTATIONS, SOURCES, STATES, STATUSES,
    STREETS, TIERS, TITLES,
};
use super::timestamp::{self, DAY, SECOND};
use super::value::FieldValue;
use crate::fakes::seed::{self, mix, pick};

/// How a field's first value is made.
pub(super) type Seed = fn(&SeedContext, u64) -> FieldValue;

/// What the seeds of an org have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct SeedContext {
    /// Seconds; no seeded stamp is later.
    pub(super) until: i64,
    pub(super) converted_every: u64,
    pub(super) deleted_every: u64,
}

impl SeedContext {
    pub(super) fn is_converted(&self, n: u64) -> bool {
        self.converted_every > 0 && n.is_multiple_of(self.converted_every)
    }

    pub(super) fn is_deleted(&self, n: u64) -> bool {
        self.deleted_every > 0 && n.is_multiple_of(self.deleted_every)
    }

    /// Seconds of the last change: one lead in five shares a single second (a mass update), the others share 400.
    fn modified(&self, n: u64) -> i64 {
        const STEP: i64 = 2 * 365 * DAY / 400;
        let draw = mix(n, 1);
        let bucket = if draw.is_multiple_of(5) {
            200
        } else {
            i64::try_from(draw / 5 % 400).unwrap_or_default()
        };
        // An odd second of the minute, so that nobody mistakes the stamps for dates.
        self.until - bucket * STEP - 17
    }
}

/// Id of the user the API's token acts for.
pub(super) fn integration_user() -> FieldValue {
    id::make("005", 1).into()
}

/// Id of a person who edits leads by hand.
pub(super) fn human_user() -> FieldValue {
    id::make("005", 2).into()
}

fn text(text: &'static str) -> FieldValue {
    FieldValue::Text(Cow::Borrowed(text))
}

/// One of `choices` for `percent` of the records, null for the rest.
fn some(choices: &'static [&'static str], n: u64, salt: u64, percent: u64) -> FieldValue {
    if mix(n, salt + 1_000) % 100 < percent {
        text(pick(choices, n, salt))
    } else {
        FieldValue::Null
    }
}

fn number(text: String) -> FieldValue {
    FieldValue::Number(Cow::Owned(text))
}

fn digits(n: u64, salt: u64, count: u32) -> u64 {
    let low = 10_u64.pow(count - 1);
    low + mix(n, salt) % (low * 9)
}

fn stamp(seconds: i64) -> FieldValue {
    FieldValue::DateTime(seconds * SECOND)
}

fn null(_: &SeedContext, _: u64) -> FieldValue {
    FieldValue::Null
}

/// The seed of a field.
pub(super) fn seed(object: &str, field: &str) -> Seed {
    match (object, field) {
        ("Lead", _) => lead(field),
        ("User", "Id") => |_, n| id::make("005", n).into(),
        ("User", "Username") => |_, n| {
            text(if n == 1 {
                "integration@example.com"
            } else {
                "human@example.com"
            })
        },
        ("User", "Name") => |_, n| text(if n == 1 { "Integration User" } else { "Hugh Mann" }),
        ("User", "Email") => |_, n| {
            text(if n == 1 {
                "integration@example.com"
            } else {
                "human@example.com"
            })
        },
        ("User", "IsActive") => |_, _| true.into(),
        ("LeadStatus", "Id") => |_, n| id::make("01J", n).into(),
        ("LeadStatus", "MasterLabel") => {
            |_, n| text(STATUSES[usize::try_from(n - 1).unwrap_or_default() % STATUSES.len()])
        }
        ("LeadStatus", "IsConverted") => |_, n| (n == 3).into(),
        (_, "SystemModstamp") => |context, _| stamp(context.until - DAY),
        _ => null,
    }
}

fn lead(field: &str) -> Seed {
    match field {
        "Id" => |_, n| id::make("00Q", n).into(),
        "IsDeleted" => |context, n| context.is_deleted(n).into(),
        "LastName" => |_, n| text(pick(seed::LAST_NAMES, n, 10)),
        "FirstName" => |_, n| some(seed::FIRST_NAMES, n, 11, 92),
        "Salutation" => |_, n| some(SALUTATIONS, n, 12, 40),
        "Title" => |_, n| some(TITLES, n, 13, 85),
        "Company" => |_, n| text(pick(seed::COMPANIES, n, 14)),
        "Street" => |_, n| some(STREETS, n, 15, 70),
        "City" => |_, n| some(CITIES, n, 16, 75),
        "State" => |_, n| some(STATES, n, 17, 40),
        "PostalCode" => |_, n| some(seed::POSTAL_CODES, n, 18, 70),
        "Country" => |_, n| some(COUNTRIES, n, 19, 60),
        "Latitude" => |_, n| coordinate(n, 20, 90),
        "Longitude" => |_, n| coordinate(n, 21, 180),
        "GeocodeAccuracy" => |_, n| {
            if mix(n, 22) % 100 < 20 {
                text(pick(ACCURACIES, n, 23))
            } else {
                FieldValue::Null
            }
        },
        "Phone" => |_, n| {
            if mix(n, 24).is_multiple_of(4) {
                FieldValue::Null
            } else {
                format!("0{}", digits(n, 25, 9)).into()
            }
        },
        "MobilePhone" => |_, n| {
            if mix(n, 26).is_multiple_of(2) {
                FieldValue::Null
            } else {
                format!("+81 90-{}", digits(n, 27, 8)).into()
            }
        },
        "Email" => |_, n| {
            if mix(n, 28).is_multiple_of(10) {
                FieldValue::Null
            } else {
                seed::email_as_typed(n, 29).into()
            }
        },
        "Website" => |_, n| {
            if mix(n, 30).is_multiple_of(3) {
                format!("https://example.com/?lead={n}&x=\"y\"").into()
            } else {
                FieldValue::Null
            }
        },
        "Description" => |_, n| some(seed::NOTES, n, 31, 50),
        "LeadSource" => |_, n| some(SOURCES, n, 32, 80),
        "Status" => |context, n| {
            if context.is_converted(n) {
                text("Closed - Converted")
            } else {
                text(STATUSES[(mix(n, 33) % 2) as usize])
            }
        },
        "Industry" => |_, n| some(INDUSTRIES, n, 34, 60),
        "Rating" => |_, n| some(RATINGS, n, 35, 50),
        "AnnualRevenue" => |_, n| match mix(n, 36) % 4 {
            0 => FieldValue::Null,
            1 => number("0".to_owned()),
            2 => number(digits(n, 37, 9).to_string()),
            _ => number((digits(n, 37, 4) * 1_000_000).to_string()),
        },
        "NumberOfEmployees" => |_, n| {
            if mix(n, 38).is_multiple_of(3) {
                FieldValue::Null
            } else {
                number((mix(n, 39) % 10_000).to_string())
            }
        },
        "OwnerId" => |_, n| id::make("005", 1 + mix(n, 40) % 2).into(),
        "IsConverted" => |context, n| context.is_converted(n).into(),
        "ConvertedDate" => |context, n| {
            if context.is_converted(n) {
                date(context.modified(n))
            } else {
                FieldValue::Null
            }
        },
        "ConvertedAccountId" => |context, n| {
            if context.is_converted(n) {
                id::make("001", n).into()
            } else {
                FieldValue::Null
            }
        },
        "ConvertedContactId" => |context, n| {
            if context.is_converted(n) {
                id::make("003", n).into()
            } else {
                FieldValue::Null
            }
        },
        "IsUnreadByOwner" => |_, n| mix(n, 41).is_multiple_of(3).into(),
        "CreatedDate" => |context, n| {
            stamp(context.modified(n) - i64::try_from(mix(n, 42) % 10_000_000).unwrap_or_default())
        },
        "CreatedById" => |_, _| human_user(),
        "LastModifiedDate" => {
            |context, n| stamp(context.modified(n) - if mix(n, 43).is_multiple_of(10) { 1 } else { 0 })
        }
        "LastModifiedById" => |_, _| human_user(),
        "SystemModstamp" => |context, n| stamp(context.modified(n)),
        "LastActivityDate" => |context, n| {
            if mix(n, 44).is_multiple_of(4) {
                date(context.modified(n))
            } else {
                FieldValue::Null
            }
        },
        "CleanStatus" => |_, n| some(CLEAN, n, 45, 30),
        "CompanyDunsNumber" => |_, n| {
            if mix(n, 46).is_multiple_of(5) {
                format!("{:09}", mix(n, 47) % 1_000_000).into()
            } else {
                FieldValue::Null
            }
        },
        "ExternalKey__c" => |_, n| external_key::make(n).into(),
        "Balance__c" => |_, n| match mix(n, 48) % 8 {
            0 => FieldValue::Null,
            1 => number("0".to_owned()),
            2 => number("0.01".to_owned()),
            3 => number(cents(n, true)),
            4 => number("1234567890123456.78".to_owned()),
            _ => number(cents(n, false)),
        },
        "Tier__c" => |_, n| some(TIERS, n, 49, 80),
        "BigCount__c" => |_, n| {
            if mix(n, 50).is_multiple_of(6) {
                FieldValue::Null
            } else {
                number(digits(n, 51, 18).to_string())
            }
        },
        _ => null,
    }
}

/// A number of 16 digits before the point and 2 after it that never end in a zero.
fn cents(n: u64, negative: bool) -> String {
    let sign = if negative { "-" } else { "" };
    format!(
        "{sign}{}.{}{}",
        digits(n, 52, 16),
        mix(n, 53) % 10,
        1 + mix(n, 54) % 9
    )
}

fn coordinate(n: u64, salt: u64, limit: u64) -> FieldValue {
    if mix(n, 22) % 100 >= 20 {
        return FieldValue::Null;
    }
    let sign = if mix(n, salt + 500).is_multiple_of(2) {
        "-"
    } else {
        ""
    };
    number(format!(
        "{sign}{}.{:014}1",
        mix(n, salt) % limit,
        mix(n, salt + 600) % 100_000_000_000_000
    ))
}

fn date(seconds: i64) -> FieldValue {
    let mut out = Vec::with_capacity(10);
    timestamp::write_date(&mut out, seconds.div_euclid(DAY));
    String::from_utf8(out).unwrap_or_default().into()
}
