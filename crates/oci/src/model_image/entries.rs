//! The files of an image: layers on top of each other, with deletions, links and names that are refused.

use std::collections::BTreeMap;

use super::ImageFile;
use crate::digest::{Algorithm, Digest};
use crate::error::{Error, Result};
use crate::layout::{ModelFile, WHITEOUT, problem_of_path};
use crate::manifest::Descriptor;

/// Marks a directory whose content in lower layers is deleted.
const OPAQUE: &str = ".wh..wh..opq";
/// How many links may follow each other.
const MOST_LINKS: usize = 16;

/// Where the content of a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a layer at the registry.
    Blob { layer: Box<Descriptor>, offset: u64 },
    /// In the temporary file.
    Spool { offset: u64 },
}

/// What one layer says about the files of the model.
#[derive(Debug, Default)]
pub(super) struct LayerFiles {
    pub(super) layer: Option<Digest>,
    pub(super) files: Vec<(String, Content)>,
    /// Directories, which replace files of lower layers.
    pub(super) directories: Vec<String>,
    /// Paths that lower layers have and this one deletes.
    pub(super) deleted: Vec<String>,
    /// Directories whose content in lower layers is deleted; empty for the directory of the model itself.
    pub(super) emptied: Vec<String>,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    Bytes {
        place: Place,
        size: u64,
        digest: Option<Digest>,
    },
    /// The same content as another path, below the directory of the model.
    Link(String),
}

impl LayerFiles {
    /// A layer whose only file is known from its annotations.
    pub(super) fn declared(layer: &Descriptor, file: ModelFile, offset: u64, digest: Digest) -> Self {
        let place = Place::Blob { layer: Box::new(layer.clone()), offset };
        let digest = (digest.algorithm() == Algorithm::Sha256).then_some(digest);
        let content = Content::Bytes { place, size: file.size, digest };
        Self { layer: Some(layer.digest.clone()), files: vec![(file.path, content)], ..Self::default() }
    }

    /// Takes a name of the archive apart. `.wh.NAME` deletes a name of lower layers.
    pub(super) fn deletion(&mut self, path: &str) -> bool {
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        if name == OPAQUE {
            self.emptied.push(directory.to_owned());
        } else if let Some(deleted) = name.strip_prefix(WHITEOUT) {
            let deleted = if directory.is_empty() { deleted.to_owned() } else { format!("{directory}/{deleted}") };
            self.deleted.push(deleted);
        } else {
            return false;
        }
        true
    }
}

/// The files of all layers until now.
#[derive(Default)]
pub(super) struct FileTree(BTreeMap<String, (Content, Option<Digest>)>);

impl FileTree {
    /// Puts a layer on top.
    pub(super) fn add(&mut self, layer: LayerFiles) -> Result<()> {
        for directory in &layer.emptied {
            self.remove_below(directory);
        }
        for path in &layer.deleted {
            self.0.remove(path);
            self.remove_below(path);
        }
        for directory in &layer.directories {
            self.0.remove(directory);
        }
        for (path, content) in layer.files {
            if let Some(problem) = problem_of_path(&path) {
                let reason = format!("the name `{}` {}", shown(&path), problem.trim_start_matches("it "));
                return Err(hostile(layer.layer.as_ref(), reason));
            }
            self.remove_below(&path);
            let parents: Vec<&str> = path.match_indices('/').map(|(at, _)| &path[..at]).collect();
            for parent in parents {
                self.0.remove(parent);
            }
            self.0.insert(path, (content, layer.layer.clone()));
        }
        Ok(())
    }

    fn remove_below(&mut self, directory: &str) {
        if directory.is_empty() {
            self.0.clear();
            return;
        }
        let start = format!("{directory}/");
        // `0` follows `/`.
        let end = format!("{directory}0");
        let below: Vec<String> = self.0.range(start..end).map(|(path, _)| path.clone()).collect();
        for path in below {
            self.0.remove(&path);
        }
    }

    /// The files in the end, with links resolved.
    pub(super) fn files(&self, image: &Digest) -> Result<Vec<ImageFile>> {
        let mut files = Vec::with_capacity(self.0.len());
        for (path, (content, layer)) in &self.0 {
            let mut content = content;
            let mut followed = 0;
            while let Content::Link(target) = content {
                followed += 1;
                match self.0.get(target) {
                    Some((next, _)) if followed <= MOST_LINKS => content = next,
                    _ => {
                        let reason = format!("the link `{}` does not lead to a file of the model", shown(path));
                        return Err(hostile(layer.as_ref(), reason));
                    }
                }
            }
            let Content::Bytes { place, size, digest } = content else { continue };
            files.push(ImageFile {
                path: path.clone(),
                size: *size,
                version: digest.as_ref().map_or_else(|| image.to_string(), Digest::to_string),
                digest: digest.clone(),
                place: place.clone(),
            });
        }
        Ok(files)
    }
}

pub(super) fn hostile(layer: Option<&Digest>, reason: String) -> Error {
    match layer {
        Some(layer) => Error::Hostile { layer: layer.clone(), reason },
        None => Error::Invalid { what: "the image".to_owned(), reason },
    }
}

/// A name in a message: without control characters, and not longer than a line.
pub(super) fn shown(path: &str) -> String {
    let mut shown: String = path.escape_debug().take(100).collect();
    if shown.len() < path.len() {
        shown.push('…');
    }
    shown
}

/// The path that a symbolic link leads to, as a path below the same root; `None` if it leaves the root.
pub(super) fn resolve(link: &str, target: &str) -> Option<String> {
    if target.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = link.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(number: u8, files: &[&str]) -> LayerFiles {
        let content = |offset| Content::Bytes { place: Place::Spool { offset }, size: 1, digest: None };
        let files = files.iter().map(|path| ((*path).to_owned(), content(u64::from(number)))).collect();
        LayerFiles { layer: Some(Digest::of(&[number])), files, ..LayerFiles::default() }
    }

    fn listed(layers: Vec<LayerFiles>) -> Result<Vec<(String, u64)>> {
        let mut tree = FileTree::default();
        for layer in layers {
            tree.add(layer)?;
        }
        let files = tree.files(&Digest::of(b""))?;
        Ok(files
            .into_iter()
            .map(|file| match file.place {
                Place::Spool { offset } => (file.path, offset),
                Place::Blob { .. } => (file.path, 99),
            })
            .collect())
    }

    fn expect(list: &[(&str, u64)]) -> Vec<(String, u64)> {
        list.iter().map(|(path, layer)| ((*path).to_owned(), *layer)).collect()
    }

    #[test]
    fn a_higher_layer_hides_files_of_lower_ones() {
        let upper = layer(2, &["a", "d/e", "f"]);
        let found = listed(vec![layer(1, &["a", "b", "d", "f/g", "fa"]), upper]).unwrap();
        assert_eq!(found, expect(&[("a", 2), ("b", 1), ("d/e", 2), ("f", 2), ("fa", 1)]));
    }

    #[test]
    fn deletions_concern_lower_layers_only() {
        let mut upper = layer(2, &["a", "d/new"]);
        for name in [".wh.a", ".wh.b", "d/.wh..wh..opq", ".wh.e"] {
            assert!(upper.deletion(name));
        }
        assert!(!upper.deletion("d/file") && !upper.deletion("wh.x"));
        let found = listed(vec![layer(1, &["a", "b", "c", "d/old", "e/x", "e.x"]), upper]).unwrap();
        assert_eq!(found, expect(&[("a", 2), ("c", 1), ("d/new", 2), ("e.x", 1)]));
        let mut all = layer(3, &[]);
        all.deletion(".wh..wh..opq");
        assert_eq!(listed(vec![layer(1, &["a", "b/c"]), all]).unwrap(), []);
    }

    #[test]
    fn links_lead_to_files_of_the_model_or_are_refused() {
        let linked = |path: &str, target: &str| {
            let mut upper = layer(2, &["x"]);
            upper.files.push((path.to_owned(), Content::Link(target.to_owned())));
            listed(vec![layer(1, &["a"]), upper])
        };
        assert_eq!(linked("l", "a").unwrap(), expect(&[("a", 1), ("l", 1), ("x", 2)]));
        for target in ["missing", "l"] {
            let error = linked("l", target).unwrap_err().to_string();
            assert!(error.contains("does not lead to a file"), "{error}");
        }
        assert_eq!(resolve("d/l", "../a").as_deref(), Some("a"));
        assert_eq!(resolve("d/l", "./x/../b").as_deref(), Some("d/b"));
        for (link, target) in [("l", "../a"), ("d/l", "../../a"), ("l", "/etc/passwd"), ("l", "."), ("d/l", "../..")] {
            assert_eq!(resolve(link, target), None, "{link} -> {target}");
        }
    }

    #[test]
    fn names_that_leave_the_directory_are_refused() {
        for path in ["../a", "a/../../b", "/etc/passwd", "a//b", "a\0b", "", &"x".repeat(10_000)] {
            let error = listed(vec![layer(1, &[path])]).unwrap_err().to_string();
            assert!(error.contains("is refused") && error.len() < 400, "{error}");
        }
    }
}
