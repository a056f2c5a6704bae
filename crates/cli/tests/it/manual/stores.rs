//! Object stores, a hub, a web server and a registry of images for examples, in place of the public ones that they name.

use std::path::Path;
use std::process::Command;

use model_registry_testkit::{
    FileServer, GoogleStore, HubServer, OciRegistry, REGISTRY_PASSWORD, REGISTRY_USER, S3Server,
};

pub(super) struct Stores {
    s3: S3Server,
    google: GoogleStore,
    hub: HubServer,
    web: FileServer,
    registry: OciRegistry,
    /// The docker configuration with the password of the registry.
    auth_file: String,
}

impl Stores {
    pub(super) async fn start(home: &Path) -> Self {
        let hub = HubServer::start().await.unwrap();
        hub.publish("org/model", 1);
        hub.publish_file("org/model", "config.json", "{}", None);
        hub.publish_file("org/model", "weights.safetensors", vec![7; 100_000], None);
        let web = FileServer::start().await.unwrap();
        web.publish("/models/fraud.tar.gz", archive(home));
        web.publish("/models/fraud.onnx", vec![8; 100_000]);
        let registry = OciRegistry::start(&home.join("registry"), None).await.unwrap();
        let entry = serde_json::json!({"username": REGISTRY_USER, "password": REGISTRY_PASSWORD});
        let auth_file = home.join("auth.json");
        std::fs::write(&auth_file, serde_json::json!({"auths": {registry.host(): entry}}).to_string()).unwrap();
        Self {
            s3: S3Server::start().await.unwrap(),
            google: GoogleStore::start().await.unwrap(),
            hub,
            web,
            registry,
            auth_file: auth_file.display().to_string(),
        }
    }

    /// The variables with which the executable uses them.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = self.s3.variables();
        variables.extend(self.google.variables());
        variables.push(("HF_ENDPOINT", self.hub.base_url()));
        variables.push(("REGISTRY_AUTH_FILE", self.auth_file.clone()));
        variables
    }

    /// The commands with the addresses of these servers.
    pub(super) fn in_place_of_public_ones(&self, commands: &str) -> String {
        let web = self.web.url("");
        commands.replace("https://example.com", &web).replace("localhost:5000", &self.registry.host())
    }
}

/// An archive with two files.
fn archive(home: &Path) -> Vec<u8> {
    let directory = home.join("archive");
    std::fs::create_dir_all(directory.join("weights")).unwrap();
    std::fs::write(directory.join("config.json"), "{}").unwrap();
    std::fs::write(directory.join("weights/1.bin"), vec![9; 100_000]).unwrap();
    let mut tar = Command::new("tar");
    let output = tar.args(["-czf", "-", "-C"]).arg(&directory).arg(".").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout
}
