//! PostgreSQL's own notation of random values, type by type.

use std::fmt::Write;

use crate::random::Random;

/// A column's type, and a literal of it.
pub(crate) type Column = (&'static str, fn(&mut Random) -> String);

/// What the columns' types need.
pub(crate) const TYPES: &str = "CREATE EXTENSION IF NOT EXISTS citext; CREATE EXTENSION IF NOT EXISTS hstore;
    CREATE TYPE mood AS ENUM ('sad', 'it''s \"ok\"', '日本', ' x ');
    CREATE TYPE pair AS (a int, b text, c numeric(6,2)[]);
    CREATE DOMAIN score AS numeric(5,2) CHECK (VALUE < 900);
    CREATE DOMAIN host AS inet";

pub(crate) const COLUMNS: &[Column] = &[
    ("boolean", |random| random.one_of(&["t", "f"]).to_owned()),
    ("smallint", |random| random.integer(16).to_string()),
    ("integer", |random| random.integer(32).to_string()),
    ("bigint", |random| random.integer(64).to_string()),
    ("real", |random| format!("{:?}", single(random))),
    ("double precision", |random| format!("{:?}", double(random))),
    ("numeric", Random::decimal),
    ("numeric(12,4)", |random| {
        if random.one_in(50) {
            return "NaN".to_owned();
        }
        let number = random.integer(27);
        format!("{number}e-{}", random.below(6))
    }),
    ("numeric(3,-2)", |random| {
        random.within(-99_900, 99_900).to_string()
    }),
    ("numeric(2,4)", |random| format!("{}e-4", random.within(-99, 99))),
    ("text", |random| random.text(40)),
    ("varchar(9)", |random| random.text(9)),
    ("char(5)", |random| random.text(5)),
    ("citext", |random| random.text(20)),
    ("name", |random| random.text(12)),
    ("bytea", |random| {
        let mut text = String::from("\\x");
        for byte in random.bytes() {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }),
    ("date", |random| day(random, 5_874_897)),
    ("time", |random| time(random.time())),
    ("time(0)", |random| time(random.time())),
    ("timetz", |random| time(random.time()) + &zone(random)),
    ("timestamp", timestamp),
    ("timestamp(3)", timestamp),
    ("timestamptz", |random| {
        let text = timestamp(random);
        // The zone stands before the era.
        match text.strip_suffix(" BC") {
            Some(text) => format!("{text}+00 BC"),
            None if text.ends_with("infinity") => text,
            None => format!("{text}+00"),
        }
    }),
    ("interval", interval),
    ("interval(2)", interval),
    ("interval year to month", interval),
    ("interval day to minute", interval),
    ("uuid", |random| {
        format!("{:016x}{:016x}", random.bits(), random.bits())
    }),
    ("json", json),
    ("jsonb", json),
    ("inet", |random| format!("{}{}", address(random), mask(random))),
    ("cidr", |random| format!("{}.0.0.0/8", random.below(256))),
    ("macaddr", |random| format!("{:012x}", random.bits() >> 16)),
    ("macaddr8", |random| format!("{:016x}", random.bits())),
    ("bit(11)", |random| format!("{:011b}", random.below(1 << 11))),
    ("bit varying", |random| {
        let length = random.below(40);
        (0..length).map(|_| random.one_of(&['0', '1'])).collect()
    }),
    ("mood", |random| {
        random.one_of(&["sad", "it's \"ok\"", "日本", " x "]).to_owned()
    }),
    ("score", |random| format!("{}e-2", random.within(-89_999, 89_999))),
    ("host", address),
    ("int4range", |random| {
        range(random, |random| {
            random.within(-2_147_483_648, 2_147_483_646).to_string()
        })
    }),
    ("numrange", |random| {
        range(random, |random| format!("{}e-3", random.integer(40)))
    }),
    ("tsrange", |random| {
        range(random, |random| {
            let micros = random.time();
            format!(
                "\"2024-02-{:02} {}\"",
                random.within(1, 28),
                time(micros.min(86_399_999_999))
            )
        })
    }),
    ("int8multirange", |random| {
        let (a, b, c) = (random.below(9), random.below(9) + 20, random.below(9) + 40);
        random
            .one_of(
                &[
                    "{}".to_owned(),
                    format!("{{[{a},{b})}}"),
                    format!("{{(,{a}),[{b},{c})}}"),
                ]
                .each_ref(),
            )
            .clone()
    }),
    ("boolean[]", |random| {
        array(random, |random| random.one_of(&["t", "f"]).to_owned())
    }),
    ("smallint[]", |random| {
        array(random, |random| random.integer(16).to_string())
    }),
    ("bigint[]", |random| {
        array(random, |random| random.integer(64).to_string())
    }),
    ("real[]", |random| {
        array(random, |random| format!("{:?}", single(random)))
    }),
    ("double precision[]", |random| {
        array(random, |random| format!("{:?}", double(random)))
    }),
    ("numeric[]", |random| array(random, Random::decimal)),
    ("text[]", |random| array(random, |random| random.text(20))),
    ("varchar(4)[]", |random| array(random, |random| random.text(4))),
    ("date[]", |random| array(random, |random| day(random, 9_999))),
    ("timestamptz[]", |random| {
        array(random, |_| "2024-02-29 12:00:00.000001+00".to_owned())
    }),
    ("time(1)[]", |random| array(random, |random| time(random.time()))),
    ("interval[]", |random| array(random, interval)),
    ("uuid[]", |random| {
        array(random, |random| {
            format!("{:016x}{:016x}", random.bits(), random.bits())
        })
    }),
    ("jsonb[]", |random| array(random, json)),
    ("mood[]", |random| {
        array(random, |random| random.one_of(&["sad", "日本", " x "]).to_owned())
    }),
    ("inet[]", |random| array(random, address)),
    ("pair", pair),
    ("pair[]", |random| array(random, pair)),
    ("point", |random| {
        format!("({:?},{:?})", double(random), double(random))
    }),
    ("box", |random| {
        format!("({},1),({},2)", random.integer(20), random.integer(20))
    }),
    ("path", |random| {
        format!("[({},1),(2,{:?})]", random.integer(20), double(random))
    }),
    ("money", |random| {
        let cents = random.integer(63);
        let sign = if cents < 0 { "-" } else { "" };
        format!(
            "{sign}{}.{:02}",
            cents.unsigned_abs() / 100,
            cents.unsigned_abs() % 100
        )
    }),
    ("xml", |random| {
        format!("<a b='{}'>{}</a>", random.below(9), random.below(1_000))
    }),
    ("tsvector", |random| {
        let words: Vec<String> = (0..random.below(4))
            .map(|_| {
                format!(
                    "'{}':{}A",
                    random.text(6).replace('\\', "\\\\").replace('\'', "''") + "x",
                    random.below(99) + 1
                )
            })
            .collect();
        words.join(" ")
    }),
    ("hstore", |random| format!("a=>{},b=>NULL", random.below(1_000))),
    ("pg_lsn", |random| {
        format!("{:X}/{:X}", random.bits() >> 32, random.bits() >> 32)
    }),
    ("oid", |random| (random.bits() >> 32).to_string()),
    ("\"char\"", |random| {
        char::from(b'!' + random.below(90) as u8).to_string()
    }),
];

fn single(random: &mut Random) -> f32 {
    if random.one_in(8) {
        return random.one_of(&[
            0.0,
            -0.0,
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::MAX,
            f32::MIN_POSITIVE,
            0.1,
        ]);
    }
    f32::from_bits(random.bits() as u32)
}

fn double(random: &mut Random) -> f64 {
    if random.one_in(8) {
        return random.one_of(&[
            0.0,
            -0.0,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            5e-324,
            0.1,
        ]);
    }
    f64::from_bits(random.bits())
}

/// A day of the calendar, up to the year `last`.
fn day(random: &mut Random, last: i64) -> String {
    match random.below(16) {
        0 => {
            return random
                .one_of(&[
                    "infinity",
                    "-infinity",
                    "4714-11-24 BC",
                    "2024-02-29",
                    "0004-02-29",
                ])
                .to_owned();
        }
        1 => {
            return format!(
                "{:04}-{:02}-{:02} BC",
                random.within(1, 4_713),
                random.within(1, 12),
                random.within(1, 28)
            );
        }
        _ => {}
    }
    let year = if random.one_in(3) {
        random.within(1, last)
    } else {
        random.within(1_900, 2_100)
    };
    format!(
        "{year:04}-{:02}-{:02}",
        random.within(1, 12),
        random.within(1, 28)
    )
}

fn time(micros: i64) -> String {
    let seconds = micros / 1_000_000;
    format!(
        "{:02}:{:02}:{:02}.{:06}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60,
        micros % 1_000_000
    )
}

fn zone(random: &mut Random) -> String {
    let sign = random.one_of(&['+', '-']);
    format!(
        "{sign}{:02}:{:02}:{:02}",
        random.below(16),
        random.below(60),
        random.below(60)
    )
}

fn timestamp(random: &mut Random) -> String {
    let (day, micros) = (day(random, 294_275), random.time().min(86_399_999_999));
    if day.ends_with("infinity") {
        return day;
    }
    match day.strip_suffix(" BC") {
        Some(day) => format!("{day} {} BC", time(micros)),
        None => format!("{day} {}", time(micros)),
    }
}

fn interval(random: &mut Random) -> String {
    let (months, days) = (random.integer(31), random.integer(31));
    let micros = if random.one_in(2) {
        random.integer(50)
    } else {
        random.time()
    };
    format!("{months} months {days} days {micros} microseconds")
}

fn json(random: &mut Random) -> String {
    let text = serde_json::to_string(&random.text(12)).unwrap();
    match random.below(5) {
        0 => format!("[{}, null, true, {{}}]", random.integer(40)),
        1 => text,
        2 => format!("{{\"b\": {text}, \"a\": [1.50, -0.0]}}"),
        3 => format!("{{{text}: {text}}}"),
        _ => random
            .one_of(&["null", "[]", "12345678901234567890.1230", "\"\"", "{\"\": {}}"])
            .to_owned(),
    }
}

fn address(random: &mut Random) -> String {
    if random.one_in(3) {
        format!("2001:db8::{:x}:{:x}", random.below(65_536), random.below(65_536))
    } else {
        format!(
            "{}.{}.0.{}",
            random.below(256),
            random.below(256),
            random.below(256)
        )
    }
}

fn mask(random: &mut Random) -> String {
    if random.one_in(2) {
        format!("/{}", random.below(33))
    } else {
        String::new()
    }
}

/// A range of numbers that `bound` makes, in their order or not: the server decides which is empty.
fn range(random: &mut Random, bound: fn(&mut Random) -> String) -> String {
    match random.below(8) {
        0 => return "empty".to_owned(),
        1 => return "(,)".to_owned(),
        2 => return format!("[{},)", bound(random)),
        3 => return format!("(,{}]", bound(random)),
        _ => {}
    }
    let only = bound(random);
    format!("[{only},{only}]")
}

fn array(random: &mut Random, element: fn(&mut Random) -> String) -> String {
    let elements: Vec<String> = (0..random.below(4))
        .map(|_| {
            if random.one_in(4) {
                return "NULL".to_owned();
            }
            let text = element(random).replace('\\', "\\\\").replace('"', "\\\"");
            format!("\"{text}\"")
        })
        .collect();
    format!("{{{}}}", elements.join(","))
}

fn pair(random: &mut Random) -> String {
    let text = random.text(10).replace('\\', "\\\\").replace('"', "\"\"");
    match random.below(4) {
        0 => "(,,)".to_owned(),
        1 => format!("({},\"\",{{}})", random.integer(32)),
        _ => format!(
            "({},\"{text}\",\"{{1.5,NULL,{}}}\")",
            random.integer(32),
            random.within(-999, 999)
        ),
    }
}
