//! From a query's text to its meaning.

use std::sync::Arc;

use super::super::error::ApiError;
use super::super::object::ObjectType;
use super::super::schema::Schema;
use super::ast::{Condition, Operator, Order, Query, Select};
use super::literal::literal;
use super::token::{Token, malformed};
use super::words::Words;

/// Longest query the org takes, in characters.
const MAX_LENGTH: usize = 100_000;

/// Understands `text`.
pub(in super::super) fn parse(schema: &Schema, text: &str) -> Result<Query, ApiError> {
    if text.trim().is_empty() {
        return Err(malformed("unexpected token: <EOF>"));
    }
    if text.chars().count() > MAX_LENGTH {
        return Err(ApiError::bad(
            "QUERY_TOO_COMPLICATED",
            "SOQL statement is too long",
        ));
    }
    Words::new(schema, text)?.query()
}

impl Words<'_> {
    fn query(mut self) -> Result<Query, ApiError> {
        self.expect_keyword("SELECT")?;
        let names = self.names()?;
        self.expect_keyword("FROM")?;
        let at = self.at();
        let object = self.word()?;
        let known = self.schema.find(&object).filter(|object| object.queryable);
        let object = Arc::clone(known.ok_or_else(|| self.invalid_type(at, &object))?);
        let query_object = Arc::clone(&object);
        let object = &*query_object;
        let select = self.select(object, names)?;
        let condition = if self.keyword("WHERE") {
            Some(self.conditions(object)?)
        } else {
            None
        };
        let mut order = Vec::new();
        if self.keyword("ORDER") {
            self.expect_keyword("BY")?;
            loop {
                order.push(self.order(object)?);
                if !self.symbol(",") {
                    break;
                }
            }
        }
        let limit = if self.keyword("LIMIT") {
            Some(self.number()?)
        } else {
            None
        };
        let offset = if self.keyword("OFFSET") { self.number()? } else { 0 };
        if offset > 2_000 {
            let message = "Maximum SOQL offset allowed is 2000";
            return Err(ApiError::bad("NUMBER_OUTSIDE_VALID_RANGE", message));
        }
        if !self.is_done() {
            return Err(self.unexpected());
        }
        Ok(Query {
            object: Arc::clone(&query_object),
            select,
            condition,
            order,
            limit,
            offset,
        })
    }

    /// The names after SELECT with their places; `COUNT()` is one of them.
    fn names(&mut self) -> Result<Vec<(usize, String)>, ApiError> {
        let mut names = Vec::new();
        loop {
            let at = self.at();
            let mut name = self.word()?;
            if self.symbol("(") {
                name.push('(');
                if !self.symbol(")") {
                    return Err(malformed("the fake org knows no aggregate but COUNT()"));
                }
                name.push(')');
            }
            names.push((at, name));
            if !self.symbol(",") {
                return Ok(names);
            }
        }
    }

    fn select(&self, object: &ObjectType, names: Vec<(usize, String)>) -> Result<Select, ApiError> {
        if names.len() == 1 && names[0].1.eq_ignore_ascii_case("COUNT()") {
            return Ok(Select::Count);
        }
        let mut fields = Vec::with_capacity(names.len());
        for (at, name) in names {
            let field = self.field(object, at, &name)?;
            if fields.contains(&field) {
                let message = format!("duplicate field selected: {}", object.fields[field].name);
                return Err(ApiError::bad("INVALID_FIELD", message));
            }
            fields.push(field);
        }
        Ok(Select::Fields(fields))
    }

    fn conditions(&mut self, object: &ObjectType) -> Result<Condition, ApiError> {
        let first = self.condition(object)?;
        for (word, all) in [("AND", true), ("OR", false)] {
            if self.peek_keyword(word) {
                let mut parts = vec![first];
                while self.keyword(word) {
                    parts.push(self.condition(object)?);
                }
                // AND and OR side by side need parentheses.
                if self.peek_keyword("AND") || self.peek_keyword("OR") {
                    return Err(self.unexpected());
                }
                return Ok(if all {
                    Condition::And(parts)
                } else {
                    Condition::Or(parts)
                });
            }
        }
        Ok(first)
    }

    fn condition(&mut self, object: &ObjectType) -> Result<Condition, ApiError> {
        if self.keyword("NOT") {
            return Ok(Condition::Not(Box::new(self.condition(object)?)));
        }
        if self.symbol("(") {
            let inner = self.conditions(object)?;
            return if self.symbol(")") {
                Ok(inner)
            } else {
                Err(self.unexpected())
            };
        }
        let at = self.at();
        let name = self.word()?;
        let field = self.field(object, at, &name)?;
        let meta = &object.fields[field];
        if !meta.filterable || meta.kind.is_compound() {
            let message = format!("field '{}' can not be filtered in a query call", meta.name);
            return Err(self.pointed("INVALID_FIELD", at, &message));
        }
        let negated = self.keyword("NOT");
        if negated || self.peek_keyword("IN") {
            self.expect_keyword("IN")?;
            return self.list(object, field, negated);
        }
        if self.keyword("LIKE") {
            let Some((_, Token::Text(pattern))) = self.next() else {
                return Err(self.unexpected());
            };
            return Ok(Condition::Like {
                field,
                pattern: pattern.to_lowercase(),
            });
        }
        let operator = self.operator()?;
        let token = self.next().ok_or_else(|| malformed("unexpected token: <EOF>"))?;
        let literal = literal(meta, &token.1)?;
        Ok(Condition::Compare {
            field,
            operator,
            literal,
        })
    }

    fn list(&mut self, object: &ObjectType, field: usize, negated: bool) -> Result<Condition, ApiError> {
        if !self.symbol("(") {
            return Err(self.unexpected());
        }
        let mut literals = Vec::new();
        loop {
            let token = self.next().ok_or_else(|| malformed("unexpected token: <EOF>"))?;
            literals.push(literal(&object.fields[field], &token.1)?);
            if self.symbol(")") {
                return Ok(Condition::In {
                    field,
                    literals,
                    negated,
                });
            }
            if !self.symbol(",") {
                return Err(self.unexpected());
            }
        }
    }

    fn operator(&mut self) -> Result<Operator, ApiError> {
        const OPERATORS: [(&str, Operator); 7] = [
            ("=", Operator::Equal),
            ("!=", Operator::NotEqual),
            ("<>", Operator::NotEqual),
            ("<", Operator::Less),
            ("<=", Operator::LessOrEqual),
            (">", Operator::Greater),
            (">=", Operator::GreaterOrEqual),
        ];
        for (symbol, operator) in OPERATORS {
            if self.symbol(symbol) {
                return Ok(operator);
            }
        }
        Err(self.unexpected())
    }

    fn order(&mut self, object: &ObjectType) -> Result<Order, ApiError> {
        let at = self.at();
        let name = self.word()?;
        let field = self.field(object, at, &name)?;
        if !object.fields[field].sortable {
            let message = format!(
                "field '{}' can not be sorted in a query call",
                object.fields[field].name
            );
            return Err(self.pointed("MALFORMED_QUERY", at, &message));
        }
        let descending = self.keyword("DESC");
        if !descending {
            self.keyword("ASC");
        }
        let mut nulls_last = descending;
        if self.keyword("NULLS") {
            nulls_last = self.keyword("LAST");
            if !nulls_last {
                self.expect_keyword("FIRST")?;
            }
        }
        Ok(Order {
            field,
            descending,
            nulls_last,
        })
    }

    fn field(&self, object: &ObjectType, at: usize, name: &str) -> Result<usize, ApiError> {
        let own = match name.split_once('.') {
            Some((head, tail)) if head.eq_ignore_ascii_case(&object.name) => tail,
            Some((head, _)) => {
                let message = format!(
                    "Didn't understand relationship '{head}' in field path. If you are attempting to use a custom \
                     relationship, be sure to append the '__r' after the custom relationship name. Please reference \
                     your WSDL or the describe call for the appropriate names."
                );
                return Err(self.pointed("INVALID_FIELD", at, &message));
            }
            None => name,
        };
        object.field(own).ok_or_else(|| {
            let message = format!(
                "No such column '{own}' on entity '{}'. If you are attempting to use a custom field, be sure to \
                 append the '__c' after the custom field name. Please reference your WSDL or the describe call for \
                 the appropriate names.",
                object.name
            );
            self.pointed("INVALID_FIELD", at, &message)
        })
    }
}
