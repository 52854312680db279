//! Literals, checked against the field they are compared with.

use super::super::decimal::Decimal;
use super::super::error::ApiError;
use super::super::field::{Field, FieldType};
use super::super::id;
use super::super::timestamp;
use super::ast::Literal;
use super::token::{Token, malformed};

/// Longest quoted text of a condition, in characters.
const MAX_TEXT: usize = 4_000;

/// The meaning of `token` where it is compared with `field`.
pub(super) fn literal(field: &Field, token: &Token) -> Result<Literal, ApiError> {
    let word = match token {
        Token::Symbol(symbol) => return Err(malformed(format!("unexpected token: '{symbol}'"))),
        Token::Text(text) => return quoted(field, text),
        Token::Word(word) => word,
    };
    if word.eq_ignore_ascii_case("null") {
        return Ok(Literal::Null);
    }
    let found = match field.kind {
        FieldType::Boolean if word.eq_ignore_ascii_case("true") => Some(Literal::Bool(true)),
        FieldType::Boolean if word.eq_ignore_ascii_case("false") => Some(Literal::Bool(false)),
        FieldType::Int | FieldType::Double => Decimal::parse(word).map(Literal::Number),
        FieldType::DateTime => timestamp::parse(word).map(Literal::DateTime),
        FieldType::Date => timestamp::parse_date(word).map(|_| Literal::Text(word.clone())),
        _ => None,
    };
    found.ok_or_else(|| {
        let quotes = match field.kind {
            FieldType::Boolean
            | FieldType::Int
            | FieldType::Double
            | FieldType::DateTime
            | FieldType::Date => "not ",
            _ => "",
        };
        wrong(field, quotes)
    })
}

fn quoted(field: &Field, text: &str) -> Result<Literal, ApiError> {
    if text.chars().count() > MAX_TEXT {
        return Err(malformed("string literal is too long"));
    }
    match field.kind {
        FieldType::Id | FieldType::Reference => match id::normalize(text) {
            Some(id) => Ok(Literal::Text(id)),
            None if text.is_empty() => Ok(Literal::Null),
            None => {
                let message = format!("invalid ID field: {text}");
                Err(ApiError::bad("INVALID_QUERY_FILTER_OPERATOR", message))
            }
        },
        FieldType::Text | FieldType::Email | FieldType::Picklist if text.is_empty() => Ok(Literal::Null),
        FieldType::Text | FieldType::Email | FieldType::Picklist => Ok(Literal::Text(text.to_lowercase())),
        _ => Err(wrong(field, "not ")),
    }
}

fn wrong(field: &Field, quotes: &str) -> ApiError {
    let kind = field.soap_type.split(':').next_back().unwrap_or_default();
    let message = format!(
        "value of filter criterion for field '{}' must be of type {kind} and should {quotes}be enclosed in quotes",
        field.name
    );
    ApiError::bad("INVALID_FIELD", message)
}
