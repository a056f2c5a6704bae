//! Values of a YAML file, each with where it is.

use std::rc::Rc;

/// A line and a column, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

/// A value. An alias has the place where it is used.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub place: Place,
    pub(super) content: Content,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    /// `is_plain`: without quotes, so that it may be a number, a boolean or null as well.
    Scalar {
        text: String,
        is_plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    /// What is anchored, at the anchor and at each alias.
    Shared(Rc<Node>),
}

impl Node {
    pub(super) fn content(&self) -> &Content {
        match &self.content {
            Content::Shared(node) => node.content(),
            content => content,
        }
    }

    /// The text of a scalar, null excepted.
    pub(crate) fn text(&self) -> Option<&str> {
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
        let (_, value) = self.entries()?.iter().find(|(known, _)| known.text() == Some(key))?;
        Some(value)
    }

    /// What it is, for a message.
    pub(super) fn what(&self) -> String {
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
