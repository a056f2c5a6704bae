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
//!                        | [ "NOT" ] ( "LIKE" | "ILIKE" ) STRING
//!                        | [ "NOT" ] "IN" ( list | scalar )    IN 'a' is = 'a' (parity)
//!                        | [ "NOT" ] "BETWEEN" scalar "AND" scalar
//!                        | "IS" [ "NOT" ] ( "NULL" | "NAN" ) ) ;
//! symbol      = "=" | "!=" | "<>" | ">" | ">=" | "<" | "<=" ;  <> is !=
//! list        = "(" [ scalar { "," scalar } ] ")" ;
//! scalar      = STRING | INT | FLOAT | BOOL ;
//! property    = QUOTED | WORD { "." WORD } ;
//!
//! WORD        = ( letter | "_" ) { letter | digit | "_" } ;    ASCII
//! QUOTED      = "`" … "`" ;                                    any characters
//! STRING      = "'" … "'" | '"' … '"' ;
//! INT         = [ "+" | "-" ] digits ;                         decimal, 64 bits: 010 is 10
//! FLOAT       = [ "+" | "-" ] ( [ digits ] "." digits [ exponent ] | digits exponent | "INFINITY" ) ;    not "1."
//! BOOL        = "true" | "false" ;
//! ```
//!
//! Keywords and booleans are written in any case; `--` starts a comment that ends with its line. A property may be
//! spelled like a keyword where a symbol or a dot follows (`AND = 1`), or in back-quotes anywhere.
//!
//! * The suffix `.string_value`, `.int_value`, `.double_value` or `.bool_value` of a name, also within back-quotes, restricts
//!   the comparison to values of that type: `batch.int_value = 32`. Within back-quotes, `\.` is a dot that starts no suffix,
//!   ``\` `` and a doubled back-quote are a back-quote, `\\` is a backslash.
//! * Within a string, a doubled quote is one quote, `\'` and `\"` are quotes, `\\` is one backslash; before any other
//!   character a backslash is an ordinary character.
//! * A LIKE pattern is such a string, unescaped a second time: `%` matches any run of characters, `_` any one character, and
//!   a character after a backslash matches itself. So `LIKE '50\%'` finds `50%`, `LIKE 'a\\-b'` and `LIKE 'a\-b'` find `a-b`,
//!   and `LIKE 'C:\\\\%'` finds strings that begin with `C:\` (the string is `C:\\%`). A pattern must not end in a backslash
//!   that escapes nothing.
//!
//! # Meaning
//!
//! Logic is two-valued: a comparison is true when the entity has a value that satisfies it. Hence `stage != 'a'`,
//! `NOT LIKE`, `NOT IN` and `NOT BETWEEN` find only entities that have the property with a value of that type, and
//! `NOT stage = 'a'` also those without it. A property with several values (a list) satisfies a comparison when one of
//! its values does. `IS NULL` means "no value", `IN ()` matches nothing, `NOT IN ()` whatever has the property.
//!
//! Where the caller declares a type, literals must fit it: a string property takes strings, a number takes numbers and
//! strings that spell one (`id = "5"`), a boolean takes booleans with `=`, `!=`, `<>` and IN. A suffix for another type finds
//! nothing (parity), because no such values exist. Elsewhere (custom properties) the type of the literal decides: a STRING is
//! compared with strings, a BOOL with booleans, a number with integers and doubles. Each element of a list decides for
//! itself. Integers and doubles compare exactly; an INT that is compared with a double is first rounded to one.
//!
//! Doubles compare as IEEE 754 defines: NaN is unequal to every number (`!=`, NOT IN) and in no range (NOT BETWEEN), and neither
//! above nor below anything; infinities are above and below all numbers. `IS NAN` finds NaN, `IS NOT NAN` all other numbers.
//! NaN is not a literal.
//!
//! Where the caller declares a fixed set of values, strings match them without regard to case, in LIKE too, and a string or
//! pattern that matches none of them is an error. `<`, `>` and BETWEEN order the values by their bytes.
//!
//! Strings compare byte by byte; LIKE is case-sensitive, ILIKE compares strings after [`fold`].
//!
//! # Examples
//!
//! ```text
//! name = "fraud" AND NOT state = 'ARCHIVED'
//! accuracy BETWEEN 0.9 AND 0.99 or `f1-score`.double_value > 0.8     -- rejected: the suffix belongs inside the quotes
//! `f1-score.double_value` > 0.8 and tasks in ('ner', 'qa') and description is not null
//! ```

mod enumeration;
mod error;
#[cfg(any(test, feature = "evaluate"))]
pub mod evaluate;
mod lexer;
mod matching;
mod parser;
mod pattern;
mod syntax;
mod typing;
mod wildcard;

pub use enumeration::Member;
pub use error::FilterError;
pub use matching::StoredValue;
pub use parser::{parse, parse_property};
pub use pattern::{ESCAPE, Pattern};
pub use syntax::{Comparator, Comparison, Expression, Literal, Operation, Position, Property, Value, ValueType};
pub use typing::{Condition, Subject, Test, check};
pub use wildcard::{Symbol, Wildcard};

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

/// Returns the meaning of a property name (without its type suffix) in the caller's list.
pub type Resolve<'a> = &'a (dyn Fn(&str) -> Target + Sync);

/// The meaning of a name in a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A column of the outer table.
    Column {
        name: &'static str,
        value: ValueType,
        /// The column with the folded string, NULL where folding changes nothing. Without such a column, ILIKE uses the
        /// database's LOWER, on which databases agree for ASCII only.
        folded: Option<&'static str>,
    },
    /// A property with a fixed set of values. Literals match them without regard to case; one that matches none is invalid.
    Enumeration { members: Vec<Member>, target: Box<Target> },
    /// Rows of the property table.
    Property {
        name: String,
        /// Excludes custom properties of the same name.
        built_in_only: bool,
        /// The declared type; `None` where the literal decides.
        value: Option<ValueType>,
    },
    /// Number literals compare with one target, other literals with the other.
    ByLiteral { number: Box<Target>, other: Box<Target> },
    /// A list of strings in the property table. A negated comparison (`!=`, NOT IN, NOT LIKE) is true if the entity has the
    /// list and the positive comparison is true for none of its elements.
    List { name: String },
    /// A property of related rows, such as a model's artifacts: true if one of them satisfies the comparison.
    /// Comparisons joined by the same AND must be satisfied by one and the same related row.
    Related(Box<Target>),
}

/// Folds the case of a string for ILIKE. Stored folded strings must be produced by this function.
///
/// It maps character by character, so that every substring folds like the whole string. `str::to_lowercase` does not: at the
/// end of a word it maps Σ to ς, and a pattern may cut a word anywhere.
pub fn fold(string: &str) -> String {
    string
        .chars()
        .flat_map(char::to_lowercase)
        .map(|character| if character == 'ς' { 'σ' } else { character })
        .collect()
}

#[cfg(test)]
mod test_seed;
#[cfg(test)]
mod tests;
