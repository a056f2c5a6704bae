//! oras, and a registry with the referrers API: each reads what the other has written.

use std::path::{Path, PathBuf};
use std::process::Command;

use model_registry_oci::{AttachedBlob, Attachment, ImageFormat, ImageOptions, ImageReference};
use model_registry_testkit::{ForeignProgram, Registry11};
use tempfile::TempDir;

use crate::support::{Files, anonymous, files, pull, push};

struct Server {
    registry: Registry11,
    oras: PathBuf,
    directory: TempDir,
}

async fn start() -> Option<Server> {
    let (program, oras) = (ForeignProgram::Registry11.find()?, ForeignProgram::Oras.find()?);
    let directory = tempfile::tempdir().unwrap();
    let registry = Registry11::start(&program, &directory.path().join("registry")).await.unwrap();
    Some(Server { registry, oras, directory })
}

impl Server {
    fn image(&self, rest: &str) -> ImageReference {
        format!("oci://{}/{rest}", self.registry.host()).parse().unwrap()
    }

    /// Runs oras in a directory; fails with its output.
    fn oras(&self, directory: &Path, arguments: &[&str], image: &str, rest: &[&str]) -> String {
        let mut command = Command::new(&self.oras);
        command.args(arguments).args(["--plain-http", &format!("{}/{image}", self.registry.host())]).args(rest);
        let output = command.current_dir(directory).env("HOME", directory).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
        text
    }

    fn path(&self, name: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::create_dir_all(&path).unwrap();
        path
    }
}

fn write(directory: &Path, files: &Files) {
    for (path, content) in files {
        let path = directory.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn oras_reads_what_is_pushed_and_what_oras_pushes_is_read() {
    let Some(server) = start().await else { return };
    let model = files(&[("config.json", 40), ("model.bin", 350_000), ("sub/tokenizer.json", 900)]);
    let options = ImageOptions { format: ImageFormat::ModelPack, ..ImageOptions::default() };
    push(&anonymous(), &server.image("org/pack:1"), &model, options).await.unwrap();
    let pulled = server.path("pulled");
    server.oras(&pulled, &["pull"], "org/pack:1", &[]);
    for (path, content) in &model {
        assert!(std::fs::read(pulled.join(path)).unwrap() == *content, "{path}");
    }

    let pushed = server.path("pushed");
    write(&pushed, &model);
    // A file in a subdirectory as it is, and the whole directory as an archive.
    server.oras(&pushed, &["push"], "org/oras:1", &["config.json", "model.bin:application/x-model", "sub"]);
    assert_eq!(pull(&anonymous(), &server.image("org/oras:1")).await.unwrap(), model);
}

#[tokio::test(flavor = "multi_thread")]
async fn referrers_are_exchanged_with_oras_through_the_api_of_the_registry() {
    let Some(server) = start().await else { return };
    let target = server.image("org/model:1");
    let image = push(&anonymous(), &target, &files(&[("a", 10)]), ImageOptions::default()).await.unwrap();
    let repository = anonymous().repository(&target).await.unwrap();
    let subject = repository.manifest("1").await.unwrap();
    let blob = AttachedBlob { media_type: "text/plain".to_owned(), bytes: b"ours".to_vec(), annotations: [].into() };
    let attachment = Attachment {
        artifact_type: "application/vnd.example.ours".to_owned(),
        blobs: vec![blob],
        annotations: [].into(),
    };
    repository.attach(&subject, &attachment).await.unwrap();
    // The registry lists it: no tag in place of the API was written.
    let tag = image.digest.to_string().replace(':', "-");
    assert_eq!(repository.resolve_tag(&tag).await.unwrap(), None);
    let directory = server.path("attached");
    let listed = server.oras(&directory, &["discover", "--format", "json"], "org/model:1", &[]);
    assert!(listed.contains("application/vnd.example.ours"), "{listed}");

    std::fs::write(directory.join("signature.txt"), "theirs").unwrap();
    let kind = ["attach", "--artifact-type", "application/vnd.example.theirs"];
    server.oras(&directory, &kind, "org/model:1", &["signature.txt:text/plain"]);
    let found = repository.referrers(&image.digest, Some("application/vnd.example.theirs")).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(repository.referrers(&image.digest, None).await.unwrap().len(), 2);
}
