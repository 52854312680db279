//! What to do about a record that Salesforce refused.

/// How often a record is sent again that was refused with this code and these words; 0: never, for it would be refused
/// again.
///
/// Only a lock that somebody else holds passes by itself, and what Salesforce cannot explain may. All other codes are
/// about the record: a validation rule, a missing field, a value that does not fit.
pub(crate) fn tries_again(code: &str, message: &str) -> u32 {
    match code {
        "UNABLE_TO_LOCK_ROW" | "TOO_MANY_LOCK_FAILURE" | "TooManyLockFailure" | "TXN_LOCK" => 3,
        // Another record of its request was at fault; it goes again without that one.
        "ALL_OR_NONE_OPERATION_ROLLED_BACK" => 3,
        "UNKNOWN_EXCEPTION" => 2,
        // Triggers and flows wrap a lock's error in one of their own.
        _ if message.contains("UNABLE_TO_LOCK_ROW") => 3,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_pass_and_what_is_wrong_with_a_record_does_not() {
        assert_eq!(
            tries_again("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access"),
            3
        );
        assert_eq!(
            tries_again(
                "CANNOT_EXECUTE_FLOW_TRIGGER",
                "UNABLE_TO_LOCK_ROW, unable to obtain"
            ),
            3
        );
        assert_eq!(tries_again("UNKNOWN_EXCEPTION", "an unexpected error"), 2);
        for code in [
            "REQUIRED_FIELD_MISSING",
            "DUPLICATES_DETECTED",
            "FIELD_CUSTOM_VALIDATION_EXCEPTION",
            "ENTITY_IS_DELETED",
        ] {
            assert_eq!(tries_again(code, "no"), 0, "{code}");
        }
    }
}
