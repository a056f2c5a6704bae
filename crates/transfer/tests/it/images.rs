//! Images in a registry with a password and TLS.

use std::path::PathBuf;

use model_registry_testkit::{Authority, FileServer, OciRegistry, REGISTRY_PASSWORD, REGISTRY_USER};
use model_registry_transfer::{Context, Event, ImageFormat, ImageSettings, Location, Options, Stop, copy};
use tempfile::TempDir;

struct Images {
    home: TempDir,
    registry: OciRegistry,
    context: Context,
}

async fn start() -> Images {
    let home = tempfile::tempdir().unwrap();
    let authority = Authority::new("Test authority of a registry");
    let issued = authority.issue("127.0.0.1");
    let registry = OciRegistry::start(&home.path().join("registry"), Some(&issued)).await.unwrap();
    let certificate_file = home.path().join("ca.pem");
    std::fs::write(&certificate_file, authority.certificate()).unwrap();
    let auth_file = home.path().join("auth.json");
    let host = registry.host();
    let auths =
        format!(r#"{{"auths":{{"{host}":{{"username":"{REGISTRY_USER}","password":"{REGISTRY_PASSWORD}"}}}}}}"#);
    std::fs::write(&auth_file, auths).unwrap();
    let images = ImageSettings {
        auth_file: Some(auth_file),
        certificate_file: Some(certificate_file),
        ..ImageSettings::default()
    };
    let options = Options { part_size: Options::SMALLEST_PART, ..Options::default() };
    let context = Context { images, options, states: Some(home.path().join("states")), ..Context::default() };
    Images { home, registry, context }
}

impl Images {
    fn image(&self, rest: &str) -> Location {
        Location::destination(&format!("oci://{}/{rest}", self.registry.host())).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn location(&self, name: &str) -> Location {
        self.path(name).to_str().unwrap().parse().unwrap()
    }
}

/// A directory with a file of several parts, an empty one and many small ones.
fn write_model(directory: &std::path::Path, small: usize) {
    let large: Vec<u8> = (0..12_000_000_u32).map(|at| u8::try_from((at % 251 + at / 65_536) % 256).unwrap()).collect();
    std::fs::create_dir_all(directory.join("sub")).unwrap();
    std::fs::write(directory.join("model.bin"), large).unwrap();
    std::fs::write(directory.join("empty"), "").unwrap();
    for number in 0..small {
        std::fs::write(directory.join("sub").join(format!("f{number:04}")), number.to_string()).unwrap();
    }
}

fn same(left: &std::path::Path, right: &std::path::Path) {
    let output = std::process::Command::new("diff").arg("-r").arg(left).arg(right).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_becomes_an_image_and_the_image_a_directory() {
    for (format, small) in [(ImageFormat::ModelCar, 3), (ImageFormat::ModelCar, 300), (ImageFormat::ModelPack, 3)] {
        let mut images = start().await;
        images.context.images.format = format;
        write_model(&images.path("model"), small);
        let target = images.image("org/model:1");
        let stop = Stop::default();
        let written = copy(&images.location("model"), &target, &images.context, &stop).await.unwrap();
        assert_eq!((written.copied_files(), written.uri), (small + 2, target.to_string()));
        let read = copy(&target, &images.location("copy"), &images.context, &stop).await.unwrap();
        assert_eq!(read.digest().to_string(), {
            let again = copy(&images.location("model"), &images.location("third"), &images.context, &stop).await;
            again.unwrap().digest().to_string()
        });
        std::fs::remove_dir_all(images.path("copy/.model-registry-transfer")).ok();
        same(&images.path("model"), &images.path("copy"));
        assert_eq!(images.registry.pending_uploads("org/model"), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_the_image_under_the_tag_has_are_not_sent_again() {
    let images = start().await;
    write_model(&images.path("model"), 2);
    let (model, target) = (images.location("model"), images.image("org/model:1"));
    let stop = Stop::default();
    copy(&model, &target, &images.context, &stop).await.unwrap();
    std::fs::write(images.path("model/sub/f0001"), "changed").unwrap();
    let report = copy(&model, &target, &images.context, &stop).await.unwrap();
    assert_eq!((report.copied_files(), report.copied_bytes), (1, 7));
    let options = Options { is_dry_run: true, ..images.context.options.clone() };
    let dry = Context { options, ..images.context.clone() };
    assert!(copy(&model, &target, &dry, &stop).await.unwrap().planned.is_empty());
    copy(&target, &images.location("copy"), &images.context, &stop).await.unwrap();
    std::fs::remove_dir_all(images.path("copy/.model-registry-transfer")).ok();
    same(&images.path("model"), &images.path("copy"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_an_error_before_any_file_is_read() {
    let images = start().await;
    write_model(&images.path("model"), 1);
    std::fs::write(
        images.path("auth.json"),
        format!(r#"{{"auths":{{"{}":{{"username":"x","password":"hunter2"}}}}}}"#, images.registry.host()),
    )
    .unwrap();
    let target = images.image("org/model:1");
    let error = copy(&images.location("model"), &target, &images.context, &Stop::default()).await.unwrap_err();
    let message = error.to_string();
    assert!(message.contains("access denied") && message.contains("check user and password"), "{message}");
    assert!(!message.contains("hunter2"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_size_the_web_server_does_not_know_becomes_an_image() {
    let (images, server) = (start().await, FileServer::start().await.unwrap());
    server.without_ranges();
    server.without_length();
    server.publish("/model.bin", vec![7; 6_000_000]);
    let (source, target) = (server.url("/model.bin").parse().unwrap(), images.image("org/model:1"));
    let options = Options { is_dry_run: true, ..images.context.options.clone() };
    let dry = Context { options, ..images.context.clone() };
    let planned = copy(&source, &target, &dry, &Stop::default()).await.unwrap().planned;
    assert_eq!(planned[0].size, None);
    let report = copy(&source, &target, &images.context, &Stop::default()).await.unwrap();
    assert_eq!((report.copied_files(), report.size()), (1, 6_000_000));
    copy(&target, &images.location("copy"), &images.context, &Stop::default()).await.unwrap();
    assert_eq!(std::fs::read(images.path("copy/model.bin")).unwrap(), vec![7; 6_000_000]);
}

#[tokio::test(flavor = "multi_thread")]
async fn layers_of_several_files_are_not_sent_again_after_an_interruption() {
    let mut images = start().await;
    write_model(&images.path("model"), 400);
    let (model, target) = (images.location("model"), images.image("org/model:1"));
    images.context.options.keep_when_cancelled = true;
    // One file at a time, so that layers are complete when it is stopped.
    images.context.options.files_at_once = 1;
    let stop = Stop::default();
    let (stopping, finished) = (stop.clone(), std::sync::Mutex::new(0));
    let observer = std::sync::Arc::new(move |event: &Event| {
        if matches!(event, Event::Finished { .. }) {
            let mut finished = finished.lock().unwrap();
            *finished += 1;
            if *finished == 200 {
                stopping.stop();
            }
        }
    });
    let stopped = Context { observer, ..images.context.clone() };
    copy(&model, &target, &stopped, &stop).await.unwrap_err();
    // A file that changes takes the others of its layer with it, and no other layer.
    std::fs::write(images.path("model/sub/f0100"), "changed").unwrap();
    let report = copy(&model, &target, &images.context, &Stop::default()).await.unwrap();
    let there = report.files.iter().filter(|file| file.was_there).count();
    assert!((150..202).contains(&there), "{there} of 402 files were there");
    copy(&target, &images.location("copy"), &images.context, &Stop::default()).await.unwrap();
    std::fs::remove_dir_all(images.path("copy/.model-registry-transfer")).ok();
    same(&images.path("model"), &images.path("copy"));
}
