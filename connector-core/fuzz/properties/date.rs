//! Dates and times: no text panics, and what is read is written so that it is read again.

use connector_core::value::{Date, Instant, Time, Timestamp};

pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(date) = Date::parse(text) {
        assert_eq!(Date::parse(&date.to_string()), Ok(date));
        let (year, month, day) = date.ymd();
        assert_eq!(Date::from_ymd(year, month, day), date.is_finite().then_some(date));
    }
    if let Ok(time) = Time::parse(text) {
        assert_eq!(Time::parse(&time.to_string()), Ok(time));
        assert_eq!(Time::from_micros(time.micros()), Some(time));
    }
    if let Ok(timestamp) = Timestamp::parse(text) {
        assert_eq!(Timestamp::parse(&timestamp.to_string()), Ok(timestamp));
        // The same moment in UTC; the infinities have no zone.
        let instant = Instant::from_micros_since_2000(timestamp.micros_since_2000());
        let zone = if timestamp.is_finite() { "Z" } else { "" };
        assert_eq!(Instant::parse_iso(&format!("{text}{zone}")), Ok(instant));
    }
    for instant in [
        Instant::parse_iso(text),
        Instant::parse_rfc2822(text),
        Instant::parse_any(text),
    ]
    .into_iter()
    .flatten()
    {
        round_trips(instant);
    }
    if let Ok(instant) = Instant::parse_iso(text).or_else(|_| Instant::parse_rfc2822(text)) {
        assert_eq!(Instant::parse_any(text), Ok(instant));
    }
    // Any 64 bits are a moment, or an infinity.
    if let Some((micros, _)) = data.split_first_chunk::<8>() {
        let micros = i64::from_le_bytes(*micros);
        round_trips(Instant::from_micros_since_2000(micros));
        round_trips(Instant::from_unix_micros(micros));
    }
}

fn round_trips(instant: Instant) {
    assert_eq!(Instant::parse_iso(&instant.to_string()), Ok(instant));
    assert_eq!(Instant::parse_any(&instant.to_string()), Ok(instant));
    let second = instant.floor_to_second();
    assert!(second <= instant);
    let micros = instant.micros_since_2000() - second.micros_since_2000();
    assert!((0..1_000_000).contains(&micros));
    // RFC 2822 has whole seconds, and the first one that 64 bits hold is not held whole.
    if instant.is_finite() && second.micros_since_2000() % 1_000_000 == 0 {
        assert_eq!(Instant::parse_rfc2822(&instant.to_rfc2822()), Ok(second));
    }
}
