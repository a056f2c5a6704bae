//! MCP servers from the files of other publishers: documents of the MCP registry, and Docker's catalogs.
//!
//! A server becomes an entry as in a data file of MCP servers, so that it is validated and reported like one. To add a form,
//! declare its [`SourceType`] and add its reader in [`form`].

mod docker;
mod nodes;
mod registry;
mod versions;

use std::collections::{BTreeSet, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};

use model_registry_api::CustomProperty;
use model_registry_api::catalog::{AssetType, SourceType};
use model_registry_base::{Cancellation, files as limited};

use self::nodes::{Members, custom_property};
use self::versions::Versions;
use crate::files;
use crate::item_collector::ItemCollector;
use crate::item_reader::{self, ReadItems};
use crate::name_filter::NameFilter;
use crate::problem::{Position, Problem};
use crate::yaml::{self, Entry, Node, TextLimit};

/// Custom property of the newest version of each server.
const IS_LATEST: &str = "isLatest";

/// A form of files.
struct Form {
    /// Whether a file in a directory is one of them.
    is_document: fn(&Path) -> bool,
    /// Reads the servers of a file.
    read: fn(Text<'_>, &mut dyn Sink) -> Result<(), Problem>,
}

/// The text of a file.
struct Text<'a> {
    file: &'a Path,
    reader: &'a mut dyn Read,
    limit: TextLimit,
}

/// The form of the files of a source type; `None` for types that are read in other ways.
fn form(source_type: SourceType) -> Option<Form> {
    match source_type {
        SourceType::McpRegistry => Some(Form { is_document: registry::is_document, read: registry::read }),
        SourceType::DockerCatalog => Some(Form { is_document: docker::is_document, read: docker::read }),
        _ => None,
    }
}

/// A server in the form of a data file, with what decides about its newest version.
struct Published<'a> {
    file: &'a Path,
    position: Position,
    /// Members of the entry, without the custom properties.
    members: Members,
    properties: Vec<(&'static str, Node)>,
    publication_time: Option<&'a str>,
    /// Whether its registry says that it is the newest version.
    is_marked: bool,
}

impl Published<'_> {
    fn text(&self, key: &str) -> &str {
        let mut members = self.members.iter();
        members.find(|(known, _)| *known == key).and_then(|(_, value)| value.as_str()).unwrap_or_default()
    }
}

/// Receives what a reader finds.
trait Sink {
    fn published(&mut self, server: Published<'_>) -> Result<(), Problem>;
    /// Something that was left out: the server with this name, if it has one.
    fn problem(&mut self, problem: Problem, name: Option<&str>);
    /// Something that was ignored without harm.
    fn notice(&mut self, notice: Problem);
    /// The document in another file that belongs to the one that is read; `None` if there is none, or none is needed.
    fn companion(&mut self, _file: &Path) -> Option<Result<Option<Node>, Problem>> {
        None
    }
}

/// Whether a source is read from such files.
pub(crate) fn is_server_list(source_type: SourceType) -> bool {
    form(source_type).is_some()
}

/// Reads the servers of a file, or of all files in a directory and those below it.
pub(crate) fn read(
    source_type: SourceType,
    path: &Path,
    source_id: &str,
    filter: &NameFilter,
) -> Result<ReadItems, Problem> {
    let Some(form) = form(source_type) else { return Ok(ReadItems::default()) };
    let files = documents(&form, path)?;
    let texts = files.iter().map(|file| (file, text(file)));
    // Versions are compared before the first server is packed. A file is read again rather than kept in memory.
    let mut versions = Versions::default();
    for (file, text) in texts.clone() {
        // Problems are reported by the second pass.
        let _ = text.and_then(|text| (form.read)(of_source(file, &mut text.as_bytes()), &mut versions));
    }
    let newest = versions.newest();
    let items = ItemCollector::new(AssetType::McpServers, source_id, filter, None);
    let mut collector = Collector { newest: &newest, items };
    for (file, text) in texts {
        let read = text.and_then(|text| (form.read)(of_source(file, &mut text.as_bytes()), &mut collector));
        if let Err(problem) = read {
            if files.len() == 1 {
                return Err(problem);
            }
            // Its servers are unknown: those that were published before stay.
            let read = collector.items.read_items();
            read.is_part = true;
            read.problems.push(problem);
        }
    }
    Ok(collector.items.finish())
}

/// Reads the names of the servers in a file that a client sent, in their order; names may repeat.
pub(crate) fn names(
    source_type: SourceType,
    file: &Path,
    text: &str,
    work: &Cancellation,
) -> Result<Vec<String>, Problem> {
    let Some(form) = form(source_type) else { return Ok(Vec::new()) };
    let mut names = Names { names: Vec::new(), problem: None };
    let text = yaml::json_as_yaml(text.to_owned());
    let reader: &mut dyn Read = &mut work.reader(text.as_bytes());
    (form.read)(Text { file, reader, limit: TextLimit::Request }, &mut names)?;
    names.problem.map_or(Ok(names.names), Err)
}

fn documents(form: &Form, path: &Path) -> Result<BTreeSet<PathBuf>, Problem> {
    if !limited::is_directory(path) {
        return Ok(BTreeSet::from([path.to_owned()]));
    }
    let mut files = BTreeSet::new();
    files::walk(path, 0, &mut files);
    files.retain(|file| (form.is_document)(file));
    if files.is_empty() {
        return Err(Problem::of_file(path, "has no file of this type in it or below it"));
    }
    Ok(files)
}

fn of_source<'a>(file: &'a Path, reader: &'a mut &[u8]) -> Text<'a> {
    Text { file, reader, limit: TextLimit::Source }
}

fn text(file: &Path) -> Result<String, Problem> {
    yaml::read_text(file).map(yaml::json_as_yaml)
}

impl Sink for Versions {
    fn published(&mut self, server: Published<'_>) -> Result<(), Problem> {
        self.add(server.text("name"), server.text("version"), server.publication_time, server.is_marked);
        Ok(())
    }

    fn problem(&mut self, _: Problem, _: Option<&str>) {}

    fn notice(&mut self, _: Problem) {}
}

/// Makes items of servers.
struct Collector<'a> {
    /// The newest version of each server.
    newest: &'a HashMap<&'a str, &'a str>,
    items: ItemCollector<'a>,
}

impl Sink for Collector<'_> {
    fn published(&mut self, mut server: Published<'_>) -> Result<(), Problem> {
        let is_latest = self.newest.get(server.text("name")) == Some(&server.text("version"));
        server.properties.push((IS_LATEST, custom_property(server.position, CustomProperty::Bool(is_latest))));
        let properties = Node::map(server.position, server.properties);
        server.members.push(("customProperties", properties));
        let node = Node::map(server.position, server.members);
        self.items.add(Entry { file: server.file, node: &node });
        Ok(())
    }

    fn problem(&mut self, problem: Problem, name: Option<&str>) {
        let read = self.items.read_items();
        read.kept.extend(name.map(str::to_owned));
        read.problems.push(problem);
    }

    fn notice(&mut self, notice: Problem) {
        self.items.read_items().notices.extend([notice]);
    }

    fn companion(&mut self, file: &Path) -> Option<Result<Option<Node>, Problem>> {
        limited::metadata(file).is_ok().then(|| yaml::document(file, &text(file)?))
    }
}

/// Collects names for a preview: no other file is read, and the first problem is its error.
struct Names {
    names: Vec<String>,
    problem: Option<Problem>,
}

impl Sink for Names {
    fn published(&mut self, server: Published<'_>) -> Result<(), Problem> {
        let name = server.text("name").trim();
        if name.is_empty() {
            let node = Node::map(server.position, Vec::new());
            return Err(item_reader::nameless(AssetType::McpServers, Entry { file: server.file, node: &node }));
        }
        self.names.push(name.to_owned());
        Ok(())
    }

    fn problem(&mut self, problem: Problem, _: Option<&str>) {
        self.problem.get_or_insert(problem);
    }

    fn notice(&mut self, _: Problem) {}
}
