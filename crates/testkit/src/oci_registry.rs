//! A temporary OCI registry: Debian's `docker-registry`, with a password, with or without TLS.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use tokio::net::TcpStream;

use crate::authority::Issued;
use crate::error::Result;
use crate::server::{Process, ServerTls, free_port};

/// The user of the registry, and the password.
pub const REGISTRY_USER: &str = "registry-user";
pub const REGISTRY_PASSWORD: &str = "registry-password";
/// The password's bcrypt hash, which the registry requires.
const PASSWORD_HASH: &str = "$2y$04$abcdefghijklmnopqrstuuvMfIFKvu0UMo4ROgipiW53f9qa5YK3q";

/// A registry in a temporary directory, on a free port of 127.0.0.1; stopped when dropped.
#[derive(Debug)]
pub struct OciRegistry {
    port: u16,
    data: PathBuf,
    process: Process,
}

impl OciRegistry {
    /// Starts a registry whose data are in `directory`, which must be empty or absent. With a certificate it speaks TLS only.
    pub async fn start(directory: &Path, tls: Option<&Issued>) -> Result<Self> {
        let program = model_registry_programs::docker_registry()?;
        fs::create_dir_all(directory)?;
        let port = free_port()?;
        let (passwords, data) = (directory.join("htpasswd"), directory.join("data"));
        fs::write(&passwords, format!("{REGISTRY_USER}:{PASSWORD_HASH}\n"))?;
        let mut configuration = format!(
            "version: 0.1\nlog: {{level: warn}}\nstorage:\n  filesystem: {{rootdirectory: {}}}\n  delete: {{enabled: true}}\n\
             auth: {{htpasswd: {{realm: test, path: {}}}}}\nhttp:\n  addr: 127.0.0.1:{port}\n",
            data.display(),
            passwords.display()
        );
        if let Some(issued) = tls {
            let (certificate, key) = (directory.join(ServerTls::CERTIFICATE), directory.join(ServerTls::KEY));
            fs::write(&certificate, &issued.certificate)?;
            fs::write(&key, &issued.key)?;
            let lines = format!("  tls: {{certificate: {}, key: {}}}\n", certificate.display(), key.display());
            configuration.push_str(&lines);
        }
        let file = directory.join("config.yml");
        fs::write(&file, configuration)?;
        let mut command = Command::new(program);
        // It reads its settings also from variables that begin so.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("REGISTRY_")) {
            command.env_remove(name);
        }
        let mut process =
            Process::start("docker-registry", command.arg("serve").arg(&file), &directory.join("registry.log"))?;
        process.wait_until(async || TcpStream::connect(("127.0.0.1", port)).await.is_ok()).await?;
        Ok(Self { port, data, process })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// `127.0.0.1:PORT`
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The directory of the blobs: groups of directories that are named by digest, each with a file `data`.
    pub fn blobs(&self) -> PathBuf {
        self.data.join("docker/registry/v2/blobs/sha256")
    }

    /// The digest that a tag points to.
    pub fn tagged(&self, repository: &str, tag: &str) -> Result<String> {
        let tags = self.data.join(format!("docker/registry/v2/repositories/{repository}/_manifests/tags"));
        Ok(fs::read_to_string(tags.join(tag).join("current/link"))?)
    }

    /// The uploads that were neither completed nor cancelled.
    pub fn pending_uploads(&self, repository: &str) -> usize {
        let uploads = self.data.join(format!("docker/registry/v2/repositories/{repository}/_uploads"));
        // The registry leaves the directories of cancelled uploads, without this file.
        let entries = fs::read_dir(uploads).into_iter().flatten().flatten();
        entries.filter(|entry| entry.path().join("startedat").exists()).count()
    }
}

impl Drop for OciRegistry {
    fn drop(&mut self) {
        self.process.end_now(Signal::TERM);
    }
}
