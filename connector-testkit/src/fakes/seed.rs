//! Deterministic seed data: record `n` is always the same, however many there are, so that a fake of a million
//! records keeps none of them in memory.

/// A well-mixed number from a record's number and a field's salt (`SplitMix64`).
pub(crate) fn mix(n: u64, salt: u64) -> u64 {
    let mut z = n
        .wrapping_add(salt.wrapping_mul(0xD1B5_4A32_D192_ED03))
        .wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// One of `choices`, always the same for the same record and salt.
pub(crate) fn pick<'a>(choices: &[&'a str], n: u64, salt: u64) -> &'a str {
    choices[usize::try_from(mix(n, salt) % choices.len() as u64).unwrap_or_default()]
}

/// The e-mail address of person `n`: the one thing a lead and a customer have in common.
pub(crate) fn email(n: u64) -> String {
    format!("person{n}@example.com")
}

/// The same address as people type it: upper-case letters here and there.
pub(crate) fn email_as_typed(n: u64, salt: u64) -> String {
    match mix(n, salt) % 4 {
        0 => format!("Person{n}@Example.com"),
        1 => format!("PERSON{n}@EXAMPLE.COM"),
        _ => email(n),
    }
}

/// Given names of many scripts.
pub(crate) const FIRST_NAMES: &[&str] = &[
    "Ada",
    "Grace",
    "Zoë",
    "José",
    "Søren",
    "美咲",
    "太郎",
    "Олена",
    "Αθηνά",
    "O'Neil",
    "Anne-Marie",
    "Łukasz",
];

/// Family names of many scripts.
pub(crate) const LAST_NAMES: &[&str] = &[
    "Lovelace",
    "Hopper",
    "Müller",
    "García",
    "D'Angelo",
    "佐藤",
    "鈴木",
    "Шевченко",
    "Παπαδοπούλου",
    "van der Berg",
    "Smith \"Smitty\"",
    "Ng",
];

/// Company names with commas, quotes and emoji.
pub(crate) const COMPANIES: &[&str] = &[
    "Acme, Inc.",
    "\"Quoted\" Ltd",
    "株式会社サンプル",
    "Rocket 🚀 Labs",
    "Dash – Co",
    "Back\\slash GmbH",
    "Tab\tCo",
    "N/A",
    "null",
    "  spaced  ",
    "Ångström AB",
    "Semi;colon LLC",
];

/// Longer texts: newlines of both kinds, quotes, emoji, a line that ends a text COPY.
pub(crate) const NOTES: &[&str] = &[
    "Met at the fair.\nWants a demo.",
    "Line one\r\nLine two",
    "Says \"call me\", then hangs up",
    "絵文字 👩‍💻 と改行\nあり",
    "\\.\n",
    "#N/A",
    "comma, semicolon; tab\tend",
    "<b>bold</b> & <i>italic</i>",
    "100% = all",
    "'single' quotes",
];

/// Postal codes: leading zeros must survive.
pub(crate) const POSTAL_CODES: &[&str] = &["00501", "01067", "100-0001", "SW1A 1AA", "0000", "94105"];
