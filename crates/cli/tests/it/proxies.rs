//! `HTTPS_PROXY`, `NO_PROXY` and `SSL_CERT_FILE` for everything that connects to another server: client commands, an identity
//! provider, a hub, a Git repository.
//!
//! The names of these servers are known to the proxy only, and their certificates are of an authority of the test.

use std::net::SocketAddr;

use model_registry_testkit::executable::Launch;
use model_registry_testkit::issuer::AUDIENCE;
use model_registry_testkit::{Authority, ConnectProxy, GitServer, HubServer, IssuerServer, SigningKey};
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Client, eventually, role_on, run_in};

/// A proxy to one or more servers, and the file with the authority of their certificates.
struct Network {
    proxy: ConnectProxy,
    directory: TempDir,
}

impl Network {
    async fn start(hosts: &[(&str, SocketAddr)]) -> Self {
        let authority = Authority::new("a company");
        let directory = TempDir::new().unwrap();
        std::fs::write(directory.path().join("company.pem"), authority.certificate()).unwrap();
        Self { proxy: ConnectProxy::start(&authority, hosts).await.unwrap(), directory }
    }

    fn certificates(&self) -> String {
        self.directory.path().join("company.pem").display().to_string()
    }

    fn configure(&self, launch: Launch) -> Launch {
        launch.variable("HTTPS_PROXY", &self.proxy.url()).variable("SSL_CERT_FILE", &self.certificates())
    }
}

fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").parse().unwrap()
}

#[tokio::test]
async fn a_client_command_uses_the_proxy_and_trusts_the_authority() {
    let host = "registry.proxied.invalid";
    let server = role_on("server", "sqlite:x.db").arguments(["--allowed-hosts", host]).start().await.unwrap();
    Client::of(&server).create("registered_models", &json!({"name": "heron"})).await;
    let network = Network::start(&[(host, address(&server.base_url()))]).await;
    let url = format!("https://{host}");
    let home = TempDir::new().unwrap();
    let list =
        async |variables: &[(&str, &str)]| run_in(home.path(), &["models", "list", "--server", &url], variables).await;
    let (proxy, certificates) = (network.proxy.url(), network.certificates());

    let run = list(&[("HTTPS_PROXY", &proxy), ("SSL_CERT_FILE", &certificates)]).await;
    assert!(run.code == Some(0) && run.output.contains("heron"), "{run:?}");
    assert_eq!(network.proxy.targets(), [format!("{host}:443")]);

    let run = list(&[("HTTPS_PROXY", &proxy)]).await;
    assert!(run.code == Some(6) && run.errors.contains("--ca-file"), "{run:?}");
    assert!(!network.proxy.targets().is_empty());

    for none in [host, ".proxied.invalid", "*"] {
        let run = list(&[("HTTPS_PROXY", &proxy), ("SSL_CERT_FILE", &certificates), ("NO_PROXY", none)]).await;
        assert!(run.code == Some(6) && run.errors.contains("has no address"), "{run:?}");
        assert!(network.proxy.targets().is_empty(), "NO_PROXY={none}");
    }
}

#[tokio::test]
async fn an_identity_provider_is_reached_through_the_proxy() {
    let (host, key) = ("issuer.proxied.invalid", SigningKey::new("k1"));
    let url = format!("https://{host}");
    let issuer = IssuerServer::start_as(Some(&url), &[&key]).await.unwrap();
    let network = Network::start(&[(host, issuer.address())]).await;
    let provider = ["--auth-mode", "oidc", "--auth-oidc-issuer", &url, "--auth-oidc-audience", AUDIENCE];
    let policy = "[[grants]]\nrole = \"writer\"\nusers = [\"*\"]\n";
    let launch = role_on("server", "sqlite:x.db").arguments(provider).file("policy.toml", policy);
    let server = network.configure(launch.arguments(["--auth-policy-file", "policy.toml"])).start().await.unwrap();
    let authorization = format!("Bearer {}", key.sign(&issuer.claims()));
    let headers = [("authorization", authorization.as_str())];
    let body = json!({"name": "heron"});
    let response = Client::of(&server).call("POST", "registered_models", &headers, Some(&body)).await.unwrap();
    assert_eq!(response.status, 201, "{response:?}\n{}", server.log());
    assert!(network.proxy.targets().iter().all(|target| *target == format!("{host}:443")) && issuer.fetches() > 0);
}

#[tokio::test]
async fn hubs_and_git_repositories_are_reached_through_the_proxy() {
    let (hub_host, git_host) = ("hub.proxied.invalid", "git.proxied.invalid");
    let hub = HubServer::start().await.unwrap();
    hub.publish("org/m", 1);
    let git = GitServer::start().await.unwrap();
    let repository = git.create("skills.git").unwrap();
    repository.write_skill("forecast", "predicts").unwrap();
    repository.commit().unwrap();
    let network = Network::start(&[(hub_host, hub.address()), (git_host, git.address())]).await;
    let sources = format!(
        "model_catalogs:\n- {{name: Hub, id: hub, type: hf, includedModels: ['org/m'], properties: {{url: 'https://{hub_host}'}}}}\n\
         skill_catalogs:\n- {{name: Git, id: git, type: git-skills-plugin, properties: {{trustTier: organizationApproved, \
         repositories: [{{url: 'https://{git_host}/skills.git'}}]}}}}\n"
    );
    let launch = role_on("catalog", "sqlite:x.db").file("sources.yaml", &sources).arguments([
        "--catalogs-path",
        "sources.yaml",
        "--hub-hosts",
        hub_host,
    ]);
    let server = network.configure(launch).start().await.unwrap();
    let client = Client::of(&server);
    eventually("both sources are read", async || {
        let models = client.get("/api/model_catalog/v1alpha1/models?source=hub").await;
        let skills = client.get("/api/skill_catalog/v1alpha1/skills").await;
        models.body["size"] == 1 && skills.body["size"] == 1
    })
    .await;
    let targets = network.proxy.targets();
    for host in [hub_host, git_host] {
        assert!(targets.contains(&format!("{host}:443")), "{targets:?}");
    }
}
