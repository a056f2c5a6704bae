//! Google Cloud Storage, whose XML API is the protocol of S3.

use model_registry_testkit::{S3_BUCKET, S3Server};
use model_registry_transfer::Context;

use crate::support::{context, model, path_of, read, run, s3, s3_context, write};

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_goes_to_google_and_from_there_to_s3() {
    let (google, s3_server, home) =
        (S3Server::start_public().await.unwrap(), S3Server::start().await.unwrap(), tempfile::tempdir().unwrap());
    let (source, back) = (home.path().join("source"), home.path().join("back"));
    write(&source, &model());
    let mut variables = s3_server.variables();
    variables.push(("GOOGLE_BASE_URL", google.base_url()));
    variables.push(("GOOGLE_BEARER_TOKEN", "token".to_owned()));
    variables.push(("GOOGLE_ALLOW_HTTP", "true".to_owned()));
    let both = Context { environment: variables.into_iter().collect(), ..context() };
    let there = run(&path_of(&source), &format!("gs://{S3_BUCKET}/model"), &both).await.unwrap();
    assert_eq!(there.uri, "gs://models/model");
    run(&format!("gs://{S3_BUCKET}/model"), &s3("model"), &both).await.unwrap();
    run(&s3("model"), &path_of(&back), &s3_context(&s3_server)).await.unwrap();
    assert_eq!(read(&back), model());
}
