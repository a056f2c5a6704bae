//! Values of a YAML file with their positions.

use std::rc::Rc;

use crate::problem::Position;

/// A value. An alias has the position where it is used.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) position: Position,
    pub(super) content: Content,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    /// `is_plain`: without quotes, so that it may also be a number, a boolean or null.
    Scalar {
        text: String,
        is_plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    /// An anchored value, at the anchor and at each alias.
    Shared(Rc<Node>),
}

impl Node {
    /// A string, with the position of the value that it is made of.
    pub(crate) fn string(position: Position, text: impl Into<String>) -> Self {
        Self { position, content: Content::Scalar { text: text.into(), is_plain: false } }
    }

    pub(crate) fn boolean(position: Position, value: bool) -> Self {
        Self { position, content: Content::Scalar { text: value.to_string(), is_plain: true } }
    }

    /// A map with keys that have positions of their own.
    pub(crate) fn of_members(position: Position, members: Vec<(Self, Self)>) -> Self {
        Self { position, content: Content::Map(members) }
    }

    pub(crate) fn list(position: Position, elements: Vec<Self>) -> Self {
        Self { position, content: Content::List(elements) }
    }

    pub(crate) fn map<'k>(position: Position, members: impl IntoIterator<Item = (&'k str, Self)>) -> Self {
        let members = members.into_iter().map(|(key, value)| (Self::string(value.position, key), value));
        Self { position, content: Content::Map(members.collect()) }
    }

    pub(super) fn content(&self) -> &Content {
        match &self.content {
            Content::Shared(node) => node.content(),
            content => content,
        }
    }

    /// A scalar as it is written, except null.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self.content() {
            Content::Scalar { text, .. } if !self.is_null() => Some(text),
            _ => None,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self.content(), Content::Scalar { text, is_plain: true }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The elements of a list.
    pub(crate) fn elements(&self) -> Option<&[Node]> {
        match self.content() {
            Content::List(elements) => Some(elements),
            _ => None,
        }
    }

    /// The keys of a map with their values.
    pub(crate) fn entries(&self) -> Option<&[(Node, Node)]> {
        match self.content() {
            Content::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The value of a key of a map.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        let (_, value) = self.entries()?.iter().find(|(known, _)| known.as_str() == Some(key))?;
        Some(value)
    }

    /// The value in a message: `a list`, `a map`, or the beginning of a scalar.
    pub(crate) fn describe(&self) -> String {
        match self.content() {
            _ if self.is_null() => "nothing".to_owned(),
            Content::Scalar { text, .. } => {
                let short: String = text.chars().take(40).collect();
                let rest = if short.len() < text.len() { "…" } else { "" };
                format!("`{short}{rest}`")
            }
            Content::List(_) => "a list".to_owned(),
            Content::Map(_) | Content::Shared(_) => "a map".to_owned(),
        }
    }
}
