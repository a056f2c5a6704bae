//! Python virtual environments in `target/python`, one per program, so that their packages do not conflict.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, anyhow};

use crate::process;

/// A virtual environment with one package, and the environment variable through which tests find it.
#[derive(Debug)]
pub(crate) struct Environment {
    name: &'static str,
    requirement: &'static str,
    variable: &'static str,
    /// The program in its folder `bin`, the value of the variable.
    program: &'static str,
}

/// An S3 server, and boto3, which it depends on.
pub(crate) const MOTO: Environment =
    Environment { name: "moto", requirement: "moto[server]==5.2.5", variable: "MR_TEST_MOTO", program: "moto_server" };

pub(crate) const ENVIRONMENTS: [Environment; 6] = [
    MOTO,
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
    /// The environment variable for the tests: its name and value.
    pub(crate) fn variable(&self) -> (&'static str, PathBuf) {
        (self.variable, self.directory().join("bin").join(self.program))
    }

    /// Creates the environment, unless it is complete.
    pub(crate) fn prepare(&self) -> Result<()> {
        let directory = self.directory();
        // Written last: an environment that was interrupted, or has another requirement, is created again.
        let mark = directory.join("complete");
        if fs::read_to_string(&mark).is_ok_and(|requirement| requirement == self.requirement)
            && self.variable().1.exists()
        {
            return Ok(());
        }
        self.create(&directory).with_context(|| format!("cannot create the Python environment `{}`", self.name))?;
        fs::write(mark, self.requirement)?;
        Ok(())
    }

    fn create(&self, directory: &Path) -> Result<()> {
        if directory.exists() {
            fs::remove_dir_all(directory)?;
        }
        process::complete_quietly(Command::new("python3").args(["-m", "venv"]).arg(directory), None)?;
        let mut install = Command::new(directory.join("bin/python"));
        let pip = ["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", self.requirement];
        process::complete_quietly(install.args(pip), None)
    }

    fn directory(&self) -> PathBuf {
        process::target().join("python").join(self.name)
    }
}

/// Prepares all environments, in parallel.
pub(crate) fn prepare_all() -> Result<()> {
    thread::scope(|scope| {
        let preparations: Vec<_> = ENVIRONMENTS.iter().map(|one| scope.spawn(|| one.prepare())).collect();
        for preparation in preparations {
            preparation.join().map_err(|_| anyhow!("the preparation of a Python environment panicked"))??;
        }
        Ok(())
    })
}
