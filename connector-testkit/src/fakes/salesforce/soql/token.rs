//! Words of a query.

use super::super::error::ApiError;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name, a keyword, a number, a date or an instant: whatever stands without quotes.
    Word(String),
    /// A quoted text, unescaped.
    Text(String),
    /// `= != < <= > >= ( ) ,`
    Symbol(&'static str),
}

/// The words of `query` with their place in it.
pub(super) fn tokens(query: &str) -> Result<Vec<(usize, Token)>, ApiError> {
    let letters: Vec<(usize, char)> = query.char_indices().collect();
    let mut tokens = Vec::new();
    let mut place = 0;
    while let Some(&(at, letter)) = letters.get(place) {
        let next = letters.get(place + 1).map(|&(_, letter)| letter);
        if letter.is_whitespace() {
            place += 1;
        } else if letter == '\'' {
            let (text, end) = quoted(&letters, place + 1)?;
            tokens.push((at, Token::Text(text)));
            place = end;
        } else if let Some(symbol) = symbol(letter, next) {
            tokens.push((at, Token::Symbol(symbol)));
            place += symbol.len();
        } else if is_word(letter) {
            let word: String = letters[place..]
                .iter()
                .map(|&(_, letter)| letter)
                .take_while(|&l| is_word(l))
                .collect();
            place += word.chars().count();
            tokens.push((at, Token::Word(word)));
        } else {
            return Err(malformed(format!("unexpected token: '{letter}'")));
        }
    }
    Ok(tokens)
}

/// `MALFORMED_QUERY` with the given text.
pub(super) fn malformed(message: impl Into<String>) -> ApiError {
    ApiError::bad("MALFORMED_QUERY", message)
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | ':' | '-' | '+')
}

fn symbol(letter: char, next: Option<char>) -> Option<&'static str> {
    Some(match (letter, next) {
        ('!', Some('=')) => "!=",
        ('<', Some('>')) => "<>",
        ('<', Some('=')) => "<=",
        ('>', Some('=')) => ">=",
        ('<', _) => "<",
        ('>', _) => ">",
        ('=', _) => "=",
        ('(', _) => "(",
        (')', _) => ")",
        (',', _) => ",",
        _ => return None,
    })
}

fn quoted(letters: &[(usize, char)], mut place: usize) -> Result<(String, usize), ApiError> {
    let mut text = String::new();
    loop {
        let Some(&(_, letter)) = letters.get(place) else {
            return Err(malformed("line 1: unterminated string literal"));
        };
        place += 1;
        match letter {
            '\'' => return Ok((text, place)),
            '\\' => {
                let escaped = letters.get(place).map(|&(_, letter)| letter);
                place += 1;
                match escaped {
                    Some('n' | 'N') => text.push('\n'),
                    Some('r' | 'R') => text.push('\r'),
                    Some('t' | 'T') => text.push('\t'),
                    Some('b' | 'B') => text.push('\u{8}'),
                    Some('f' | 'F') => text.push('\u{c}'),
                    Some(letter @ ('\\' | '\'' | '"')) => text.push(letter),
                    // Kept escaped: only LIKE knows these two.
                    Some(letter @ ('_' | '%')) => text.extend(['\\', letter]),
                    other => {
                        let shown = other.unwrap_or(' ');
                        return Err(malformed(format!(
                            "Illegal escape sequence in string literal: \\{shown}"
                        )));
                    }
                }
            }
            '\n' | '\r' => return Err(malformed("line 1: unterminated string literal")),
            _ => text.push(letter),
        }
    }
}
