//! Days by name.

use super::super::timestamp::{DAY, SECOND, civil, days};

/// Start and end of what a word such as `TODAY` or `LAST_N_DAYS:30` means, in microseconds.
pub(super) fn date_literal(word: &str, now: i64) -> Option<(i64, i64)> {
    let today = now.div_euclid(SECOND).div_euclid(DAY);
    let (year, month, _) = civil(today);
    // Weeks begin on Sunday; day 3 of the count was one.
    let week = today - (today - 3).rem_euclid(7);
    let month_at = |offset: i64| {
        let ordinal = year * 12 + i64::from(month) - 1 + offset;
        let month = u32::try_from(ordinal.rem_euclid(12)).unwrap_or_default() + 1;
        days(ordinal.div_euclid(12), month, 1)
    };
    let upper = word.to_ascii_uppercase();
    let (from, to) = match upper.split_once(':') {
        Some((name, count)) => {
            let count = count.parse::<i64>().ok()?;
            match name {
                "LAST_N_DAYS" => (today - count, today + 1),
                "NEXT_N_DAYS" => (today + 1, today + 1 + count),
                "N_DAYS_AGO" => (today - count, today - count + 1),
                _ => return None,
            }
        }
        None => match upper.as_str() {
            "TODAY" => (today, today + 1),
            "YESTERDAY" => (today - 1, today),
            "TOMORROW" => (today + 1, today + 2),
            "THIS_WEEK" => (week, week + 7),
            "LAST_WEEK" => (week - 7, week),
            "NEXT_WEEK" => (week + 7, week + 14),
            "THIS_MONTH" => (month_at(0), month_at(1)),
            "LAST_MONTH" => (month_at(-1), month_at(0)),
            "NEXT_MONTH" => (month_at(1), month_at(2)),
            "THIS_YEAR" => (days(year, 1, 1), days(year + 1, 1, 1)),
            "LAST_YEAR" => (days(year - 1, 1, 1), days(year, 1, 1)),
            "NEXT_YEAR" => (days(year + 1, 1, 1), days(year + 2, 1, 1)),
            "LAST_90_DAYS" => (today - 90, today + 1),
            _ => return None,
        },
    };
    Some((from * DAY * SECOND, to * DAY * SECOND))
}
