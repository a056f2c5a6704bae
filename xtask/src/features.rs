//! Checks that every package compiles a library with the same features: libraries of others and our own.
//!
//! Cargo unifies features over the packages of one command only: where they differ between the executable, the tests of one
//! package and the whole workspace, each of these commands compiles the library again, and everything that depends on it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};

use crate::process;

/// The package with the features that the tests of all others need; without it, a package compiles few libraries.
const CARRIER: &str = "model-registry-testkit";

/// Libraries that are compiled with two sets of features in one command, once for build scripts and procedural macros.
/// All of them are small.
const COMPILED_TWICE: [&str; 7] = ["either", "getrandom", "hashbrown", "indexmap", "log", "thiserror", "zlib-rs"];

/// Libraries that have more features in tests than in the executable, which has the first one through gitoxide, and not the part
/// of the second one that random tests compare with. The next four have more through the S3 server of the test kit. `either` is small,
/// and compiled twice in any case.
const MORE_IN_TESTS: [&str; 7] =
    ["regex-automata", "model-registry-filter", "md-5", "sha1", "simdutf8", "time", "either"];

pub(crate) fn check() -> Result<()> {
    let all = libraries(&["--workspace"])?;
    let mut problems: Vec<String> = compiled_twice(&all)
        .into_iter()
        .map(|name| format!("  {name} is compiled twice: with other features for build scripts or procedural macros"))
        .collect();
    let mut commands = vec![
        ("cargo xtask run".to_owned(), libraries(&["--package", "model-registry", "--edges", "normal,build"])?),
        ("cargo xtask databases".to_owned(), libraries(&["--package", CARRIER, "--edges", "normal,build"])?),
    ];
    for package in packages()? {
        let libraries = libraries(&["--package", &package])?;
        if libraries.keys().any(|library| library.starts_with(CARRIER)) {
            commands.push((format!("cargo test -p {package}"), libraries));
        }
    }
    for (command, libraries) in &commands {
        problems.extend(differences(command, libraries, &all));
    }
    if !problems.is_empty() {
        bail!(
            "libraries are compiled more than once:\n{}\nName the features in [workspace.dependencies], or add the library \
             that enables them to the manifest of {CARRIER}",
            problems.join("\n")
        );
    }
    Ok(())
}

/// Libraries by name and version, with the sets of features they are compiled with.
type Libraries = BTreeMap<String, BTreeSet<String>>;

fn libraries(arguments: &[&str]) -> Result<Libraries> {
    let mut tree = process::cargo(["tree", "--locked", "--quiet", "--prefix", "none", "--format", "{p}|{f}"]);
    Ok(parse(&process::output(tree.args(arguments))?))
}

/// Parses lines such as `tokio v1.54.1|default,fs (*)` and `model-registry-base v0.1.0 (/path)|`.
fn parse(tree: &str) -> Libraries {
    let mut libraries = Libraries::new();
    for line in tree.lines() {
        let Some((library, features)) = line.split_once('|') else { continue };
        let (name, _) = library.split_once(" (").unwrap_or((library, ""));
        let features = features.trim_end_matches(" (*)").to_owned();
        libraries.entry(name.to_owned()).or_default().insert(features);
    }
    libraries
}

fn compiled_twice(all: &Libraries) -> Vec<&str> {
    let several = all.iter().filter(|(_, features)| features.len() > 1).map(|(library, _)| library.as_str());
    several.filter(|library| !COMPILED_TWICE.iter().any(|name| library.split(' ').next() == Some(name))).collect()
}

fn differences(command: &str, libraries: &Libraries, all: &Libraries) -> Vec<String> {
    let mut differences = Vec::new();
    let is_excepted = |library: &str| MORE_IN_TESTS.iter().any(|name| library.split(' ').next() == Some(name));
    for (library, sets) in libraries.iter().filter(|(library, _)| !is_excepted(library)) {
        let in_workspace = all.get(library).cloned().unwrap_or_default();
        for features in sets.difference(&in_workspace) {
            let has: BTreeSet<&str> = features.split(',').collect();
            let lacks: BTreeSet<&str> = in_workspace.iter().flat_map(|set| set.split(',')).collect();
            let lacks: Vec<&str> = lacks.difference(&has).copied().collect();
            differences.push(format!("  {command}: {library} lacks {}", lacks.join(", ")));
        }
    }
    differences
}

/// The names of the workspace's packages.
fn packages() -> Result<Vec<String>> {
    let tree = process::output(&mut process::cargo([
        "tree",
        "--locked",
        "--quiet",
        "--workspace",
        "--depth",
        "0",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]))?;
    Ok(tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .filter(|name| !name.is_empty())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_features_are_reported_for_all_libraries() {
        let all = parse(
            "a v1|x,y\nb v2 (proc-macro)|\nlog v1|\nlog v1|std\nours v1 (/path/ours)|f\n\nb v2 (proc-macro)| (*)\n",
        );
        assert_eq!(all.keys().collect::<Vec<_>>(), ["a v1", "b v2", "log v1", "ours v1"]);
        assert!(compiled_twice(&all).is_empty());
        assert_eq!(compiled_twice(&parse("a v1|\na v1|x\n")), ["a v1"]);
        let one = parse("a v1|x\nb v2 (proc-macro)|\nours v1 (/path/ours)|\n");
        let expected = ["  cargo test -p ours: a v1 lacks y", "  cargo test -p ours: ours v1 lacks f"];
        assert_eq!(differences("cargo test -p ours", &one, &all), expected);
        let excepted = parse("model-registry-filter v1 (/path)|\n");
        let more = parse("model-registry-filter v1 (/path)|evaluate\n");
        assert!(differences("cargo xtask run", &excepted, &more).is_empty());
    }
}
