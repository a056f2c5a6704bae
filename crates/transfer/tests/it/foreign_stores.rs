//! Stores of other projects: moto, which behaves like Amazon's in more respects, and Azurite.

use std::fs;

use model_registry_testkit::{AZURE_CONTAINER, AZURE_KEY, AzuriteServer, ForeignProgram, MotoServer, S3_BUCKET};
use model_registry_transfer::{Context, Options, Shape, TransferError};
use tempfile::TempDir;

use crate::support::{PART, content, context, model, path_of, read, run, run_until, stop_after, write};

/// A running server.
struct Store {
    home: TempDir,
    /// `s3://models`
    base: String,
    variables: Vec<(&'static str, String)>,
    /// The variable with the secret.
    secret: &'static str,
    _server: Box<dyn std::any::Any>,
}

impl Store {
    async fn moto() -> Option<Self> {
        let (program, home) = (ForeignProgram::Moto.find()?, tempfile::tempdir().unwrap());
        let server = MotoServer::start(&program, &home.path().join("server")).await.unwrap();
        let (base, variables) = (format!("s3://{S3_BUCKET}"), server.variables());
        Some(Self { home, base, variables, secret: "AWS_SECRET_ACCESS_KEY", _server: Box::new(server) })
    }

    async fn azurite() -> Option<Self> {
        let (program, home) = (ForeignProgram::Azurite.find()?, tempfile::tempdir().unwrap());
        let server = AzuriteServer::start(&program, &home.path().join("server")).await.unwrap();
        let (base, variables) = (format!("az://{AZURE_CONTAINER}"), server.variables());
        Some(Self { home, base, variables, secret: "AZURE_STORAGE_ACCOUNT_KEY", _server: Box::new(server) })
    }

    fn at(&self, key: &str) -> String {
        format!("{}/{key}", self.base)
    }

    fn context(&self) -> Context {
        Context { environment: self.variables.clone().into_iter().collect(), ..context() }
    }

    fn with_secret(&self, secret: &str) -> Context {
        let mut variables = self.variables.clone();
        variables.retain(|(name, _)| *name != self.secret);
        variables.push((self.secret, secret.to_owned()));
        Context { environment: variables.into_iter().collect(), ..context() }
    }

    fn path(&self, name: &str) -> String {
        path_of(&self.home.path().join(name))
    }

    /// Everything that every store has to do.
    async fn check(&self, wrong_secret: &str) {
        let context = self.context();
        write(&self.home.path().join("source"), &model());
        let there = run(&self.path("source"), &self.at("teams/model"), &context).await.unwrap();
        assert_eq!(there.uri, self.at("teams/model"));
        run(&self.path("source"), &self.at("teams/model-2"), &context).await.unwrap();
        run(&self.at("teams/model"), &self.at("copy/"), &context).await.unwrap();
        let here = run(&self.at("copy"), &self.path("back"), &context).await.unwrap();
        assert_eq!(read(&self.home.path().join("back")), model());
        assert_eq!(here.digest(), there.digest());
        let one = run(&self.at("copy/config.json"), &self.path("one.json"), &context).await.unwrap();
        assert_eq!(one.shape, Shape::File);

        let error = run(&self.at("nothing"), &self.path("x"), &context).await.unwrap_err();
        assert!(matches!(error, TransferError::NotFound { .. }), "{error}");
        for (source, destination) in [(self.at("copy"), self.path("x")), (self.path("source"), self.at("x"))] {
            let error = run(&source, &destination, &self.with_secret(wrong_secret)).await.unwrap_err();
            assert!(matches!(error, TransferError::Denied { .. }), "{error}");
            assert!(!error.to_string().contains(wrong_secret), "{error}");
        }
        assert!(!self.home.path().join("x").exists());
        self.check_continuation().await;
    }

    async fn check_continuation(&self) {
        let weights = content(5, 6 * PART + 7);
        fs::write(self.home.path().join("weights.bin"), &weights).unwrap();
        let states = Some(self.home.path().join("states"));
        let options = Options { keep_when_cancelled: true, memory: PART, ..context().options };
        let kept = Context { options, states: states.clone(), ..self.context() };
        let (stopping, stop) = stop_after(3 * PART as u64, kept);
        run_until(&self.path("weights.bin"), &self.at("weights.bin"), &stopping, &stop).await.unwrap_err();
        let continuing = Context { states, ..self.context() };
        let report = run(&self.path("weights.bin"), &self.at("weights.bin"), &continuing).await.unwrap();
        assert!(report.copied_bytes <= 5 * PART as u64 + 7, "{} bytes", report.copied_bytes);
        run(&self.at("weights.bin"), &self.path("weights.copy"), &self.context()).await.unwrap();
        assert_eq!(fs::read(self.home.path().join("weights.copy")).unwrap(), weights);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn moto_with_signatures_stores_and_returns_every_file() {
    let Some(store) = Store::moto().await else { return };
    store.check("a-wrong-secret-that-no-message-may-contain").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn azurite_stores_and_returns_every_file() {
    let Some(store) = Store::azurite().await else { return };
    store.check(&AZURE_KEY.replace("Eby8", "Fby8")).await;
}
