//! Dates and times as counts of days and microseconds, and parsers for the forms seen in the wild.
//!
//! No parser goes through a float, none loses digits in silence, and none knows the local time zone. Dates, timestamps
//! and instants may be infinite, as PostgreSQL's are: `infinity` is after all others, `-infinity` before them.

use std::fmt;

use super::ParseError;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// Microseconds from 1970 to 2000, from where moments are counted: counted from 1970, the last of PostgreSQL's years
/// would not fit 64 bits.
const EPOCH: i64 = 10_957 * MICROS_PER_DAY;
/// The first and the last moment beside the two infinities, counted from 2000.
const FIRST: i64 = i64::MIN + 1;
const LAST: i64 = i64::MAX - 1;

const INFINITY: &str = "infinity";
const NEGATIVE_INFINITY: &str = "-infinity";

/// A calendar date: days since 1970-01-01 in the proleptic Gregorian calendar, or an infinity.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(i32);

/// A time of day without a zone: microseconds since midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

/// A date and time of day without a zone, to the microsecond, or an infinity.
///
/// From the year -290278 to 294277, and so everything PostgreSQL holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A point in time, to the microsecond, or an infinity.
///
/// From the year -290278 to 294277, and so everything PostgreSQL holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// After every other date.
    pub const INFINITY: Self = Self(i32::MAX);
    /// Before every other date.
    pub const NEGATIVE_INFINITY: Self = Self(i32::MIN);

    /// From days since 1970-01-01; the greatest and the least number stand for the infinities.
    pub const fn from_unix_days(days: i32) -> Self {
        Self(days)
    }

    /// Days since 1970-01-01; of an infinity the greatest or the least number there is.
    pub const fn unix_days(self) -> i32 {
        self.0
    }

    /// Whether it is a day of the calendar, not an infinity.
    pub const fn is_finite(self) -> bool {
        !matches!(self.0, i32::MIN | i32::MAX)
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
        let date = i32::try_from(era * 146_097 + day_of_era - 719_468).map(Self);
        date.ok().filter(|date| date.is_finite())
    }

    /// The year (0 is 1 BC), month and day. An infinity has none: it shows the day after the last one, or the one
    /// before the first.
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

    /// Reads `YYYY-MM-DD`, `infinity` or `-infinity`; years have four digits or more and may carry a sign.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        match text {
            INFINITY => return Ok(Self::INFINITY),
            NEGATIVE_INFINITY => return Ok(Self::NEGATIVE_INFINITY),
            _ => {}
        }
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
    /// After every other timestamp.
    pub const INFINITY: Self = Self(i64::MAX);
    /// Before every other timestamp.
    pub const NEGATIVE_INFINITY: Self = Self(i64::MIN);

    /// From microseconds since 1970-01-01T00:00:00. The 30 years at the early end of what 64 bits count are
    /// not held: a moment of theirs becomes the first that is.
    pub const fn from_unix_micros(micros: i64) -> Self {
        let since_2000 = micros.saturating_sub(EPOCH);
        Self(if since_2000 < FIRST { FIRST } else { since_2000 })
    }

    /// Microseconds since 1970-01-01T00:00:00. Saturates: those of the infinities, and of the 30 years at the late
    /// end of what is held, are the greatest or the least there are.
    pub const fn unix_micros(self) -> i64 {
        if self.0 == i64::MIN {
            return i64::MIN;
        }
        self.0.saturating_add(EPOCH)
    }

    /// From microseconds since 2000-01-01T00:00:00; the greatest and the least number stand for the infinities.
    pub const fn from_micros_since_2000(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 2000-01-01T00:00:00; of an infinity the greatest or the least number there is.
    pub const fn micros_since_2000(self) -> i64 {
        self.0
    }

    /// Whether it is a moment of the calendar, not an infinity.
    pub const fn is_finite(self) -> bool {
        !matches!(self.0, i64::MIN | i64::MAX)
    }

    /// Reads `YYYY-MM-DD` and a time of day, parted by `T` or a space, without a zone; `infinity` or `-infinity`.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        const WANTED: ParseError = ParseError("a timestamp such as 2024-02-29T23:59:59");
        if let Some(infinity) = infinity(text) {
            return Ok(Self(infinity));
        }
        let mut cursor = Cursor::new(text);
        let micros = cursor.date_time().and_then(moment).ok_or(WANTED)?;
        cursor.end().map(|()| Self(micros)).ok_or(WANTED)
    }
}

impl Instant {
    /// After every other instant.
    pub const INFINITY: Self = Self(i64::MAX);
    /// Before every other instant.
    pub const NEGATIVE_INFINITY: Self = Self(i64::MIN);

    /// From microseconds since 1970-01-01T00:00:00Z. The 30 years at the early end of what 64 bits count are
    /// not held: a moment of theirs becomes the first that is.
    pub const fn from_unix_micros(micros: i64) -> Self {
        let since_2000 = micros.saturating_sub(EPOCH);
        Self(if since_2000 < FIRST { FIRST } else { since_2000 })
    }

    /// Microseconds since 1970-01-01T00:00:00Z. Saturates: those of the infinities, and of the 30 years at the late
    /// end of what is held, are the greatest or the least there are.
    pub const fn unix_micros(self) -> i64 {
        if self.0 == i64::MIN {
            return i64::MIN;
        }
        self.0.saturating_add(EPOCH)
    }

    /// From microseconds since 2000-01-01T00:00:00Z; the greatest and the least number stand for the infinities.
    pub const fn from_micros_since_2000(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 2000-01-01T00:00:00Z; of an infinity the greatest or the least number there is.
    pub const fn micros_since_2000(self) -> i64 {
        self.0
    }

    /// Whether it is a moment of the calendar, not an infinity.
    pub const fn is_finite(self) -> bool {
        !matches!(self.0, i64::MIN | i64::MAX)
    }

    /// From whole seconds since 1970-01-01T00:00:00Z.
    pub fn from_unix_seconds(seconds: i64) -> Option<Self> {
        moment(i128::from(seconds) * i128::from(MICROS_PER_SECOND)).map(Self)
    }

    /// This instant, `duration` earlier; saturates at the first one, and leaves an infinity as it is.
    #[must_use]
    pub fn minus(self, duration: std::time::Duration) -> Self {
        self.moved(-i128::try_from(duration.as_micros()).unwrap_or(i128::MAX))
    }

    /// This instant, `duration` later; saturates at the last one, and leaves an infinity as it is.
    #[must_use]
    pub fn plus(self, duration: std::time::Duration) -> Self {
        self.moved(i128::try_from(duration.as_micros()).unwrap_or(i128::MAX))
    }

    fn moved(self, micros: i128) -> Self {
        if !self.is_finite() {
            return self;
        }
        let moved = i128::from(self.0).saturating_add(micros);
        Self(moved.clamp(FIRST.into(), LAST.into()) as i64)
    }

    /// The start of its second; saturates.
    #[must_use]
    pub fn floor_to_second(self) -> Self {
        if !self.is_finite() {
            return self;
        }
        let start = self.0.saturating_sub(self.0.rem_euclid(MICROS_PER_SECOND));
        Self(start.max(FIRST))
    }

    /// Reads ISO 8601 with a zone (`Z`, `+00:00`, `+0000` or `+00`): Salesforce and BigCommerce V3. Also `infinity`
    /// and `-infinity`.
    pub fn parse_iso(text: &str) -> Result<Self, ParseError> {
        const WANTED: ParseError = ParseError("an instant such as 2024-02-29T23:59:59Z");
        if let Some(micros) = utc_millis(text) {
            return Ok(Self(micros));
        }
        if let Some(infinity) = infinity(text) {
            return Ok(Self(infinity));
        }
        let mut cursor = Cursor::new(text);
        let micros = cursor.date_time().ok_or(WANTED)?;
        let offset = cursor.zone().ok_or(WANTED)?;
        cursor.end().ok_or(WANTED)?;
        moment(micros - i128::from(offset * MICROS_PER_SECOND))
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
            let midnight = moment(at(date, 0)).map(Self);
            return midnight.ok_or(ParseError("a date within range"));
        }
        Self::parse_rfc2822(text).map_err(|_| ParseError("an ISO 8601 or RFC 2822 date, or unix seconds"))
    }

    /// RFC 2822 in UTC, as HTTP's `Date` header has it but for the zone. It has no infinities: one is written as
    /// the moment beyond the last or before the first.
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

impl Interval {
    /// Reads an ISO 8601 duration, such as `P1Y2M-3DT4H5M-6.5S`; each part may have a sign of its own.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        const WANTED: ParseError = ParseError("an interval such as P1M2DT3.5S");
        let mut cursor = Cursor::new(text);
        let interval = cursor.interval().ok_or(WANTED)?;
        cursor.end().map(|()| interval).ok_or(WANTED)
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

/// The fast path of `2024-02-29T23:59:59.123Z`, the form that APIs send most.
fn utc_millis(text: &str) -> Option<i64> {
    let bytes: &[u8; 24] = text.as_bytes().try_into().ok()?;
    let mut digits = true;
    let mut number = |places: std::ops::Range<usize>| {
        bytes[places].iter().fold(0_u32, |number, byte| {
            digits &= byte.is_ascii_digit();
            number * 10 + u32::from(byte.wrapping_sub(b'0'))
        })
    };
    let [year, month, day] = [0..4, 5..7, 8..10].map(&mut number);
    let [hour, minute, second, millis] = [11..13, 14..16, 17..19, 20..23].map(&mut number);
    let marks = [4, 7, 10, 13, 16, 19, 23].map(|place| bytes[place]);
    let valid = digits && marks == *b"--T::.Z" && hour < 24 && minute < 60 && second < 60;
    let date = valid.then(|| Date::from_ymd(year as i32, month, day)).flatten()?;
    let millis = i64::from(hour * 3600 + minute * 60 + second) * 1000 + i64::from(millis);
    Some(i64::from(date.0) * MICROS_PER_DAY + millis * 1000 - EPOCH)
}

/// The infinity that a text is, as a count of microseconds.
fn infinity(text: &str) -> Option<i64> {
    match text {
        INFINITY => Some(i64::MAX),
        NEGATIVE_INFINITY => Some(i64::MIN),
        _ => None,
    }
}

/// The day since 1970 that a count of microseconds since 2000 falls on; every i64 of microseconds is within i32 days.
fn day_of(micros: i64) -> i32 {
    (micros.div_euclid(MICROS_PER_DAY) + EPOCH / MICROS_PER_DAY) as i32
}

/// A time of day on a date, in microseconds since 1970.
fn at(date: Date, time: i64) -> i128 {
    i128::from(date.0) * i128::from(MICROS_PER_DAY) + i128::from(time)
}

/// A count of microseconds since 1970 as one since 2000, if there is such a moment.
fn moment(unix_micros: i128) -> Option<i64> {
    let micros = i64::try_from(unix_micros - i128::from(EPOCH)).ok()?;
    (FIRST..=LAST).contains(&micros).then_some(micros)
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
    moment(at(Date::from_ymd(year, month, day)?, micros) - i128::from(offset * MICROS_PER_SECOND))
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

    /// `[+-]YYYY-MM-DD`, four to seven digits of year.
    fn date(&mut self) -> Option<Date> {
        let negative = self.eat(b'-').is_some();
        if !negative {
            self.eat(b'+');
        }
        let year = self.digits();
        if !(4..=7).contains(&year.len()) {
            return None;
        }
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
        let micros = if self.eat(b'.').is_some() {
            self.fraction()?
        } else {
            0
        };
        let in_day = hour < 24 && minute < 60 && second < 60;
        in_day.then(|| i64::from(hour * 3600 + minute * 60 + second) * MICROS_PER_SECOND + micros)
    }

    /// A date and a time of day, in microseconds since 1970.
    fn date_time(&mut self) -> Option<i128> {
        let date = self.date()?;
        self.eat(b'T').or_else(|| self.eat(b' '))?;
        let time = self.time()?;
        Some(at(date, time))
    }

    /// The digits behind a point, in millionths; those beyond the sixth must be zero.
    fn fraction(&mut self) -> Option<i64> {
        let digits = self.digits();
        if digits.is_empty() || digits.len() > 9 || digits.iter().skip(6).any(|&digit| digit != b'0') {
            return None;
        }
        Some((0..6).fold(0, |sum, i| {
            sum * 10 + digits.get(i).map_or(0, |digit| i64::from(digit - b'0'))
        }))
    }

    fn digits(&mut self) -> &'a [u8] {
        let count = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.rest.split_at(count);
        self.rest = rest;
        digits
    }

    /// `P[nY][nM][nW][nD][T[nH][nM][n[.ffffff]S]]`: at least one part, and one behind a `T`.
    fn interval(&mut self) -> Option<Interval> {
        // The unit, which of the three sums it is of, and how many of that sum's units it is.
        const DATE: &[(u8, usize, i64)] = &[(b'Y', 0, 12), (b'M', 0, 1), (b'W', 1, 7), (b'D', 1, 1)];
        const TIME: &[(u8, usize, i64)] = &[
            (b'H', 2, 3600 * MICROS_PER_SECOND),
            (b'M', 2, 60 * MICROS_PER_SECOND),
            (b'S', 2, MICROS_PER_SECOND),
        ];
        self.eat(b'P')?;
        let mut sums = [0; 3];
        let days = self.parts(DATE, &mut sums)?;
        if self.eat(b'T').is_none() {
            (days > 0).then_some(())?;
        } else if self.parts(TIME, &mut sums)? == 0 {
            return None;
        }
        let [months, days, micros] = sums;
        Some(Interval {
            months: months.try_into().ok()?,
            days: days.try_into().ok()?,
            micros: micros.try_into().ok()?,
        })
    }

    /// Adds amounts of `units`, each at most once and in their order, to the sums; returns how many there were.
    fn parts(&mut self, mut units: &[(u8, usize, i64)], sums: &mut [i128; 3]) -> Option<usize> {
        let mut parts = 0;
        while !matches!(self.rest.first(), None | Some(b'T')) {
            let negative = self.eat(b'-').is_some();
            if !negative {
                self.eat(b'+');
            }
            let digits = self.digits();
            if digits.is_empty() || digits.len() > 19 {
                return None;
            }
            let whole = digits
                .iter()
                .fold(0_i128, |sum, digit| sum * 10 + i128::from(digit - b'0'));
            let fraction = if self.eat(b'.').is_some() {
                Some(self.fraction()?)
            } else {
                None
            };
            let (&unit, rest) = self.rest.split_first()?;
            let at = units.iter().position(|&(name, ..)| name == unit)?;
            let (_, sum, size) = units[at];
            if fraction.is_some() && unit != b'S' {
                return None;
            }
            let amount = whole * i128::from(size) + i128::from(fraction.unwrap_or(0));
            sums[sum] += if negative { -amount } else { amount };
            self.rest = rest;
            units = &units[at + 1..];
            parts += 1;
        }
        Some(parts)
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

/// The word for an infinity.
fn infinity_text(is_last: bool) -> &'static str {
    if is_last { INFINITY } else { NEGATIVE_INFINITY }
}

/// Prints a count of microseconds since 2000.
fn write_moment(f: &mut fmt::Formatter<'_>, micros: i64, zone: &str) -> fmt::Result {
    if matches!(micros, i64::MIN | i64::MAX) {
        return f.write_str(infinity_text(micros == i64::MAX));
    }
    write_date(f, day_of(micros))?;
    f.write_str("T")?;
    write_time(f, micros.rem_euclid(MICROS_PER_DAY))?;
    f.write_str(zone)
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_finite() {
            return f.write_str(infinity_text(*self == Self::INFINITY));
        }
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
        write_moment(f, self.0, "")
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_moment(f, self.0, "Z")
    }
}

/// The text, as it stands in keys: a count would say little, and look the same for both kinds of moments.
macro_rules! debug_as_text {
    ($($name:ty),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}
debug_as_text!(Date, Timestamp, Instant);

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
            "2018-01-10T21:05:30.000Z",
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
            "2024-01-01T24:00:00.000Z",
            "2024-01-01T00:60:00.000Z",
            "2023-02-29T00:00:00.000Z",
            "2024-01-01T00:00:0/.000Z",
            "2024-01-01T00:00:00,000Z",
            "2024-01-01T00:00:00.000z",
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
            "5881580-07-10",
            "-5877641-06-24",
        ] {
            assert_eq!(
                Date::parse(text).map(|date| date.to_string()),
                Ok(text.to_owned())
            );
        }
    }

    #[test]
    fn the_ends_of_every_range_can_be_read_back() {
        for days in [i32::MIN, i32::MIN + 1, i32::MAX - 1, i32::MAX] {
            assert_eq!(Date::parse(&Date(days).to_string()), Ok(Date(days)));
        }
        for micros in [i64::MIN, FIRST, LAST, i64::MAX] {
            let (timestamp, instant) = (Timestamp(micros), Instant(micros));
            assert_eq!(Timestamp::parse(&timestamp.to_string()), Ok(timestamp));
            assert_eq!(Instant::parse_iso(&instant.to_string()), Ok(instant));
        }
        assert_eq!(Time::parse("24:00:00"), Ok(Time(MICROS_PER_DAY)));
        assert!(Time::parse("24:00:01").is_err());
    }

    #[test]
    fn intervals_are_read_part_by_part() {
        let interval = |months, days, micros| Interval { months, days, micros };
        for (text, wanted) in [
            ("P0M0DT0S", interval(0, 0, 0)),
            ("P1Y2M3W4DT5H6M7.25S", interval(14, 25, 18_367_250_000)),
            ("P-1Y+2M-3DT-0.000001S", interval(-10, -3, -1)),
            ("PT1M", interval(0, 0, 60_000_000)),
            ("P1M", interval(1, 0, 0)),
        ] {
            assert_eq!(Interval::parse(text), Ok(wanted), "{text}");
            assert_eq!(Interval::parse(&wanted.to_string()), Ok(wanted), "{text}");
        }
        for micros in [i64::MIN, i64::MAX] {
            let end = interval(i32::MIN, i32::MAX, micros);
            assert_eq!(Interval::parse(&end.to_string()), Ok(end));
        }
        for text in [
            "",
            "P",
            "PT",
            "P1",
            "P1S",
            "P1DT",
            "P1D2M",
            "P1M1M",
            "P1.5D",
            "PT1S1S",
            "P1H",
            "P9999999999Y",
            "PT1.S",
            "1D",
            "P1DT1ST1S",
            "P--1D",
        ] {
            assert!(Interval::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_ends_of_what_64_bits_hold_are_met() {
        let first = Instant::from_micros_since_2000(i64::MIN + 1);
        assert_eq!(first.to_string(), "-290278-12-22T19:59:05.224193Z");
        assert_eq!(Instant::parse_iso(&first.to_string()), Ok(first));
        assert_eq!(first.floor_to_second(), first);
        assert_eq!(Instant::from_unix_micros(i64::MIN), first);
        let last = Instant::from_micros_since_2000(i64::MAX - 1);
        assert_eq!(last.to_string(), "294277-01-09T04:00:54.775806Z");
        assert_eq!(Instant::parse_iso(&last.to_string()), Ok(last));
        assert_eq!(last.unix_micros(), i64::MAX);
        let counted = Instant::from_unix_micros(i64::MAX);
        assert_eq!(counted.to_string(), "294247-01-10T04:00:54.775807Z");
        assert_eq!(counted.unix_micros(), i64::MAX);
        assert!(Instant::parse_any("294277-01-09").is_ok());
        for text in [
            "294277-01-10",
            "294277-01-09T04:00:54.775807Z",
            "-290278-12-22T19:59:05.224192Z",
            "999999-12-31",
            "-999999-01-01",
            "-290278-12-22",
            "9224318726400",
        ] {
            assert!(Instant::parse_any(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_infinities_lie_beyond_all_others() {
        let dates = [
            "-infinity",
            "-5877641-06-24",
            "1970-01-01",
            "5881580-07-10",
            "infinity",
        ];
        let dates = dates.map(|text| Date::parse(text).unwrap());
        assert!(dates.is_sorted());
        assert_eq!(dates.map(Date::is_finite), [false, true, true, true, false]);
        assert_eq!([dates[0], dates[4]], [Date::NEGATIVE_INFINITY, Date::INFINITY]);
        for text in ["5881580-07-11", "-5877641-06-23", "+infinity", "Infinity", "inf"] {
            assert!(Date::parse(text).is_err(), "{text}");
        }
        for (infinity, text) in [
            (Instant::INFINITY, "infinity"),
            (Instant::NEGATIVE_INFINITY, "-infinity"),
        ] {
            assert_eq!(infinity.to_string(), text);
            assert_eq!(Instant::parse_iso(text), Ok(infinity));
            assert_eq!(Instant::parse_any(text), Ok(infinity));
            assert_eq!(
                Timestamp::parse(text).map(|it| it.to_string()).as_deref(),
                Ok(text)
            );
            assert!(!infinity.is_finite());
            assert_eq!(infinity.floor_to_second(), infinity);
            assert_eq!(infinity.plus(std::time::Duration::MAX), infinity);
            assert_eq!(infinity.minus(std::time::Duration::MAX), infinity);
        }
        let last = Instant::from_micros_since_2000(LAST);
        assert_eq!(last.plus(std::time::Duration::MAX), last);
        assert!(Instant::NEGATIVE_INFINITY < Instant::from_unix_micros(i64::MIN) && last < Instant::INFINITY);
        assert!(Instant::parse_rfc2822("infinity").is_err());
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
