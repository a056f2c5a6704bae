//! Events of the parser → values, one item of a list at a time.
//!
//! A value is at most as large as its text, aliases written out: what they stand for is counted at each use before anything
//! is made of it.

use std::collections::HashMap;
use std::io::Read;
use std::rc::Rc;

use granit_parser::{ErrorKind, Event, FallibleBufferedInput, Parser, ScalarStyle, Tag};

use super::MostText;
use super::input::Characters;
use super::tree::{Content, Node, Place};
use super::typed::Mistake;

/// Levels of lists and maps.
const DEEPEST: usize = 32;
const MOST_ALIASES: usize = 10_000;
const MOST_ANCHORS: usize = 10_000;
/// Values that aliases stand for, in the whole file.
const MOST_REPEATED: usize = 1_000_000;
/// Values of one item, or of a file that is not read item by item.
const MOST_VALUES: usize = 1_000_000;

type Next = (Event<'static>, Place);

/// A file that is being read.
pub(super) struct Composer<R: Read> {
    parser: Parser<'static, FallibleBufferedInput<Characters<R>>>,
    anchors: HashMap<usize, Anchored>,
    aliases: usize,
    /// Bytes of text that may still come.
    text_left: usize,
    most_text: usize,
    repeated_left: usize,
    values_left: usize,
}

/// What an anchor names, and how much it is.
struct Anchored {
    node: Rc<Node>,
    values: usize,
    bytes: usize,
}

impl<R: Read> Composer<R> {
    pub(super) fn new(reader: R, most: MostText) -> Self {
        let mut options = granit_parser::Options::default();
        options.set_emit_comments(false);
        Self {
            parser: Parser::new_from_fallible_iter_with_options(Characters::new(reader), options),
            anchors: HashMap::new(),
            aliases: 0,
            text_left: most as usize,
            most_text: most as usize,
            repeated_left: MOST_REPEATED,
            values_left: MOST_VALUES,
        }
    }

    /// The first event of the document, or `None` where there is no document.
    pub(super) fn begin(&mut self) -> Result<Option<Next>, Mistake> {
        loop {
            match self.next()? {
                (Event::StreamStart | Event::DocumentStart(..), _) => {}
                (Event::StreamEnd | Event::DocumentEnd, _) => return Ok(None),
                first => return Ok(Some(first)),
            }
        }
    }

    /// Makes sure that nothing follows.
    pub(super) fn finish(&mut self) -> Result<(), Mistake> {
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(()),
                (Event::DocumentEnd, _) => {}
                (_, place) => return Err(Mistake::at(place, "a second document begins here: a file holds one")),
            }
        }
    }

    pub(super) fn next(&mut self) -> Result<Next, Mistake> {
        let next = self.parser.next_event();
        let next = next.unwrap_or_else(|| Ok((Event::StreamEnd, granit_parser::Span::default())));
        let (event, span) = next.map_err(|error| {
            let place = Place { line: error.marker().line(), column: error.marker().col() + 1 };
            match error.kind() {
                ErrorKind::RecursionLimitExceeded => too_deep(place),
                _ => Mistake::at(place, error.info()),
            }
        })?;
        Ok((event, Place { line: span.start.line(), column: span.start.col() + 1 }))
    }

    /// The value that begins with this event, in so many lists and maps; it is counted by itself.
    pub(super) fn item(&mut self, first: Next, depth: usize) -> Result<Node, Mistake> {
        self.values_left = MOST_VALUES;
        self.node(first, depth)
    }

    fn node(&mut self, (event, place): Next, depth: usize) -> Result<Node, Mistake> {
        self.values_left = self.values_left.checked_sub(1).ok_or_else(|| {
            Mistake::at(place, format!("more than {MOST_VALUES} values in one item, which is the most that is read"))
        })?;
        let (text_before, values_before) = (self.text_left, self.values_left);
        let (content, anchor) = match event {
            Event::Alias(id) => return self.alias(id, place),
            Event::Scalar(text, style, anchor, tag) => {
                self.take_text(text.len(), place)?;
                let is_plain = is_plain(style, tag.as_deref());
                (Content::Scalar { text: text.into_owned(), is_plain }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => (self.list(place, depth + 1)?, anchor),
            Event::MappingStart(_, anchor, _) => (self.map(place, depth + 1)?, anchor),
            _ => return Err(Mistake::at(place, "a value is missing")),
        };
        let node = Node { place, content };
        if anchor == 0 {
            return Ok(node);
        }
        if self.anchors.len() == MOST_ANCHORS {
            return Err(Mistake::at(place, format!("more than {MOST_ANCHORS} anchors")));
        }
        let node = Rc::new(node);
        let anchored = Anchored {
            node: Rc::clone(&node),
            values: 1 + values_before - self.values_left,
            bytes: text_before - self.text_left,
        };
        self.anchors.insert(anchor, anchored);
        Ok(Node { place, content: Content::Shared(node) })
    }

    fn alias(&mut self, id: usize, place: Place) -> Result<Node, Mistake> {
        self.aliases += 1;
        if self.aliases > MOST_ALIASES {
            return Err(Mistake::at(place, format!("more than {MOST_ALIASES} aliases")));
        }
        let Some(Anchored { node, values, bytes }) = self.anchors.get(&id) else {
            return Err(Mistake::at(place, "an alias within what it stands for, or of the list of the file"));
        };
        let (node, values, bytes) = (Rc::clone(node), *values, *bytes);
        let left = self.repeated_left.checked_sub(values).zip(self.values_left.checked_sub(values));
        let (repeated, of_item) = left.ok_or_else(|| {
            Mistake::at(place, format!("aliases stand for more than {MOST_REPEATED} values: write less with them"))
        })?;
        (self.repeated_left, self.values_left) = (repeated, of_item);
        self.take_text(bytes, place)?;
        Ok(Node { place, content: Content::Shared(node) })
    }

    fn take_text(&mut self, bytes: usize, place: Place) -> Result<(), Mistake> {
        let left = self.text_left.checked_sub(bytes);
        self.text_left = left.ok_or_else(|| {
            let most = self.most_text >> 20;
            Mistake::at(place, format!("the texts come to more than {most} MiB with what aliases stand for"))
        })?;
        Ok(())
    }

    fn list(&mut self, place: Place, depth: usize) -> Result<Content, Mistake> {
        check_depth(depth, place)?;
        let mut elements = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Content::List(elements)),
                first => elements.push(self.node(first, depth)?),
            }
        }
    }

    fn map(&mut self, place: Place, depth: usize) -> Result<Content, Mistake> {
        check_depth(depth, place)?;
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
        for value in merged {
            merge(&mut entries, &value)?;
        }
        Ok(Content::Map(entries))
    }
}

/// `<<: *base`: the entries of the base that are not there yet, of a list of bases in its order. They were counted with the
/// alias.
fn merge(entries: &mut Vec<(Node, Node)>, base: &Node) -> Result<(), Mistake> {
    for base in base.elements().unwrap_or(std::slice::from_ref(base)) {
        let inherited = base.entries();
        let inherited = inherited.ok_or_else(|| Mistake::at(base.place, "`<<` wants a map, or a list of maps"))?;
        for (key, value) in inherited {
            if !entries.iter().any(|(known, _)| known.text().is_some() && known.text() == key.text()) {
                entries.push((key.clone(), value.clone()));
            }
        }
    }
    Ok(())
}

fn is_merge(key: &Node) -> bool {
    matches!(&key.content, Content::Scalar { text, is_plain: true } if text == "<<")
}

fn check_depth(depth: usize, place: Place) -> Result<(), Mistake> {
    if depth > DEEPEST { Err(too_deep(place)) } else { Ok(()) }
}

fn too_deep(place: Place) -> Mistake {
    Mistake::at(place, format!("more than {DEEPEST} lists and maps within each other"))
}

/// A tag decides, otherwise quotes do.
fn is_plain(style: ScalarStyle, tag: Option<&Tag>) -> bool {
    match tag.map(|tag| (tag.core_suffix(), tag.suffix_in_namespace("!"))) {
        // `!` alone is a text by definition.
        Some((Some("str"), _)) => false,
        Some((_, Some(own))) if own.is_empty() || own == "!" => false,
        Some((Some(_), _)) => true,
        _ => style == ScalarStyle::Plain,
    }
}
