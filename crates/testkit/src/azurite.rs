//! Azurite, the emulator of Azure's blob storage.

use std::path::Path;
use std::process::Command;

use jsonwebtoken::{Algorithm, EncodingKey};
use reqwest::header::AUTHORIZATION;
use rustix::process::Signal;
use tokio::net::TcpStream;

use crate::error::{Error, Result};
use crate::server::{Process, free_port};

/// The account and the key that everyone knows.
const ACCOUNT: &str = "devstoreaccount1";
pub const AZURE_KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
/// The only container.
pub const AZURE_CONTAINER: &str = "models";
const VERSION: &str = "2021-08-06";
const DATE: &str = "Wed, 21 Oct 2015 07:28:00 GMT";

/// A running emulator with one empty container, on a free port of 127.0.0.1; stopped when dropped.
#[derive(Debug)]
pub struct AzuriteServer {
    port: u16,
    process: Process,
}

impl AzuriteServer {
    /// Starts the program, with data in a directory that must be empty or absent.
    pub async fn start(program: &Path, directory: &Path) -> Result<Self> {
        std::fs::create_dir_all(directory)?;
        let port = free_port()?;
        let mut command = Command::new(program);
        command.arg("-l").arg(directory.join("data")).args([
            "--blobHost",
            "127.0.0.1",
            "--blobPort",
            &port.to_string(),
        ]);
        command.args(["--skipApiVersionCheck", "--disableTelemetry", "--silent"]);
        let mut process = Process::start("azurite", &mut command, &directory.join("log"))?;
        process.wait_until(async || TcpStream::connect(("127.0.0.1", port)).await.is_ok()).await?;
        let server = Self { port, process };
        server.create_container().await?;
        Ok(server)
    }

    fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}/{ACCOUNT}", self.port)
    }

    /// The variables with which clients use it.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT.to_owned()),
            ("AZURE_STORAGE_ACCOUNT_KEY", AZURE_KEY.to_owned()),
            ("AZURE_STORAGE_ENDPOINT", self.endpoint()),
            ("AZURE_ALLOW_HTTP", "true".to_owned()),
        ]
    }

    async fn create_container(&self) -> Result<()> {
        let failed = |problem: String| Error::Failed { what: "azurite".to_owned(), problem, log: String::new() };
        let signed = format!(
            "PUT\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:{DATE}\nx-ms-version:{VERSION}\n/{ACCOUNT}/{ACCOUNT}/{AZURE_CONTAINER}\nrestype:container"
        );
        let key = EncodingKey::from_base64_secret(AZURE_KEY).map_err(|error| failed(error.to_string()))?;
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &key, Algorithm::HS256);
        let signature = signature.map_err(|error| failed(error.to_string()))?;
        // The library leaves out the padding, and uses the alphabet of URLs.
        let signature = format!("{}=", signature.replace('-', "+").replace('_', "/"));
        let client = reqwest::Client::builder().no_proxy().build().map_err(|error| failed(error.to_string()))?;
        let request = client
            .put(format!("{}/{AZURE_CONTAINER}?restype=container", self.endpoint()))
            .header("x-ms-date", DATE)
            .header("x-ms-version", VERSION)
            .header(AUTHORIZATION, format!("SharedKey {ACCOUNT}:{signature}"));
        let response = request.send().await.map_err(|error| failed(error.to_string()))?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let body = response.text().await.unwrap_or_default();
        Err(failed(format!("the container was not created: {status}: {body}")))
    }
}

impl Drop for AzuriteServer {
    fn drop(&mut self) {
        self.process.end_now(Signal::TERM);
    }
}
