//! Filter string → tokens, in one pass.

use std::iter::Peekable;
use std::ops::Range;
use std::str::CharIndices;

use super::MAX_CHARACTERS;
use super::error::{FilterError, quoted};
use super::syntax::{Comparator, Position};

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    /// Byte range in the filter.
    pub(super) range: Range<usize>,
    pub(super) position: Position,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    /// A name, a keyword or a boolean; the parser decides which.
    Word,
    /// A name in back-quotes, unescaped.
    QuotedName {
        name: String,
        /// Byte offset of the last dot, if it is not escaped.
        last_dot: Option<usize>,
    },
    String(String),
    Int(i64),
    Double(f64),
    Comparator(Comparator),
    Open,
    Close,
    Comma,
    Dot,
    End,
}

pub(super) fn is_word(string: &str) -> bool {
    let mut characters = string.chars();
    characters.next().is_some_and(starts_word) && characters.all(continues_word)
}

/// Parses a string that consists of one number in the syntax of filters; `None` if it is anything else.
pub(super) fn number(string: &str) -> Option<TokenKind> {
    match tokens(string).ok()?.as_slice() {
        [token, _] if token.range == (0..string.len()) => match token.kind {
            TokenKind::Int(_) | TokenKind::Double(_) => Some(token.kind.clone()),
            TokenKind::Word if string.eq_ignore_ascii_case(INFINITY) => Some(TokenKind::Double(f64::INFINITY)),
            _ => None,
        },
        _ => None,
    }
}

/// Returns all tokens of a filter; the last one is `End`.
pub(super) fn tokens(filter: &str) -> Result<Vec<Token>, FilterError> {
    let characters = filter.chars().count();
    if characters > MAX_CHARACTERS {
        let message = format!("the filter has {characters} characters, more than the {MAX_CHARACTERS} allowed");
        return Err(FilterError::new(Position::default(), message));
    }
    let mut lexer = Lexer { filter, rest: filter.char_indices().peekable(), here: Position::default() };
    let mut tokens = Vec::new();
    loop {
        let token = lexer.token()?;
        let done = token.kind == TokenKind::End;
        tokens.push(token);
        if done {
            return Ok(tokens);
        }
    }
}

/// The word for the infinite double.
pub(super) const INFINITY: &str = "INFINITY";

fn starts_word(character: char) -> bool {
    character.is_ascii_alphabetic() || character == '_'
}

fn continues_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

struct Lexer<'t> {
    filter: &'t str,
    rest: Peekable<CharIndices<'t>>,
    /// The position of the next character.
    here: Position,
}

impl Lexer<'_> {
    fn peek(&mut self) -> Option<char> {
        self.rest.peek().map(|&(_, character)| character)
    }

    fn offset(&mut self) -> usize {
        self.rest.peek().map_or(self.filter.len(), |&(offset, _)| offset)
    }

    fn take(&mut self) -> Option<char> {
        let (_, character) = self.rest.next()?;
        if character == '\n' {
            self.here = Position { line: self.here.line + 1, column: 1 };
        } else {
            self.here.column += 1;
        }
        Some(character)
    }

    fn take_if(&mut self, accepts: impl Fn(char) -> bool) -> bool {
        let fits = self.peek().is_some_and(accepts);
        if fits {
            self.take();
        }
        fits
    }

    fn take_while(&mut self, accepts: impl Fn(char) -> bool) -> bool {
        let mut any = false;
        while self.take_if(&accepts) {
            any = true;
        }
        any
    }

    fn after(&self, start: usize) -> &str {
        self.filter.get(start..).unwrap_or_default()
    }

    fn skip_blanks_and_comments(&mut self) {
        loop {
            self.take_while(char::is_whitespace);
            let offset = self.offset();
            if !self.after(offset).starts_with("--") {
                return;
            }
            self.take_while(|character| character != '\n');
        }
    }

    fn token(&mut self) -> Result<Token, FilterError> {
        self.skip_blanks_and_comments();
        let (start, position) = (self.offset(), self.here);
        let kind = match self.peek() {
            None => TokenKind::End,
            Some(character) if starts_word(character) => {
                self.take_while(continues_word);
                TokenKind::Word
            }
            Some(quote @ ('\'' | '"')) => self.string_literal(quote, position)?,
            Some('`') => self.quoted_name(position)?,
            Some(character) if starts_number(character, self.after(start)) => self.number(start, position)?,
            Some(sign @ ('-' | '+')) if starts_infinity(&self.after(start)[1..]) => {
                self.take();
                self.take_while(continues_word);
                TokenKind::Double(if sign == '-' { f64::NEG_INFINITY } else { f64::INFINITY })
            }
            Some(character) => self.symbol(character, position)?,
        };
        Ok(Token { kind, range: start..self.offset(), position })
    }

    fn symbol(&mut self, character: char, position: Position) -> Result<TokenKind, FilterError> {
        self.take();
        Ok(match character {
            '(' => TokenKind::Open,
            ')' => TokenKind::Close,
            ',' => TokenKind::Comma,
            '.' => TokenKind::Dot,
            '=' => TokenKind::Comparator(Comparator::Equal),
            '!' if self.take_if(|next| next == '=') => TokenKind::Comparator(Comparator::NotEqual),
            '<' if self.take_if(|next| next == '>') => TokenKind::Comparator(Comparator::NotEqual),
            '<' if self.take_if(|next| next == '=') => TokenKind::Comparator(Comparator::LessOrEqual),
            '<' => TokenKind::Comparator(Comparator::Less),
            '>' if self.take_if(|next| next == '=') => TokenKind::Comparator(Comparator::GreaterOrEqual),
            '>' => TokenKind::Comparator(Comparator::Greater),
            other => {
                let message = format!("unexpected character {}", quoted(&other.to_string()));
                return Err(FilterError::new(position, message)
                    .with_hint("write names that contain other characters than letters, digits, _ and dots in back-quotes, e.g. `f1-score` > 0.9"));
            }
        })
    }

    fn number(&mut self, start: usize, position: Position) -> Result<TokenKind, FilterError> {
        self.take_if(|character| matches!(character, '+' | '-'));
        let is_digit = |character: char| character.is_ascii_digit();
        self.take_while(is_digit);
        let offset = self.offset();
        let mut is_double = false;
        let mut following = self.after(offset).chars();
        if following.next() == Some('.') && following.next().is_some_and(is_digit) {
            self.take();
            self.take_while(is_digit);
            is_double = true;
        }
        let offset = self.offset();
        if starts_exponent(self.after(offset)) {
            self.take();
            self.take_if(|character| matches!(character, '+' | '-'));
            self.take_while(is_digit);
            is_double = true;
        }
        let end = self.offset();
        let digits = self.filter.get(start..end).unwrap_or_default();
        let invalid = |reason: &str| FilterError::new(position, format!("the number {} is {reason}", quoted(digits)));
        if !is_double {
            let value = digits.parse().map_err(|_| invalid("outside the range of 64-bit integers"))?;
            return Ok(TokenKind::Int(value));
        }
        match digits.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(TokenKind::Double(value)),
            _ => Err(invalid("too large for a double")),
        }
    }

    fn string_literal(&mut self, quote: char, position: Position) -> Result<TokenKind, FilterError> {
        self.take();
        let mut string = String::new();
        while let Some(character) = self.take() {
            if character == quote {
                if !self.take_if(|next| next == quote) {
                    return Ok(TokenKind::String(string));
                }
                string.push(quote);
            } else if character == '\\' {
                match self.peek() {
                    Some(escaped @ ('\'' | '"' | '\\')) => {
                        self.take();
                        string.push(escaped);
                    }
                    _ => string.push('\\'),
                }
            } else {
                string.push(storable(character, position)?);
            }
        }
        Err(FilterError::new(position, "this string has no closing quote")
            .with_hint(format!("close it with {quote}; write a {quote} within the string twice")))
    }

    fn quoted_name(&mut self, position: Position) -> Result<TokenKind, FilterError> {
        self.take();
        let mut name = String::new();
        let mut last_dot = None;
        while let Some(character) = self.take() {
            match (character, self.peek()) {
                ('`', Some('`')) => {
                    self.take();
                    name.push('`');
                }
                ('`', _) if name.is_empty() => {
                    return Err(FilterError::new(position, "a property name cannot be empty"));
                }
                ('`', _) => return Ok(TokenKind::QuotedName { name, last_dot }),
                ('\\', Some(escaped @ ('`' | '\\' | '.'))) => {
                    self.take();
                    if escaped == '.' {
                        last_dot = None;
                    }
                    name.push(escaped);
                }
                ('.', _) => {
                    last_dot = Some(name.len());
                    name.push('.');
                }
                _ => name.push(storable(character, position)?),
            }
        }
        Err(FilterError::new(position, "this name has no closing back-quote"))
    }
}

fn starts_number(character: char, rest: &str) -> bool {
    let unsigned = if matches!(character, '+' | '-') { rest.get(1..).unwrap_or_default() } else { rest };
    let mut characters = unsigned.chars();
    match characters.next() {
        Some('.') => characters.next().is_some_and(|next| next.is_ascii_digit()),
        Some(first) => first.is_ascii_digit(),
        None => false,
    }
}

/// Whether this begins with the word for infinity, which may have a sign.
fn starts_infinity(rest: &str) -> bool {
    let end = rest.find(|character| !continues_word(character)).unwrap_or(rest.len());
    rest[..end].eq_ignore_ascii_case(INFINITY)
}

fn starts_exponent(rest: &str) -> bool {
    let mut characters = rest.chars();
    if !matches!(characters.next(), Some('e' | 'E')) {
        return false;
    }
    match characters.next() {
        Some('+' | '-') => characters.next().is_some_and(|next| next.is_ascii_digit()),
        Some(first) => first.is_ascii_digit(),
        None => false,
    }
}

/// PostgreSQL rejects NUL in every string.
fn storable(character: char, position: Position) -> Result<char, FilterError> {
    if character == '\0' {
        return Err(FilterError::new(position, "a string or name cannot contain the NUL character"));
    }
    Ok(character)
}
