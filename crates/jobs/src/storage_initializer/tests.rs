use super::*;

fn check(uri: &str, is_from_registry: bool, prefixes: Option<&str>) -> Result<(), String> {
    let variables: Vec<(&str, &str)> =
        prefixes.map(|prefixes| ("ALLOWED_ARTIFACT_URI_PREFIXES", prefixes)).into_iter().collect();
    let settings = Settings::read(&variables.into_iter().collect()).unwrap();
    checked(uri, is_from_registry, &settings).map(drop).map_err(|error| error.to_string())
}

const BLOCKED: &str = "artifact URI validation failed: artifact URI targets a blocked endpoint: host \"";
const NOT_ALLOWED: &str = "artifact URI validation failed: artifact URI does not match any allowed prefix: URI \"";

#[test]
fn a_blocked_endpoint_is_refused_in_every_scheme_and_wins_over_the_allowed_prefixes() {
    for uri in [
        "http://169.254.169.254/latest/",
        "https://169.254.169.254:8080/x",
        "s3://169.254.169.254/b/k",
        "http://u@169.254.169.254/",
        "http://2852039166/x",
        "http://0xa9fea9fe/x",
        "http://[fd00:0ec2::254]/x",
        "http://[::ffff:169.254.169.254]/x",
        r"http://169.254.169.254\x/y",
        "http://METADATA.google.internal./x",
        "oci://169.254.169.254/a:1",
        "s3://bucket/a?endpoint=http%3A%2F%2F169.254.169.254",
        "s3://bucket/a?endpoint=http%3A%2F%2Fuser@metadata.google.internal%3A80/x",
    ] {
        for prefixes in [None, Some("http://169.254.169.254/,https://,http://,s3://,oci://")] {
            let error = check(uri, true, prefixes).expect_err(uri);
            assert!(error.starts_with(BLOCKED), "{uri}: {error}");
        }
    }
    assert_eq!(
        check("http://169.254.169.254/latest/", true, None).unwrap_err(),
        "artifact URI validation failed: artifact URI targets a blocked endpoint: host \"169.254.169.254\" is a known cloud \
         metadata or link-local endpoint"
    );
}

#[test]
fn keys_with_unusual_characters_are_allowed() {
    for uri in
        ["s3://any/x", "http://10.0.0.1/x", "http://127.0.0.1/x", "s3://b/100%done", "gs://b/a b", "hf://org/model"]
    {
        assert_eq!(check(uri, true, None), Ok(()), "{uri}");
    }
}

#[test]
fn only_allowed_prefixes_are_fetched() {
    assert_eq!(check("s3://my-bucket/m", true, Some("s3://my-bucket/")), Ok(()));
    for (uri, prefixes) in [
        ("s3://my-bucket-evil/m", "s3://my-bucket"),
        ("gs://x/m", "s3://"),
        ("https://trusted.example.com.evil.org/a", "https://trusted.example.com"),
        ("https://trusted.example.com@evil.org/a", "https://trusted.example.com"),
    ] {
        let error = check(uri, true, Some(prefixes)).expect_err(uri);
        assert!(error.starts_with(NOT_ALLOWED), "{uri}: {error}");
    }
    let elsewhere = "s3://my-bucket/m?endpoint=https%3A%2F%2Fevil.org&defaultRegion=eu";
    assert!(check(elsewhere, true, Some("s3://my-bucket/")).unwrap_err().contains("https://evil.org"));
    assert_eq!(check(elsewhere, true, Some("s3://my-bucket/,https://evil.org/")), Ok(()));
    assert_eq!(check(elsewhere, true, None), Ok(()));
}

#[test]
fn an_artifact_names_no_file_of_the_container_and_no_other_model() {
    for uri in
        ["file:///var/run/secrets/token", "/etc/passwd", "relative", "model-registry://other", "ftp://host/x", ""]
    {
        let error = check(uri, true, None).expect_err(uri);
        assert!(error.starts_with("protocol not supported for storageUri"), "{uri}: {error}");
    }
    assert_eq!(check("/mnt/pvc/model", false, None), Ok(()));
    assert_eq!(check("file:///mnt/models/a", true, Some("file:///mnt/models")), Ok(()));
    assert!(check("file:///mnt/models/../../etc/passwd", true, Some("file:///mnt/models")).is_err());
    assert!(check("/etc/passwd", true, Some("file:///mnt/models")).is_err());
}

#[test]
fn the_destination_is_a_directory_of_this_machine() {
    assert_eq!(directory("/mnt/models").unwrap().to_string(), "/mnt/models/");
    for path in ["", "s3://bucket/x"] {
        assert!(directory(path).is_err(), "{path}");
    }
}
