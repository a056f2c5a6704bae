//! The programs of the guide (`docs/rust-client.md`) do what it says: each is a file of `guide/`, word for word as the page
//! has it, and so is the program to begin with.

use std::path::Path;

use crate::support::{catalog, registry};

#[test]
fn every_program_of_the_page_is_run_here() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(here.join("../../docs/rust-client.md")).unwrap();
    let programs = page.split("```rust,no_run\n").skip(1).map(|rest| rest.split_once("```").unwrap().0);
    let mut of_page: Vec<String> = programs.map(str::to_owned).collect();
    assert_eq!(of_page.len(), page.matches("```rust").count(), "a program has another mark");
    let files = std::fs::read_dir(here.join("tests/it/guide")).unwrap();
    let mut of_files: Vec<String> = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    of_page.sort();
    of_files.sort();
    assert_eq!(of_page, of_files);
}

mod connect {
    include!("guide/connect.rs");

    #[tokio::test]
    async fn a_client_is_made_and_wants_its_token_when_it_is_used() {
        let error = connect().unwrap().registered_models().get("1").await.unwrap_err();
        assert!(matches!(&error, Error::Usage(reason) if reason.contains("/serviceaccount/token")), "{error:?}");
    }
}

mod register {
    include!("guide/register.rs");

    #[tokio::test]
    async fn a_version_is_there_with_its_property() {
        let server = super::registry().await;
        let id = register(&server.client()).await.unwrap();
        let version = server.client().model_versions().get(&id).await.unwrap();
        assert_eq!(version.custom_properties["accuracy"], MetadataValue::from(0.93));
        // A name can be given once.
        assert!(matches!(register(&server.client()).await, Err(Error::Conflict(_))));
    }

    pub(super) async fn fill(client: &Client) -> String {
        register(client).await.unwrap()
    }
}

#[expect(clippy::print_stdout, reason = "it is what the page shows")]
mod read {
    include!("guide/read.rs");

    #[tokio::test]
    async fn lists_and_finds() {
        let server = super::registry().await;
        let client = server.client();
        super::register::fill(&client).await;
        read(&client).await.unwrap();
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
        // It checks that itself.
        log(&super::registry().await.client()).await.unwrap();
    }
}

#[expect(clippy::print_stdout, reason = "it is what the page shows")]
mod look_around {
    include!("guide/look_around.rs");

    #[tokio::test]
    async fn the_sample_is_looked_at() {
        look_around(&super::catalog().await.client()).await.unwrap();
    }
}

#[expect(clippy::print_stdout, reason = "it is what the page shows")]
mod mirror {
    include!("guide/mirror.rs");

    #[tokio::test]
    async fn changes_are_told_until_the_server_is_gone() {
        let server = super::registry().await;
        super::register::fill(&server.client()).await;
        let client = server.quick_client(1);
        let mirror = tokio::spawn(async move { mirror(&client, 0).await });
        drop(server);
        let error = mirror.await.unwrap().unwrap_err();
        assert!(error.is_temporary(), "{error:?}");
    }
}

#[expect(clippy::print_stdout, reason = "it is what the page shows")]
mod explain {
    include!("guide/explain.rs");

    #[tokio::test]
    async fn nothing_is_found_and_nobody_is_there() {
        let server = super::registry().await;
        explain(&server.client()).await;
        let client = server.quick_client(0);
        drop(server);
        explain(&client).await;
    }
}

#[path = "../../examples/register.rs"]
#[expect(dead_code, reason = "its `main` reads the command line")]
mod program_to_begin_with;

#[tokio::test]
async fn the_program_to_begin_with_registers_and_lists() {
    let server = registry().await;
    let mut output = Vec::new();
    for version in ["v1", "v2"] {
        output.clear();
        program_to_begin_with::run(&server.url, version, &mut output).await.unwrap();
    }
    assert_eq!(String::from_utf8(output).unwrap(), "fraud-detector v1\nfraud-detector v2\n");
    // The catalog has no models to register.
    let server = catalog().await;
    assert!(program_to_begin_with::run(&server.url, "v1", &mut Vec::new()).await.is_err());
}
