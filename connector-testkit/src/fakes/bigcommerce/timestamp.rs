//! Instants as texts: ISO 8601 in V3, RFC 2822 in V2, and what a client writes into a filter.

/// Microseconds in a second.
pub(super) const SECOND: i64 = 1_000_000;
/// Seconds in a day.
pub(super) const DAY: i64 = 86_400;

const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// A UTC instant in calendar parts.
struct Parts {
    year: i64,
    month: usize,
    day: i64,
    weekday: usize,
    hour: i64,
    minute: i64,
    second: i64,
}

impl Parts {
    fn of(seconds: i64) -> Self {
        let (days, of_day) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
        let (year, month, day) = civil(days);
        Self {
            year,
            month: usize::try_from(month).unwrap_or(1),
            day,
            weekday: usize::try_from(days.rem_euclid(7)).unwrap_or_default(),
            hour: of_day / 3_600,
            minute: of_day / 60 % 60,
            second: of_day % 60,
        }
    }
}

/// Year, month and day of a day number since 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (
        yoe + era * 400 + i64::from(month <= 2),
        month,
        doy - (153 * mp + 2) / 5 + 1,
    )
}

/// Day number since 1970-01-01 of a date that exists.
fn day_number(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=9_999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let shifted = year - i64::from(month <= 2);
    let (era, yoe) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let doy = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let number = era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468;
    (civil(number) == (year, month, day)).then_some(number)
}

/// `2018-01-10T21:05:30Z`, or with `+00:00` for the zone: the store sends both.
pub(super) fn iso(seconds: i64, zone: &str) -> String {
    let p = Parts::of(seconds);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{zone}",
        p.year, p.month, p.day, p.hour, p.minute, p.second
    )
}

/// `Wed, 10 Jan 2018 21:05:30 +0000`, or with `GMT` for the zone in the header `Date`.
pub(super) fn rfc2822(seconds: i64, zone: &str) -> String {
    let p = Parts::of(seconds);
    let (weekday, month) = (WEEKDAYS[p.weekday], MONTHS[p.month - 1]);
    format!(
        "{weekday}, {:02} {month} {:04} {:02}:{:02}:{:02} {zone}",
        p.day, p.year, p.hour, p.minute, p.second
    )
}

fn number(text: &str, digits: usize) -> Option<i64> {
    (text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Seconds east of UTC of `Z`, `GMT`, `+01:00` or `+0100`.
fn zone(text: &str) -> Option<i64> {
    if matches!(text, "Z" | "z" | "GMT" | "UTC") {
        return Some(0);
    }
    let sign = match text.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let digits = text.get(1..)?.replacen(':', "", 1);
    let (hours, minutes) = (number(digits.get(..2)?, 2)?, number(digits.get(2..)?, 2)?);
    Some(sign * (hours * 3_600 + minutes * 60))
}

/// Microseconds in a day of `21:05:30` or `21:05:30.123`.
fn time_of_day(text: &str) -> Option<i64> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let mut parts = clock.split(':');
    let (hour, minute) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let second = number(parts.next()?, 2)?;
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let digits = fraction.get(..fraction.len().min(6))?;
    let micros = number(digits, digits.len())? * 10_i64.pow(6 - u32::try_from(digits.len()).ok()?);
    Some((hour * 3_600 + minute * 60 + second) * SECOND + micros)
}

/// Microseconds of a full date, or of a date and time with an explicit zone.
pub(super) fn parse_iso(text: &str) -> Option<i64> {
    let date = text.get(..10)?;
    let mut parts = date.split('-');
    let days = day_number(
        number(parts.next()?, 4)?,
        number(parts.next()?, 2)?,
        number(parts.next()?, 2)?,
    )?;
    let rest = text.get(10..)?;
    if rest.is_empty() {
        return Some(days * DAY * SECOND);
    }
    let time = rest.strip_prefix(['T', 't'])?;
    let at = time.find(['Z', 'z', '+', '-'])?;
    let (clock, offset) = time.split_at(at);
    Some(days * DAY * SECOND + time_of_day(clock)? - zone(offset)? * SECOND)
}

/// Microseconds of `[Wed, ]10 Jan 2018 21:05:30 +0000`.
pub(super) fn parse_rfc2822(text: &str) -> Option<i64> {
    let text = match text.split_once(", ") {
        Some((weekday, rest)) => WEEKDAYS.contains(&weekday).then_some(rest)?,
        None => text,
    };
    let mut parts = text.split(' ');
    let day: i64 = parts.next()?.parse().ok()?;
    let name = parts.next()?;
    let month = MONTHS.iter().position(|month| *month == name)? + 1;
    let year = number(parts.next()?, 4)?;
    let (time, offset) = (parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let days = day_number(year, i64::try_from(month).ok()?, day)?;
    Some(days * DAY * SECOND + time_of_day(time)? - zone(offset)? * SECOND)
}

/// Either form: what the filters of V2 orders accept, and what an edit may hold.
pub(super) fn parse_any(text: &str) -> Option<i64> {
    parse_iso(text).or_else(|| parse_rfc2822(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_one_instant() {
        let seconds = 1_515_618_330;
        assert_eq!(iso(seconds, "Z"), "2018-01-10T21:05:30Z");
        assert_eq!(rfc2822(seconds, "+0000"), "Wed, 10 Jan 2018 21:05:30 +0000");
        for text in [
            "2018-01-10T21:05:30Z",
            "2018-01-10T21:05:30+00:00",
            "2018-01-10T22:05:30+01:00",
            "2018-01-10T20:35:30.000-00:30",
            "Wed, 10 Jan 2018 21:05:30 +0000",
            "10 Jan 2018 16:05:30 -0500",
        ] {
            assert_eq!(parse_any(text), Some(seconds * SECOND), "{text}");
        }
        assert_eq!(
            parse_iso("2018-01-10"),
            Some((seconds - 21 * 3_600 - 5 * 60 - 30) * SECOND)
        );
    }

    #[test]
    fn texts_that_are_no_instant() {
        for text in [
            "",
            "2018-02-30",
            "2018-01-10T21:05:30",
            "2018-01-10T21:05:30 00:00",
            "10 Jan 2018",
            "yesterday",
            "é018-01-10",
        ] {
            assert_eq!(parse_any(text), None, "{text}");
        }
    }
}
