//! A query as somebody wrote it: which columns it selects, from which object, and what else it says.

use connector_core::{Error, ErrorKind, Result};

/// A query, taken apart as far as reading it in pieces needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parsed {
    /// What is selected.
    pub(crate) items: Vec<Item>,
    /// The object.
    pub(crate) object: String,
    /// The name that the query gives the object.
    pub(crate) alias: Option<String>,
    /// The condition after `WHERE`.
    pub(crate) condition: Option<String>,
    /// What keeps the query from being asked in pieces, such as `ORDER BY`: it is asked as it stands.
    pub(crate) whole: Option<String>,
}

/// One column of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// A field, perhaps of a parent: its names, the last of which is the field's.
    Path(Vec<String>),
    /// A function of fields, in upper case, of this path, under this name.
    Call {
        function: String,
        path: Vec<String>,
        alias: Option<String>,
    },
    /// All fields of a kind.
    Fields(String),
}

/// Takes `text` apart.
///
/// # Errors
/// [`ErrorKind::Config`]: it is no query that can be read, and why.
pub(crate) fn parse(text: &str) -> Result<Parsed> {
    let tokens = tokens(text)?;
    Parser {
        text,
        tokens: &tokens,
        at: 0,
    }
    .query()
}

/// A word, a sign, or a text in quotes: where it stands.
#[derive(Clone, Copy, Debug)]
struct Token {
    start: usize,
    end: usize,
    /// How many parentheses are open around it.
    depth: u32,
}

fn tokens(text: &str) -> Result<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut depth = 0_u32;
    let mut chars = text.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        if c.is_whitespace() {
            continue;
        }
        let mut end = start + c.len_utf8();
        if is_word(c) {
            while let Some((at, c)) = chars.next_if(|(_, c)| is_word(*c)) {
                end = at + c.len_utf8();
            }
        } else if c == '\'' {
            end = quoted_end(&mut chars).ok_or_else(|| refused("a text in quotes does not end"))?;
        }
        if c == ')' {
            depth = depth
                .checked_sub(1)
                .ok_or_else(|| refused("a `)` closes nothing"))?;
        }
        tokens.push(Token { start, end, depth });
        if c == '(' {
            depth += 1;
        }
    }
    if depth > 0 {
        return Err(refused("a `(` is not closed"));
    }
    Ok(tokens)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '.'
}

fn quoted_end(chars: &mut impl Iterator<Item = (usize, char)>) -> Option<usize> {
    loop {
        match chars.next()? {
            (_, '\\') => drop(chars.next()),
            (at, '\'') => return Some(at + 1),
            _ => {}
        }
    }
}

fn refused(why: &str) -> Error {
    Error::new(ErrorKind::Config, format!("the query cannot be read: {why}"))
        .with_help("a query reads as SELECT fields FROM object, perhaps with WHERE and what follows it")
}

/// What may follow the object and its condition.
const TAIL: [&str; 9] = [
    "USING", "WITH", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FOR", "ALL",
];

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
}

impl<'a> Parser<'a> {
    fn query(mut self) -> Result<Parsed> {
        if !self.keyword("SELECT") {
            return Err(refused("it does not begin with SELECT"));
        }
        let mut items = vec![self.item()?];
        while self.sign(",") {
            items.push(self.item()?);
        }
        if !self.keyword("FROM") {
            return Err(self.unexpected("FROM"));
        }
        let object = self.word("an object")?;
        let alias = match self.peek() {
            Some(word) if !is_tail(word) && !word.eq_ignore_ascii_case("WHERE") => {
                self.keyword("AS");
                Some(self.word("a name for the object")?)
            }
            _ => None,
        };
        if self.peek() == Some(",") {
            return Err(refused("it names several objects after FROM")
                .with_help("write a parent's field as Parent.Field after SELECT"));
        }
        let condition = if self.keyword("WHERE") {
            Some(self.until_tail())
        } else {
            None
        };
        if condition.as_deref() == Some("") {
            return Err(self.unexpected("a condition"));
        }
        let calls = items.iter().any(|item| matches!(item, Item::Call { .. }));
        let whole = match self.peek() {
            Some(word) if is_tail(word) => Some(word.to_ascii_uppercase()),
            Some(_) => return Err(self.unexpected("the end")),
            None if calls => Some("a function".to_owned()),
            None => None,
        };
        Ok(Parsed {
            items,
            object,
            alias,
            condition,
            whole,
        })
    }

    fn item(&mut self) -> Result<Item> {
        if self.peek() == Some("(") {
            return Err(refused("it selects records below records")
                .with_help("read the children by a query or stream of their own"));
        }
        let word = self.word("a field")?;
        if word.eq_ignore_ascii_case("TYPEOF") {
            return Err(refused("TYPEOF gives each record columns of its own")
                .with_help("select fields that every record has"));
        }
        if !self.sign("(") {
            return Ok(Item::Path(word.split('.').map(str::to_owned).collect()));
        }
        let function = word.to_ascii_uppercase();
        if self.sign(")") {
            return Err(refused(&format!("`{function}()` gives a number and no records"))
                .with_help("count a field under a name: SELECT COUNT(Id) total FROM …"));
        }
        let argument = self.word("a field")?;
        if !self.sign(")") {
            return Err(self.unexpected(")"));
        }
        if function == "FIELDS" {
            return Ok(Item::Fields(argument.to_ascii_uppercase()));
        }
        let alias = match self.peek() {
            Some(word) if word != "," && !word.eq_ignore_ascii_case("FROM") => Some(self.word("a name")?),
            _ => None,
        };
        Ok(Item::Call {
            function,
            path: argument.split('.').map(str::to_owned).collect(),
            alias,
        })
    }

    /// The text up to what may follow a condition.
    fn until_tail(&mut self) -> String {
        let start = self
            .tokens
            .get(self.at)
            .map_or(self.text.len(), |token| token.start);
        while let Some(token) = self.tokens.get(self.at) {
            if token.depth == 0 && is_tail(self.of(*token)) {
                break;
            }
            self.at += 1;
        }
        let end = self
            .tokens
            .get(self.at)
            .map_or(self.text.len(), |token| token.start);
        self.text[start..end].trim().to_owned()
    }

    fn of(&self, token: Token) -> &'a str {
        &self.text[token.start..token.end]
    }

    fn peek(&self) -> Option<&'a str> {
        self.tokens.get(self.at).map(|token| self.of(*token))
    }

    fn keyword(&mut self, word: &str) -> bool {
        let here = self.peek().is_some_and(|next| next.eq_ignore_ascii_case(word));
        self.at += usize::from(here);
        here
    }

    fn sign(&mut self, sign: &str) -> bool {
        self.keyword(sign)
    }

    fn word(&mut self, what: &str) -> Result<String> {
        match self.peek() {
            Some(word) if word.starts_with(is_word) => {
                self.at += 1;
                Ok(word.to_owned())
            }
            _ => Err(self.unexpected(what)),
        }
    }

    fn unexpected(&self, wanted: &str) -> Error {
        refused(&match self.tokens.get(self.at) {
            Some(token) => format!(
                "{wanted} is expected at character {}",
                self.text[..token.start].chars().count() + 1
            ),
            None => format!("{wanted} is expected at its end"),
        })
    }
}

fn is_tail(word: &str) -> bool {
    TAIL.iter().any(|tail| tail.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Item {
        Item::Path(text.split('.').map(str::to_owned).collect())
    }

    #[test]
    fn a_query_is_taken_apart() {
        let parsed = parse(
            "select Id, Owner.Name from Lead l\n where (Name = 'a ORDER BY b\\' )' and X > 1) OR Y = null",
        )
        .unwrap();
        assert_eq!(parsed.items, [path("Id"), path("Owner.Name")]);
        assert_eq!(
            (parsed.object.as_str(), parsed.alias.as_deref()),
            ("Lead", Some("l"))
        );
        assert_eq!(
            parsed.condition.as_deref(),
            Some("(Name = 'a ORDER BY b\\' )' and X > 1) OR Y = null")
        );
        assert_eq!(parsed.whole, None);
    }

    #[test]
    fn what_cannot_be_asked_in_pieces_is_known() {
        for (text, condition, whole) in [
            ("SELECT Id FROM Lead", None, None),
            ("SELECT Id FROM Lead LIMIT 5", None, Some("LIMIT")),
            (
                "SELECT Id FROM Lead WHERE A = 1 order by Id",
                Some("A = 1"),
                Some("ORDER"),
            ),
            ("SELECT Id FROM Lead USING SCOPE mine", None, Some("USING")),
            (
                "SELECT Id FROM Lead WHERE Id IN (SELECT LeadId FROM X LIMIT 1)",
                Some("Id IN (SELECT LeadId FROM X LIMIT 1)"),
                None,
            ),
            ("SELECT MAX(Amount) FROM Lead", None, Some("a function")),
        ] {
            let parsed = parse(text).unwrap();
            assert_eq!(
                (parsed.condition.as_deref(), parsed.whole.as_deref()),
                (condition, whole),
                "{text}"
            );
        }
        let grouped = parse("SELECT Status s, COUNT(Id) n FROM Lead GROUP BY Status");
        assert!(
            grouped.is_err(),
            "a field has a name of its own only in a function"
        );
        let grouped = parse("SELECT Status, COUNT(Id) n FROM Lead GROUP BY Status").unwrap();
        assert_eq!(
            grouped.items[1],
            Item::Call {
                function: "COUNT".into(),
                path: vec!["Id".into()],
                alias: Some("n".into())
            }
        );
    }

    #[test]
    fn what_is_no_readable_query_is_refused() {
        for text in [
            "",
            "DELETE FROM Lead",
            "SELECT FROM Lead",
            "SELECT Id Lead",
            "SELECT Id FROM",
            "SELECT Id FROM Lead WHERE",
            "SELECT Id FROM Lead WHERE A = 'x",
            "SELECT Id FROM Lead WHERE (A = 1",
            "SELECT Id FROM Lead WHERE A = 1)",
            "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
            "SELECT COUNT() FROM Lead",
            "SELECT TYPEOF What WHEN Account THEN Phone END FROM Event",
            "SELECT Id FROM Contact c, c.Account a",
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{text}");
            assert!(error.help().is_some(), "{text}");
        }
    }
}
