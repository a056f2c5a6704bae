//! Python virtual environments under `target/python`, one for each program that must not see another's packages.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tokio::process::Command;

use crate::cargo;

/// A virtual environment: its name, what is installed in it, and the variable that tells tests where it is.
#[derive(Debug)]
pub(crate) struct Environment {
    name: &'static str,
    requirement: &'static str,
    variable: &'static str,
    /// The program in `bin` that the variable names.
    program: &'static str,
}

pub(crate) const ENVIRONMENTS: [Environment; 5] = [
    Environment {
        name: "client-0.3.9",
        requirement: "model-registry==0.3.9",
        variable: "MR_TEST_PYTHON_CLIENT_0_3_9",
        program: "python",
    },
    Environment {
        name: "client-0.3.18",
        requirement: "model-registry==0.3.18",
        variable: "MR_TEST_PYTHON_CLIENT_0_3_18",
        program: "python",
    },
    Environment {
        name: "schemathesis",
        requirement: "schemathesis==4.32.5",
        variable: "MR_TEST_SCHEMATHESIS",
        program: "schemathesis",
    },
    Environment {
        name: "prometheus-client",
        requirement: "prometheus-client==0.26.0",
        variable: "MR_TEST_PROMETHEUS_CLIENT",
        program: "python",
    },
    Environment {
        name: "huggingface-hub",
        requirement: "huggingface_hub==2.4.0",
        variable: "MR_TEST_HUGGINGFACE_HUB",
        program: "python",
    },
];

impl Environment {
    /// The variable and its value, for the tests.
    pub(crate) fn variable(&self) -> (&'static str, PathBuf) {
        (self.variable, self.directory().join("bin").join(self.program))
    }

    /// Makes the environment, unless it is there and complete.
    pub(crate) async fn prepare(&self) -> Result<()> {
        let directory = self.directory();
        // Written last: an environment whose making was interrupted is made again, and so is one of another requirement.
        let mark = directory.join("complete");
        if fs::read_to_string(&mark).is_ok_and(|requirement| requirement == self.requirement)
            && self.variable().1.exists()
        {
            return Ok(());
        }
        self.create(&directory).await.with_context(|| format!("cannot make the Python environment `{}`", self.name))?;
        fs::write(mark, self.requirement)?;
        Ok(())
    }

    async fn create(&self, directory: &Path) -> Result<()> {
        if directory.exists() {
            fs::remove_dir_all(directory)?;
        }
        cargo::complete_quietly(Command::new("python3").args(["-m", "venv"]).arg(directory)).await?;
        let mut install = Command::new(directory.join("bin/python"));
        install.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-input",
            "--disable-pip-version-check",
            self.requirement,
        ]);
        cargo::complete_quietly(&mut install).await
    }

    fn directory(&self) -> PathBuf {
        cargo::target().join("python").join(self.name)
    }
}

/// Prepares all of them, at the same time.
pub(crate) async fn prepare_all() -> Result<()> {
    let [one, two, three, four, five] = &ENVIRONMENTS;
    tokio::try_join!(one.prepare(), two.prepare(), three.prepare(), four.prepare(), five.prepare())?;
    Ok(())
}
