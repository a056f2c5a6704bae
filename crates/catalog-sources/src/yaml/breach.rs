//! Values that read well but break a rule of the catalog.

use super::Entry;
use super::tree::{Node, Place};

/// What is wrong, and the way to it from the item that is read.
#[derive(Debug)]
pub(crate) struct Breach {
    /// The last step comes first.
    way: Vec<Step>,
    pub reason: String,
}

#[derive(Debug)]
enum Step {
    Key(String),
    Element(usize),
}

impl From<String> for Breach {
    fn from(reason: String) -> Self {
        Self { way: Vec::new(), reason }
    }
}

impl Breach {
    /// In the value of a key.
    pub(crate) fn in_key(mut self, key: &str) -> Self {
        self.way.push(Step::Key(key.to_owned()));
        self
    }

    /// In an element of the list of a key, which the reason calls by another name.
    pub(crate) fn in_element(mut self, key: &str, name: &str, index: usize) -> Self {
        self.way.extend([Step::Element(index), Step::Key(key.to_owned())]);
        self.reason = format!("{name} {index}: {}", self.reason);
        self
    }

    /// The same with what comes of it in front of the reason.
    pub(crate) fn so_that(mut self, consequence: &str) -> Self {
        self.reason = format!("{consequence} {}", self.reason);
        self
    }

    /// Where it is, or what lacks it.
    pub(crate) fn place(&self, item: Entry<'_>) -> Place {
        let mut node = item.node;
        for step in self.way.iter().rev() {
            let next: Option<&Node> = match step {
                Step::Key(key) => node.get(key),
                Step::Element(index) => node.elements().and_then(|elements| elements.get(*index)),
            };
            match next {
                Some(next) => node = next,
                None => break,
            }
        }
        node.place
    }
}
