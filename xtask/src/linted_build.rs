//! Compiles with lints: clippy compiles the crates of the workspace instead of the compiler, and rustdoc checks their
//! documentation with the same libraries.
//!
//! `cargo clippy` and `cargo doc` share nothing with tests: they compile every library once more, and every crate of the workspace
//! twice more. Here cargo starts this program for each crate of the workspace (`RUSTC_WORKSPACE_WRAPPER`), as `cargo clippy` does
//! with its driver. A warning fails the compilation.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};

use crate::process;

/// Set while this program is the wrapper.
const VARIABLE: &str = "MODEL_REGISTRY_LINTED_BUILD";
/// The separator of clippy's arguments in its variable.
const CLIPPY_SEPARATOR: &str = "__CLIPPY_HACKERY__";

/// Variables for cargo, with which it compiles the workspace with lints. The same ones have to be set for every command, because
/// cargo compiles again with others.
pub(crate) fn variables() -> Result<Vec<(&'static str, OsString)>> {
    // A copy, because the compilation replaces this program.
    let directory = process::target().join("linted-build");
    let wrapper = directory.join("compiler");
    std::fs::create_dir_all(&directory)
        .and_then(|()| std::fs::copy(env::current_exe()?, &wrapper))
        .with_context(|| format!("cannot copy this program to {}", wrapper.display()))?;
    Ok(vec![
        (VARIABLE, "1".into()),
        ("RUSTC_WORKSPACE_WRAPPER", wrapper.into()),
        ("CLIPPY_ARGS", format!("-D{CLIPPY_SEPARATOR}warnings{CLIPPY_SEPARATOR}").into()),
    ])
}

/// Runs as the compiler, if cargo has started this process as its wrapper.
pub(crate) fn run_as_compiler() -> Option<ExitCode> {
    env::var_os(VARIABLE)?;
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let (compiler, arguments) = arguments.split_first()?;
    if Path::new(compiler).file_stem() != Some(OsStr::new("rustc")) {
        return None;
    }
    Some(match compile(compiler, arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    })
}

fn compile(compiler: &OsStr, arguments: &[OsString]) -> Result<()> {
    complete(Command::new(tool("clippy-driver")).arg(compiler).args(arguments))?;
    match rustdoc_arguments(arguments) {
        Some(arguments) => complete(Command::new(tool("rustdoc")).args(arguments)),
        None => Ok(()),
    }
}

fn complete(command: &mut Command) -> Result<()> {
    let program = Path::new(command.get_program()).display().to_string();
    let status = command.status().with_context(|| format!("cannot start {program}"))?;
    ensure!(status.success(), "{program} failed with {status}");
    Ok(())
}

/// A program of the toolchain of the running cargo.
fn tool(name: &str) -> PathBuf {
    let tool = process::cargo_program().with_file_name(name);
    if tool.is_file() { tool } else { PathBuf::from(name) }
}

/// The arguments with which rustdoc documents what the compiler compiles; `None` for tests, build scripts and queries.
fn rustdoc_arguments(arguments: &[OsString]) -> Option<Vec<OsString>> {
    /// Options for the output of the compiler, which rustdoc does not have.
    const DROPPED: [&str; 7] =
        ["--emit", "--out-dir", "--codegen", "-C", "--error-format", "--json", "--diagnostic-width"];
    let (mut kept, mut name, mut kind) = (Vec::new(), None, None);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let text = argument.to_str().unwrap_or_default();
        if text == "--test" || text == "-vV" || text.starts_with("--print") {
            return None;
        }
        if DROPPED.contains(&text) {
            rest.next();
            continue;
        }
        let is_dropped =
            |option: &&str| text.strip_prefix(*option).is_some_and(|rest| rest.starts_with('=') || *option == "-C");
        if DROPPED.iter().any(is_dropped) {
            continue;
        }
        kept.push(argument.clone());
        match text {
            "--crate-name" => name = rest.clone().next().cloned(),
            "--crate-type" => kind = rest.clone().next().cloned(),
            _ => {}
        }
    }
    let (name, kind) = (name?.into_string().ok()?, kind?.into_string().ok()?);
    if name == "___" || name.starts_with("build_script_") {
        return None;
    }
    if kind == "bin" {
        // As `cargo doc` does.
        kept.push("--document-private-items".into());
    }
    let output = process::target().join("linted-build").join(format!("{name}-{kind}"));
    kept.extend(["-Dwarnings".into(), "-o".into(), output.into()]);
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rustdoc(line: &str) -> Option<String> {
        let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let kept = rustdoc_arguments(&arguments)?;
        let kept: Vec<String> = kept.into_iter().map(|argument| argument.into_string().unwrap()).collect();
        let (all, output) = kept.split_at(kept.len() - 1);
        assert!(output[0].contains("linted-build"));
        Some(all.join(" "))
    }

    #[test]
    fn a_library_and_a_program_are_documented_with_the_arguments_of_the_compiler() {
        let line = "--crate-name base --edition=2024 crates/base/src/lib.rs --error-format=json --json=artifacts \
                    --crate-type lib --emit=dep-info,metadata,link -C embed-bitcode=no -Cdebuginfo=1 --warn=clippy::all \
                    --cfg feature=\"x\" --out-dir target/deps -L dependency=target/deps --extern a=liba.rmeta --cap-lints warn";
        let kept = "--crate-name base --edition=2024 crates/base/src/lib.rs --crate-type lib --warn=clippy::all \
                    --cfg feature=\"x\" -L dependency=target/deps --extern a=liba.rmeta --cap-lints warn";
        assert_eq!(rustdoc(line), Some(format!("{kept} -Dwarnings -o")));
        let program = "--crate-name xtask xtask/src/main.rs --crate-type bin";
        assert_eq!(rustdoc(program), Some(format!("{program} --document-private-items -Dwarnings -o")));
    }

    #[test]
    fn tests_build_scripts_and_queries_are_not_documented() {
        for line in [
            "--crate-name it tests/it/main.rs --emit=link --test",
            "--crate-name build_script_build build.rs --crate-type bin",
            "- --crate-name ___ --print=file-names --crate-type bin",
            "-vV",
        ] {
            assert_eq!(rustdoc(line), None, "{line}");
        }
    }
}
