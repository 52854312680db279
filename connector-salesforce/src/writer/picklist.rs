//! The values that a restricted picklist takes.

use std::sync::Arc;

use crate::describe::FieldDescribe;
use crate::types::Misfit;

/// The only values that `field` takes, sorted; `None` where it takes others.
pub(super) fn allowed(field: &FieldDescribe) -> Option<Arc<[String]>> {
    let picks = matches!(field.kind.as_str(), "picklist" | "multipicklist");
    // A list without values tells nothing: some are not described.
    if !picks || !field.restricted_picklist || field.picklist_values.is_empty() {
        return None;
    }
    let mut values: Vec<String> = field
        .picklist_values
        .iter()
        .filter(|entry| entry.active)
        .map(|entry| entry.value.clone())
        .collect();
    values.sort_unstable();
    Some(values.into())
}

/// Checks a text against the values that its field takes; letter case does not count, as with Salesforce.
pub(super) fn check(text: &str, allowed: &[String], field: &FieldDescribe) -> Result<(), Misfit> {
    let is_allowed = |value: &str| {
        allowed
            .binary_search_by(|known| known.as_str().cmp(value))
            .is_ok()
            || allowed
                .iter()
                .any(|known| known.to_lowercase() == value.to_lowercase())
    };
    let holds = if field.kind == "multipicklist" {
        text.split(';').all(|value| is_allowed(value.trim()))
    } else {
        is_allowed(text)
    };
    if holds {
        return Ok(());
    }
    Err(Misfit {
        code: "not_in_picklist",
        message: format!("`{}` takes the values of its picklist only", field.name),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::describe::PicklistEntry;

    fn field(kind: &str) -> FieldDescribe {
        let value = |value: &str, active| PicklistEntry {
            label: None,
            value: value.into(),
            active,
        };
        FieldDescribe {
            name: "Rating".into(),
            kind: kind.into(),
            restricted_picklist: true,
            picklist_values: vec![value("Warm", true), value("Hot", true), value("Old", false)],
            ..FieldDescribe::default()
        }
    }

    #[test]
    fn a_restricted_picklist_takes_its_active_values_only() {
        let rating = field("picklist");
        let allowed = allowed(&rating).unwrap();
        for (text, wanted) in [("Hot", true), ("hot", true), ("Old", false), ("Hot;Warm", false)] {
            assert_eq!(check(text, &allowed, &rating).is_ok(), wanted, "{text}");
        }
        let several = field("multipicklist");
        for (text, wanted) in [("Hot;Warm", true), ("Hot;Cold", false)] {
            assert_eq!(check(text, &allowed, &several).is_ok(), wanted, "{text}");
        }
    }

    #[test]
    fn an_open_picklist_takes_whatever_comes() {
        let mut open = field("picklist");
        open.restricted_picklist = false;
        assert_eq!(allowed(&open), None);
        assert_eq!(allowed(&field("string")), None);
    }
}
