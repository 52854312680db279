//! Reading a query word by word.

use super::super::error::ApiError;
use super::super::schema::Schema;
use super::token::{Token, malformed, tokens};

/// The words of a query and how far they were read.
pub(super) struct Words<'a> {
    pub(super) schema: &'a Schema,
    text: &'a str,
    tokens: Vec<(usize, Token)>,
    place: usize,
}

impl<'a> Words<'a> {
    pub(super) fn new(schema: &'a Schema, text: &'a str) -> Result<Self, ApiError> {
        Ok(Self {
            schema,
            text,
            tokens: tokens(text)?,
            place: 0,
        })
    }

    pub(super) fn is_done(&self) -> bool {
        self.place >= self.tokens.len()
    }

    pub(super) fn invalid_type(&self, at: usize, name: &str) -> ApiError {
        let message = format!(
            "sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append \
             the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate \
             names."
        );
        self.pointed("INVALID_TYPE", at, &message)
    }

    /// An error with the part of the query it is about.
    pub(super) fn pointed(&self, code: &'static str, at: usize, message: &str) -> ApiError {
        let mut start = at.saturating_sub(30);
        let mut end = (at + 30).min(self.text.len());
        while !self.text.is_char_boundary(start) {
            start -= 1;
        }
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        let column = self.text[..at].chars().count() + 1;
        let pad = " ".repeat(self.text[start..at].chars().count());
        let excerpt = &self.text[start..end];
        ApiError::bad(
            code,
            format!("\n{excerpt}\n{pad}^\nERROR at Row:1:Column:{column}\n{message}"),
        )
    }

    pub(super) fn at(&self) -> usize {
        self.tokens.get(self.place).map_or(self.text.len(), |(at, _)| *at)
    }

    pub(super) fn next(&mut self) -> Option<(usize, Token)> {
        let token = self.tokens.get(self.place).cloned();
        self.place += 1;
        token
    }

    pub(super) fn word(&mut self) -> Result<String, ApiError> {
        match self.tokens.get(self.place) {
            Some((_, Token::Word(word))) => {
                self.place += 1;
                Ok(word.clone())
            }
            _ => Err(self.unexpected()),
        }
    }

    pub(super) fn number(&mut self) -> Result<usize, ApiError> {
        let word = self.word()?;
        word.parse()
            .map_err(|_| malformed(format!("unexpected token: '{word}'")))
    }

    pub(super) fn symbol(&mut self, symbol: &str) -> bool {
        let found =
            matches!(self.tokens.get(self.place), Some((_, Token::Symbol(known))) if *known == symbol);
        self.place += usize::from(found);
        found
    }

    pub(super) fn peek_keyword(&self, keyword: &str) -> bool {
        matches!(self.tokens.get(self.place), Some((_, Token::Word(word))) if word.eq_ignore_ascii_case(keyword))
    }

    pub(super) fn keyword(&mut self, keyword: &str) -> bool {
        let found = self.peek_keyword(keyword);
        self.place += usize::from(found);
        found
    }

    pub(super) fn expect_keyword(&mut self, keyword: &str) -> Result<(), ApiError> {
        if self.keyword(keyword) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    pub(super) fn unexpected(&self) -> ApiError {
        match self.tokens.get(self.place) {
            Some((_, Token::Word(word) | Token::Text(word))) => {
                malformed(format!("unexpected token: '{word}'"))
            }
            Some((_, Token::Symbol(symbol))) => malformed(format!("unexpected token: '{symbol}'")),
            None => malformed("unexpected token: <EOF>"),
        }
    }
}
