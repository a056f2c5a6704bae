//! How the files of a model become the layers of an image. Pure: paths and sizes in, layers out.
//!
//! Each file is a layer of its own, as long as there are not more files than an image may have layers: layers are sent and
//! fetched in parallel, a file that two versions of a model share is stored once, and a file can be read without its neighbours.
//! With more files the largest keep their own layers, and the others are grouped by their order.

use std::collections::BTreeSet;

use crate::error::{Error, Result};
use crate::manifest::media_type;
use crate::tar::{directory_header, file_header, padding, tar_length};

/// The directory of the model in a `ModelCar` image.
pub(crate) const MODEL_DIRECTORY: &str = "models";
/// Layers of one image. Container runtimes accept about 127, of which the base image has some.
pub const MOST_LAYERS: usize = 100;
/// A file of this size has a layer of its own before the others are grouped.
const OWN_LAYER_SIZE: u64 = 1 << 20;
const LONGEST_PATH: usize = 1024;
const LONGEST_NAME: usize = 255;
/// How names of deletions in layers begin.
pub(crate) const WHITEOUT: &str = ".wh.";

/// A file of a model: its path below the model's directory, and its size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelFile {
    pub path: String,
    pub size: u64,
}

/// The form of an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImageFormat {
    /// A container image with the files under `/models`, as `KServe` reads it.
    #[default]
    ModelCar,
    /// An artifact with the media types of the `ModelPack` specification.
    ModelPack,
}

/// One layer: the files in it, by their position in the list of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layer {
    pub(crate) files: Vec<usize>,
    pub(crate) media_type: &'static str,
    /// Whether the layer is the content of its only file, without an archive around it.
    pub(crate) is_raw: bool,
}

/// What a file is for, which the `ModelPack` media types tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Category {
    Weight,
    Config,
    Doc,
    Code,
}

impl Category {
    fn of(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        let stem = name.split('.').next().unwrap_or_default();
        match extension {
            _ if ["readme", "license", "notice", "changelog"].contains(&stem) => Self::Doc,
            "md" | "rst" | "pdf" => Self::Doc,
            "py" | "sh" | "ipynb" => Self::Code,
            "json" | "yaml" | "yml" | "toml" | "txt" | "jinja" | "cfg" | "ini" | "xml" | "pbtxt" | "vocab" => {
                Self::Config
            }
            _ => Self::Weight,
        }
    }

    fn media_type(self, is_raw: bool) -> &'static str {
        match (self, is_raw) {
            (Self::Weight, true) => "application/vnd.cncf.model.weight.v1.raw",
            (Self::Weight, false) => "application/vnd.cncf.model.weight.v1.tar",
            (Self::Config, true) => "application/vnd.cncf.model.weight.config.v1.raw",
            (Self::Config, false) => "application/vnd.cncf.model.weight.config.v1.tar",
            (Self::Doc, true) => "application/vnd.cncf.model.doc.v1.raw",
            (Self::Doc, false) => "application/vnd.cncf.model.doc.v1.tar",
            (Self::Code, true) => "application/vnd.cncf.model.code.v1.raw",
            (Self::Code, false) => "application/vnd.cncf.model.code.v1.tar",
        }
    }
}

/// Divides files into layers, ordered by path; the order of the list does not matter.
pub(crate) fn layers(files: &[ModelFile], format: ImageFormat, most: usize) -> Vec<Layer> {
    let mut order: Vec<usize> = (0..files.len()).collect();
    let category = |file: usize| match format {
        ImageFormat::ModelCar => Category::Weight,
        ImageFormat::ModelPack => Category::of(&files[file].path),
    };
    let layer = |members: Vec<usize>, is_raw: bool| {
        let category = members.first().map_or(Category::Weight, |first| category(*first));
        let media_type = match format {
            ImageFormat::ModelCar => media_type::LAYER,
            ImageFormat::ModelPack => category.media_type(is_raw),
        };
        Layer { files: members, media_type, is_raw }
    };
    let is_raw = format == ImageFormat::ModelPack;
    order.sort_by(|left, right| files[*left].path.cmp(&files[*right].path));
    if files.len() <= most {
        return order.into_iter().map(|file| layer(vec![file], is_raw)).collect();
    }
    let mut by_size = order.clone();
    by_size.retain(|file| files[*file].size >= OWN_LAYER_SIZE);
    // Stable, so that files of the same size stay ordered by path.
    by_size.sort_by_key(|file| std::cmp::Reverse(files[*file].size));
    by_size.truncate(most / 2);
    by_size.sort_unstable();
    let (own, mut grouped): (Vec<usize>, Vec<usize>) =
        order.into_iter().partition(|file| by_size.binary_search(file).is_ok());
    grouped.sort_by_key(|file| category(*file));
    let groups = u128::from((most - own.len()).max(1) as u64);
    // Headers count: a million empty files are work, too.
    let weight = |file: &usize| u128::from(files[*file].size + 1024);
    let total: u128 = grouped.iter().map(weight).sum();
    let mut layers: Vec<Layer> = own.into_iter().map(|file| layer(vec![file], is_raw)).collect();
    let mut before = 0;
    let mut present: Option<((u128, Category), Vec<usize>)> = None;
    for file in grouped {
        let key = (before * groups / total.max(1), category(file));
        before += weight(&file);
        match &mut present {
            Some((known, members)) if *known == key => members.push(file),
            _ => {
                if let Some((_, members)) = present.replace((key, vec![file])) {
                    layers.push(layer(members, false));
                }
            }
        }
    }
    layers.extend(present.map(|(_, members)| layer(members, false)));
    layers.sort_by(|left, right| files[left.files[0]].path.cmp(&files[right.files[0]].path));
    layers
}

/// Checks the names of files, which become names in archives.
pub(crate) fn check_files(files: &[ModelFile]) -> Result<()> {
    if files.is_empty() {
        return Err(Error::Usage("there are no files: an image of a model needs at least one".to_owned()));
    }
    let mut paths: Vec<&str> = Vec::with_capacity(files.len());
    for file in files {
        if let Some(problem) = problem_of_path(&file.path) {
            return Err(Error::Usage(format!(
                "`{}` cannot be a file of an image: {problem}",
                file.path.escape_debug()
            )));
        }
        paths.push(&file.path);
    }
    paths.sort_unstable();
    for pair in paths.windows(2) {
        let is_below = pair[1].strip_prefix(pair[0]).is_some_and(|rest| rest.starts_with('/'));
        if pair[0] == pair[1] || is_below {
            let (first, second) = (pair[0], pair[1]);
            return Err(Error::Usage(format!("`{first}` and `{second}` cannot both be files of an image")));
        }
    }
    Ok(())
}

/// Why a path is not one of a file below the model's directory.
pub(crate) fn problem_of_path(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("it is empty");
    }
    if path.starts_with('/') {
        return Some("it is absolute");
    }
    if path.len() > LONGEST_PATH {
        return Some("it is longer than 1024 bytes");
    }
    if path.chars().any(char::is_control) {
        return Some("it contains a control character");
    }
    path.split('/').find_map(|name| match name {
        ".." => Some("it contains `..`"),
        "" | "." => Some("it contains an empty name or `.`"),
        name if name.len() > LONGEST_NAME => Some("a name in it is longer than 255 bytes"),
        name if name.starts_with(WHITEOUT) => Some("a name in it begins with `.wh.`, which marks deletions in images"),
        _ => None,
    })
}

/// An archive of files: the bytes before each file, and the length of the whole.
pub(crate) struct Archive {
    /// The header of each file, with the directories that it is the first to be in.
    pub(crate) headers: Vec<Vec<u8>>,
    pub(crate) length: u64,
}

/// The archive of a layer.
pub(crate) fn archive(files: &[&ModelFile], format: ImageFormat) -> Archive {
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut headers = Vec::with_capacity(files.len());
    for file in files {
        let path = path_in_archive(&file.path, format);
        let mut header = Vec::new();
        for (at, _) in path.match_indices('/') {
            let directory = &path[..at];
            if known.insert(directory.to_owned()) {
                header.extend(directory_header(directory));
            }
        }
        header.extend(file_header(&path, file.size));
        headers.push(header);
    }
    let paths: Vec<String> = files.iter().map(|file| path_in_archive(&file.path, format)).collect();
    let sizes = paths.iter().map(String::as_str).zip(files.iter().map(|file| file.size));
    let length = tar_length(known.iter().map(String::as_str), sizes);
    Archive { headers, length }
}

/// Where the content of a file begins in a layer with only this file that this crate has made.
pub(crate) fn content_offset(file: &ModelFile, format: ImageFormat) -> u64 {
    archive(&[file], format).headers.first().map_or(0, |header| header.len() as u64)
}

/// The length of a layer with only this file.
pub(crate) fn single_length(file: &ModelFile, format: ImageFormat) -> u64 {
    archive(&[file], format).length
}

/// The zeros after a file in an archive.
pub(crate) fn zeros_after(size: u64) -> Vec<u8> {
    vec![0; padding(size)]
}

fn path_in_archive(path: &str, format: ImageFormat) -> String {
    match format {
        ImageFormat::ModelCar => format!("{MODEL_DIRECTORY}/{path}"),
        ImageFormat::ModelPack => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(path: &str, size: u64) -> ModelFile {
        ModelFile { path: path.to_owned(), size }
    }

    #[test]
    fn each_file_is_a_layer_ordered_by_path() {
        let files = [file("b", 1), file("a/x", 2), file("a/b", 3)];
        let layers = layers(&files, ImageFormat::ModelCar, 10);
        let members: Vec<&[usize]> = layers.iter().map(|layer| layer.files.as_slice()).collect();
        assert_eq!(members, [&[2], &[1], &[0]]);
        assert!(layers.iter().all(|layer| layer.media_type == media_type::LAYER && !layer.is_raw));
    }

    #[test]
    fn with_many_files_the_largest_keep_their_layers_and_the_others_are_grouped() {
        let mut files: Vec<ModelFile> = (0..1000).map(|number| file(&format!("small/{number:04}"), 1000)).collect();
        files.push(file("large-1", 5 << 30));
        files.push(file("large-2", 5 << 30));
        let layers = layers(&files, ImageFormat::ModelCar, 10);
        assert_eq!(layers.len(), 10);
        assert_eq!((layers[0].files.as_slice(), layers[1].files.as_slice()), (&[1000][..], &[1001][..]));
        assert!(layers[2..].iter().all(|layer| (100..=150).contains(&layer.files.len())));
    }

    #[test]
    fn model_pack_layers_have_the_media_type_of_their_content() {
        let files = [
            file("README.md", 1),
            file("config.json", 1),
            file("model.safetensors", 1),
            file("run.py", 1),
            file("LICENSE", 1),
            file("weights/model.bin", 1),
        ];
        let types: Vec<&str> =
            layers(&files, ImageFormat::ModelPack, 10).iter().map(|layer| layer.media_type).collect();
        let name = |kind: &str| format!("application/vnd.cncf.model.{kind}.v1.raw");
        assert_eq!(types, ["doc", "doc", "weight.config", "weight", "code", "weight"].map(name));
        let grouped = layers(&files, ImageFormat::ModelPack, 2);
        assert!(grouped.iter().all(|layer| !layer.is_raw && layer.media_type.contains(".v1.tar")));
    }

    #[test]
    fn names_that_cannot_be_in_an_image_are_refused() {
        for (path, problem) in [
            ("", "empty"),
            ("/a", "absolute"),
            ("a/../b", "`..`"),
            ("a//b", "empty name"),
            ("a/", "empty name"),
            ("a\0b", "control"),
            (".wh.a", ".wh."),
            (&"x".repeat(256), "255"),
            (&"x/".repeat(600), "1024"),
        ] {
            let error = check_files(&[file(path, 1)]).unwrap_err().to_string();
            assert!(error.contains(problem), "{path}: {error}");
        }
        assert!(check_files(&[]).is_err());
        assert!(check_files(&[file("a", 1), file("a", 2)]).is_err());
        assert!(check_files(&[file("a/b", 1), file("a", 2)]).is_err());
        assert!(check_files(&[file("a/b", 1), file("a.b", 2), file("ab", 3)]).is_ok());
    }

    #[test]
    fn an_archive_begins_with_the_directories_and_its_length_is_exact() {
        let files = [file("a/b", 600), file("a/c", 0)];
        let archive = archive(&[&files[0], &files[1]], ImageFormat::ModelCar);
        assert_eq!(archive.headers.iter().map(Vec::len).collect::<Vec<_>>(), [3 * 512, 512]);
        assert_eq!(archive.length, 3 * 512 + 1024 + 512 + 1024);
        assert_eq!(content_offset(&files[0], ImageFormat::ModelCar), 3 * 512);
        assert_eq!(content_offset(&files[0], ImageFormat::ModelPack), 2 * 512);
    }

    proptest! {
        #[test]
        fn every_file_is_in_exactly_one_layer_and_the_layers_do_not_depend_on_the_order(
            sizes in prop::collection::vec(prop_oneof![0_u64..5000, 0_u64..(1 << 40)], 1..300),
            most in 2_usize..40,
            is_pack: bool,
        ) {
            let format = if is_pack { ImageFormat::ModelPack } else { ImageFormat::ModelCar };
            let endings = [".bin", ".json", ".md", ".py"];
            let files: Vec<ModelFile> = sizes.iter().enumerate()
                .map(|(number, size)| file(&format!("{number}{}", endings[number % 4]), *size)).collect();
            let plan = layers(&files, format, most);
            let mut members: Vec<usize> = plan.iter().flat_map(|layer| layer.files.clone()).collect();
            members.sort_unstable();
            prop_assert_eq!(members, (0..files.len()).collect::<Vec<_>>());
            // One more layer for each category that begins within a group.
            prop_assert!(plan.len() <= most.max(1) + if is_pack { 3 } else { 0 }, "{} layers", plan.len());

            let mut reversed = files.clone();
            reversed.reverse();
            let other = layers(&reversed, format, most);
            let names = |files: &[ModelFile], plan: &[Layer]| -> Vec<Vec<String>> {
                plan.iter().map(|layer| layer.files.iter().map(|file| files[*file].path.clone()).collect()).collect()
            };
            prop_assert_eq!(names(&files, &plan), names(&reversed, &other));
        }
    }
}
