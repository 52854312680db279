//! The seeded values of `ExternalKey__c`.

/// The external key of lead `n`.
pub(super) fn make(n: u64) -> String {
    format!("LEAD-{n:010}")
}

/// The number of the lead that is seeded with this external key, in any letter case.
pub(super) fn lead(key: &str) -> Option<u64> {
    let digits = key
        .get(..5)
        .filter(|head| head.eq_ignore_ascii_case("LEAD-"))
        .and_then(|_| key.get(5..))?;
    (digits.len() == 10).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod unit {
    #[test]
    fn seeded_keys_are_found_again() {
        assert_eq!(super::lead(&super::make(42).to_lowercase()), Some(42));
        assert_eq!(super::lead("LEAD-42"), None);
    }
}
