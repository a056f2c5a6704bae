//! Another process continues where one was killed.

use model_registry_oci::{Digest, FileUpload, ImageFormat, ImageOptions, ImageWriter, SavedFile};

use crate::fake_registry::FakeRegistry;
use crate::support::{Files, anonymous, files, model_files, pull, reference};

async fn begin(registry: &FakeRegistry, model: &Files, format: ImageFormat) -> ImageWriter {
    let options = ImageOptions { format, ..ImageOptions::default() };
    ImageWriter::begin(&anonymous(), &reference(registry, "m:1"), model_files(model), options).await.unwrap()
}

async fn write_rest(mut file: FileUpload, content: &[u8]) -> Option<SavedFile> {
    let written = usize::try_from(file.written()).unwrap();
    file.write(vec![content[written..].to_vec().into()]).await.unwrap();
    file.finish(Some(Digest::of(content))).await.unwrap()
}

/// As a state file keeps it.
fn stored(saved: &SavedFile) -> SavedFile {
    serde_json::from_str(&serde_json::to_string(saved).unwrap()).unwrap()
}

#[tokio::test]
async fn a_saved_file_continues_and_a_complete_one_is_not_sent_again() {
    for format in [ImageFormat::ModelCar, ImageFormat::ModelPack] {
        let registry = FakeRegistry::start().await;
        let model = files(&[("a", 50_000), ("b", 4_000)]);
        let first = begin(&registry, &model, format).await;
        let complete = write_rest(first.file(1).await.unwrap(), &model["b"]).await.unwrap();
        let mut file = first.file(0).await.unwrap();
        file.write(vec![model["a"][..30_500].to_vec().into()]).await.unwrap();
        let partial = file.save().unwrap();
        // Sent after it was saved.
        file.abandon(true).await;
        let received = registry.content().received;

        let second = begin(&registry, &model, format).await;
        assert!(second.has_file(1, &stored(&complete)).await.unwrap());
        let file = second.continue_file(0, &stored(&partial)).await.unwrap().unwrap();
        assert!(file.written() > 28_000);
        write_rest(file, &model["a"]).await;
        second.publish().await.unwrap();
        assert_eq!(pull(&anonymous(), &reference(&registry, "m:1")).await.unwrap(), model);
        let again = registry.content().received - received;
        assert!(again < 25_000, "{again} bytes were sent by the second process");
    }
}

#[tokio::test]
async fn an_upload_that_the_registry_does_not_have_exactly_so_begins_again() {
    let registry = FakeRegistry::start().await;
    let model = files(&[("a", 50_000)]);
    let first = begin(&registry, &model, ImageFormat::ModelCar).await;
    let mut file = first.file(0).await.unwrap();
    file.write(vec![model["a"][..20_000].to_vec().into()]).await.unwrap();
    let saved = file.save().unwrap();
    file.write(vec![model["a"][20_000..30_000].to_vec().into()]).await.unwrap();
    file.abandon(true).await;
    // More bytes arrived than were saved: their digest is not known.
    let second = begin(&registry, &model, ImageFormat::ModelCar).await;
    assert!(second.continue_file(0, &saved).await.unwrap().is_none());
    assert!(registry.content().uploads.is_empty(), "it is cancelled");
    assert!(second.continue_file(0, &saved).await.unwrap().is_none(), "the registry does not know it any more");
}

#[tokio::test]
async fn files_of_the_image_under_the_tag_are_found_by_path_and_size() {
    let registry = FakeRegistry::start().await;
    let mut model = files(&[("a", 5000), ("b", 10), ("c", 7)]);
    let first = begin(&registry, &model, ImageFormat::ModelCar).await;
    assert!(first.present().await.unwrap().is_none());
    for (number, content) in model.values().enumerate() {
        write_rest(first.file(number).await.unwrap(), content).await;
    }
    first.publish().await.unwrap();

    model.insert("b".to_owned(), vec![1; 11]);
    let received = std::mem::take(&mut registry.content().received);
    let second = begin(&registry, &model, ImageFormat::ModelCar).await;
    let present = second.present().await.unwrap().unwrap();
    for (number, (path, content)) in model.iter().enumerate() {
        if let Some((digest, saved)) = second.same_size_in(number, &present) {
            assert_eq!(digest, Digest::of(content), "{path}");
            assert!(second.has_file(number, &saved).await.unwrap());
        } else {
            assert_eq!(path, "b");
            write_rest(second.file(number).await.unwrap(), content).await;
        }
    }
    second.publish().await.unwrap();
    assert_eq!(pull(&anonymous(), &reference(&registry, "m:1")).await.unwrap(), model);
    assert!(registry.content().received < received / 2);
    // The form of another image is not taken for that of this one.
    let pack = begin(&registry, &model, ImageFormat::ModelPack).await;
    assert!((0..3).all(|number| pack.same_size_in(number, &present).is_none()));
}
