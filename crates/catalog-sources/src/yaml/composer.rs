//! Composes nodes from the events of the YAML parser, one item of a list at a time.
//!
//! Limits are checked before a node is allocated: an alias counts as the values and bytes that it expands to, so that a small
//! file with nested aliases ("billion laughs") is rejected early.
//!
//! serde-saphyr, which is built on the same parser, cannot do this alone: after a bad item it cannot continue with the next
//! one, and its generic values lose the position and the spelling of scalars (`version: 1.10`). `yaml/tests.rs` checks both.
//! It also takes two and a half times as long: 1.66 s instead of 0.65 s for a file of 19 MB with 20,000 models (the ignored
//! test there measures it).

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::rc::Rc;

use granit_parser::{ErrorKind, Event, FallibleBufferedInput, Parser, ScalarStyle, Tag};

use super::TextLimit;
use super::characters::Characters;
use super::deserializer::ReadError;
use super::node::{Content, Node};
use crate::problem::Position;

/// Levels of nested lists and maps.
const DEEPEST: usize = 32;
const MOST_ALIASES: usize = 10_000;
const MOST_ANCHORS: usize = 10_000;
/// Values that all aliases of a file expand to.
const MOST_EXPANDED: usize = 1_000_000;
/// Values in one item, or in a document that is read as a whole.
const MOST_VALUES: usize = 1_000_000;

type Next = (Event<'static>, Position);

/// Reads a document event by event.
pub(super) struct Composer<R: Read> {
    parser: Parser<'static, FallibleBufferedInput<Characters<R>>>,
    anchors: HashMap<usize, Anchored>,
    aliases: usize,
    /// Bytes of text that are still allowed.
    text_left: usize,
    text_limit: usize,
    expanded_left: usize,
    values_left: usize,
}

/// An anchored value and its size.
struct Anchored {
    node: Rc<Node>,
    values: usize,
    bytes: usize,
}

impl<R: Read> Composer<R> {
    pub(super) fn new(reader: R, limit: TextLimit) -> Self {
        let mut options = granit_parser::Options::default();
        options.set_emit_comments(false);
        Self {
            parser: Parser::new_from_fallible_iter_with_options(Characters::new(reader), options),
            anchors: HashMap::new(),
            aliases: 0,
            text_left: limit as usize,
            text_limit: limit as usize,
            expanded_left: MOST_EXPANDED,
            values_left: MOST_VALUES,
        }
    }

    /// Returns the first event of the document; `None` for a file without a document.
    pub(super) fn begin(&mut self) -> Result<Option<Next>, ReadError> {
        loop {
            match self.next()? {
                (Event::StreamStart | Event::DocumentStart(..), _) => {}
                (Event::StreamEnd | Event::DocumentEnd, _) => return Ok(None),
                first => return Ok(Some(first)),
            }
        }
    }

    /// Reads the end of the file; anything else is an error.
    pub(super) fn finish(&mut self) -> Result<(), ReadError> {
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(()),
                (Event::DocumentEnd, _) => {}
                (_, position) => {
                    return Err(ReadError::at(
                        position,
                        "a second document starts here: only one per file is supported",
                    ));
                }
            }
        }
    }

    pub(super) fn next(&mut self) -> Result<Next, ReadError> {
        let next = self.parser.next_event();
        let next = next.unwrap_or_else(|| Ok((Event::StreamEnd, granit_parser::Span::default())));
        let (event, span) = next.map_err(|error| {
            let position = Position { line: error.marker().line(), column: error.marker().col() + 1 };
            match error.kind() {
                ErrorKind::RecursionLimitExceeded => too_deep(position),
                _ => ReadError::at(position, error.info()),
            }
        })?;
        Ok((event, Position { line: span.start.line(), column: span.start.col() + 1 }))
    }

    /// Reads the value that starts with this event, nested `depth` levels deep. The limit of values applies to it alone.
    pub(super) fn item(&mut self, first: Next, depth: usize) -> Result<Node, ReadError> {
        self.values_left = MOST_VALUES;
        self.node(first, depth)
    }

    fn node(&mut self, (event, position): Next, depth: usize) -> Result<Node, ReadError> {
        self.values_left = self
            .values_left
            .checked_sub(1)
            .ok_or_else(|| ReadError::at(position, format!("more than {MOST_VALUES} values in one item: split it")))?;
        let (text_before, values_before) = (self.text_left, self.values_left);
        let (content, anchor) = match event {
            Event::Alias(id) => return self.alias(id, position),
            Event::Scalar(text, style, anchor, tag) => {
                self.take_text(text.len(), position)?;
                let is_plain = is_plain(style, tag.as_deref());
                (Content::Scalar { text: text.into_owned(), is_plain }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => (self.list(position, depth + 1)?, anchor),
            Event::MappingStart(_, anchor, _) => (self.map(position, depth + 1)?, anchor),
            _ => return Err(ReadError::at(position, "a value is missing")),
        };
        let node = Node { position, content };
        if anchor == 0 {
            return Ok(node);
        }
        if self.anchors.len() == MOST_ANCHORS {
            return Err(ReadError::at(position, format!("more than {MOST_ANCHORS} anchors")));
        }
        let node = Rc::new(node);
        let anchored = Anchored {
            node: Rc::clone(&node),
            values: 1 + values_before - self.values_left,
            bytes: text_before - self.text_left,
        };
        self.anchors.insert(anchor, anchored);
        Ok(Node { position, content: Content::Shared(node) })
    }

    fn alias(&mut self, id: usize, position: Position) -> Result<Node, ReadError> {
        self.aliases += 1;
        if self.aliases > MOST_ALIASES {
            return Err(ReadError::at(position, format!("more than {MOST_ALIASES} aliases")));
        }
        let Some(Anchored { node, values, bytes }) = self.anchors.get(&id) else {
            return Err(ReadError::at(
                position,
                "an alias refers to a value that contains it, or to the list of the file",
            ));
        };
        let (node, values, bytes) = (Rc::clone(node), *values, *bytes);
        let left = self.expanded_left.checked_sub(values).zip(self.values_left.checked_sub(values));
        let (expanded, of_item) = left.ok_or_else(|| {
            ReadError::at(position, format!("aliases expand to more than {MOST_EXPANDED} values: use fewer"))
        })?;
        (self.expanded_left, self.values_left) = (expanded, of_item);
        self.take_text(bytes, position)?;
        Ok(Node { position, content: Content::Shared(node) })
    }

    fn take_text(&mut self, bytes: usize, position: Position) -> Result<(), ReadError> {
        let left = self.text_left.checked_sub(bytes);
        self.text_left = left.ok_or_else(|| {
            let limit = self.text_limit >> 20;
            ReadError::at(position, format!("more than {limit} MiB of text after expanding aliases"))
        })?;
        Ok(())
    }

    fn list(&mut self, position: Position, depth: usize) -> Result<Content, ReadError> {
        check_depth(depth, position)?;
        let mut elements = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Content::List(elements)),
                first => elements.push(self.node(first, depth)?),
            }
        }
    }

    fn map(&mut self, position: Position, depth: usize) -> Result<Content, ReadError> {
        check_depth(depth, position)?;
        let mut entries = Vec::new();
        let mut merged = Vec::new();
        loop {
            match self.next()? {
                (Event::MappingEnd, _) => break,
                first => {
                    let key = self.node(first, depth)?;
                    let first = self.next()?;
                    let value = self.node(first, depth)?;
                    if is_merge(&key) {
                        merged.push(value);
                    } else {
                        entries.push((key, value));
                    }
                }
            }
        }
        if !merged.is_empty() {
            merge(&mut entries, &merged)?;
        }
        Ok(Content::Map(entries))
    }
}

/// Merge key `<<: *base`: adds the entries of the base, or of each base of a list in order, whose keys are not yet present.
/// They were counted with the alias.
fn merge(entries: &mut Vec<(Node, Node)>, bases: &[Node]) -> Result<(), ReadError> {
    let mut inherited = Vec::new();
    {
        let mut known: HashSet<&str> = entries.iter().filter_map(|(key, _)| key.as_str()).collect();
        for base in bases.iter().flat_map(|base| base.elements().unwrap_or(std::slice::from_ref(base))) {
            let of_base = base.entries();
            let of_base = of_base.ok_or_else(|| ReadError::at(base.position, "`<<` needs a map or a list of maps"))?;
            inherited
                .extend(of_base.iter().filter(|(key, _)| key.as_str().is_none_or(|key| known.insert(key))).cloned());
        }
    }
    entries.append(&mut inherited);
    Ok(())
}

fn is_merge(key: &Node) -> bool {
    matches!(&key.content, Content::Scalar { text, is_plain: true } if text == "<<")
}

fn check_depth(depth: usize, position: Position) -> Result<(), ReadError> {
    if depth > DEEPEST { Err(too_deep(position)) } else { Ok(()) }
}

fn too_deep(position: Position) -> ReadError {
    ReadError::at(position, format!("lists and maps are nested more than {DEEPEST} levels deep"))
}

/// Whether a scalar may be something else than a string: its tag decides, or else its quotes.
fn is_plain(style: ScalarStyle, tag: Option<&Tag>) -> bool {
    match tag.map(|tag| (tag.core_suffix(), tag.suffix_in_namespace("!"))) {
        // `!` alone makes a string by definition.
        Some((Some("str"), _)) => false,
        Some((_, Some(own))) if own.is_empty() || own == "!" => false,
        Some((Some(_), _)) => true,
        _ => style == ScalarStyle::Plain,
    }
}
