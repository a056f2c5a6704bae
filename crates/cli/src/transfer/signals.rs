//! Ctrl-C and SIGTERM end a transfer with clean-up.

use model_registry_transfer::Stop;

/// Exit code of a process that a second Ctrl-C ends at once.
const INTERRUPTED: i32 = 130;

/// Ends the transfer at the first signal. A second one ends the process: then a later run cleans up.
pub(crate) fn stop_on_signals(stop: &Stop) {
    let stop = stop.clone();
    tokio::spawn(async move {
        signal().await;
        stop.stop();
        signal().await;
        std::process::exit(INTERRUPTED);
    });
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

#[cfg(not(unix))]
async fn signal() {
    let _ = tokio::signal::ctrl_c().await;
}
