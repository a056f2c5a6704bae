//! Values → structures, with mistakes that say where they are and what was wanted.
//!
//! A key that a structure does not have is noted and skipped: what becomes of it is for the reader of the file to say.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::{self, Display};

use model_registry_base::nearest_name;
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::scalar;
use super::tree::{Content, Node, Place};

/// A value that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    place: Option<Place>,
    /// `artifacts[0].uri`, from the value that was asked for.
    path: String,
    reason: String,
}

impl Mistake {
    pub(super) fn at(place: Place, reason: impl Into<String>) -> Self {
        Self { place: Some(place), path: String::new(), reason: reason.into() }
    }

    /// Fills in what the one who noticed it could not know.
    fn within(mut self, place: Place, path: &Path<'_>) -> Self {
        if self.place.is_none() {
            self.place = Some(place);
            self.path = path.to_string();
        }
        self
    }

    pub(crate) fn place(&self) -> Option<Place> {
        self.place
    }
}

impl Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "`{}`: ", self.path)?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Mistake {}

impl serde::de::Error for Mistake {
    fn custom<T: Display>(reason: T) -> Self {
        Self { place: None, path: String::new(), reason: reason.to_string() }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::custom(format!("lacks `{field}`"))
    }
}

/// A key that means nothing where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnknownKey {
    pub place: Place,
    /// `artifacts[0].colour`, from the value that was asked for.
    path: String,
    nearest: Option<&'static str>,
    /// It is a key of the value itself that was asked for.
    pub is_own: bool,
}

impl UnknownKey {
    /// A key of the value itself, which may only have the known ones.
    pub(crate) fn new(place: Place, key: &str, known: &[&'static str]) -> Self {
        Self { place, path: key.to_owned(), nearest: nearest_name(key, known.iter().copied()), is_own: true }
    }

    /// With what becomes of it.
    pub(crate) fn with(&self, effect: &str) -> String {
        let hint = self.nearest.map(|nearest| format!(", did you mean `{nearest}`?"));
        format!("unknown key `{}`{effect}{}", self.path, hint.unwrap_or_default())
    }
}

impl Display for UnknownKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.with(""))
    }
}

/// Reads a value and notes the keys that nothing has.
pub(super) fn read<T: DeserializeOwned>(node: &Node) -> (Result<T, Mistake>, Vec<UnknownKey>) {
    let unknown = RefCell::new(Vec::new());
    let read = T::deserialize(Typed { node, path: &Path::Root, unknown: &unknown });
    (read.map_err(|mistake| mistake.within(node.place, &Path::Root)), unknown.into_inner())
}

/// The way to a value.
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
struct Typed<'n, 'p> {
    node: &'n Node,
    path: &'p Path<'p>,
    unknown: &'p RefCell<Vec<UnknownKey>>,
}

impl<'n> Typed<'n, '_> {
    fn mistake(&self, wanted: &str) -> Mistake {
        let reason = format!("expected {wanted}, found {}", self.node.what());
        Mistake { place: None, path: String::new(), reason }.within(self.node.place, self.path)
    }

    fn integer<T: TryFrom<i128>>(&self) -> Result<T, Mistake> {
        let number = self.node.text().and_then(scalar::integer);
        number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| self.mistake("a whole number"))
    }

    /// PostgreSQL takes no null character.
    fn text(&self) -> Result<&'n str, Mistake> {
        let text = self.node.text().ok_or_else(|| self.mistake("a text"))?;
        if text.contains('\0') { Err(self.mistake("a text without null characters")) } else { Ok(text) }
    }

    fn float(&self) -> Result<f64, Mistake> {
        self.node.text().and_then(scalar::float).ok_or_else(|| self.mistake("a number"))
    }

    /// A map whose keys have to be among these, if there are any.
    fn map<V: Visitor<'n>>(self, known: Option<&'static [&'static str]>, visitor: V) -> Result<V::Value, Mistake> {
        let Content::Map(entries) = self.node.content() else { return Err(self.mistake("a map")) };
        self.check_keys(entries)?;
        visitor.visit_map(Entries { rest: entries.iter(), current: None, known, map: self })
    }

    fn check_keys(&self, entries: &[(Node, Node)]) -> Result<(), Mistake> {
        let mut seen: HashMap<&str, usize> = HashMap::with_capacity(entries.len());
        for (key, _) in entries {
            let text = Typed { node: key, ..*self }.text()?;
            if let Some(line) = seen.insert(text, key.place.line) {
                let duplicate = Mistake::at(key.place, format!("the key is there already, in line {line}"));
                return Err(Mistake { path: Path::Key(self.path, text).to_string(), ..duplicate });
            }
        }
        Ok(())
    }
}

macro_rules! integers {
    ($($method:ident $visit:ident)*) => {$(
        fn $method<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Mistake> {
            visitor.$visit(self.integer()?)
        }
    )*};
}

macro_rules! texts {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Mistake> {
            visitor.visit_borrowed_str(self.text()?)
        }
    )*};
}

impl<'n> Deserializer<'n> for Typed<'n, '_> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.node.content() {
            _ if self.node.is_null() => visitor.visit_unit(),
            Content::Scalar { is_plain: false, .. } => visitor.visit_borrowed_str(self.text()?),
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

    fn deserialize_option<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Mistake> {
        if self.node.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_bool<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.node.text().and_then(scalar::boolean) {
            Some(value) => visitor.visit_bool(value),
            None => Err(self.mistake("true or false")),
        }
    }

    fn deserialize_f32<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_f64(self.float()?)
    }

    fn deserialize_f64<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_f64(self.float()?)
    }

    integers! {
        deserialize_i8 visit_i8 deserialize_i16 visit_i16 deserialize_i32 visit_i32 deserialize_i64 visit_i64
        deserialize_u8 visit_u8 deserialize_u16 visit_u16 deserialize_u32 visit_u32 deserialize_u64 visit_u64
    }

    texts! { deserialize_char deserialize_str deserialize_string deserialize_identifier }

    fn deserialize_seq<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.node.content() {
            Content::List(elements) => {
                visitor.visit_seq(Elements { elements: elements.iter().enumerate(), list: self })
            }
            _ => Err(self.mistake("a list")),
        }
    }

    fn deserialize_map<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.map(None, visitor)
    }

    fn deserialize_struct<V: Visitor<'n>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        self.map(Some(fields), visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'n>>(self, _: &'static str, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        <V: Visitor<'n>>
        i128 u128 bytes byte_buf unit unit_struct tuple tuple_struct enum
    }
}

struct Elements<'n, 'p> {
    elements: std::iter::Enumerate<std::slice::Iter<'n, Node>>,
    list: Typed<'n, 'p>,
}

impl<'n> SeqAccess<'n> for Elements<'n, '_> {
    type Error = Mistake;

    fn next_element_seed<T: DeserializeSeed<'n>>(&mut self, seed: T) -> Result<Option<T::Value>, Mistake> {
        let Some((index, node)) = self.elements.next() else { return Ok(None) };
        let path = Path::Index(self.list.path, index);
        let read = seed.deserialize(Typed { node, path: &path, unknown: self.list.unknown });
        read.map(Some).map_err(|mistake| mistake.within(node.place, &path))
    }
}

struct Entries<'n, 'p> {
    rest: std::slice::Iter<'n, (Node, Node)>,
    current: Option<(&'n str, &'n Node)>,
    known: Option<&'static [&'static str]>,
    map: Typed<'n, 'p>,
}

impl<'n> MapAccess<'n> for Entries<'n, '_> {
    type Error = Mistake;

    fn next_key_seed<K: DeserializeSeed<'n>>(&mut self, seed: K) -> Result<Option<K::Value>, Mistake> {
        for (key, value) in self.rest.by_ref() {
            let text = key.text().unwrap_or_default();
            if let Some(known) = self.known.filter(|known| !known.contains(&text)) {
                let unknown = UnknownKey::new(key.place, text, known);
                let path = Path::Key(self.map.path, text).to_string();
                let is_own = matches!(self.map.path, Path::Root);
                self.map.unknown.borrow_mut().push(UnknownKey { path, is_own, ..unknown });
                continue;
            }
            self.current = Some((text, value));
            let read = seed.deserialize(BorrowedStrDeserializer::new(text));
            return read.map(Some).map_err(|mistake: Mistake| mistake.within(key.place, self.map.path));
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'n>>(&mut self, seed: V) -> Result<V::Value, Mistake> {
        let Some((key, node)) = self.current.take() else {
            return Err(serde::de::Error::custom("a value was asked for before its key"));
        };
        let path = Path::Key(self.map.path, key);
        let read = seed.deserialize(Typed { node, path: &path, unknown: self.map.unknown });
        read.map_err(|mistake| mistake.within(node.place, &path))
    }
}
