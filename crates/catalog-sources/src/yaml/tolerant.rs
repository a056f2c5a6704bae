//! Types of values that authors write in more than one way, or that cost no more than themselves if they cannot be read.

use std::fmt;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};

/// Name of [`StringList`] for the deserializer of nodes, which reads a single string as a list of one.
pub(super) const STRING_LIST: &str = "StringList";

/// A list of strings. A single string is a list of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StringList(pub(crate) Vec<String>);

impl<'de> Deserialize<'de> for StringList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Strings;

        impl<'de> Visitor<'de> for Strings {
            type Value = Vec<String>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of strings")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<String>, D::Error> {
                Vec::deserialize(deserializer)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<String>, A::Error> {
                let mut strings = Vec::new();
                while let Some(string) = list.next_element()? {
                    strings.push(string);
                }
                Ok(strings)
            }
        }

        deserializer.deserialize_newtype_struct(STRING_LIST, Strings).map(Self)
    }
}

/// A value, or why it cannot be read: what contains it is published without it.
#[derive(Debug)]
pub(crate) struct Tolerant<T>(pub(crate) Result<T, String>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Tolerant<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The nodes of a file stay readable after an error, unlike a stream of tokens.
        Ok(Self(T::deserialize(deserializer).map_err(|error| error.to_string())))
    }
}
