//! Instants as texts: REST, Bulk, HTTP header, and what a client writes.

/// Microseconds in a second.
pub(super) const SECOND: i64 = 1_000_000;
/// Seconds in a day.
pub(super) const DAY: i64 = 86_400;

/// Year, month and day of a day number since 1970-01-01.
pub(super) fn civil(days: i64) -> (i64, u32, u32) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    (
        year,
        u32::try_from(month).unwrap_or(1),
        u32::try_from(day).unwrap_or(1),
    )
}

/// Day number since 1970-01-01.
pub(super) fn days(year: i64, month: u32, day: u32) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let yoe = year.rem_euclid(400);
    let mp = i64::from((month + 9) % 12);
    let doy = (153 * mp + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

fn two(out: &mut Vec<u8>, number: i64) {
    out.push(b'0' + u8::try_from(number / 10 % 10).unwrap_or_default());
    out.push(b'0' + u8::try_from(number % 10).unwrap_or_default());
}

fn write_seconds(out: &mut Vec<u8>, micros: i64) {
    let seconds = micros.div_euclid(SECOND);
    write_date(out, seconds.div_euclid(DAY));
    let of_day = seconds.rem_euclid(DAY);
    out.push(b'T');
    two(out, of_day / 3_600);
    out.push(b':');
    two(out, of_day / 60 % 60);
    out.push(b':');
    two(out, of_day % 60);
    out.extend_from_slice(b".000");
}

/// `YYYY-MM-DD` of a day number.
pub(super) fn write_date(out: &mut Vec<u8>, day_number: i64) {
    let (year, month, day) = civil(day_number);
    two(out, year / 100);
    two(out, year % 100);
    out.push(b'-');
    two(out, i64::from(month));
    out.push(b'-');
    two(out, i64::from(day));
}

/// `2020-10-22T21:03:23.000+0000`, the form of REST.
pub(super) fn write_rest(out: &mut Vec<u8>, micros: i64) {
    write_seconds(out, micros);
    out.extend_from_slice(b"+0000");
}

/// `2020-10-22T21:03:23.000Z`, the form of Bulk CSV.
pub(super) fn write_bulk(out: &mut Vec<u8>, micros: i64) {
    write_seconds(out, micros);
    out.push(b'Z');
}

/// The form of REST, as a text.
pub(super) fn rest(micros: i64) -> String {
    let mut out = Vec::with_capacity(28);
    write_rest(&mut out, micros);
    String::from_utf8(out).unwrap_or_default()
}

/// `Thu, 01 Jan 1970 00:00:00 GMT`, the form of the header `Date`.
pub(super) fn http_date(micros: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let seconds = micros.div_euclid(SECOND);
    let (days, of_day) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let (year, month, day) = civil(days);
    let weekday = DAYS[usize::try_from(days.rem_euclid(7)).unwrap_or_default()];
    let month = MONTHS[usize::try_from(month - 1).unwrap_or_default()];
    format!(
        "{weekday}, {day:02} {month} {year} {:02}:{:02}:{:02} GMT",
        of_day / 3_600,
        of_day / 60 % 60,
        of_day % 60
    )
}

/// Day number of a strict `YYYY-MM-DD`.
pub(super) fn parse_date(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let (year, month, day) = (number(&bytes[..4])?, number(&bytes[5..7])?, number(&bytes[8..])?);
    let (month32, day32) = (u32::try_from(month).ok()?, u32::try_from(day).ok()?);
    if !(1_700..=4_000).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let day_number = days(year, month32, day32);
    (civil(day_number) == (year, month32, day32)).then_some(day_number)
}

/// `HH:mm:ss.SSSZ` of `HH:mm:ss[.SSS][Z]`.
pub(super) fn parse_time(text: &str) -> Option<String> {
    let clock = text.strip_suffix('Z').unwrap_or(text);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let parts: Vec<&str> = clock.split(':').collect();
    let [hours, minutes, seconds] = parts[..] else {
        return None;
    };
    let part = |text: &str, most: i64| {
        let value = number(text.as_bytes()).filter(|value| text.len() == 2 && *value <= most);
        value.map(|value| format!("{value:02}"))
    };
    let millis = number(fraction.as_bytes()).filter(|_| (1..=3).contains(&fraction.len()))?;
    let millis = millis * 10_i64.pow(3 - u32::try_from(fraction.len()).ok()?);
    Some(format!(
        "{}:{}:{}.{millis:03}Z",
        part(hours, 23)?,
        part(minutes, 59)?,
        part(seconds, 59)?
    ))
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |sum, byte| {
        byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0'))
    })
}

/// Microseconds of `YYYY-MM-DDThh:mm:ss[.fraction](Z|±hh:mm|±hhmm)`.
pub(super) fn parse(text: &str) -> Option<i64> {
    let (date, time) = text.split_once('T')?;
    let day = parse_date(date)?;
    let bytes = time.as_bytes();
    if bytes.len() < 9 || bytes[2] != b':' || bytes[5] != b':' {
        return None;
    }
    let (hour, minute, second) = (number(&bytes[..2])?, number(&bytes[3..5])?, number(&bytes[6..8])?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut rest = &bytes[8..];
    let mut fraction = 0;
    if rest[0] == b'.' {
        let digits = rest[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return None;
        }
        for place in 0..6 {
            fraction = fraction * 10
                + if place < digits {
                    i64::from(rest[1 + place] - b'0')
                } else {
                    0
                };
        }
        rest = &rest[1 + digits..];
    }
    let offset = match rest {
        b"Z" => 0,
        [sign @ (b'+' | b'-'), tail @ ..] => {
            let tail: Vec<u8> = tail.iter().copied().filter(|&byte| byte != b':').collect();
            if tail.len() != 4 {
                return None;
            }
            let minutes = number(&tail[..2])? * 60 + number(&tail[2..])?;
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    Some((day * DAY + hour * 3_600 + minute * 60 + second - offset * 60) * SECOND + fraction)
}

/// The whole second `micros` lies in: the precision Salesforce stamps with.
pub(super) fn whole_second(micros: i64) -> i64 {
    micros.div_euclid(SECOND) * SECOND
}
