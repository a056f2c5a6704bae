//! Invalid settings are reported in one line with file, line and column, and exit code 2.

use tempfile::TempDir;

use crate::support::run_in;

#[tokio::test]
async fn an_invalid_file_is_reported_in_one_line_with_the_position() {
    let no_file = "No such file or directory (os error 2)";
    for (name, text, expected) in [
        ("a.toml", "prot = 1\n", "a.toml:1:1: unknown key `prot`: did you mean `port`?".to_owned()),
        (
            "a.toml",
            "# limits\n[limits]\n  max-bdy = \"1MiB\"\n",
            "a.toml:3:3: unknown key `limits.max-bdy`: did you mean `limits.max-body`?".to_owned(),
        ),
        ("a.toml", "zzz = 1\n", "a.toml:1:1: unknown key `zzz`".to_owned()),
        ("a.toml", "port = \"x\"\n", "a.toml:1:8: `port` must be a number, not a string".to_owned()),
        ("a.toml", "listen = 8080\n", "a.toml:1:10: `listen` must be a string, not a number or boolean".to_owned()),
        ("a.toml", "port = 99999\n", "a.toml:1:8: `99999` is not a whole number from 0 to 65535".to_owned()),
        (
            "a.toml",
            "[cors]\nallowed-origins = 5\n",
            "a.toml:2:19: `cors.allowed-origins` must be an array of strings, not a number or boolean".to_owned(),
        ),
        ("a.toml", "[limits]\nrequest-timeout = \"soon\"\n", "a.toml:2:19: `soon` is not a duration: write".to_owned()),
        (
            "a.toml",
            "database = { file = \"nothing\" }\n",
            format!("a.toml:1:21: cannot read the secret from `nothing`: {no_file}"),
        ),
        ("a.yaml", "port: 1\nhostnam: x\n", "a.yaml:2:10: unknown key `hostnam`: did you mean `hostname`?".to_owned()),
        ("a.ini", "port = 1\n", "a.ini: the name of a configuration file has to end in .toml".to_owned()),
    ] {
        let home = TempDir::new().unwrap();
        std::fs::write(home.path().join(name), text).unwrap();
        for subcommand in ["server", "up", "proxy"] {
            let run = run_in(home.path(), &[subcommand, "--config", name], &[]).await;
            let errors = run.errors;
            assert_eq!(run.code, Some(2), "{subcommand} with {text}: {errors}");
            assert!(errors.starts_with(&format!("error: {expected}")), "{subcommand} with {text}: {errors}");
            assert_eq!(errors.lines().count(), 1, "{subcommand} with {text}: {errors}");
        }
    }
}

/// A FIFO without a writer would block the process for ever.
#[cfg(unix)]
#[tokio::test]
async fn a_fifo_is_refused_at_once_wherever_a_file_is_named() {
    let home = TempDir::new().unwrap();
    for name in ["fifo", "fifo.toml", "fifo.yaml"] {
        model_registry_testkit::make_fifo(&home.path().join(name));
    }
    let url = "http://127.0.0.1:9";
    let database = ["--database", "sqlite:a.db"];
    for (arguments, variables) in [
        (&["server", "--config", "fifo.toml"][..], &[][..]),
        (&["proxy", "--config", "fifo.yaml"], &[]),
        (&["server"], &[("MR_DATABASE_FILE", "fifo")]),
        (&["up", "--tls-cert", "fifo", "--tls-key", "fifo"], &[]),
        (&["up", "--auth-mode", "token", "--auth-tokens-file", "fifo"], &[]),
        (&["server", "--database", "postgres://u@127.0.0.1:9/a?sslmode=verify-ca&sslrootcert=fifo"], &[]),
        (&["import", "fifo", database[0], database[1]], &[]),
        (&["import", "fifo", "--server", url], &[]),
        (&["catalog", "check", "fifo"], &[]),
        (&["models", "list", "--server", url, "--token-file", "fifo"], &[]),
        (&["models", "list", "--server", url, "--ca-file", "fifo"], &[]),
        (&["token", "check", "fifo"], &[]),
        (&["profiles", "set", "a", "--ca-file", "fifo"], &[]),
    ] {
        let run = run_in(home.path(), arguments, variables).await;
        let text = format!("{}{}", run.output, run.errors);
        assert_ne!(run.code, Some(0), "{arguments:?} {variables:?}: {text}");
        assert!(text.contains("fifo") && text.contains("a FIFO (named pipe)"), "{arguments:?} {variables:?}: {text}");
    }
}

#[tokio::test]
async fn a_missing_file_is_reported_with_the_setting_that_names_it() {
    let home = TempDir::new().unwrap();
    std::fs::write(home.path().join("chain.pem"), "").unwrap();
    let no_file = "No such file or directory (os error 2)";
    for (arguments, variables, expected) in [
        (
            &["server", "--config", "nothing.toml"][..],
            &[][..],
            format!("nothing.toml: cannot read the configuration file: {no_file}"),
        ),
        (
            &["server"],
            &[("MR_DATABASE_FILE", "nothing")],
            format!("MR_DATABASE_FILE: cannot read the secret from `nothing`: {no_file}"),
        ),
        (&["server"], &[("MR_LIMITS_MAX_BODY", "much")], "MR_LIMITS_MAX_BODY: `much` is not a size".to_owned()),
        (&["up", "--auth-mode", "token"], &[], "--auth-mode: mode token requires auth.tokens-file".to_owned()),
        (
            &["up", "--auth-mode", "token", "--auth-tokens-file", "nothing"],
            &[],
            "--auth-tokens-file: cannot read".to_owned(),
        ),
        (&["up", "--tls-cert", "chain.pem"], &[], "--tls-cert: tls.key is required as well".to_owned()),
    ] {
        let run = run_in(home.path(), arguments, variables).await;
        let errors = run.errors;
        assert_eq!(run.code, Some(2), "{arguments:?} {variables:?}: {errors}");
        assert!(errors.starts_with(&format!("error: {expected}")), "{arguments:?} {variables:?}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{arguments:?} {variables:?}: {errors}");
    }
}

#[tokio::test]
async fn config_show_for_proxy_includes_the_file_in_the_home_directory() {
    let home = TempDir::new().unwrap();
    let file = home.path().join(".model-registry.yaml");
    std::fs::write(&file, "hostname: 127.0.0.1\nport: 9090\n").unwrap();
    let show = async |arguments: &[&str]| {
        let run = run_in(home.path(), &[&["config", "show"], arguments].concat(), &[]).await;
        assert_eq!(run.code, Some(0), "{run:?}");
        let port = run.output.lines().find(|line| line.split_whitespace().next() == Some("port")).unwrap();
        (port.split_whitespace().skip(1).collect::<Vec<_>>().join(" "), run.errors)
    };
    let place = file.display();
    assert_eq!(show(&["--for", "proxy"]).await, (format!("9090 {place}:2:7"), String::new()));
    let note = format!("note: `proxy` also reads {place}: `config show --for proxy` shows its settings\n");
    assert_eq!(show(&[]).await, ("8080 default".to_owned(), note));
    std::fs::write(home.path().join("own.toml"), "port = 7070\n").unwrap();
    assert_eq!(
        show(&["--for", "proxy", "--config", "own.toml"]).await,
        ("7070 own.toml:1:8".to_owned(), String::new())
    );
}
