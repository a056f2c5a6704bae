//! Runs the programs of `docs/rust-client.md`: each is also a file in `guide/`. Runs the example program as well.

use std::path::Path;

use crate::support::{catalog, registry};

#[test]
fn every_program_of_the_page_is_a_file_in_guide() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(here.join("../../docs/rust-client.md")).unwrap();
    let programs = page.split("```rust,no_run\n").skip(1).map(|rest| rest.split_once("```").unwrap().0);
    let mut of_page: Vec<String> = programs.map(str::to_owned).collect();
    assert_eq!(of_page.len(), page.matches("```rust").count(), "a Rust block is not marked `rust,no_run`");
    let files = std::fs::read_dir(here.join("tests/it/guide")).unwrap();
    let mut of_files: Vec<String> = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    of_page.sort();
    of_files.sort();
    assert_eq!(of_page, of_files);
}

mod connect {
    include!("guide/connect.rs");

    #[tokio::test]
    async fn the_token_file_is_read_when_a_request_is_sent() {
        let error = connect().unwrap().registered_models().get("1").await.unwrap_err();
        assert!(matches!(&error, Error::Usage(reason) if reason.contains("/serviceaccount/token")), "{error:?}");
    }
}

mod register {
    include!("guide/register.rs");

    #[tokio::test]
    async fn a_version_is_registered_with_its_property() {
        let server = super::registry().await;
        let id = register(&server.client()).await.unwrap();
        let version = server.client().model_versions().get(&id).await.unwrap();
        assert_eq!(version.custom_properties["accuracy"], MetadataValue::from(0.93));
        // The second registration conflicts.
        assert!(matches!(register(&server.client()).await, Err(Error::Conflict(_))));
    }

    pub(super) async fn fill(client: &Client) -> String {
        register(client).await.unwrap()
    }
}

#[expect(clippy::print_stdout, reason = "the page shows it")]
mod read {
    include!("guide/read.rs");

    #[tokio::test]
    async fn versions_are_listed_and_a_model_is_found() {
        let server = super::registry().await;
        let client = server.client();
        super::register::fill(&client).await;
        read(&client).await.unwrap();
    }
}

#[expect(clippy::print_stdout, reason = "the page shows it")]
mod search {
    include!("guide/search.rs");

    #[tokio::test]
    async fn entities_are_found_and_counted() {
        let server = super::registry().await;
        let client = server.client();
        super::register::fill(&client).await;
        search(&client).await.unwrap();
        let found = client.search(&SearchOptions::of("fraud-detector/")).await.unwrap();
        assert!(!found.has_more);
        let page = client.model_versions().page(&ListOptions { total: true, ..Default::default() }, "").await.unwrap();
        assert_eq!((page.total, page.total_is_exact), (Some(1), Some(true)));
        let options = client.model_versions().filter_options().await.unwrap();
        let accuracy = options.filters["accuracy.double_value"].range.as_ref().unwrap();
        assert_eq!((accuracy.min.as_f64(), options.entities), (Some(0.93), 1));
    }
}

mod change {
    include!("guide/change.rs");

    #[tokio::test]
    async fn fields_are_set_and_cleared() {
        let server = super::registry().await;
        let client = server.client();
        super::register::fill(&client).await;
        change(&client, "1").await.unwrap();
        let model = client.registered_models().get("1").await.unwrap();
        assert_eq!((model.owner.as_deref(), model.state), (Some("risk"), Some(State::Archived)));
        assert_eq!(model.custom_properties["reviewed"], true.into());
    }
}

mod log {
    include!("guide/log.rs");

    #[tokio::test]
    async fn the_history_has_every_value() {
        // The program asserts it.
        log(&super::registry().await.client()).await.unwrap();
    }
}

#[expect(clippy::print_stdout, reason = "the page shows it")]
mod look_around {
    include!("guide/look_around.rs");

    #[tokio::test]
    async fn the_sample_catalog_is_listed() {
        look_around(&super::catalog().await.client()).await.unwrap();
    }
}

#[expect(clippy::print_stdout, reason = "the page shows it")]
mod mirror {
    include!("guide/mirror.rs");

    #[tokio::test]
    async fn changes_are_followed_until_the_server_stops() {
        let server = super::registry().await;
        super::register::fill(&server.client()).await;
        let client = server.quick_client(1);
        let mirror = tokio::spawn(async move { mirror(&client, 0).await });
        drop(server);
        let error = mirror.await.unwrap().unwrap_err();
        assert!(error.is_temporary(), "{error:?}");
    }
}

#[expect(clippy::print_stdout, reason = "the page shows it")]
mod explain {
    include!("guide/explain.rs");

    #[tokio::test]
    async fn a_missing_entity_and_a_stopped_server_are_reported() {
        let server = super::registry().await;
        explain(&server.client()).await;
        let client = server.quick_client(0);
        drop(server);
        explain(&client).await;
    }
}

#[path = "../../examples/register.rs"]
#[expect(dead_code, reason = "its `main` reads the command line")]
mod example;

#[tokio::test]
async fn the_example_registers_and_lists_versions() {
    let server = registry().await;
    let mut output = Vec::new();
    for version in ["v1", "v2"] {
        output.clear();
        example::run(&server.url, version, &mut output).await.unwrap();
    }
    assert_eq!(String::from_utf8(output).unwrap(), "fraud-detector v1\nfraud-detector v2\n");
    // A catalog server does not serve the registry API.
    let server = catalog().await;
    assert!(example::run(&server.url, "v1", &mut Vec::new()).await.is_err());
}
