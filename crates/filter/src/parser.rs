//! Tokens → syntax tree: one function per rule of the grammar in [`super`].

use super::error::{FilterError, quoted};
use super::lexer::{INFINITY, Token, TokenKind, tokens};
use super::syntax::{Comparator, Comparison, Expression, Literal, Operation, Position, Property, Value, ValueType};
use super::{MAX_COMPARISONS, MAX_LIST_ELEMENTS, MAX_NESTING};

const OPERATORS: &str = "an operator (=, !=, <>, >, >=, <, <=, LIKE, ILIKE, IN, BETWEEN or IS)";

/// Parses a filter; `None` if it is blank, which matches everything.
pub fn parse(filter: &str) -> Result<Option<Expression>, FilterError> {
    let mut parser = Parser { filter, tokens: tokens(filter)?, at: 0, nesting: 0, comparisons: 0, elements: 0 };
    if parser.kind() == &TokenKind::End {
        return Ok(None);
    }
    let expression = parser.or()?;
    if parser.kind() == &TokenKind::End {
        return Ok(Some(expression));
    }
    Err(parser.unexpected("AND, OR or the end of the filter"))
}

/// Parses the name of a property as a filter has it, with its type suffix: `accuracy.double_value`, `` `any name` ``.
pub fn parse_property(name: &str) -> Result<Property, FilterError> {
    let mut parser = Parser { filter: name, tokens: tokens(name)?, at: 0, nesting: 0, comparisons: 0, elements: 0 };
    // A keyword is a name here: nothing can follow it.
    let property = if parser.kind() == &TokenKind::Word { parser.dotted_name() } else { parser.property() }?;
    if parser.kind() == &TokenKind::End {
        return Ok(property);
    }
    Err(parser
        .unexpected("the end of the name")
        .with_hint("write names that contain other characters in back-quotes, e.g. `a.1-b`"))
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    And,
    Or,
    Not,
    Like,
    Ilike,
    In,
    Between,
    Is,
    Null,
    Nan,
    Infinity,
    True,
    False,
}

impl Keyword {
    pub(super) fn from_word(word: &str) -> Option<Self> {
        const WORDS: [(&str, Keyword); 13] = [
            ("AND", Keyword::And),
            ("OR", Keyword::Or),
            ("NOT", Keyword::Not),
            ("LIKE", Keyword::Like),
            ("ILIKE", Keyword::Ilike),
            ("IN", Keyword::In),
            ("BETWEEN", Keyword::Between),
            ("IS", Keyword::Is),
            ("NULL", Keyword::Null),
            ("NAN", Keyword::Nan),
            (INFINITY, Keyword::Infinity),
            ("TRUE", Keyword::True),
            ("FALSE", Keyword::False),
        ];
        WORDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|&(_, keyword)| keyword)
    }
}

struct Parser<'t> {
    filter: &'t str,
    /// The last one is `End`, which is never stepped over.
    tokens: Vec<Token>,
    at: usize,
    nesting: usize,
    comparisons: usize,
    elements: usize,
}

impl<'t> Parser<'t> {
    fn token_at(&self, index: usize) -> &Token {
        &self.tokens[index.min(self.tokens.len() - 1)]
    }

    fn kind(&self) -> &TokenKind {
        &self.token_at(self.at).kind
    }

    fn kind_after_next(&self) -> &TokenKind {
        &self.token_at(self.at + 1).kind
    }

    fn position(&self) -> Position {
        self.token_at(self.at).position
    }

    fn source(&self, index: usize) -> &'t str {
        self.filter.get(self.token_at(index).range.clone()).unwrap_or_default()
    }

    fn keyword_at(&self, index: usize) -> Option<Keyword> {
        match self.token_at(index).kind {
            TokenKind::Word => Keyword::from_word(self.source(index)),
            _ => None,
        }
    }

    fn keyword(&self) -> Option<Keyword> {
        self.keyword_at(self.at)
    }

    fn step(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    fn step_over(&mut self, keyword: Keyword) -> bool {
        let found = self.keyword() == Some(keyword);
        if found {
            self.step();
        }
        found
    }

    fn unexpected(&self, expected: &str) -> FilterError {
        let found = match self.kind() {
            TokenKind::End => "end of the filter".to_owned(),
            _ => quoted(self.source(self.at)),
        };
        FilterError::new(self.position(), format!("unexpected {found}, expected {expected}"))
    }

    fn or(&mut self) -> Result<Expression, FilterError> {
        let first = self.and()?;
        if self.keyword() != Some(Keyword::Or) {
            return Ok(first);
        }
        let mut members = vec![first];
        while self.step_over(Keyword::Or) {
            members.push(self.and()?);
        }
        Ok(Expression::Or(members))
    }

    fn and(&mut self) -> Result<Expression, FilterError> {
        let first = self.term()?;
        if self.keyword() != Some(Keyword::And) {
            return Ok(first);
        }
        let mut members = vec![first];
        while self.step_over(Keyword::And) {
            members.push(self.term()?);
        }
        Ok(Expression::And(members))
    }

    fn term(&mut self) -> Result<Expression, FilterError> {
        if self.kind() == &TokenKind::Open {
            self.enter()?;
            let inner = self.or()?;
            if self.kind() != &TokenKind::Close {
                return Err(self.unexpected("`)`, AND or OR"));
            }
            self.leave();
            return Ok(inner);
        }
        let is_property_name = matches!(self.kind_after_next(), TokenKind::Comparator(_) | TokenKind::Dot);
        if self.keyword() == Some(Keyword::Not) && !is_property_name {
            self.enter()?;
            let inner = self.term()?;
            self.nesting -= 1;
            return Ok(Expression::Not(Box::new(inner)));
        }
        Ok(Expression::Comparison(self.comparison()?))
    }

    /// Steps over a `(` or NOT, and limits the nesting. Every recursive rule of the grammar calls it, so recursion is bounded.
    fn enter(&mut self) -> Result<(), FilterError> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            let message = format!("parentheses and NOTs nest deeper than the {MAX_NESTING} levels allowed");
            return Err(FilterError::new(self.position(), message));
        }
        self.step();
        Ok(())
    }

    fn leave(&mut self) {
        self.step();
        self.nesting -= 1;
    }

    fn comparison(&mut self) -> Result<Comparison, FilterError> {
        let position = self.position();
        self.comparisons += 1;
        if self.comparisons > MAX_COMPARISONS {
            let message = format!("the filter has more than the {MAX_COMPARISONS} comparisons allowed");
            return Err(FilterError::new(position, message));
        }
        let property = self.property()?;
        let operation = self.operation()?;
        Ok(Comparison { property, operation, position })
    }

    fn property(&mut self) -> Result<Property, FilterError> {
        match self.kind() {
            TokenKind::Word if self.word_names_property() => self.dotted_name(),
            TokenKind::QuotedName { name, last_dot } => {
                let property = split_suffix(name, *last_dot);
                if self.kind_after_next() == &TokenKind::Dot {
                    self.step();
                    return Err(self
                        .unexpected(OPERATORS)
                        .with_hint("write the type suffix inside the back-quotes, e.g. `f1-score.double_value`"));
                }
                self.step();
                Ok(property)
            }
            TokenKind::String(_) => Err(self
                .unexpected("a property name")
                .with_hint("write names without quotes or in back-quotes, e.g. name = \"m1\"")),
            _ => Err(self.unexpected("a property name, NOT or `(`")),
        }
    }

    /// Whether the word is a property name. A keyword is one only if an operator follows, so that a mistake such as `OR OR` is
    /// reported at its place.
    fn word_names_property(&self) -> bool {
        if self.keyword().is_none() {
            return true;
        }
        match self.kind_after_next() {
            TokenKind::Comparator(_) | TokenKind::Dot => true,
            TokenKind::Word => matches!(
                self.keyword_at(self.at + 1),
                Some(Keyword::Like | Keyword::Ilike | Keyword::In | Keyword::Between | Keyword::Is)
            ),
            _ => false,
        }
    }

    fn dotted_name(&mut self) -> Result<Property, FilterError> {
        let mut name = self.source(self.at).to_owned();
        let mut last_dot = None;
        self.step();
        while self.kind() == &TokenKind::Dot {
            self.step();
            if self.kind() != &TokenKind::Word {
                return Err(self
                    .unexpected("the next part of the property name")
                    .with_hint("write names that contain other characters in back-quotes, e.g. `a.1-b` = 5"));
            }
            last_dot = Some(name.len());
            name.push('.');
            name.push_str(self.source(self.at));
            self.step();
        }
        Ok(split_suffix(&name, last_dot))
    }

    fn operation(&mut self) -> Result<Operation, FilterError> {
        if let TokenKind::Comparator(comparator) = *self.kind() {
            self.step();
            if self.kind() == &TokenKind::Open {
                return Err(FilterError::new(
                    self.position(),
                    format!("`{}` compares with one value, not with a list", comparator.symbol()),
                )
                .with_hint("use IN to compare with several values, e.g. name IN ('a', 'b')"));
            }
            let literal = self.literal()?;
            return Ok(Operation::Compare { comparator, literal });
        }
        if self.step_over(Keyword::Is) {
            let negated = self.step_over(Keyword::Not);
            if self.step_over(Keyword::Nan) {
                return Ok(Operation::IsNan { negated });
            }
            if !self.step_over(Keyword::Null) {
                return Err(self.unexpected(if negated { "NULL or NAN" } else { "NULL, NOT NULL, NAN or NOT NAN" }));
            }
            return Ok(Operation::IsNull { negated });
        }
        let negated = self.step_over(Keyword::Not);
        match self.keyword() {
            Some(Keyword::Like) => self.like(negated, false),
            Some(Keyword::Ilike) => self.like(negated, true),
            Some(Keyword::In) => self.membership(negated),
            Some(Keyword::Between) => {
                self.step();
                let low = self.literal()?;
                if !self.step_over(Keyword::And) {
                    return Err(self.unexpected("AND and the upper bound of BETWEEN"));
                }
                let high = self.literal()?;
                Ok(Operation::Between { negated, low, high })
            }
            _ if negated => Err(self.unexpected("LIKE, ILIKE, IN or BETWEEN")),
            _ => Err(self.unexpected(OPERATORS)),
        }
    }

    fn like(&mut self, negated: bool, ignore_case: bool) -> Result<Operation, FilterError> {
        self.step();
        let position = self.position();
        let TokenKind::String(pattern) = self.kind() else {
            return Err(self.unexpected("a pattern").with_hint("quote patterns, e.g. name LIKE 'v1.%'"));
        };
        let pattern = pattern.clone();
        self.step();
        Ok(Operation::Like { negated, ignore_case, pattern, position })
    }

    fn membership(&mut self, negated: bool) -> Result<Operation, FilterError> {
        self.step();
        if self.kind() != &TokenKind::Open {
            // parity: IN 'a' without parentheses is = 'a'
            let comparator = if negated { Comparator::NotEqual } else { Comparator::Equal };
            let literal = self.literal()?;
            return Ok(Operation::Compare { comparator, literal });
        }
        self.step();
        let mut list = Vec::new();
        if self.kind() == &TokenKind::Close {
            self.step();
            return Ok(Operation::In { negated, list });
        }
        loop {
            self.elements += 1;
            if self.elements > MAX_LIST_ELEMENTS {
                let message =
                    format!("the lists of the filter have more than the {MAX_LIST_ELEMENTS} elements allowed");
                return Err(FilterError::new(self.position(), message));
            }
            list.push(self.literal()?);
            match self.kind() {
                TokenKind::Comma => self.step(),
                TokenKind::Close => {
                    self.step();
                    return Ok(Operation::In { negated, list });
                }
                _ => return Err(self.unexpected("`,` or `)`")),
            }
        }
    }

    fn literal(&mut self) -> Result<Literal, FilterError> {
        let position = self.position();
        let value = match self.kind() {
            TokenKind::String(string) => Value::String(string.clone()),
            TokenKind::Int(value) => Value::Int(*value),
            TokenKind::Double(value) => Value::Double(*value),
            TokenKind::Word => match self.keyword() {
                Some(Keyword::True) => Value::Bool(true),
                Some(Keyword::False) => Value::Bool(false),
                Some(Keyword::Infinity) => Value::Double(f64::INFINITY),
                Some(Keyword::Nan) => {
                    return Err(self
                        .unexpected("a value")
                        .with_hint("write IS NAN: NaN equals nothing, not even itself"));
                }
                Some(Keyword::Null) => {
                    return Err(self.unexpected("a value").with_hint("write IS NULL to find entities without a value"));
                }
                _ => {
                    let hint = format!("quote strings, e.g. name = \"{}\"", shortened(self.source(self.at)));
                    return Err(self.unexpected("a value").with_hint(hint));
                }
            },
            TokenKind::Comparator(Comparator::Equal) => {
                return Err(self.unexpected("a value").with_hint("write equality with one `=`"));
            }
            TokenKind::End => {
                return Err(self.unexpected("a value").with_hint(
                    "quote strings, but not numbers and booleans, e.g. name = \"m1\", id > 5, active = true",
                ));
            }
            _ => return Err(self.unexpected("a value")),
        };
        self.step();
        Ok(Literal { value, position })
    }
}

fn shortened(word: &str) -> &str {
    word.get(..40).unwrap_or(word)
}

fn split_suffix(name: &str, last_dot: Option<usize>) -> Property {
    if let Some((head, last)) = last_dot.and_then(|dot| name.split_at_checked(dot))
        && !head.is_empty()
        && let Some(explicit) = last.strip_prefix('.').and_then(ValueType::from_suffix)
    {
        return Property { name: head.to_owned(), explicit: Some(explicit) };
    }
    Property { name: name.to_owned(), explicit: None }
}

#[cfg(test)]
mod tests;
