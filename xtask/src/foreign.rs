//! Servers and clients of other projects that tests run against: from npm and Go, and one that cargo builds.
//!
//! A package of npm is in `target/node`; what takes long to build is in the user's cache folder, which CI may keep. Without `--install`,
//! what is not there yet is not fetched or built, and its tests are skipped.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, anyhow};
use model_registry_programs::find_program;

use crate::{dependencies, process};

/// How a program is made.
#[derive(Clone, Copy, Debug)]
enum Source {
    /// A package with its version; the program is in `node_modules/.bin`.
    Npm(&'static str),
    /// A module of Go with its version.
    Go(&'static str),
    /// A crate with its version.
    Cargo(&'static str),
}

/// A program, and the environment variable through which tests find it.
#[derive(Clone, Copy, Debug)]
struct Foreign {
    name: &'static str,
    source: Source,
    program: &'static str,
    variable: &'static str,
}

static ALL: [Foreign; 3] = [
    Foreign {
        name: "azurite-3.37.0",
        source: Source::Npm("azurite@3.37.0"),
        program: "azurite-blob",
        variable: "MR_TEST_AZURITE",
    },
    Foreign {
        name: "oras-1.3.6",
        source: Source::Go("oras.land/oras/cmd/oras@v1.3.6"),
        program: "oras",
        variable: "MR_TEST_ORAS",
    },
    // A registry with the referrers API.
    Foreign {
        name: "ferro-oci-server-1.0.0",
        source: Source::Cargo("ferro-oci-server@1.0.0"),
        program: "ferro-oci-server",
        variable: "MR_TEST_OCI_1_1",
    },
];

impl Source {
    fn tool(self) -> &'static str {
        match self {
            Self::Npm(_) => "npm",
            Self::Go(_) => "go",
            Self::Cargo(_) => "cargo",
        }
    }
}

impl Foreign {
    fn directory(&self) -> PathBuf {
        match self.source {
            Source::Npm(_) => process::target().join("node").join(self.name),
            Source::Go(_) | Source::Cargo(_) => dependencies::cache_of(self.name),
        }
    }

    fn path(&self) -> PathBuf {
        let below = match self.source {
            Source::Npm(_) => "node_modules/.bin",
            Source::Go(_) | Source::Cargo(_) => "bin",
        };
        self.directory().join(below).join(self.program)
    }

    fn make(&self) -> Result<()> {
        let directory = self.directory();
        fs::create_dir_all(&directory)?;
        let command = match self.source {
            Source::Npm(package) => {
                let mut npm = Command::new("npm");
                npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]);
                npm.arg(&directory).arg(package);
                npm
            }
            Source::Go(module) => {
                let mut go = Command::new("go");
                go.args(["install", "-trimpath", "-ldflags=-s -w", module]);
                go.env("GOBIN", directory.join("bin")).env("CGO_ENABLED", "0").env("GOFLAGS", "-mod=mod");
                go
            }
            Source::Cargo(package) => {
                let mut cargo = process::cargo(["install", "--locked", "--debug", package, "--root"]);
                cargo.arg(&directory).env("CARGO_TARGET_DIR", directory.join("build"));
                cargo.env("CARGO_PROFILE_DEV_DEBUG", "false");
                cargo
            }
        };
        let mut quiet = command;
        quiet.current_dir(&directory);
        process::complete_quietly(&mut quiet, None).with_context(|| format!("cannot make {}", self.name))?;
        if directory.join("build").exists() {
            fs::remove_dir_all(directory.join("build"))?;
        }
        Ok(())
    }
}

/// Makes what is missing, if `install` is set and the tools for it are there. Prints what is left out.
pub(crate) fn prepare(install: bool) -> Result<()> {
    thread::scope(|scope| {
        let missing = ALL.iter().filter(|one| !one.path().exists());
        let mut made = Vec::new();
        for one in missing {
            let tool = one.source.tool();
            if !install {
                eprintln!("the tests with {} are skipped: `--install` fetches or builds it", one.name);
            } else if tool != "cargo" && find_program(tool, &[]).is_none() {
                eprintln!("the tests with {} are skipped: {tool} is not installed", one.name);
            } else {
                made.push((one, scope.spawn(move || one.make())));
            }
        }
        for (one, made) in made {
            // Like a tool that is missing: another version of it, or a package index that is away.
            if let Err(error) = made.join().map_err(|_| anyhow!("the build of a program panicked"))? {
                eprintln!("the tests with {} are skipped: {error:#}", one.name);
            }
        }
        Ok(())
    })
}

/// The variables of what is there.
pub(crate) fn variables() -> impl Iterator<Item = (&'static str, PathBuf)> {
    ALL.iter().map(|one| (one.variable, one.path())).filter(|(_, path)| path.exists())
}
