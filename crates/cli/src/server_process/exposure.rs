//! Whether a server may listen on an address without authentication.

use std::net::SocketAddr;

use model_registry_server::auth::{self, Auth, ExposureError};
use model_registry_server::config::{self as key, Settings};

/// The addresses on which a server may listen without authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anonymous {
    OnLoopback,
    Everywhere,
}

/// Fails without authentication on an address that other machines can reach, unless `--allow-anonymous` is set; with
/// [`Anonymous::Everywhere`], which `proxy` and `catalog` use, it only logs a warning.
pub(super) fn check(
    settings: &Settings,
    auth: &Auth,
    address: SocketAddr,
    anonymous: Anonymous,
) -> Result<(), ExposureError> {
    let is_allowed = settings.is_on(&key::ALLOW_ANONYMOUS);
    match (auth::check_exposure(&auth.authenticator, address, is_allowed), anonymous) {
        (Err(_), Anonymous::Everywhere) => {
            tracing::warn!(
                %address,
                "no authentication: anyone who reaches this address can change all data; set --auth-mode, or let a \
                 service mesh authenticate callers"
            );
            Ok(())
        }
        (result, _) => result,
    }
}
