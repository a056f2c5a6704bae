use std::time::Duration;
use model_registry_client::{Client, Error, Retries};

fn connect() -> Result<Client, Error> {
    Client::builder("https://models.example.com")
        // Read for each request, because Kubernetes renews the token in place.
        .token_file("/var/run/secrets/kubernetes.io/serviceaccount/token")
        .timeout(Duration::from_secs(10))
        .retries(Retries { attempts: 5, ..Retries::default() })
        .build()
}
