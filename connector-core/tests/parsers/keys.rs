//! Keys.

use connector_core::value::Date;
use connector_core::{Key, Value};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::{cases, properties};

/// Text in which what separates the parts of a key is frequent.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[]\\[\",\\\\a ]{0,6}", any::<String>()]
}

fn key(parts: &[String]) -> Key {
    Key::from_values(parts.iter().map(|part| Value::Text(part)))
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn a_key_of_several_fields_is_unmistakable(parts in vec(text(), 2..5)) {
        // What can be taken apart again cannot be two things.
        let apart: Vec<String> = serde_json::from_str(key(&parts).as_str()).unwrap();
        prop_assert_eq!(apart, parts);
    }

    #[test]
    fn keys_are_equal_where_their_fields_are(one in vec(text(), 2..4), other in vec(text(), 2..4)) {
        prop_assert_eq!(key(&one) == key(&other), one == other);
    }

    #[test]
    fn a_key_of_one_field_is_its_text(number in any::<i64>(), days in any::<i32>(), text in text()) {
        for value in [Value::Int(number), Value::Date(Date::from_unix_days(days)), Value::Text(&text)] {
            let key = Key::from_values([value]);
            prop_assert_eq!(key.as_str(), value.to_string());
        }
        properties::json::check(text.as_bytes());
    }

    #[test]
    fn numbers_and_their_text_are_the_same_key(number in any::<i64>(), text in text()) {
        let mixed = Key::from_values([Value::Int(number), Value::Text(&text)]);
        prop_assert_eq!(mixed, key(&[number.to_string(), text]));
    }
}
