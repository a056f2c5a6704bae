//! Contexts, trees of files, and observers of the tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use model_registry_testkit::{S3_BUCKET, S3Server};
use model_registry_transfer::{Context, Event, Location, Options, Report, Result, Retry, Stop, copy};

/// The smallest part, so that small files have several.
pub(crate) const PART: usize = 5 << 20;

/// Short pauses, and parts of the smallest size.
pub(crate) fn context() -> Context {
    Context {
        retry: Retry {
            first_pause: Duration::from_millis(2),
            longest_pause: Duration::from_millis(20),
            ..Retry::default()
        },
        options: Options { part_size: PART as u64, ..Options::default() },
        ..Context::default()
    }
}

/// A context with the variables of an S3 server.
pub(crate) fn s3_context(server: &S3Server) -> Context {
    Context { environment: server.variables().into_iter().collect(), ..context() }
}

pub(crate) fn s3(key: &str) -> String {
    format!("s3://{S3_BUCKET}/{key}")
}

pub(crate) async fn run(source: &str, destination: &str, context: &Context) -> Result<Report> {
    run_until(source, destination, context, &Stop::default()).await
}

pub(crate) async fn run_until(source: &str, destination: &str, context: &Context, stop: &Stop) -> Result<Report> {
    let source: Location = source.parse()?;
    copy(&source, &Location::destination(destination)?, context, stop).await
}

/// Bytes that do not repeat within a part.
pub(crate) fn content(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

pub(crate) type Tree = BTreeMap<String, Vec<u8>>;

/// Files of several sizes and depths: empty, small, exactly one part, several parts.
pub(crate) fn model() -> Tree {
    [
        ("config.json", content(1, 300)),
        ("empty", Vec::new()),
        ("tokenizer/vocab ü.txt", content(2, 70_000)),
        ("weights/1.bin", content(3, PART)),
        ("weights/2.bin", content(4, 2 * PART + 12_345)),
    ]
    .map(|(path, content)| (path.to_owned(), content))
    .into()
}

pub(crate) fn write(root: &Path, tree: &Tree) {
    for (path, content) in tree {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

/// All files below a directory, with those that a transfer should have removed.
pub(crate) fn read(root: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                tree.insert(name, fs::read(path).unwrap());
            }
        }
    }
    tree
}

pub(crate) fn names(tree: &Tree) -> Vec<&str> {
    tree.keys().map(String::as_str).collect()
}

/// Records events.
#[derive(Clone, Default)]
pub(crate) struct Recorded(Arc<Mutex<Vec<Event>>>);

impl Recorded {
    pub(crate) fn context(&self, context: Context) -> Context {
        let events = Arc::clone(&self.0);
        Context { observer: Arc::new(move |event: &Event| events.lock().unwrap().push(event.clone())), ..context }
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }

    /// Bytes that were read from the source.
    pub(crate) fn bytes(&self) -> u64 {
        self.events().iter().map(|event| if let Event::Read { bytes } = event { *bytes } else { 0 }).sum()
    }

    pub(crate) fn retries(&self) -> usize {
        self.events().iter().filter(|event| matches!(event, Event::Retry { .. })).count()
    }
}

/// Requests the end after so many bytes were read.
pub(crate) fn stop_after(bytes: u64, context: Context) -> (Context, Stop) {
    let stop = Stop::default();
    let (seen, stopping) = (Mutex::new(0), stop.clone());
    let observer = move |event: &Event| {
        if let Event::Read { bytes: read } = event {
            let mut seen = seen.lock().unwrap();
            *seen += read;
            if *seen >= bytes {
                stopping.stop();
            }
        }
    };
    (Context { observer: Arc::new(observer), ..context }, stop)
}

pub(crate) fn path_of(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
