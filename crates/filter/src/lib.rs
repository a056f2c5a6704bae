//! The filter language of every list (`filterQuery=…`): string → syntax tree → typed condition, tested in memory or by SQL.
//!
//! It never knows SQL, does no I/O and knows no entity kind: the caller's [`Resolve`] decides what a name means. The store
//! compiles a [`Condition`] to SQL; the meaning below holds for every database and for the evaluation in memory.
//!
//! To add an operator: token (`lexer.rs`), grammar (`parser.rs`), syntax tree and its printed form (`syntax.rs`), type check
//! (`typing.rs`), evaluation in memory (`matching.rs`, and independently in `evaluate.rs`), then the store's `filter_sql/compile.rs`.
//!
//! # Grammar
//!
//! ```text
//! filter      = [ or ] ;                                       blank: no filter
//! or          = and { "OR" and } ;
//! and         = term { "AND" term } ;                          NOT binds tighter than AND, AND tighter than OR
//! term        = "NOT" term | "(" or ")" | comparison ;
//! comparison  = property ( symbol scalar
//!                        | [ "NOT" ] ( "LIKE" | "ILIKE" ) TEXT
//!                        | [ "NOT" ] "IN" ( list | scalar )    IN 'a' is = 'a' (parity)
//!                        | [ "NOT" ] "BETWEEN" scalar "AND" scalar
//!                        | "IS" [ "NOT" ] "NULL" ) ;
//! symbol      = "=" | "!=" | "<>" | ">" | ">=" | "<" | "<=" ;  <> is !=
//! list        = "(" [ scalar { "," scalar } ] ")" ;
//! scalar      = TEXT | INT | FLOAT | BOOL ;
//! property    = QUOTED | WORD { "." WORD } ;
//!
//! WORD        = ( letter | "_" ) { letter | digit | "_" } ;    ASCII
//! QUOTED      = "`" … "`" ;                                    any characters
//! TEXT        = "'" … "'" | '"' … '"' ;
//! INT         = [ "+" | "-" ] digits ;                         decimal, 64 bits: 010 is 10
//! FLOAT       = [ "+" | "-" ] ( [ digits ] "." digits [ exponent ] | digits exponent ) ;    not "1."
//! BOOL        = "true" | "false" ;
//! ```
//!
//! Keywords and booleans are written in any case; `--` starts a comment that ends with its line. A property may be
//! spelled like a keyword where a symbol or a dot follows (`AND = 1`), or in back-quotes anywhere.
//!
//! * A name that ends in `.string_value`, `.int_value`, `.double_value` or `.bool_value`, inside back-quotes too, asks
//!   for values of that type: `batch.int_value = 32`. Within back-quotes `\.` is a dot that starts no such ending,
//!   ``\` `` and a doubled back-quote are a back-quote, `\\` is a backslash.
//! * Within a text a doubled quote is one quote, `\'` and `\"` are quotes, `\\` is one backslash; before any other
//!   character a backslash is an ordinary character.
//! * A LIKE pattern is such a text, read a second time: `%` is any run of characters, `_` any one, and a character behind a
//!   backslash, whichever it is, stands for itself. So `LIKE '50\%'` finds `50%`, `LIKE 'a\\-b'` and `LIKE 'a\-b'` find `a-b`,
//!   and `LIKE 'C:\\\\%'` finds texts that begin with `C:\` (the text is `C:\\%`). A pattern may not end in a backslash
//!   that escapes nothing.
//!
//! # Meaning
//!
//! Logic is two-valued: a comparison is true when the entity has a value that satisfies it. Hence `stage != 'a'`,
//! `NOT LIKE`, `NOT IN` and `NOT BETWEEN` find only entities that have the property with a value of that type, and
//! `NOT stage = 'a'` also those without it. A property with several values (a list) satisfies a comparison when one of
//! its values does. `IS NULL` means "no value", `IN ()` matches nothing, `NOT IN ()` whatever has the property.
//!
//! Where the caller declares a type, literals must fit: text takes texts, a number takes numbers and texts that spell
//! one (`id = "5"`), a boolean takes booleans with `=`, `!=`, `<>` and IN. An ending that asks for another type finds
//! nothing (parity), as there are no such values. Elsewhere (custom properties) the literal decides: a text looks at texts,
//! a boolean at booleans, an INT at integers and doubles, a FLOAT at doubles only (parity: an integer property never
//! matches `> 0.5`; `.int_value > 0.5` does look at integers). The elements of a list decide each for itself. Integers and
//! doubles compare exactly; an INT beside a double is first rounded to one.
//!
//! Texts compare byte by byte; LIKE is case-sensitive, ILIKE compares texts after [`fold`].
//!
//! # Examples
//!
//! ```text
//! name = "fraud" AND NOT state = 'ARCHIVED'
//! accuracy BETWEEN 0.9 AND 0.99 or `f1-score`.double_value > 0.8     -- refused: the ending belongs inside the quotes
//! `f1-score.double_value` > 0.8 and tasks in ('ner', 'qa') and description is not null
//! ```

mod error;
#[cfg(any(test, feature = "evaluate"))]
pub mod evaluate;
mod lexer;
mod matching;
mod parser;
mod pattern;
mod syntax;
mod typing;

pub use error::FilterError;
pub use matching::StoredValue;
pub use parser::parse;
pub use pattern::{ESCAPE, Pattern};
pub use syntax::{Comparator, Comparison, Expression, Literal, Operation, Position, Property, Value, ValueType};
pub use typing::{Condition, Subject, Test, check};

/// The longest filter, in characters.
pub const MAX_CHARACTERS: usize = 10_000;
/// How deep parentheses and NOTs may nest.
pub const MAX_NESTING: usize = 64;
/// The most comparisons in one filter.
pub const MAX_COMPARISONS: usize = 100;
/// The most elements in all lists of one filter.
pub const MAX_LIST_ELEMENTS: usize = 1_000;
/// The longest LIKE pattern, in characters.
pub const MAX_PATTERN_CHARACTERS: usize = 1_000;

/// Says what a property name, without its type ending, means.
pub type Resolve<'a> = &'a (dyn Fn(&str) -> Target + Sync);

/// What a name in a filter stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A column of the outer table.
    Column {
        name: &'static str,
        value: ValueType,
        /// The column with the folded text, NULL where that equals the text. Without one, ILIKE uses the database's
        /// LOWER, which agrees between databases on ASCII only.
        folded: Option<&'static str>,
    },
    /// Rows of the property table.
    Property {
        name: String,
        /// Only built-in values; otherwise a custom property of the same name counts as well.
        built_in_only: bool,
        /// The declared type; `None` where the literal decides.
        value: Option<ValueType>,
    },
    /// Numbers compare with one target, everything else with the other.
    ByLiteral { number: Box<Target>, text: Box<Target> },
    /// A list of texts in the property table. A negated comparison (`!=`, NOT IN, NOT LIKE) is true of a list that is
    /// there and has no element for which the comparison without the negation would be true.
    List { name: String },
    /// A property of related rows, such as a model's artifacts: true when one of them satisfies the comparison.
    /// Comparisons joined by one AND ask for one and the same related row.
    Related(Box<Target>),
}

/// Folds a text for ILIKE. Whoever stores a folded text must use this function.
///
/// It maps character by character, so a part of a text folds like the whole: a pattern cuts words where
/// `str::to_lowercase` would see a word end and write Σ as ς.
pub fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).map(|character| if character == 'ς' { 'σ' } else { character }).collect()
}

#[cfg(test)]
mod tests;
