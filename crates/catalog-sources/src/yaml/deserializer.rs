//! Deserializes nodes into structures, with errors that have the position, the path and the expected type.
//!
//! Keys that a structure does not have are collected and skipped: whether they are an error is up to the caller.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::{self, Display};

use model_registry_base::nearest_name;
use serde::Deserialize as _;
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::node::{Content, Node};
use super::scalar;
use super::tolerant::STRING_LIST;
use crate::problem::Position;

/// A value that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReadError {
    position: Option<Position>,
    /// `artifacts[0].uri`, from the deserialized value.
    path: String,
    reason: String,
}

impl ReadError {
    pub(crate) fn at(position: Position, reason: impl Into<String>) -> Self {
        Self { position: Some(position), path: String::new(), reason: reason.into() }
    }

    /// Adds position and path, unless the error has them.
    fn within(mut self, position: Position, path: &Path<'_>) -> Self {
        if self.position.is_none() {
            self.position = Some(position);
            self.path = shown(path);
        }
        self
    }

    pub(crate) fn position(&self) -> Option<Position> {
        self.position
    }
}

impl Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "`{}`: ", self.path)?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for ReadError {}

impl serde::de::Error for ReadError {
    fn custom<T: Display>(reason: T) -> Self {
        Self { position: None, path: String::new(), reason: reason.to_string() }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::custom(format!("lacks `{field}`"))
    }
}

/// Unknown keys of one value that are reported; a value with more of them is most likely of another kind.
const MOST_UNKNOWN: usize = 100;
/// The longest path in a message, in characters.
const LONGEST_PATH: usize = 200;

/// A path for messages, cut at the end.
fn shown(path: &impl Display) -> String {
    struct Limited(String, usize);
    impl fmt::Write for Limited {
        fn write_str(&mut self, part: &str) -> fmt::Result {
            for character in part.chars() {
                self.1 = self.1.checked_sub(1).ok_or(fmt::Error)?;
                self.0.push(character);
            }
            Ok(())
        }
    }
    let mut limited = Limited(String::new(), LONGEST_PATH);
    // Fails at the limit.
    match fmt::write(&mut limited, format_args!("{path}")) {
        Ok(()) => limited.0,
        Err(fmt::Error) => limited.0 + "…",
    }
}

/// A key that its structure does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnknownKey {
    pub position: Position,
    /// `artifacts[0].colour`, from the deserialized value.
    path: String,
    nearest: Option<String>,
    /// Whether it is a key of the deserialized value itself, not of a value inside it.
    pub is_own: bool,
}

impl UnknownKey {
    /// An unknown key of the value itself; `known` are candidates for the hint.
    pub(crate) fn new(position: Position, key: &str, known: &[&str]) -> Self {
        let nearest = nearest_name(key, known.iter().copied()).map(str::to_owned);
        Self { position, path: shown(&key), nearest, is_own: true }
    }

    /// The key, with the path to it.
    pub(crate) fn key(&self) -> &str {
        &self.path
    }

    /// Whether the key is a word, which may be quoted from a file that turns out to be something else.
    pub(crate) fn is_word(&self) -> bool {
        is_word(&self.path)
    }

    /// The known key that is most likely meant.
    pub(crate) fn nearest(&self) -> Option<&str> {
        self.nearest.as_deref()
    }

    /// The message with the effect of the key, such as ` is ignored`.
    pub(crate) fn with(&self, effect: &str) -> String {
        let hint = self.nearest.as_ref().map(|nearest| format!(", did you mean `{nearest}`?"));
        format!("unknown key `{}`{effect}{}", self.path, hint.unwrap_or_default())
    }
}

impl Display for UnknownKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.with(""))
    }
}

pub(crate) fn is_word(key: &str) -> bool {
    key.chars().all(|character| character.is_ascii_alphabetic() || character == '_')
}

/// Deserializes a value and collects unknown keys.
pub(super) fn read<T: DeserializeOwned>(node: &Node) -> (Result<T, ReadError>, Vec<UnknownKey>) {
    let unknown = RefCell::new(Vec::new());
    let read = T::deserialize(NodeDeserializer { node, path: &Path::Root, unknown: &unknown });
    (read.map_err(|error| error.within(node.position, &Path::Root)), unknown.into_inner())
}

/// Deserializes the value of a key of a map; `None` if it is missing or null.
pub(super) fn read_field<T: DeserializeOwned>(map: &Node, key: &str) -> Result<Option<T>, ReadError> {
    let Some(node) = map.get(key) else { return Ok(None) };
    let (path, unknown) = (Path::Key(&Path::Root, key), RefCell::new(Vec::new()));
    let read = Option::<T>::deserialize(NodeDeserializer { node, path: &path, unknown: &unknown });
    read.map_err(|error| error.within(node.position, &path))
}

/// The path to a value.
enum Path<'p> {
    Root,
    Key(&'p Path<'p>, &'p str),
    Index(&'p Path<'p>, usize),
}

impl Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Key(Self::Root, key) => f.write_str(key),
            Self::Key(parent, key) => write!(f, "{parent}.{key}"),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

#[derive(Clone, Copy)]
struct NodeDeserializer<'n, 'p> {
    node: &'n Node,
    path: &'p Path<'p>,
    unknown: &'p RefCell<Vec<UnknownKey>>,
}

impl<'n> NodeDeserializer<'n, '_> {
    fn error(&self, expected: &str) -> ReadError {
        let reason = format!("expected {expected}, found {}", self.node.describe());
        ReadError { position: None, path: String::new(), reason }.within(self.node.position, self.path)
    }

    fn integer<T: TryFrom<i128>>(&self) -> Result<T, ReadError> {
        let number = self.node.as_str().and_then(scalar::integer);
        number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| self.error("a whole number"))
    }

    /// A string. PostgreSQL cannot store null characters.
    fn string(&self) -> Result<&'n str, ReadError> {
        let text = self.node.as_str().ok_or_else(|| self.error("a string"))?;
        if text.contains('\0') { Err(self.error("a string without null characters")) } else { Ok(text) }
    }

    fn float(&self) -> Result<f64, ReadError> {
        self.node.as_str().and_then(scalar::float).ok_or_else(|| self.error("a number"))
    }

    /// A map; with `known`, other keys are collected as unknown.
    fn map<V: Visitor<'n>>(self, known: Option<&'static [&'static str]>, visitor: V) -> Result<V::Value, ReadError> {
        let Content::Map(entries) = self.node.content() else { return Err(self.error("a map")) };
        self.check_keys(entries)?;
        visitor.visit_map(Entries { rest: entries.iter(), current: None, known, map: self })
    }

    fn check_keys(&self, entries: &[(Node, Node)]) -> Result<(), ReadError> {
        let mut seen: HashMap<&str, usize> = HashMap::with_capacity(entries.len());
        for (key, _) in entries {
            let text = NodeDeserializer { node: key, ..*self }.string()?;
            if let Some(line) = seen.insert(text, key.position.line) {
                let duplicate = ReadError::at(key.position, format!("duplicate key, first in line {line}"));
                return Err(ReadError { path: shown(&Path::Key(self.path, text)), ..duplicate });
            }
        }
        Ok(())
    }
}

macro_rules! integers {
    ($($method:ident $visit:ident)*) => {$(
        fn $method<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, ReadError> {
            visitor.$visit(self.integer()?)
        }
    )*};
}

macro_rules! strings {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, ReadError> {
            visitor.visit_borrowed_str(self.string()?)
        }
    )*};
}

impl<'n> Deserializer<'n> for NodeDeserializer<'n, '_> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.node.content() {
            _ if self.node.is_null() => visitor.visit_unit(),
            Content::Scalar { is_plain: false, .. } => visitor.visit_borrowed_str(self.string()?),
            Content::Scalar { text, is_plain: true } => match scalar::resolve(text) {
                Value::Bool(value) => visitor.visit_bool(value),
                Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                    (Some(number), ..) => visitor.visit_u64(number),
                    (_, Some(number), _) => visitor.visit_i64(number),
                    (.., Some(number)) => visitor.visit_f64(number),
                    (None, None, None) => visitor.visit_borrowed_str(text),
                },
                _ => visitor.visit_borrowed_str(text),
            },
            Content::List(_) => self.deserialize_seq(visitor),
            Content::Map(_) | Content::Shared(_) => self.map(None, visitor),
        }
    }

    fn deserialize_option<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, ReadError> {
        if self.node.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_bool<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.node.as_str().and_then(scalar::boolean) {
            Some(value) => visitor.visit_bool(value),
            None => Err(self.error("true or false")),
        }
    }

    fn deserialize_f32<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_f64(self.float()?)
    }

    fn deserialize_f64<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_f64(self.float()?)
    }

    integers! {
        deserialize_i8 visit_i8 deserialize_i16 visit_i16 deserialize_i32 visit_i32 deserialize_i64 visit_i64
        deserialize_u8 visit_u8 deserialize_u16 visit_u16 deserialize_u32 visit_u32 deserialize_u64 visit_u64
    }

    strings! { deserialize_char deserialize_str deserialize_string deserialize_identifier }

    fn deserialize_seq<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.node.content() {
            Content::List(elements) => {
                visitor.visit_seq(Elements { elements: elements.iter().enumerate(), list: self })
            }
            _ => Err(self.error("a list")),
        }
    }

    fn deserialize_map<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.map(None, visitor)
    }

    fn deserialize_struct<V: Visitor<'n>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.map(Some(fields), visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'n>>(self, name: &'static str, visitor: V) -> Result<V::Value, ReadError> {
        if name == STRING_LIST && self.node.as_str().is_some() {
            let elements = std::slice::from_ref(self.node).iter().enumerate();
            return visitor.visit_seq(Elements { elements, list: self });
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        <V: Visitor<'n>>
        i128 u128 bytes byte_buf unit unit_struct tuple tuple_struct enum
    }
}

struct Elements<'n, 'p> {
    elements: std::iter::Enumerate<std::slice::Iter<'n, Node>>,
    list: NodeDeserializer<'n, 'p>,
}

impl<'n> SeqAccess<'n> for Elements<'n, '_> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'n>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
        let Some((index, node)) = self.elements.next() else { return Ok(None) };
        let path = Path::Index(self.list.path, index);
        let read = seed.deserialize(NodeDeserializer { node, path: &path, unknown: self.list.unknown });
        read.map(Some).map_err(|error| error.within(node.position, &path))
    }
}

struct Entries<'n, 'p> {
    rest: std::slice::Iter<'n, (Node, Node)>,
    current: Option<(&'n str, &'n Node)>,
    known: Option<&'static [&'static str]>,
    map: NodeDeserializer<'n, 'p>,
}

impl<'n> MapAccess<'n> for Entries<'n, '_> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'n>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError> {
        for (key, value) in self.rest.by_ref() {
            let text = key.as_str().unwrap_or_default();
            if let Some(known) = self.known.filter(|known| !known.contains(&text)) {
                let mut all = self.map.unknown.borrow_mut();
                if all.len() < MOST_UNKNOWN {
                    let unknown = UnknownKey::new(key.position, text, known);
                    let path = shown(&Path::Key(self.map.path, text));
                    all.push(UnknownKey { path, is_own: matches!(self.map.path, Path::Root), ..unknown });
                }
                continue;
            }
            self.current = Some((text, value));
            let read = seed.deserialize(BorrowedStrDeserializer::new(text));
            return read.map(Some).map_err(|error: ReadError| error.within(key.position, self.map.path));
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'n>>(&mut self, seed: V) -> Result<V::Value, ReadError> {
        let Some((key, node)) = self.current.take() else {
            return Err(serde::de::Error::custom("a value was requested before its key"));
        };
        let path = Path::Key(self.map.path, key);
        let read = seed.deserialize(NodeDeserializer { node, path: &path, unknown: self.map.unknown });
        read.map_err(|error| error.within(node.position, &path))
    }
}
