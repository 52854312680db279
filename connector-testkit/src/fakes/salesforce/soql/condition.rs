//! WHERE.

use super::super::error::ApiError;
use super::super::object::ObjectType;
use super::ast::{Condition, Operator};
use super::literal::literal;
use super::path::Path;
use super::token::{Token, malformed};
use super::words::Words;

/// Refuses a query of an object that must be filtered by a field when it isn't.
pub(super) fn check_filter(object: &ObjectType, condition: Option<&Condition>) -> Result<(), ApiError> {
    let filters = |condition: &Condition| match condition {
        Condition::Compare {
            path,
            operator: Operator::Equal,
            ..
        }
        | Condition::In {
            path, negated: false, ..
        } => path.steps.is_empty() && object.needs_filter.contains(&object.fields[path.field].name),
        _ => false,
    };
    let filtered = match condition {
        Some(Condition::And(parts)) => parts.iter().any(filters),
        Some(condition) => filters(condition),
        None => false,
    };
    if filtered || object.needs_filter.is_empty() {
        return Ok(());
    }
    Err(malformed(format!(
        "Implementation restriction: {} requires a filter by a single Id on {} using the equals operator or multiple \
         Id's using the IN operator.",
        object.name,
        object.needs_filter.join(" or ")
    )))
}

impl Words<'_> {
    pub(super) fn conditions(&mut self, object: &ObjectType) -> Result<Condition, ApiError> {
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
        let path = self.path(object, at, &name)?;
        let meta = path.meta(object);
        if !meta.filterable || meta.kind.is_compound() {
            let message = format!("field '{}' can not be filtered in a query call", meta.name);
            return Err(self.pointed("INVALID_FIELD", at, &message));
        }
        let negated = self.keyword("NOT");
        if negated || self.peek_keyword("IN") {
            self.expect_keyword("IN")?;
            return self.list(object, path, negated);
        }
        if self.keyword("LIKE") {
            let Some((_, Token::Text(pattern))) = self.next() else {
                return Err(self.unexpected());
            };
            return Ok(Condition::Like {
                path,
                pattern: pattern.to_lowercase(),
            });
        }
        let operator = self.operator()?;
        let token = self.next().ok_or_else(|| malformed("unexpected token: <EOF>"))?;
        let literal = literal(meta, &token.1, self.now)?;
        Ok(Condition::Compare {
            path,
            operator,
            literal,
        })
    }

    fn list(&mut self, object: &ObjectType, path: Path, negated: bool) -> Result<Condition, ApiError> {
        if !self.symbol("(") {
            return Err(self.unexpected());
        }
        let mut literals = Vec::new();
        loop {
            let token = self.next().ok_or_else(|| malformed("unexpected token: <EOF>"))?;
            literals.push(literal(path.meta(object), &token.1, self.now)?);
            if self.symbol(")") {
                return Ok(Condition::In {
                    path,
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
}
