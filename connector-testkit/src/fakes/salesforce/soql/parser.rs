//! From a query's text to its meaning.

use std::sync::Arc;

use super::super::error::ApiError;
use super::super::object::ObjectType;
use super::super::schema::Schema;
use super::ast::{Order, Query, Select};
use super::condition::check_filter;
use super::names::MAX_ALL_FIELDS;
use super::token::malformed;
use super::words::Words;

/// Longest query the org takes, in characters.
const MAX_LENGTH: usize = 100_000;

/// Understands `text`.
pub(in super::super) fn parse(schema: &Schema, now: i64, text: &str) -> Result<Query, ApiError> {
    if text.trim().is_empty() {
        return Err(malformed("unexpected token: <EOF>"));
    }
    if text.chars().count() > MAX_LENGTH {
        return Err(ApiError::bad(
            "QUERY_TOO_COMPLICATED",
            "SOQL statement is too long",
        ));
    }
    Words::new(schema, now, text)?.query()
}

impl Words<'_> {
    fn query(mut self) -> Result<Query, ApiError> {
        self.expect_keyword("SELECT")?;
        let names = self.names()?;
        self.expect_keyword("FROM")?;
        let at = self.at();
        let object = self.word()?;
        let known = self.schema.find(&object);
        let object = Arc::clone(known.ok_or_else(|| self.invalid_type(at, &object))?);
        if !object.queryable {
            let message = format!("entity type {} does not support query", object.name);
            return Err(self.pointed("INVALID_TYPE_FOR_OPERATION", at, &message));
        }
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
        if matches!(&select, Select::Fields { all_fields: true, .. })
            && limit.is_none_or(|limit| limit > MAX_ALL_FIELDS)
        {
            let message = "The SOQL FIELDS function must have a LIMIT of at most 200";
            return Err(malformed(message));
        }
        check_filter(object, condition.as_ref())?;
        Ok(Query {
            object: Arc::clone(&query_object),
            select,
            condition,
            order,
            limit,
            offset,
        })
    }

    fn order(&mut self, object: &ObjectType) -> Result<Order, ApiError> {
        let at = self.at();
        let name = self.word()?;
        let path = self.path(object, at, &name)?;
        let meta = path.meta(object);
        if !meta.sortable {
            let message = format!("field '{}' can not be sorted in a query call", meta.name);
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
            path,
            descending,
            nulls_last,
        })
    }
}
