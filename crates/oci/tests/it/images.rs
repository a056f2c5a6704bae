//! Images are written and read.

use model_registry_oci::{
    CredentialStore, Digest, ImageFormat, ImageOptions, ImageWriter, Platform, Registries, RegistrySettings,
};
use serde_json::json;

use crate::fake_registry::FakeRegistry;
use crate::support::{anonymous, files, model_files, plain, pull, push, reference};

#[tokio::test]
async fn a_model_car_has_its_files_below_models_and_is_read_back() {
    let registry = FakeRegistry::start().await;
    let target = reference(&registry, "org/model:1");
    let model = files(&[("model.onnx", 5000), ("config.json", 12), ("sub/dir/empty", 0), ("sub/dir/ü 模", 1000)]);
    push(&anonymous(), &target, &model, ImageOptions::default()).await.unwrap();

    let manifest = registry.manifest("org/model", "1");
    assert_eq!(manifest["config"]["mediaType"], "application/vnd.oci.image.config.v1+json");
    let layers = manifest["layers"].as_array().unwrap();
    let titles: Vec<&str> =
        layers.iter().map(|layer| layer["annotations"]["org.opencontainers.image.title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["config.json", "model.onnx", "sub/dir/empty", "sub/dir/ü 模"]);
    assert!(layers.iter().all(|layer| layer["mediaType"] == "application/vnd.oci.image.layer.v1.tar"));
    let config = manifest["config"]["digest"].as_str().unwrap().to_owned();
    let config = registry.content().blobs[&("org/model".to_owned(), config)].clone();
    let config: serde_json::Value = serde_json::from_slice(&config).unwrap();
    let of_layers: Vec<_> = layers.iter().map(|layer| layer["digest"].clone()).collect();
    assert_eq!(config["rootfs"]["diff_ids"], json!(of_layers), "layers are not compressed");
    assert_eq!(config["history"].as_array().unwrap().len(), 4);

    registry.requests();
    assert_eq!(pull(&anonymous(), &target).await.unwrap(), model);
    let whole = registry.requests().iter().filter(|request| request.contains("/blobs/")).count();
    assert!(whole >= 4, "files are read by ranges of their layers");
    assert!(registry.content().uploads.is_empty());
}

#[tokio::test]
async fn the_same_files_have_the_same_digest_in_any_order_and_nothing_is_sent_twice() {
    let registry = FakeRegistry::start().await;
    let model = files(&[("a", 3000), ("b/c", 10), ("b/d", 999)]);
    let first = push(&anonymous(), &reference(&registry, "m:1"), &model, ImageOptions::default()).await.unwrap();
    // A digest that changes with a release would make every image of every user another one.
    assert_eq!(first.digest, Digest::of(&registry.content().manifests[&("m".to_owned(), "1".to_owned())].1));
    let received = std::mem::take(&mut registry.content().received);
    assert!(received > 4009);

    let image = ImageWriter::begin(
        &anonymous(),
        &reference(&registry, "m:2"),
        {
            let mut list = model_files(&model);
            list.reverse();
            list
        },
        ImageOptions::default(),
    )
    .await
    .unwrap();
    for (number, content) in model.values().rev().enumerate() {
        let mut file = image.file(number).await.unwrap();
        file.write(vec![content.clone().into()]).await.unwrap();
        file.finish(Some(Digest::of(content))).await.unwrap();
    }
    assert_eq!(image.publish().await.unwrap().digest, first.digest);
    // Blobs of one part are not sent, the first parts of larger ones are, because their digest is known only at the end.
    assert!(registry.content().received < received);
}

#[tokio::test]
async fn many_files_share_layers_and_are_read_back() {
    let registry = FakeRegistry::start().await;
    let names: Vec<String> = (0..300).map(|number| format!("d{}/f{number:03}", number % 7)).collect();
    let list: Vec<(&str, usize)> = names.iter().enumerate().map(|(at, name)| (name.as_str(), at * 13 % 400)).collect();
    let model = files(&list);
    for format in [ImageFormat::ModelCar, ImageFormat::ModelPack] {
        let target = reference(&registry, "many:1");
        let options = ImageOptions { format, most_layers: 10, ..ImageOptions::default() };
        push(&anonymous(), &target, &model, options).await.unwrap();
        assert!(registry.manifest("many", "1")["layers"].as_array().unwrap().len() <= 13);
        assert_eq!(pull(&anonymous(), &target).await.unwrap(), model);
    }
    // Groups that are too large for memory.
    let model = files(&[("a", 700_000), ("b", 600_000), ("c", 500_000)]);
    let registries = Registries::new(RegistrySettings { part_size: 300_000, ..plain() }, CredentialStore::none());
    let target = reference(&registry, "large:1");
    push(&registries, &target, &model, ImageOptions { most_layers: 2, ..ImageOptions::default() }).await.unwrap();
    assert!(pull(&registries, &target).await.unwrap() == model);
}

#[tokio::test]
async fn a_model_pack_has_raw_layers_with_the_media_types_of_its_files() {
    let registry = FakeRegistry::start().await;
    let target = reference(&registry, "pack:1");
    let model = files(&[("model.safetensors", 5000), ("config.json", 12), ("README.md", 7), ("code/run.py", 30)]);
    let options = ImageOptions { format: ImageFormat::ModelPack, ..ImageOptions::default() };
    push(&anonymous(), &target, &model, options).await.unwrap();
    let manifest = registry.manifest("pack", "1");
    assert_eq!(manifest["artifactType"], "application/vnd.cncf.model.manifest.v1+json");
    assert_eq!(manifest["config"]["mediaType"], "application/vnd.cncf.model.config.v1+json");
    let layers = manifest["layers"].as_array().unwrap();
    let weight =
        layers.iter().find(|layer| layer["annotations"]["org.cncf.model.filepath"] == "model.safetensors").unwrap();
    assert_eq!(weight["mediaType"], "application/vnd.cncf.model.weight.v1.raw");
    assert_eq!(weight["digest"], Digest::of(&model["model.safetensors"]).to_string());
    assert_eq!(pull(&anonymous(), &target).await.unwrap(), model);
}

#[tokio::test]
async fn several_platforms_make_an_index_over_the_same_layers() {
    let registry = FakeRegistry::start().await;
    let target = reference(&registry, "both:1");
    let platforms = ["linux/amd64", "linux/arm64"].map(|text| Platform::parse(text).unwrap()).to_vec();
    let model = files(&[("a", 10)]);
    push(&anonymous(), &target, &model, ImageOptions { platforms, ..ImageOptions::default() }).await.unwrap();
    let index = registry.manifest("both", "1");
    let entries = index["manifests"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    let layers: Vec<_> = entries
        .iter()
        .map(|entry| registry.manifest("both", entry["digest"].as_str().unwrap())["layers"].clone())
        .collect();
    assert_eq!(layers[0], layers[1]);
    assert_eq!(pull(&anonymous(), &target).await.unwrap(), model);
}

#[tokio::test]
async fn an_image_appears_only_when_every_file_is_there() {
    let registry = FakeRegistry::start().await;
    let target = reference(&registry, "m:1");
    let model = files(&[("a", 2500), ("b", 10)]);
    let image = ImageWriter::begin(&anonymous(), &target, model_files(&model), ImageOptions::default()).await.unwrap();
    let mut file = image.file(0).await.unwrap();
    file.write(vec![model["a"].clone().into()]).await.unwrap();
    file.finish(None).await.unwrap();
    let error = image.publish().await.unwrap_err().to_string();
    assert!(error.contains("the layer with `b` is missing"), "{error}");
    assert!(registry.content().manifests.is_empty());

    let mut file = image.file(1).await.unwrap();
    file.write(vec![model["b"][..4].to_vec().into()]).await.unwrap();
    let error = file.finish(None).await.unwrap_err().to_string();
    assert!(error.contains("b has 4 bytes instead of 10"), "{error}");
    let mut file = image.file(1).await.unwrap();
    let error = file.write(vec![vec![0; 11].into()]).await.unwrap_err().to_string();
    assert!(error.contains("b has 11 bytes instead of 10"), "{error}");
}

#[tokio::test]
async fn an_artifact_of_oras_is_read_with_its_files_and_directories() {
    let registry = FakeRegistry::start().await;
    let file = registry.put_blob("art", b"weights".as_slice());
    let mut directory = Vec::new();
    {
        let mut encoder = flate2::write::GzEncoder::new(&mut directory, flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, &crate::hostile_layers::archive(&[("sub/x", b"1"), ("sub/y", b"22")]))
            .unwrap();
        encoder.finish().unwrap();
    }
    let size = directory.len();
    let directory = registry.put_blob("art", directory);
    let config = registry.put_blob("art", b"{}".as_slice());
    registry.put_manifest(
        "art",
        "1",
        &json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "artifactType": "application/vnd.example",
            "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": config, "size": 2},
            "layers": [
                {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": file, "size": 7,
                 "annotations": {"org.opencontainers.image.title": "model.bin"}},
                {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": directory, "size": size,
                 "annotations": {"org.opencontainers.image.title": "sub", "io.deis.oras.content.unpack": "true"}},
            ],
        }),
    );
    let found = pull(&anonymous(), &reference(&registry, "art:1")).await.unwrap();
    let expected = [("model.bin", "weights"), ("sub/x", "1"), ("sub/y", "22")];
    let expected = expected.map(|(path, content)| (path.to_owned(), content.as_bytes().to_vec()));
    assert_eq!(found, expected.into_iter().collect());
}
