//! The text of a filter.

use super::{Comparison, Filter, Literal, Operator, Test};
use crate::error::{Error, ErrorKind, Result};
use crate::value::Decimal;

/// Words that are no field's name unless quoted.
const WORDS: [&str; 7] = ["and", "in", "is", "not", "null", "true", "false"];

pub(super) fn filter(text: &str) -> Result<Filter> {
    let mut rest = Rest { text, at: 0 };
    let mut comparisons = vec![rest.comparison()?];
    while !rest.is_at_end() {
        if !rest.takes_word("and") {
            return Err(rest.wanted("`and`, or the end"));
        }
        comparisons.push(rest.comparison()?);
    }
    Ok(Filter { comparisons })
}

/// Whether a field's name can stand without quotes.
pub(super) fn is_bare(name: &str) -> bool {
    let first = name
        .chars()
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_');
    first && name.chars().all(is_of_a_word) && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(name))
}

fn is_of_a_word(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '.' | '$')
}

/// What is still to be read.
struct Rest<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Rest<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn is_at_end(&mut self) -> bool {
        self.skip_space();
        self.rest().is_empty()
    }

    /// The error that says what was wanted here, and what stands here: of a literal only that it is one.
    fn wanted(&mut self, what: &str) -> Error {
        self.skip_space();
        let found = match (self.word(), self.rest().chars().next()) {
            (_, None) => "its end".to_owned(),
            (Some(word), _) => format!("`{word}`"),
            (None, Some('\'')) => "a text".to_owned(),
            (None, Some(sign)) => format!("`{sign}`"),
        };
        self.wrong(&format!("{what} was expected, not {found}"))
    }

    fn wrong(&self, what: &str) -> Error {
        let place = self.text[..self.at].chars().count() + 1;
        Error::new(
            ErrorKind::Config,
            format!("the filter is wrong at character {place}: {what}"),
        )
        .with_help("a filter is such as: Status = 'Open' and Amount >= 100 and Email is not null")
    }

    /// The word that stands here, if one does.
    fn word(&self) -> Option<&'a str> {
        let rest = self.rest();
        let end = rest.find(|letter| !is_of_a_word(letter)).unwrap_or(rest.len());
        (end > 0).then(|| &rest[..end])
    }

    fn takes_word(&mut self, word: &str) -> bool {
        self.skip_space();
        let here = self.word().filter(|here| here.eq_ignore_ascii_case(word));
        self.at += here.map_or(0, str::len);
        here.is_some()
    }

    fn takes_sign(&mut self, sign: &str) -> bool {
        self.skip_space();
        let here = self.rest().starts_with(sign);
        self.at += if here { sign.len() } else { 0 };
        here
    }

    fn comparison(&mut self) -> Result<Comparison> {
        let field = self.field()?;
        let test = if self.takes_word("is") {
            let not = self.takes_word("not");
            if !self.takes_word("null") {
                return Err(self.wanted("`null`"));
            }
            if not { Test::IsNotNull } else { Test::IsNull }
        } else if self.takes_word("in") {
            Test::In(self.list()?)
        } else {
            let operator = self.operator()?;
            Test::Compare(operator, self.literal()?)
        };
        Ok(Comparison { field, test })
    }

    fn field(&mut self) -> Result<String> {
        self.skip_space();
        if self.rest().starts_with('"') {
            let start = self.at;
            let name = self.quoted('"')?;
            if name.is_empty() {
                self.at = start;
                return Err(self.wrong("a field has a name"));
            }
            return Ok(name);
        }
        match self.word().filter(|word| is_bare(word)) {
            Some(word) => {
                self.at += word.len();
                Ok(word.to_owned())
            }
            None => Err(self.wanted("the name of a field")),
        }
    }

    fn operator(&mut self) -> Result<Operator> {
        // The longer signs first.
        let signs = [
            ("<>", Operator::NotEqual),
            ("!=", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
            ("=", Operator::Equal),
        ];
        match signs.into_iter().find(|(sign, _)| self.takes_sign(sign)) {
            Some((_, operator)) => Ok(operator),
            None => Err(self.wanted("one of = != < <= > >= in is")),
        }
    }

    fn list(&mut self) -> Result<Vec<Literal>> {
        if !self.takes_sign("(") {
            return Err(self.wanted("`(`"));
        }
        let mut literals = vec![self.literal()?];
        while self.takes_sign(",") {
            literals.push(self.literal()?);
        }
        if self.takes_sign(")") {
            Ok(literals)
        } else {
            Err(self.wanted("`,` or `)`"))
        }
    }

    fn literal(&mut self) -> Result<Literal> {
        self.skip_space();
        if self.rest().starts_with('\'') {
            return self.quoted('\'').map(Literal::Text);
        }
        for value in [true, false] {
            if self.takes_word(&value.to_string()) {
                return Ok(Literal::Bool(value));
            }
        }
        if self.word().is_some_and(|word| word.eq_ignore_ascii_case("null")) {
            return Err(self.wrong("nothing equals null; say `is null` or `is not null`"));
        }
        let rest = self.rest();
        let is_of_a_number = |(i, letter): (usize, char)| {
            is_of_a_word(letter)
                || (letter == '-' || letter == '+') && { i == 0 || rest[..i].ends_with(['e', 'E']) }
        };
        let end = rest
            .char_indices()
            .find(|&place| !is_of_a_number(place))
            .map_or(rest.len(), |(i, _)| i);
        let text = &rest[..end];
        let starts_well =
            text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '-' | '+' | '.'));
        if !starts_well || Decimal::parse(text, &mut String::new()).is_err() {
            return Err(self.wanted("a literal ('text', a number, true or false)"));
        }
        self.at += end;
        Ok(Literal::Number(text.to_owned()))
    }

    /// What stands between quotes; a doubled one stands for itself.
    fn quoted(&mut self, quote: char) -> Result<String> {
        let mut text = String::new();
        let mut letters = self.rest().char_indices().skip(1).peekable();
        while let Some((i, letter)) = letters.next() {
            if letter != quote {
                text.push(letter);
            } else if letters.peek().is_some_and(|(_, next)| *next == quote) {
                text.push(quote);
                letters.next();
            } else {
                self.at += i + 1;
                return Ok(text);
            }
        }
        Err(self.wrong("a quote is opened here and never closed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_read_and_written_back() {
        for (text, written) in [
            ("a = 1", "a = 1"),
            (
                "  Status='it''s' AND b<>-1.50e3 ",
                "Status = 'it''s' and b != -1.50e3",
            ),
            ("x is null and y Is Not Null", "x is null and y is not null"),
            ("\"a \"\"b\"\" c\" >= TRUE", "\"a \"\"b\"\" c\" >= true"),
            ("\"and\" in ('x',2 , false)", "\"and\" in ('x', 2, false)"),
            (
                "日付 < '2024-02-29' and a.b > .5",
                "日付 < '2024-02-29' and a.b > .5",
            ),
        ] {
            let filter = Filter::parse(text).unwrap();
            assert_eq!(filter.to_string(), written);
            assert_eq!(Filter::parse(written).unwrap(), filter);
        }
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        for (text, wrong) in [
            ("", "character 1: the name of a field was expected, not its end"),
            (
                "a",
                "character 2: one of = != < <= > >= in is was expected, not its end",
            ),
            (
                "a = ",
                "character 5: a literal ('text', a number, true or false) was expected, not its end",
            ),
            (
                "a = b",
                "character 5: a literal ('text', a number, true or false) was expected, not `b`",
            ),
            (
                "a = 1 or b = 2",
                "character 7: `and`, or the end was expected, not `or`",
            ),
            (
                "a = null",
                "character 5: nothing equals null; say `is null` or `is not null`",
            ),
            ("a = 'x", "character 5: a quote is opened here and never closed"),
            ("ä is 5", "character 6: `null` was expected, not `5`"),
            (
                "a in (1, )",
                "character 10: a literal ('text', a number, true or false) was expected, not `)`",
            ),
            ("a in (1", "character 8: `,` or `)` was expected, not its end"),
            (
                "null = 1",
                "character 1: the name of a field was expected, not `null`",
            ),
            (
                "'a' = 1",
                "character 1: the name of a field was expected, not a text",
            ),
            (
                "a = 1 and",
                "character 10: the name of a field was expected, not its end",
            ),
            (
                "a == 1",
                "character 4: a literal ('text', a number, true or false) was expected, not `=`",
            ),
            ("\"\" = 1", "character 1: a field has a name"),
        ] {
            let error = Filter::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert_eq!(
                error.message(),
                format!("the filter is wrong at {wrong}"),
                "{text}"
            );
        }
    }
}
