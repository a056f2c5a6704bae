//! MCP servers from the files of other publishers: documents of the MCP registry, and Docker's catalogs.
//!
//! A server becomes an entry as in a data file of MCP servers, so that it is validated and reported like one. To add a form,
//! declare its [`SourceType`] and add its reader in [`form`].

mod docker;
mod nodes;
mod registry;
mod versions;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use model_registry_api::CustomProperty;
use model_registry_api::catalog::{AssetType, SourceType};
use model_registry_base::files as limited;

use self::nodes::{Members, custom_property};
use self::versions::Versions;
use crate::files;
use crate::item_reader::{self, ReadItems};
use crate::name_filter::NameFilter;
use crate::problem::{Position, Problem};
use crate::yaml::{self, Entry, Node};

/// Custom property of the newest version of each server.
const IS_LATEST: &str = "isLatest";

/// A form of files.
struct Form {
    /// Whether a file in a directory is one of them.
    is_document: fn(&Path) -> bool,
    /// Reads the servers of a file.
    read: fn(&Path, &str, &mut dyn Sink) -> Result<(), Problem>,
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
        let _ = text.and_then(|text| (form.read)(file, &text, &mut versions));
    }
    let newest = versions.newest();
    let mut collector =
        Collector { source_id, filter, newest: &newest, read: ReadItems::default(), seen: HashMap::new() };
    for (file, text) in texts {
        if let Err(problem) = text.and_then(|text| (form.read)(file, &text, &mut collector)) {
            if files.len() == 1 {
                return Err(problem);
            }
            // Its servers are unknown: those that were published before stay.
            collector.read.is_part = true;
            collector.read.problems.push(problem);
        }
    }
    Ok(collector.finish())
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
    source_id: &'a str,
    filter: &'a NameFilter,
    /// The newest version of each server.
    newest: &'a HashMap<&'a str, &'a str>,
    read: ReadItems,
    /// Where the items are, by their keys.
    seen: HashMap<String, String>,
}

impl Sink for Collector<'_> {
    fn published(&mut self, mut server: Published<'_>) -> Result<(), Problem> {
        let name = server.text("name").to_owned();
        if !name.is_empty() && !self.filter.allows(&name) {
            return Ok(());
        }
        let is_latest = self.newest.get(name.as_str()) == Some(&server.text("version"));
        server.properties.push((IS_LATEST, custom_property(server.position, CustomProperty::Bool(is_latest))));
        let properties = Node::map(server.position, server.properties);
        server.members.push(("customProperties", properties));
        let node = Node::map(server.position, server.members);
        let entry = Entry { file: server.file, node: &node };
        item_reader::add_entry(&mut self.read, &mut self.seen, AssetType::McpServers, entry, self.source_id);
        Ok(())
    }

    fn problem(&mut self, problem: Problem, name: Option<&str>) {
        self.read.kept.extend(name.map(str::to_owned));
        self.read.problems.push(problem);
    }

    fn notice(&mut self, notice: Problem) {
        self.read.notices.extend([notice]);
    }
}

impl Collector<'_> {
    fn finish(self) -> ReadItems {
        let Self { mut read, seen, .. } = self;
        read.kept.retain(|key| !seen.contains_key(key));
        read
    }
}
