//! Dates and times as counts of days and microseconds, and parsers for the forms seen in the wild.
//!
//! No parser goes through a float, none loses digits in silence, and none knows the local time zone.

use std::fmt;

use super::ParseError;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// A calendar date: days since 1970-01-01 in the proleptic Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(i32);

/// A time of day without a zone: microseconds since midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

/// A date and time of day without a zone: microseconds since 1970-01-01T00:00:00.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A point in time: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

/// A span that keeps months, days and microseconds apart, as calendars need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Interval {
    /// Whole months.
    pub months: i32,
    /// Whole days.
    pub days: i32,
    /// Microseconds.
    pub micros: i64,
}

impl Date {
    /// From days since 1970-01-01.
    pub const fn from_unix_days(days: i32) -> Self {
        Self(days)
    }

    /// Days since 1970-01-01.
    pub const fn unix_days(self) -> i32 {
        self.0
    }

    /// From a year (0 is 1 BC), month and day; `None` where the calendar has no such day.
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
            return None;
        }
        // Days from civil: shift the year to start in March, count eras of 400 years.
        let y = i64::from(year) - i64::from(month <= 2);
        let era = y.div_euclid(400);
        let year_of_era = y.rem_euclid(400);
        let day_of_year =
            (153 * (i64::from(month) + if month > 2 { -3 } else { 9 }) + 2) / 5 + i64::from(day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        i32::try_from(era * 146_097 + day_of_era - 719_468).ok().map(Self)
    }

    /// The year (0 is 1 BC), month and day.
    pub fn ymd(self) -> (i32, u32, u32) {
        let z = i64::from(self.0) + 719_468;
        let era = z.div_euclid(146_097);
        let day_of_era = z.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        // The input is an i32 of days, so the year fits easily.
        (year as i32, month as u32, day as u32)
    }

    /// Reads `YYYY-MM-DD`; years have four digits or more and may carry a sign.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(text);
        let date = cursor.date().ok_or(ParseError("a date such as 2024-02-29"))?;
        cursor
            .end()
            .map(|()| date)
            .ok_or(ParseError("a date such as 2024-02-29"))
    }
}

impl Time {
    /// From microseconds since midnight; 24:00 is allowed, as PostgreSQL does.
    pub fn from_micros(micros: i64) -> Option<Self> {
        (0..=MICROS_PER_DAY).contains(&micros).then_some(Self(micros))
    }

    /// Microseconds since midnight.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Reads `HH:MM:SS` up to `24:00:00`, with a fraction of up to six digits, with or without a `Z`.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        const WANTED: ParseError = ParseError("a time such as 23:59:59.123");
        // The end of a day: a time has it, a date's time does not.
        if matches!(text, "24:00" | "24:00:00") {
            return Ok(Self(MICROS_PER_DAY));
        }
        let mut cursor = Cursor::new(text);
        let time = cursor.time().ok_or(WANTED)?;
        cursor.eat(b'Z');
        cursor.end().map(|()| Self(time)).ok_or(WANTED)
    }
}

impl Timestamp {
    /// From microseconds since 1970-01-01T00:00:00.
    pub const fn from_unix_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970-01-01T00:00:00.
    pub const fn unix_micros(self) -> i64 {
        self.0
    }

    /// Reads `YYYY-MM-DD` and a time of day, parted by `T` or a space, without a zone.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        const WANTED: ParseError = ParseError("a timestamp such as 2024-02-29T23:59:59");
        let mut cursor = Cursor::new(text);
        let micros = cursor.date_time().ok_or(WANTED)?;
        cursor.end().map(|()| Self(micros)).ok_or(WANTED)
    }
}

impl Instant {
    /// From microseconds since 1970-01-01T00:00:00Z.
    pub const fn from_unix_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn unix_micros(self) -> i64 {
        self.0
    }

    /// From whole seconds since 1970-01-01T00:00:00Z.
    pub fn from_unix_seconds(seconds: i64) -> Option<Self> {
        seconds.checked_mul(MICROS_PER_SECOND).map(Self)
    }

    /// This instant, `duration` earlier; saturates.
    #[must_use]
    pub fn minus(self, duration: std::time::Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)),
        )
    }

    /// This instant, `duration` later; saturates.
    #[must_use]
    pub fn plus(self, duration: std::time::Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)),
        )
    }

    /// The start of its second; saturates.
    #[must_use]
    pub fn floor_to_second(self) -> Self {
        Self(self.0.saturating_sub(self.0.rem_euclid(MICROS_PER_SECOND)))
    }

    /// Reads ISO 8601 with a zone (`Z`, `+00:00`, `+0000` or `+00`): Salesforce and BigCommerce V3.
    pub fn parse_iso(text: &str) -> Result<Self, ParseError> {
        const WANTED: ParseError = ParseError("an instant such as 2024-02-29T23:59:59Z");
        let mut cursor = Cursor::new(text);
        let micros = cursor.date_time().ok_or(WANTED)?;
        let offset = cursor.zone().ok_or(WANTED)?;
        cursor.end().ok_or(WANTED)?;
        micros
            .checked_sub(offset * MICROS_PER_SECOND)
            .map(Self)
            .ok_or(WANTED)
    }

    /// Reads RFC 2822, such as `Wed, 10 Jan 2018 21:05:30 +0000`: BigCommerce V2 and HTTP's `Date` header.
    pub fn parse_rfc2822(text: &str) -> Result<Self, ParseError> {
        const WANTED: ParseError = ParseError("a date such as Wed, 10 Jan 2018 21:05:30 +0000");
        parse_rfc2822(text).map(Self).ok_or(WANTED)
    }

    /// Reads whichever of ISO 8601, RFC 2822, a bare date (midnight UTC) or unix seconds the text is.
    pub fn parse_any(text: &str) -> Result<Self, ParseError> {
        let text = text.trim();
        if let Ok(seconds) = text.parse::<i64>() {
            return Self::from_unix_seconds(seconds).ok_or(ParseError("unix seconds within range"));
        }
        if let Ok(instant) = Self::parse_iso(text) {
            return Ok(instant);
        }
        if let Ok(date) = Date::parse(text) {
            return at(date, 0).map(Self).ok_or(ParseError("a date within range"));
        }
        Self::parse_rfc2822(text).map_err(|_| ParseError("an ISO 8601 or RFC 2822 date, or unix seconds"))
    }

    /// RFC 2822 in UTC, as HTTP's `Date` header has it but for the zone.
    pub fn to_rfc2822(self) -> String {
        let date = Date(day_of(self.0));
        let (year, month, day) = date.ymd();
        let seconds = self.0.rem_euclid(MICROS_PER_DAY) / MICROS_PER_SECOND;
        let weekday = WEEKDAYS[(i64::from(date.0) + 4).rem_euclid(7) as usize];
        format!(
            "{weekday}, {day:02} {} {year:04} {:02}:{:02}:{:02} +0000",
            MONTHS[month as usize - 1],
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        )
    }
}

const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The day a count of microseconds falls on; every i64 of microseconds is within i32 days.
fn day_of(micros: i64) -> i32 {
    micros.div_euclid(MICROS_PER_DAY) as i32
}

/// A time of day on a date, in microseconds. The first day that 64 bits hold is not held whole.
fn at(date: Date, time: i64) -> Option<i64> {
    i64::try_from(i128::from(date.0) * i128::from(MICROS_PER_DAY) + i128::from(time)).ok()
}

fn parse_rfc2822(text: &str) -> Option<i64> {
    let rest = match text.split_once(',') {
        Some((weekday, rest)) => {
            WEEKDAYS
                .iter()
                .find(|name| name.eq_ignore_ascii_case(weekday.trim()))?;
            rest
        }
        None => text,
    };
    let mut parts = rest.split_ascii_whitespace();
    let day: u32 = parts.next()?.parse().ok()?;
    let month_name = parts.next()?;
    let month = MONTHS
        .iter()
        .position(|name| name.eq_ignore_ascii_case(month_name))? as u32
        + 1;
    let year: i32 = parts.next().filter(|year| year.len() >= 4)?.parse().ok()?;
    let mut time = Cursor::new(parts.next()?);
    let micros = time.time()?;
    time.end()?;
    let zone = parts.next()?;
    let offset = if matches!(zone, "GMT" | "UT" | "UTC" | "Z") {
        0
    } else {
        let mut cursor = Cursor::new(zone);
        let offset = cursor.zone()?;
        cursor.end()?;
        offset
    };
    if parts.next().is_some() {
        return None;
    }
    at(Date::from_ymd(year, month, day)?, micros)?.checked_sub(offset * MICROS_PER_SECOND)
}

/// Reads fixed-width fields from the front of a text.
struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            rest: text.as_bytes(),
        }
    }

    fn end(&self) -> Option<()> {
        self.rest.is_empty().then_some(())
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        self.rest = self.rest.strip_prefix(&[byte])?;
        Some(())
    }

    /// Two digits.
    fn two(&mut self) -> Option<u32> {
        let [a @ b'0'..=b'9', b @ b'0'..=b'9', rest @ ..] = self.rest else {
            return None;
        };
        self.rest = rest;
        Some(u32::from(a - b'0') * 10 + u32::from(b - b'0'))
    }

    /// `[+-]YYYY-MM-DD`, four to six digits of year.
    fn date(&mut self) -> Option<Date> {
        let negative = self.eat(b'-').is_some();
        if !negative {
            self.eat(b'+');
        }
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(4..=6).contains(&digits) {
            return None;
        }
        let (year, rest) = self.rest.split_at(digits);
        self.rest = rest;
        let year = year
            .iter()
            .fold(0_i32, |year, digit| year * 10 + i32::from(digit - b'0'));
        self.eat(b'-')?;
        let month = self.two()?;
        self.eat(b'-')?;
        let day = self.two()?;
        Date::from_ymd(if negative { -year } else { year }, month, day)
    }

    /// `HH:MM[:SS[.ffffff]]` in microseconds; digits beyond the sixth must be zero.
    fn time(&mut self) -> Option<i64> {
        let hour = self.two()?;
        self.eat(b':')?;
        let minute = self.two()?;
        let second = if self.eat(b':').is_some() { self.two()? } else { 0 };
        let mut micros = 0;
        if self.eat(b'.').is_some() {
            let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (fraction, rest) = self.rest.split_at(digits);
            if digits == 0 || digits > 9 || fraction.iter().skip(6).any(|&digit| digit != b'0') {
                return None;
            }
            self.rest = rest;
            micros = (0..6).fold(0_i64, |sum, i| {
                sum * 10 + fraction.get(i).map_or(0, |digit| i64::from(digit - b'0'))
            });
        }
        let in_day = hour < 24 && minute < 60 && second < 60;
        in_day.then(|| i64::from(hour * 3600 + minute * 60 + second) * MICROS_PER_SECOND + micros)
    }

    fn date_time(&mut self) -> Option<i64> {
        let date = self.date()?;
        self.eat(b'T').or_else(|| self.eat(b' '))?;
        let time = self.time()?;
        at(date, time)
    }

    /// `Z`, `+HH:MM`, `+HHMM` or `+HH`, as seconds east of UTC.
    fn zone(&mut self) -> Option<i64> {
        if self.eat(b'Z').is_some() {
            return Some(0);
        }
        let sign = if self.eat(b'+').is_some() {
            1
        } else {
            self.eat(b'-')?;
            -1
        };
        let hours = self.two()?;
        self.eat(b':');
        let minutes = if self.rest.is_empty() { 0 } else { self.two()? };
        (hours < 24 && minutes < 60).then(|| sign * i64::from(hours * 3600 + minutes * 60))
    }
}

/// Prints a year so that it can be read back: four digits, a minus before year 0, no plus.
fn write_date(f: &mut fmt::Formatter<'_>, days: i32) -> fmt::Result {
    let (year, month, day) = Date(days).ymd();
    let sign = if year < 0 { "-" } else { "" };
    write!(f, "{sign}{:04}-{month:02}-{day:02}", year.unsigned_abs())
}

fn write_time(f: &mut fmt::Formatter<'_>, micros: i64) -> fmt::Result {
    let seconds = micros / MICROS_PER_SECOND;
    write!(
        f,
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )?;
    match micros % MICROS_PER_SECOND {
        0 => Ok(()),
        fraction if fraction % 1000 == 0 => write!(f, ".{:03}", fraction / 1000),
        fraction => write!(f, ".{fraction:06}"),
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_date(f, self.0)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_time(f, self.0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_date(f, day_of(self.0))?;
        f.write_str("T")?;
        write_time(f, self.0.rem_euclid(MICROS_PER_DAY))
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}Z", Timestamp(self.0))
    }
}

impl fmt::Display for Interval {
    /// ISO 8601 duration: months, days and seconds apart.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.micros < 0 { "-" } else { "" };
        let (seconds, fraction) = (
            self.micros.unsigned_abs() / 1_000_000,
            self.micros.unsigned_abs() % 1_000_000,
        );
        write!(f, "P{}M{}DT{sign}{seconds}", self.months, self.days)?;
        if fraction != 0 {
            write!(f, ".{fraction:06}")?;
        }
        f.write_str("S")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_of_every_form_agree() {
        let wanted = Instant::from_unix_micros(1_515_618_330_000_000);
        for text in [
            "2018-01-10T21:05:30Z",
            "2018-01-10T21:05:30.000+0000",
            "2018-01-10T21:05:30.000000000+00:00",
            "2018-01-10 22:05:30+01",
            "Wed, 10 Jan 2018 21:05:30 +0000",
            "Wed, 10 Jan 2018 21:05:30 GMT",
            "10 Jan 2018 16:05:30 -0500",
            "1515618330",
        ] {
            assert_eq!(Instant::parse_any(text), Ok(wanted), "{text}");
        }
        assert_eq!(wanted.to_string(), "2018-01-10T21:05:30Z");
        assert_eq!(wanted.to_rfc2822(), "Wed, 10 Jan 2018 21:05:30 +0000");
    }

    #[test]
    fn what_the_calendar_lacks_is_refused() {
        for text in [
            "2024-02-30",
            "2023-02-29",
            "0000-00-10",
            "24-01-01",
            "2024-1-01",
            "2024-01-01T",
            "",
            "2024-13-01",
        ] {
            assert!(Date::parse(text).is_err(), "{text}");
        }
        for text in [
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:00:60Z",
            "2024-01-01T00:00:00",
            "2024-01-01T00:00:00.0000001Z",
        ] {
            assert!(Instant::parse_iso(text).is_err(), "{text}");
        }
    }

    #[test]
    fn far_years_survive() {
        for text in [
            "1700-01-01",
            "4000-12-31",
            "12022-07-21",
            "-0001-03-01",
            "0000-02-29",
            "294276-12-31",
        ] {
            assert_eq!(
                Date::parse(text).map(|date| date.to_string()),
                Ok(text.to_owned())
            );
        }
    }

    #[test]
    fn the_ends_of_what_64_bits_hold_are_met() {
        let first = Instant::from_unix_micros(i64::MIN);
        assert_eq!(first.to_string(), "-290308-12-21T19:59:05.224192Z");
        assert_eq!(Instant::parse_iso(&first.to_string()), Ok(first));
        assert_eq!(first.floor_to_second(), first);
        let last = Instant::from_unix_micros(i64::MAX);
        assert_eq!(last.to_string(), "294247-01-10T04:00:54.775807Z");
        assert_eq!(Instant::parse_iso(&last.to_string()), Ok(last));
        assert!(Instant::parse_any("294247-01-10").is_ok());
        for text in [
            "294247-01-11",
            "999999-12-31",
            "-999999-01-01",
            "-290308-12-21",
            "9223372036855",
        ] {
            assert!(Instant::parse_any(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_ends_at_24_hours() {
        let end = Time::from_micros(MICROS_PER_DAY).unwrap();
        assert_eq!(Time::parse(&end.to_string()), Ok(end));
        assert_eq!(Time::from_micros(MICROS_PER_DAY + 1), None);
        for text in ["24:00:01", "24:00:00.1", "24:01", "25:00:00"] {
            assert!(Time::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_day_of_eight_centuries_round_trips() {
        for days in -150_000..150_000 {
            let (year, month, day) = Date(days).ymd();
            assert_eq!(Date::from_ymd(year, month, day), Some(Date(days)));
        }
        assert_eq!(Date::from_ymd(1970, 1, 1), Some(Date(0)));
        assert_eq!(Date::from_ymd(2000, 3, 1), Some(Date(11_017)));
    }
}
