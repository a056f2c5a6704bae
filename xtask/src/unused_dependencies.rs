//! Checks that every dependency in a manifest is used.
//!
//! Like `cargo machete`, it looks for the name of the library in the source files, but it needs no program that would have to
//! be compiled first.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::process;

/// Dependencies that no source file names: package and libraries. They are there for their features: see the manifest of the
/// test kit.
const EXCEPTIONS: [(&str, &[&str]); 2] = [
    ("model-registry-client", &["model-registry-testkit"]),
    (
        "model-registry-testkit",
        &[
            "clap",
            "futures",
            "gix-hash",
            "gix-pack",
            "hyper-util",
            "model-registry-filter",
            "notify",
            "object_store",
            "opentelemetry-otlp",
            "serde-saphyr",
            "sha2",
            "subtle",
            "toml",
            "toml_edit",
            "tracing-subscriber",
            "utoipa-swagger-ui",
            "uuid",
        ],
    ),
];

pub(crate) fn check() -> Result<()> {
    let root = process::root();
    let mut problems = Vec::new();
    let mut used = BTreeSet::new();
    for manifest in manifests(&root)? {
        let directory = manifest.parent().unwrap_or(&root);
        let package = Manifest::read(&manifest)?;
        let production = source(directory, &["src", "build.rs"])?;
        let tests = source(directory, &["src", "tests", "benches", "examples"])?;
        used.extend(package.dependencies.iter().chain(&package.dev_dependencies).cloned());
        for (dependencies, source, folders) in
            [(&package.dependencies, &production, "src"), (&package.dev_dependencies, &tests, "src and tests")]
        {
            for dependency in dependencies.iter().filter(|dependency| !is_used(dependency, source)) {
                if !is_exception(&package.name, dependency) {
                    problems.push(format!("  {} does not use {dependency} in {folders}", package.name));
                }
            }
        }
    }
    let workspace = Manifest::read(&root.join("Cargo.toml"))?;
    for dependency in workspace.dependencies.iter().filter(|dependency| !used.contains(*dependency)) {
        problems.push(format!("  no package uses {dependency} of [workspace.dependencies]"));
    }
    if !problems.is_empty() {
        let list = problems.join("\n");
        bail!("unused dependencies:\n{list}\nxtask/src/unused_dependencies.rs lists the exceptions");
    }
    Ok(())
}

fn is_exception(package: &str, dependency: &str) -> bool {
    EXCEPTIONS.iter().any(|(of, libraries)| *of == package && libraries.contains(&dependency))
}

/// The manifests of the workspace's packages.
fn manifests(root: &Path) -> Result<Vec<PathBuf>> {
    let mut manifests: Vec<PathBuf> = ["bench", "xtask"].map(|package| root.join(package).join("Cargo.toml")).into();
    for entry in fs::read_dir(root.join("crates"))? {
        let manifest = entry?.path().join("Cargo.toml");
        if manifest.exists() {
            manifests.push(manifest);
        }
    }
    manifests.sort();
    Ok(manifests)
}

/// The names in a manifest.
#[derive(Debug, Default, PartialEq, Eq)]
struct Manifest {
    name: String,
    dependencies: BTreeSet<String>,
    dev_dependencies: BTreeSet<String>,
}

impl Manifest {
    fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self::parse(&text))
    }

    /// Reads the subset of TOML that our manifests use: one dependency per line.
    fn parse(text: &str) -> Self {
        let mut manifest = Self::default();
        let mut section = "";
        for line in text.lines() {
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.split(']').next()) {
                section = name;
                continue;
            }
            let Some((key, value)) = line.split_once('=') else { continue };
            let key = key.split('.').next().unwrap_or_default().trim();
            if key.is_empty() || key.starts_with('#') {
                continue;
            }
            match section {
                "package" if key == "name" => value.trim().trim_matches('"').clone_into(&mut manifest.name),
                "dependencies" | "build-dependencies" | "workspace.dependencies" => {
                    manifest.dependencies.insert(key.to_owned());
                }
                "dev-dependencies" => {
                    manifest.dev_dependencies.insert(key.to_owned());
                }
                _ => {}
            }
        }
        manifest
    }
}

/// The Rust source below the folders or files of a package, without comment lines.
fn source(directory: &Path, parts: &[&str]) -> Result<String> {
    let mut source = String::new();
    let mut pending: Vec<PathBuf> =
        parts.iter().map(|part| directory.join(part)).filter(|path| path.exists()).collect();
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            for entry in fs::read_dir(&path)? {
                pending.push(entry?.path());
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path)?;
            for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
                source.push_str(line);
                source.push('\n');
            }
        }
    }
    Ok(source)
}

/// Whether a source names the library as the start of a path or in `use`.
fn is_used(dependency: &str, source: &str) -> bool {
    let library = dependency.replace('-', "_");
    source.match_indices(&library).any(|(start, _)| {
        let (before, after) = (&source[..start], &source[start + library.len()..]);
        let is_word = |character: char| character.is_alphanumeric() || character == '_';
        // A leading `::` starts a path too, unless it continues one.
        let starts_a_path = !before.strip_suffix("::").unwrap_or(before).ends_with(is_word);
        starts_a_path && (after.starts_with("::") || before.ends_with("use ") && !after.starts_with(is_word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_used_by_a_path_or_an_import() {
        for source in
            ["use serde_json::Value;", "serde_json::to_string(x)", "use serde_json as json;", "f(::serde_json::X)"]
        {
            assert!(is_used("serde-json", source), "{source}");
        }
        for source in ["let serde_json = 1;", "use my_serde_json::X;", "use crate::serde_json::X;", "serde_json_2::x()"]
        {
            assert!(!is_used("serde-json", source), "{source}");
        }
    }

    #[test]
    fn manifests_are_read_by_section() {
        let text = "[package]\nname = \"x\"\n[dependencies]\na.workspace = true\n# b = 1\nc = { workspace = true }\n\n\
                    [dev-dependencies]\nd.workspace = true\n[lints]\nworkspace = true\n";
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let expected = Manifest { name: "x".into(), dependencies: names(&["a", "c"]), dev_dependencies: names(&["d"]) };
        assert_eq!(Manifest::parse(text), expected);
    }
}
