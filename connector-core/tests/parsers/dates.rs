//! Dates and times, against a calendar that counts day by day.

use connector_core::value::{Date, Instant, Time, Timestamp};
use proptest::prelude::*;

use crate::{cases, properties};

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

fn is_leap(year: i32) -> bool {
    year % 400 == 0 || (year % 4 == 0 && year % 100 != 0)
}

fn month_days(year: i32, month: u32) -> u32 {
    let days = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    days[month as usize - 1] + u32::from(month == 2 && is_leap(year))
}

/// Days from 1970-01-01, one year and one month after the other.
fn unix_days(year: i32, month: u32, day: u32) -> i64 {
    let year_days = |year| if is_leap(year) { 366 } else { 365 };
    let years: i64 = if year >= 1970 {
        (1970..year).map(year_days).sum()
    } else {
        -(year..1970).map(year_days).sum::<i64>()
    };
    let months: u32 = (1..month).map(|month| month_days(year, month)).sum();
    years + i64::from(months + day - 1)
}

/// A date and a time of day; in this order they are in the calendar's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Moment {
    year: i32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    micros: u32,
}

impl Moment {
    /// Microseconds from 1970-01-01T00:00.
    fn unix_micros(&self) -> i64 {
        let seconds = self.hour * 3600 + self.minute * 60 + self.second;
        let days = unix_days(self.year, self.month, self.day);
        (days * 86_400 + i64::from(seconds)) * 1_000_000 + i64::from(self.micros)
    }

    fn date(&self, plus: bool) -> String {
        let sign = match self.year {
            ..0 => "-",
            _ if plus => "+",
            _ => "",
        };
        format!(
            "{sign}{:04}-{:02}-{:02}",
            self.year.unsigned_abs(),
            self.month,
            self.day
        )
    }

    /// `digits` behind the point, as many as are needed at least; none where none are needed or asked for.
    fn time(&self, digits: usize) -> String {
        let Self {
            hour, minute, second, ..
        } = self;
        let all = format!("{:06}000", self.micros);
        let digits = digits.max(all.trim_end_matches('0').len());
        let point = if digits > 0 { "." } else { "" };
        format!("{hour:02}:{minute:02}:{second:02}{point}{}", &all[..digits])
    }
}

fn moment() -> impl Strategy<Value = Moment> {
    let micros = prop_oneof![
        Just(0),
        (0..1_000_u32).prop_map(|ms| ms * 1_000),
        0..1_000_000_u32
    ];
    (
        -4000..=13_000_i32,
        1..=12_u32,
        1..=31_u32,
        0..24_u32,
        0..60_u32,
        0..60_u32,
        micros,
    )
        .prop_map(|(year, month, day, hour, minute, second, micros)| Moment {
            year,
            month,
            day: day.min(month_days(year, month)),
            hour,
            minute,
            second,
            micros,
        })
}

/// A zone in each of its forms, and the minutes it is east of UTC.
fn zone() -> impl Strategy<Value = (String, i64)> {
    let numbers = (any::<bool>(), 0..24_i64, 0..60_i64, 0..3_u8);
    let numbers = numbers.prop_map(|(west, hours, minutes, form)| {
        let sign = if west { '-' } else { '+' };
        let (text, minutes) = match form {
            0 => (format!("{sign}{hours:02}:{minutes:02}"), minutes),
            1 => (format!("{sign}{hours:02}{minutes:02}"), minutes),
            _ => (format!("{sign}{hours:02}"), 0),
        };
        let east = hours * 60 + minutes;
        (text, if west { -east } else { east })
    });
    let utc = proptest::sample::select(&["Z", "+0000", "+00:00", "+00", "-00:00"][..])
        .prop_map(|zone| (zone.to_owned(), 0));
    prop_oneof![utc, numbers]
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn iso_instants_are_read_in_every_form(
        moment in moment(),
        (zone, east) in zone(),
        digits in 0..=9_usize,
        space in any::<bool>(),
        plus in any::<bool>(),
    ) {
        let between = if space { ' ' } else { 'T' };
        let local = format!("{}{between}{}", moment.date(plus), moment.time(digits));
        let text = format!("{local}{zone}");
        let wanted = Instant::from_unix_micros(moment.unix_micros() - east * 60_000_000);
        prop_assert_eq!(Instant::parse_iso(&text), Ok(wanted), "{}", text);
        prop_assert_eq!(Instant::parse_any(&text), Ok(wanted), "{}", text);
        prop_assert_eq!(Instant::parse_iso(&wanted.to_string()), Ok(wanted));
        let timestamp = Timestamp::from_unix_micros(moment.unix_micros());
        prop_assert_eq!(Timestamp::parse(&local), Ok(timestamp), "{}", local);
        prop_assert_eq!(Timestamp::parse(&timestamp.to_string()), Ok(timestamp));
        let time = Time::from_micros(moment.unix_micros().rem_euclid(86_400_000_000)).unwrap();
        prop_assert_eq!(Time::parse(&moment.time(digits)), Ok(time));
        prop_assert_eq!(Time::parse(&time.to_string()), Ok(time));
    }

    #[test]
    fn mail_dates_are_read_in_every_form(
        moment in moment(),
        weekday in any::<bool>(),
        zone in prop_oneof![
            proptest::sample::select(&["GMT", "UT", "UTC", "Z", "+0000", "-0000"][..])
                .prop_map(|zone| (zone.to_owned(), 0)),
            (any::<bool>(), 0..24_i64, 0..60_i64).prop_map(|(west, hours, minutes)| {
                let east = hours * 60 + minutes;
                let sign = if west { '-' } else { '+' };
                (format!("{sign}{hours:02}{minutes:02}"), if west { -east } else { east })
            }),
        ],
        short_day in any::<bool>(),
    ) {
        let moment = Moment { year: moment.year.abs(), micros: 0, ..moment };
        let moment = Moment { day: moment.day.min(month_days(moment.year, moment.month)), ..moment };
        let days = unix_days(moment.year, moment.month, moment.day);
        let mut text = String::new();
        if weekday {
            text += &format!("{}, ", WEEKDAYS[days.rem_euclid(7) as usize]);
        }
        text += &if short_day { moment.day.to_string() } else { format!("{:02}", moment.day) };
        let month = MONTHS[moment.month as usize - 1];
        text += &format!(" {month} {:04} {} {}", moment.year, moment.time(0), zone.0);
        let wanted = Instant::from_unix_micros(moment.unix_micros() - zone.1 * 60_000_000);
        prop_assert_eq!(Instant::parse_rfc2822(&text), Ok(wanted), "{}", text);
        prop_assert_eq!(Instant::parse_any(&text), Ok(wanted), "{}", text);
    }

    #[test]
    fn mail_dates_are_written_as_they_are_read(moment in moment()) {
        let instant = Instant::from_unix_micros(moment.unix_micros());
        let text = instant.to_rfc2822();
        prop_assert_eq!(Instant::parse_rfc2822(&text), Ok(instant.floor_to_second()), "{}", text);
        let days = unix_days(moment.year, moment.month, moment.day);
        prop_assert!(text.starts_with(WEEKDAYS[days.rem_euclid(7) as usize]), "{}", text);
    }

    #[test]
    fn unix_seconds_and_bare_dates_are_moments(moment in moment(), plus in any::<bool>()) {
        let seconds = Moment { micros: 0, ..moment }.unix_micros() / 1_000_000;
        prop_assert_eq!(
            Instant::parse_any(&seconds.to_string()).map(Instant::unix_micros),
            Ok(seconds * 1_000_000)
        );
        let days = unix_days(moment.year, moment.month, moment.day);
        let text = moment.date(plus);
        prop_assert_eq!(
            Instant::parse_any(&text).map(Instant::unix_micros),
            Ok(days * 86_400_000_000)
        );
        let date = Date::parse(&text).unwrap();
        prop_assert_eq!(i64::from(date.unix_days()), days);
        prop_assert_eq!(date.to_string(), moment.date(false));
    }

    #[test]
    fn what_is_read_is_in_the_order_of_time(
        one in moment(),
        other in moment(),
        (one_zone, one_east) in zone(),
        (other_zone, other_east) in zone(),
    ) {
        let read = |moment: Moment, zone: &str| {
            Instant::parse_iso(&format!("{}T{}{zone}", moment.date(false), moment.time(6))).unwrap()
        };
        prop_assert_eq!(read(one, "Z").cmp(&read(other, "Z")), one.cmp(&other));
        let at = |moment: Moment, east: i64| moment.unix_micros() - east * 60_000_000;
        prop_assert_eq!(
            read(one, &one_zone).cmp(&read(other, &other_zone)),
            at(one, one_east).cmp(&at(other, other_east))
        );
    }

    #[test]
    fn only_days_of_the_calendar_are_read(year in -4000..=13_000_i32, month in 0..=20_u32, day in 0..=40_u32) {
        let sign = if year < 0 { "-" } else { "" };
        let text = format!("{sign}{:04}-{month:02}-{day:02}", year.unsigned_abs());
        let there = (1..=12).contains(&month) && (1..=month_days(year, month)).contains(&day);
        prop_assert_eq!(Date::parse(&text).is_ok(), there, "{}", text);
    }

    #[test]
    fn no_text_panics(
        text in prop_oneof![any::<String>(), "[-+]?[0-9]{0,7}[-0-9T:Z. +]{0,30}", "[A-Za-z0-9:, +-]{0,40}"],
    ) {
        properties::date::check(text.as_bytes());
    }

    #[test]
    fn any_64_bits_are_a_moment(micros in prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX)]) {
        properties::date::check(&micros.to_le_bytes());
    }
}

#[test]
fn every_day_follows_the_one_before() {
    let mut wanted = i32::try_from(unix_days(-4000, 1, 1)).unwrap();
    for year in -4000..=13_000 {
        for month in 1..=12 {
            for day in 1..=month_days(year, month) {
                let date = Date::from_ymd(year, month, day).unwrap();
                assert_eq!((date.unix_days(), date.ymd()), (wanted, (year, month, day)));
                wanted += 1;
            }
        }
    }
    assert_eq!(unix_days(2000, 3, 1), 11_017);
    assert_eq!(unix_days(1970, 1, 1), 0);
}
