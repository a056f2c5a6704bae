//! Programs of other projects, which `cargo xtask test --install` fetches or builds.

use std::io::Write;
use std::path::PathBuf;

/// A program that an environment variable names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignProgram {
    /// The emulator of Azure's blob storage, from npm.
    Azurite,
    /// The S3 server of Python's moto.
    Moto,
    /// The command line of the OCI registry as storage.
    Oras,
    /// A registry of images with the referrers API.
    Registry11,
}

impl ForeignProgram {
    /// The variable that `cargo xtask test` sets.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Azurite => "MR_TEST_AZURITE",
            Self::Moto => "MR_TEST_MOTO",
            Self::Oras => "MR_TEST_ORAS",
            Self::Registry11 => "MR_TEST_OCI_1_1",
        }
    }

    /// Its path; `None`, with a line on standard error, if the variable is not set.
    pub fn find(self) -> Option<PathBuf> {
        let variable = self.variable();
        let path = std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from);
        if path.is_none() {
            let name = std::thread::current().name().unwrap_or_default().to_owned();
            let line = format!("{name} skipped: {variable} is not set; `cargo xtask test --install` sets it\n");
            // Not `eprintln!`, which the test harness captures.
            let _ = std::io::stderr().write_all(line.as_bytes());
        }
        path
    }
}
