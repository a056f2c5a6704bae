//! Rules for addresses, and trusted certificates.

use std::fs;
use std::net::IpAddr;
use std::sync::Arc;

use model_registry_testkit::{Authority, FileServer, S3_BUCKET, S3Server, TlsFront, WebFault};
use model_registry_transfer::{Context, Network, TransferError};

use crate::support::{Recorded, context, path_of, read, run, s3, s3_context};

/// Allows 127.0.0.1 as a literal, and no other address: so neither `localhost`, which resolves to more, nor 127.0.0.2.
fn only_literal_loopback(context: Context) -> Context {
    let address_check = Arc::new(|address: IpAddr| match address.to_string().as_str() {
        "127.0.0.2" => Err("reserved".to_owned()),
        _ => Ok(()),
    });
    let url_check = Arc::new(|url: &url::Url| match url.host_str() {
        Some("127.0.0.1" | "localhost") => Ok(()),
        _ => Err("reserved".to_owned()),
    });
    Context {
        network: Network { address_check: Some(address_check), url_check: Some(url_check), ..Network::default() },
        ..context
    }
}

/// Allows no address of this machine.
fn without_loopback(context: Context) -> Context {
    let address_check =
        Arc::new(
            |address: IpAddr| {
                if address.is_loopback() { Err("this machine is out of reach".to_owned()) } else { Ok(()) }
            },
        );
    Context { network: Network { address_check: Some(address_check), ..Network::default() }, ..context }
}

fn assert_refused(error: &TransferError, reason: &str) {
    assert!(matches!(error, TransferError::Refused { .. }), "{error:?}");
    assert!(error.to_string().contains(reason), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_web_server_gets_no_request_and_none_is_repeated() {
    let (server, home) = (FileServer::start().await.unwrap(), tempfile::tempdir().unwrap());
    server.publish("/a", "content");
    let destination = path_of(&home.path().join("a"));
    let recorded = Recorded::default();
    let context = recorded.context(without_loopback(context()));
    // As an address, and as a name that resolves to it.
    for url in [server.url("/a"), server.url_by_name("/a")] {
        let error = run(&url, &destination, &context).await.unwrap_err();
        assert_refused(&error, "this machine is out of reach");
    }
    assert!(server.requests().is_empty() && recorded.retries() == 0 && !home.path().join("a").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_to_a_refused_address_is_not_followed() {
    let (server, home) = (FileServer::start().await.unwrap(), tempfile::tempdir().unwrap());
    server.publish("/a", "content");
    server.publish("/b", "content");
    let destination = path_of(&home.path().join("a"));
    let context = only_literal_loopback(context());
    server.plan("/a", WebFault::Redirect(server.url("/b").replace("127.0.0.1", "127.0.0.2")));
    let error = run(&server.url("/a"), &destination, &context).await.unwrap_err();
    assert_refused(&error, "127.0.0.2: reserved");
    assert_eq!(server.requests().len(), 1);
    // A name that the rules do not allow.
    server.plan("/a", WebFault::Redirect("http://metadata.internal/b".to_owned()));
    let error = run(&server.url("/a"), &destination, &context).await.unwrap_err();
    assert_refused(&error, "reserved");
    // One that is allowed is followed.
    for _ in 0..2 {
        server.plan("/a", WebFault::Redirect(server.url("/b")));
    }
    run(&server.url("/a"), &destination, &context).await.unwrap();
    assert_eq!(fs::read_to_string(&destination).unwrap(), "content");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hub_and_registries_of_images_follow_the_rules() {
    let (server, home) = (FileServer::start().await.unwrap(), tempfile::tempdir().unwrap());
    let destination = path_of(&home.path().join("a"));
    let variables = [("HF_ENDPOINT", server.url_by_name(""))];
    let hub = Context { environment: variables.into_iter().collect(), ..without_loopback(context()) };
    assert_refused(&run("hf://org/model", &destination, &hub).await.unwrap_err(), "this machine is out of reach");
    let host = server.url_by_name("").replace("http://", "");
    for host in [host.clone(), host.replace("localhost", "127.0.0.1")] {
        let error = run(&format!("oci://{host}/m:1"), &destination, &without_loopback(context())).await.unwrap_err();
        assert!(error.to_string().contains("this machine is out of reach"), "{error}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_endpoint_within_a_location_follows_the_rules_and_that_of_the_operator_is_trusted() {
    let (server, home) = (S3Server::start().await.unwrap(), tempfile::tempdir().unwrap());
    fs::write(server.bucket().join("a"), "content").unwrap();
    let destination = path_of(&home.path().join("a"));
    let rules = without_loopback(s3_context(&server));
    for endpoint in
        [server.base_url(), server.base_url().replace("127.0.0.1", "localhost"), "http://0x7f000001".to_owned()]
    {
        let source = format!("s3://{S3_BUCKET}/a?endpoint={endpoint}");
        assert_refused(&run(&source, &destination, &rules).await.unwrap_err(), "this machine is out of reach");
    }
    assert!(server.requests().is_empty());
    run(&s3("a"), &destination, &rules).await.unwrap();
    assert_eq!(read(home.path()).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_with_a_certificate_of_another_authority_is_trusted_by_file_only() {
    let (server, home) = (S3Server::start().await.unwrap(), tempfile::tempdir().unwrap());
    fs::write(server.bucket().join("a"), "content").unwrap();
    let authority = Authority::new("stores");
    let front = TlsFront::start(&authority, server.address()).await.unwrap();
    let certificates = home.path().join("authority.pem");
    fs::write(&certificates, authority.certificate()).unwrap();
    let destination = path_of(&home.path().join("a"));
    let with = |bundle: Option<&str>| {
        let mut variables = server.variables();
        variables.retain(|(name, _)| !matches!(*name, "AWS_ENDPOINT_URL" | "AWS_ALLOW_HTTP"));
        variables.push(("AWS_ENDPOINT_URL", front.base_url()));
        variables.extend(bundle.map(|path| ("AWS_CA_BUNDLE", path.to_owned())));
        Context { environment: variables.into_iter().collect(), ..context() }
    };
    let error = run(&s3("a"), &destination, &with(None)).await.unwrap_err();
    assert!(error.to_string().contains("authority that is not trusted"), "{error}");
    // By the variable of the tools for S3, by the option, and without any verification.
    let network = Network { root_certificates: authority.certificate().into_bytes(), ..Network::default() };
    let unverified = Network { is_unverified: true, ..Network::default() };
    for context in [
        with(Some(&path_of(&certificates))),
        Context { network, ..with(None) },
        Context { network: unverified, ..with(None) },
    ] {
        run(&s3("a"), &destination, &context).await.unwrap();
        fs::remove_file(&destination).unwrap();
    }
    let error = run(&s3("a"), &destination, &with(Some("/nowhere.pem"))).await.unwrap_err();
    assert!(error.to_string().contains("/nowhere.pem of AWS_CA_BUNDLE cannot be read"), "{error}");
}
