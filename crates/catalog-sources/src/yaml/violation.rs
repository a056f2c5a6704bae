//! Violations: values of the right type that break a rule of the catalog.

use super::Entry;
use super::node::Node;
use crate::problem::Position;

/// A broken rule, and the path from the item to the value that breaks it.
#[derive(Debug)]
pub(crate) struct Violation {
    /// From the value up to the item: the last step comes first.
    path: Vec<Step>,
    pub(crate) reason: String,
}

#[derive(Debug)]
enum Step {
    Key(String),
    Element(usize),
}

impl From<String> for Violation {
    fn from(reason: String) -> Self {
        Self { path: Vec::new(), reason }
    }
}

impl Violation {
    /// Prepends a key to the path.
    pub(crate) fn in_key(mut self, key: &str) -> Self {
        self.path.push(Step::Key(key.to_owned()));
        self
    }

    /// Prepends an element of the list under `key` to the path, and `name` with its index to the reason.
    pub(crate) fn in_element(mut self, key: &str, name: &str, index: usize) -> Self {
        self.path.extend([Step::Element(index), Step::Key(key.to_owned())]);
        self.reason = format!("{name} {index}: {}", self.reason);
        self
    }

    /// Prepends the consequence to the reason: `is published without artifact 3: …`.
    pub(crate) fn with_consequence(mut self, consequence: &str) -> Self {
        self.reason = format!("{consequence} {}", self.reason);
        self
    }

    /// Position of the value, or of the innermost map or list that lacks it.
    pub(crate) fn position(&self, item: Entry<'_>) -> Position {
        let mut node = item.node;
        for step in self.path.iter().rev() {
            let next: Option<&Node> = match step {
                Step::Key(key) => node.get(key),
                Step::Element(index) => node.elements().and_then(|elements| elements.get(*index)),
            };
            match next {
                Some(next) => node = next,
                None => break,
            }
        }
        node.position
    }
}
