//! Starts database servers for tests: `test-servers [postgres] [mariadb]`.
//!
//! Prints one line per server, `VARIABLE=URL`, then an empty line once all accept connections. Stops them, and deletes
//! their data, when standard input ends; that happens even if the process that started this one is killed.

#![expect(clippy::print_stdout, reason = "the variables are its output")]

use std::io::Write;
use std::process::ExitCode;

use model_registry_testkit::database::{MARIADB_VARIABLE, POSTGRES_VARIABLE};
use model_registry_testkit::{MariaDbServer, PostgresServer, Result, server_directory};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let databases: Vec<String> = std::env::args().skip(1).collect();
    if let Some(unknown) = databases.iter().find(|name| !["postgres", "mariadb"].contains(&name.as_str())) {
        eprintln!("unknown database `{unknown}`; usage: test-servers [postgres] [mariadb]");
        return ExitCode::from(2);
    }
    match serve(&databases).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(databases: &[String]) -> Result<()> {
    let directory = server_directory()?;
    // Dropped before the directory: that stops the servers.
    let mut servers: (Option<PostgresServer>, Option<MariaDbServer>) = (None, None);
    for name in databases {
        if name == "postgres" {
            let server = servers.0.insert(PostgresServer::start(&directory.path().join(name)).await?);
            println!("{POSTGRES_VARIABLE}={}", server.url());
        } else {
            let server = servers.1.insert(MariaDbServer::start(&directory.path().join(name)).await?);
            println!("{MARIADB_VARIABLE}={}", server.url());
        }
    }
    println!();
    std::io::stdout().flush()?;
    wait_until_stopped().await
}

/// Returns when standard input ends, or at SIGINT or SIGTERM.
async fn wait_until_stopped() -> Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let (sender, ended) = oneshot::channel();
    // Not tokio's standard input: its pending read would keep the runtime from ending.
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = sender.send(());
    });
    tokio::select! {
        _ = ended => {}
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
