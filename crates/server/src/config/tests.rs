use std::fs;

use clap::Command;

use super::*;

const EVERYTHING: &[Group] = &Group::ALL;

fn load_from(arguments: &[&str], variables: &[(&str, &str)], file: Option<&str>) -> Result<Settings, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("registry.toml");
    if let Some(text) = file {
        fs::write(&path, text).unwrap();
    }
    let schema = Schema::new(&[SETTINGS]);
    let command = schema.attach(Command::new("proxy"), EVERYTHING);
    let arguments = command.try_get_matches_from([&["proxy"], arguments].concat()).unwrap();
    let environment: Environment = variables.iter().copied().collect();
    let inputs = Inputs { arguments: &arguments, environment: &environment, default_file: Some(&path) };
    let result = schema.load(&inputs);
    result.map_err(|error| ConfigError {
        place: error.place.replace(&path.display().to_string(), "registry.toml"),
        ..error
    })
}

fn load(arguments: &[&str]) -> Settings {
    load_from(arguments, &[], None).unwrap()
}

fn rejected(file: &str) -> String {
    load_from(&[], &[], Some(file)).unwrap_err().to_string()
}

#[test]
fn a_flag_wins_over_the_environment_over_the_file_over_the_default() {
    let port = |arguments, variables, file| {
        let settings = load_from(arguments, variables, file).unwrap();
        (settings.number(&PORT), settings.find(&PORT).unwrap().origin.to_string())
    };
    let (flag, variable, file): (&[_], &[_], _) = (&["--port", "4"], &[("MR_PORT", "3")], Some("port = 2"));
    assert_eq!(port(flag, variable, file), (4, "--port".to_owned()));
    assert_eq!(port(&[], variable, file), (3, "MR_PORT".to_owned()));
    let (number, origin) = port(&[], &[], file);
    assert_eq!((number, origin.rsplit_once("registry.toml").unwrap().1), (2, ":1:8"));
    assert_eq!(port(&[], &[], None), (8080, "default".to_owned()));
}

#[test]
fn an_empty_variable_or_the_address_of_a_service_counts_as_unset() {
    let variables = [("MR_HOSTNAME", ""), ("MR_PORT", "tcp://10.0.0.1:8080"), ("MR_PORT_8080_TCP_ADDR", "10.0.0.1")];
    let settings = load_from(&[], &variables, None).unwrap();
    assert_eq!(settings.string(&HOSTNAME), Some("localhost"));
    assert_eq!(settings.number(&PORT), 8080);
    assert_eq!(
        settings.notices(),
        ["MR_PORT ignored: its value is the address of a Kubernetes Service; pass --port instead"]
    );
}

#[test]
fn a_misspelled_variable_is_an_error_and_an_unrelated_one_gets_a_notice() {
    let settings = load_from(&[], &[("MR_SOMETHING_ELSE", "y")], None).unwrap();
    assert_eq!(settings.notices(), ["MR_SOMETHING_ELSE is not a setting of this program; it has no effect"]);
    let error = load_from(&[], &[("MR_HOSTNAM", "x")], None).unwrap_err().to_string();
    assert!(error.starts_with("MR_HOSTNAM: this is not a setting: did you mean MR_HOSTNAME?"), "{error}");
}

#[test]
fn the_default_of_a_list_is_a_list() {
    assert_eq!(load(&[]).list(&ALLOWED_HOSTS), ["*.svc", "*.svc.cluster.local"]);
    assert_eq!(load(&["--allowed-hosts=a.example,b.example"]).list(&ALLOWED_HOSTS), ["a.example", "b.example"]);
}

#[test]
fn hosts_are_restricted_on_a_local_address_and_without_authentication() {
    let shown = |address: &str, is_anonymous: bool| {
        format!("{:?}", load(&[]).allowed_hosts(address.parse().unwrap(), is_anonymous).unwrap())
    };
    let any = format!("{:?}", crate::layers::AllowedHosts::any());
    for (address, is_anonymous, is_any) in [
        ("127.0.0.1:1", true, false),
        ("127.0.0.1:1", false, false),
        ("0.0.0.0:1", true, false),
        ("0.0.0.0:1", false, true),
    ] {
        assert_eq!(shown(address, is_anonymous) == any, is_any, "{address} {is_anonymous}");
    }
    let error = load(&["--allowed-hosts=https://a"]).allowed_hosts("127.0.0.1:1".parse().unwrap(), true).unwrap_err();
    assert!(error.to_string().starts_with("--allowed-hosts: `https://a` is not a host name"), "{error}");
}

#[test]
fn every_flag_of_the_kubeflow_model_registry_is_accepted() {
    let settings = load(&[
        "-n",
        "0.0.0.0",
        "-p=9090",
        "--datastore-type=embedmd",
        "--embedmd-database-type",
        "postgres",
        "--embedmd-database-dsn",
        "host=db password=x",
        "--embedmd-database-ssl-cert=/c",
        "--embedmd-database-ssl-key=/k",
        "--embedmd-database-ssl-root-cert=/r",
        "--embedmd-database-ssl-ca=/ca/",
        "--embedmd-database-ssl-cipher=A:B",
        "--embedmd-database-ssl-verify-server-cert=true",
        "--alsologtostderr",
        "--log_backtrace_at",
        ":0",
        "--log_dir=/tmp",
        "--log_link",
        "x",
        "--logbuflevel=0",
        "--logtostderr=true",
        "--stderrthreshold=2",
        "-v",
        "2",
        "--v=3",
        "--vmodule=x=1",
    ]);
    assert_eq!(settings.listen_address().unwrap(), ("0.0.0.0".to_owned(), 9090));
    assert_eq!(settings.string(&EMBEDMD_DATABASE_DSN), Some("host=db password=x"));
    assert!(settings.is_on(&EMBEDMD_DATABASE_SSL_VERIFY_SERVER_CERT));
}

#[test]
fn a_switch_takes_no_value_from_the_next_argument() {
    assert!(load(&["--allow-anonymous"]).is_on(&ALLOW_ANONYMOUS));
    assert!(!load(&["--allow-anonymous=false"]).is_on(&ALLOW_ANONYMOUS));
    assert!(!load(&[]).is_on(&ALLOW_ANONYMOUS));
}

#[test]
fn a_list_is_a_repeated_flag_comma_separated_or_an_array() {
    let expected = ["https://a", "https://b"];
    assert_eq!(
        load(&["--cors-allowed-origins", "https://a", "--cors-allowed-origins=https://b"]).list(&CORS_ALLOWED_ORIGINS),
        expected
    );
    let variables = [("MR_CORS_ALLOWED_ORIGINS", "https://a, https://b,")];
    assert_eq!(load_from(&[], &variables, None).unwrap().list(&CORS_ALLOWED_ORIGINS), expected);
    let file = "[cors]\nallowed-origins = [\"https://a\", \"https://b\"]";
    assert_eq!(load_from(&[], &[], Some(file)).unwrap().list(&CORS_ALLOWED_ORIGINS), expected);
}

#[test]
fn mistakes_in_the_file_are_reported_with_line_column_and_remedy() {
    assert_eq!(
        rejected("# c\n[limits]\nmax-bdy = \"1MiB\"\n"),
        "registry.toml:3:1: unknown key `limits.max-bdy`: did you mean `limits.max-body`?"
    );
    assert_eq!(rejected("zzz = 1"), "registry.toml:1:1: unknown key `zzz`");
    assert_eq!(
        rejected("[limits]\n  max-body = \"lots\""),
        "registry.toml:2:14: `lots` is not a size: write bytes, or a number with KiB, MiB or GiB, such as 16MiB"
    );
    assert_eq!(rejected("port = \"80\""), "registry.toml:1:8: `port` must be a number, not a string");
    assert_eq!(rejected("hostname = 1"), "registry.toml:1:12: `hostname` must be a string, not a number or boolean");
    assert_eq!(
        rejected("[cors]\nallowed-origins = [1]"),
        "registry.toml:2:19: `cors.allowed-origins` must be an array of strings, not an array with other elements"
    );
    let unreadable = rejected("[tls]\ncert = \"/none/cert.pem\"");
    assert!(unreadable.starts_with("registry.toml:2:8: cannot read `/none/cert.pem`: "), "{unreadable}");
    let broken = rejected("port = 1\nport = 2");
    assert!(broken.starts_with("registry.toml:2:1: "), "{broken}");
    assert_eq!(broken.lines().count(), 1);
}

#[test]
fn mistakes_elsewhere_are_reported_with_the_flag_or_variable() {
    let error = load_from(&["--port=http"], &[], None).unwrap_err();
    assert_eq!(error.to_string(), "--port: `http` is not a whole number from 0 to 65535");
    let error = load_from(&[], &[("MR_LIMITS_DRAIN", "soon")], None).unwrap_err();
    assert!(error.to_string().starts_with("MR_LIMITS_DRAIN: `soon` is not a duration"), "{error}");
    let error = load_from(&["--config", "/none.toml"], &[], None).unwrap_err();
    let other = load_from(&["--config", "/none.ini"], &[], None).unwrap_err();
    assert!(
        other.to_string().starts_with("/none.ini: the name of a configuration file has to end in .toml"),
        "{other}"
    );
    assert!(error.to_string().starts_with("/none.toml: cannot read the configuration file: "), "{error}");
}

#[test]
fn secrets_are_read_from_files_and_masked() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dsn");
    fs::write(&path, "postgres://u:hunter2@db/n\n").unwrap();
    let path = path.display().to_string();
    let from_file = format!("database = {{ file = \"{path}\" }}");
    for settings in
        [load_from(&[], &[], Some(&from_file)).unwrap(), load_from(&[], &[("MR_DATABASE_FILE", &path)], None).unwrap()]
    {
        assert_eq!(settings.string(&DATABASE), Some("postgres://u:hunter2@db/n"));
        assert_eq!(settings.find(&DATABASE).unwrap().display(), "postgres://u:***@db/n");
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
    let error = rejected("database = { file = \"/none\" }");
    assert!(error.starts_with("registry.toml:1:21: cannot read the secret from `/none`: "), "{error}");
}

#[test]
fn the_address_is_listen_or_else_hostname_and_port() {
    let address = |arguments: &[&str]| load(arguments).listen_address().map(|(host, port)| format!("{host} {port}"));
    assert_eq!(address(&[]).unwrap(), "localhost 8080");
    assert_eq!(address(&["--listen=0.0.0.0:81", "--port=82"]).unwrap(), "0.0.0.0 81");
    assert_eq!(address(&["--listen=[::1]:81"]).unwrap(), "[::1] 81");
    assert_eq!(address(&["--listen=:81"]).unwrap(), ":: 81");
    assert_eq!(address(&["--listen=81"]).unwrap_err().to_string(), "--listen: `81` is not HOST:PORT");
}

#[test]
fn names_are_unique_and_defaults_are_valid() {
    let mut names = std::collections::BTreeSet::new();
    for setting in SETTINGS {
        assert!(names.insert(setting.flag()), "{}", setting.key);
        assert!(names.insert(setting.variable()), "{}", setting.key);
        if let Some(default) = setting.default {
            assert_eq!(value::check(setting.value_type, default), Ok(()), "{}", setting.key);
        }
    }
    let schema = Schema::new(&[SETTINGS]);
    schema.attach(Command::new("proxy"), EVERYTHING).debug_assert();
}

#[test]
fn the_generated_file_loads_and_the_schema_has_every_key() {
    let schema = Schema::new(&[SETTINGS]);
    let example = example_file(&schema);
    load_from(&[], &[], Some(&example)).unwrap();
    // The defaults in the example are valid values.
    let uncommented: Vec<&str> = example
        .lines()
        .map(|line| {
            line.strip_prefix("# ").filter(|line| line.contains(" = ") && !line.ends_with("\"\"")).unwrap_or(line)
        })
        .collect();
    load_from(&[], &[], Some(&uncommented.join("\n"))).unwrap();
    let json = json_schema(&schema);
    let reference = markdown(&schema);
    for setting in SETTINGS {
        let pointer = format!("/properties/{}", setting.key.replace('.', "/properties/"));
        assert!(json.pointer(&pointer).is_some(), "{pointer}");
        assert!(reference.contains(&setting.flag()), "{}", setting.key);
    }
}

fn auth_error(arguments: &[&str]) -> String {
    let rules = crate::auth::Rules::new(&[crate::auth::DEFAULT_RULES]);
    load(arguments).auth(rules).err().unwrap().to_string()
}

#[tokio::test]
async fn an_incomplete_authentication_is_rejected() {
    assert_eq!(auth_error(&["--auth-mode=token"]), "--auth-mode: mode token requires auth.tokens-file");
    assert_eq!(auth_error(&["--auth-mode=oidc"]), "--auth-mode: mode oidc requires auth.oidc-issuer");
    let error = auth_error(&["--auth-mode=oidc", "--auth-oidc-issuer=https://i.example"]);
    assert_eq!(error, "--auth-mode: mode oidc requires auth.oidc-audience");
    let error = auth_error(&["--auth-mode=oidc", "--auth-oidc-issuer=i.example", "--auth-oidc-audience=a"]);
    assert_eq!(error, "--auth-oidc-issuer: `i.example` is not an http or https URL");

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("some.toml");
    fs::write(&path, "[[tokens]]\nuser = \"ci\"\n").unwrap();
    let path = path.display().to_string();
    let error = auth_error(&[&format!("--auth-policy-file={path}")]);
    assert!(error.starts_with("--auth-policy-file: a policy requires authenticated callers"), "{error}");
    let error = auth_error(&["--auth-mode=token", &format!("--auth-tokens-file={path}")]);
    assert_eq!(error, format!("--auth-tokens-file: {path}:1:1: missing field `sha256`"));
    let error = load(&[&format!("--tls-cert={path}")]).tls().unwrap_err().to_string();
    assert_eq!(error, "--tls-cert: tls.key is required as well");
}

/// Loads a file of the Kubeflow Model Registry; its path is `registry.yaml` in errors.
fn load_yaml(text: &str, arguments: &[&str]) -> Result<Settings, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("registry.yaml");
    fs::write(&path, text).unwrap();
    let path = path.display().to_string();
    load_from(&[&["--config", path.as_str()], arguments].concat(), &[("MR_DATASTORE_TYPE", "embedmd")], None)
        .map_err(|error| ConfigError { place: error.place.replace(&path, "registry.yaml"), ..error })
}

#[test]
fn a_file_of_the_kubeflow_model_registry_keeps_its_meaning() {
    let text = "hostname: 0.0.0.0\nPort: \"9090\"\nembedmd-database-type: postgres\n\
                embedmd-database-dsn: postgres://u:p@h/n\nembedmd-database-ssl-verify-server-cert: true\n\
                logtostderr: true\nv: 4\nlog_dir:\ncors-allowed-origins: [https://a, https://b]\n";
    let settings = load_yaml(text, &["--hostname", "::1"]).unwrap();
    assert_eq!((settings.string(&HOSTNAME), settings.number(&PORT)), (Some("::1"), 9090));
    assert_eq!(settings.string(&EMBEDMD_DATABASE_TYPE), Some("postgres"));
    assert_eq!(settings.string(&EMBEDMD_DATABASE_DSN), Some("postgres://u:p@h/n"));
    assert!(settings.is_on(&EMBEDMD_DATABASE_SSL_VERIFY_SERVER_CERT));
    assert_eq!(settings.list(&CORS_ALLOWED_ORIGINS), ["https://a", "https://b"]);
    assert_eq!(load_yaml("", &[]).unwrap().number(&PORT), 8080);

    let rejected = |text: &str| load_yaml(text, &[]).unwrap_err().to_string();
    assert_eq!(
        rejected("port: 1\nhostnam: x\n"),
        "registry.yaml:2:10: unknown key `hostnam`: did you mean `hostname`?"
    );
    assert_eq!(rejected("port: many\n"), "registry.yaml:1:7: `many` is not a whole number from 0 to 65535");
    assert_eq!(rejected("port: {a: b}\n"), "registry.yaml:1:7: `port` must be a number, not a mapping");
    assert!(rejected("port: [\n").starts_with("registry.yaml:"));
}
