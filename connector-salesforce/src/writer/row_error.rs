//! Why Salesforce refused one record.

/// One record's error, of a collections call or of a Bulk job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RowError {
    pub(crate) code: String,
    /// Salesforce's words, without the record's values.
    pub(crate) message: String,
    pub(crate) fields: Vec<String>,
}

impl RowError {
    /// An error whose words lose every one of `values`.
    pub(crate) fn new<'a>(
        code: &str,
        message: &str,
        fields: Vec<String>,
        values: impl Iterator<Item = std::borrow::Cow<'a, str>>,
    ) -> Self {
        let mut message: String = message.chars().take(500).collect();
        // Shorter ones would tear words apart and tell nothing.
        for value in values.filter(|value| value.chars().count() >= 3) {
            if message.contains(value.as_ref()) {
                message = message.replace(value.as_ref(), "…");
            }
        }
        Self {
            code: code.to_owned(),
            message,
            fields,
        }
    }

    /// Reads the column `sf__Error`: `CODE:message:Field1,Field2 --`, where the message may hold colons.
    pub(crate) fn from_bulk<'a>(text: &str, values: impl Iterator<Item = std::borrow::Cow<'a, str>>) -> Self {
        let text = text.trim_end().trim_end_matches("--").trim_end();
        let (code, rest) = text.split_once(':').unwrap_or((text, ""));
        let (message, fields) = rest.rsplit_once(':').unwrap_or((rest, ""));
        let fields = fields
            .split(',')
            .map(str::trim)
            .filter(|field| !field.is_empty())
            .map(str::to_owned)
            .collect();
        Self::new(code.trim(), message.trim(), fields, values)
    }

    /// Whether the same record may pass a little later: it was not applied, for a reason that is not its own.
    pub(crate) fn is_passing(&self) -> bool {
        self.tries() > 0
    }

    /// How often the same record is tried again at most.
    pub(crate) fn tries(&self) -> u32 {
        match self.code.as_str() {
            // Triggers and flows wrap a lock's error in one of their own.
            _ if self.message.contains("UNABLE_TO_LOCK_ROW") => 3,
            "UNABLE_TO_LOCK_ROW" | "TXN_LOCK" | "TOO_MANY_LOCK_FAILURE" | "TooManyLockFailure" => 3,
            "ALL_OR_NONE_OPERATION_ROLLED_BACK" => 3,
            "UNKNOWN_EXCEPTION" => 2,
            _ => 0,
        }
    }

    /// Whether the record is not there: what a delete wants.
    pub(crate) fn is_gone(&self) -> bool {
        ["ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "NOT_FOUND"].contains(&self.code.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> RowError {
        RowError::from_bulk(text, std::iter::empty())
    }

    #[test]
    fn the_bulk_form_is_taken_apart() {
        let error = bulk("FIELD_CUSTOM_VALIDATION_EXCEPTION:must be: less than 5:LeadScore__c,Rating --");
        assert_eq!(error.code, "FIELD_CUSTOM_VALIDATION_EXCEPTION");
        assert_eq!(error.message, "must be: less than 5");
        assert_eq!(error.fields, ["LeadScore__c", "Rating"]);
        let bare = bulk("CANNOT_UPDATE_CONVERTED_LEAD:cannot reference converted lead:--");
        assert_eq!(
            (bare.message.as_str(), bare.fields.len()),
            ("cannot reference converted lead", 0)
        );
        assert_eq!(bulk("").code, "");
    }

    #[test]
    fn a_lock_is_seen_inside_a_trigger_s_error() {
        assert!(bulk("UNABLE_TO_LOCK_ROW:unable to obtain exclusive access:--").is_passing());
        assert!(bulk("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY:UNABLE_TO_LOCK_ROW, unable to:--").is_passing());
        assert!(!bulk("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY:a trigger says no:--").is_passing());
    }

    #[test]
    fn values_do_not_stay_in_the_words() {
        let error = RowError::new(
            "X",
            "invalid email: me@acme.com",
            Vec::new(),
            ["me@acme.com".into()].into_iter(),
        );
        assert_eq!(error.message, "invalid email: …");
    }
}
