use super::client;
use crate::fakes::salesforce::decimal::{self, Decimal};
use crate::fakes::salesforce::id;
use std::collections::{HashMap, HashSet};

#[test]
fn ids_have_the_real_checksum() {
    // The vendor's own example of a 15-character id and its 18-character form.
    assert_eq!(
        id::normalize("001A0000006Vm9u").as_deref(),
        Some("001A0000006Vm9uIAC")
    );
    let ids: HashSet<String> = (1..=5_000).map(|n| id::make("00Q", n)).collect();
    assert_eq!(ids.len(), 5_000);
    for n in [1, 10, 36, 61, 62, 3_843, 1_000_000] {
        let full = id::make("00Q", n);
        assert_eq!(id::number("00Q", &full), Some(n));
        assert_eq!(id::number("00Q", &full[..15]), Some(n));
        assert_eq!(id::number("00Q", &full.to_lowercase()), Some(n));
    }
    // Two ids that differ in letter case only.
    assert_eq!(
        id::make("00Q", 10)[..15].to_lowercase(),
        id::make("00Q", 36)[..15].to_lowercase()
    );
    assert_ne!(id::make("00Q", 10), id::make("00Q", 36));
    assert!(
        (1..500).all(|n| id::make("00Q", n) < id::make("00Q", n + 1)),
        "the order of ids is that of numbers"
    );
    assert_eq!(id::number("00Q", "00Q"), None);
    assert_eq!(id::number("00Q", &id::make("001", 3)), None);
}

#[test]
fn decimals_are_exact() {
    let plain = |text: &str| Decimal::parse(text).unwrap().plain();
    assert_eq!(plain("1.23456789012345678E17"), "123456789012345678");
    assert_eq!(plain("-00.500"), "-0.5");
    assert_eq!(plain("1e-3"), "0.001");
    assert_eq!(plain("-0.0"), "0");
    let rounded = |text: &str| Decimal::parse(text).unwrap().round(2).plain();
    assert_eq!(rounded("99.995"), "100");
    assert_eq!(rounded("0.125"), "0.13");
    assert_eq!(rounded("-0.125"), "-0.13");
    assert_eq!(rounded("12.344999"), "12.34");
    assert!(Decimal::parse("1234567890123456.78") < Decimal::parse("1234567890123456.79"));
    assert!(Decimal::parse("-2") < Decimal::parse("-1"));
    assert!(
        Decimal::parse("abc").is_none() && Decimal::parse("").is_none() && Decimal::parse("1.2.3").is_none()
    );
    let bulk = |text: &str| {
        let mut out = Vec::new();
        decimal::write_scientific(&mut out, text);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(bulk("950000000"), "9.5E8");
    assert_eq!(bulk("1234567"), "1234567.0");
    assert_eq!(bulk("-1234567890123456.78"), "-1.23456789012345678E15");
    assert_eq!(bulk("10000000"), "1.0E7");
    assert_eq!(bulk("0.00012"), "1.2E-4");
    assert_eq!(bulk("0.01"), "0.01");
    assert_eq!(bulk("0"), "0.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn leads_are_the_same_every_time_and_awkward_enough() {
    let (org, _) = client::org(5_000).await;
    let (other, _) = client::org(10).await;
    for n in 1..=10 {
        assert_eq!(org.lead(n), other.lead(n));
    }
    let mut stamps: HashMap<String, u32> = HashMap::new();
    let mut seen: HashSet<String> = HashSet::new();
    let now = crate::fakes::FakeClock::new().now_micros();
    for n in 1..=5_000 {
        let lead = org.lead(n);
        *stamps.entry(lead["SystemModstamp"].text().unwrap()).or_default() += 1;
        assert!(
            matches!(lead["SystemModstamp"], crate::fakes::salesforce::FieldValue::DateTime(at) if at < now - 3_600_000_000)
        );
        assert!(lead["LeadScore__c"].is_null());
        assert_eq!(org.lead_number(&lead["Id"].text().unwrap()), Some(n));
        for value in lead.values() {
            assert_ne!(
                value.text().as_deref(),
                Some(""),
                "Salesforce knows no empty text"
            );
            seen.extend(value.text().filter(|text| text.len() < 60));
        }
    }
    assert!(stamps.values().any(|&count| count > 900), "no mass update");
    for text in [
        "N/A",
        "null",
        "\\.",
        "007",
        "1234567890123456.78",
        "0.01",
        "東京",
        "  CTO  ",
        "Rocket 🚀 Labs",
    ] {
        assert!(seen.contains(text), "{text} is missing");
    }
    assert!(seen.iter().any(|text| text.contains('\n')));
}
