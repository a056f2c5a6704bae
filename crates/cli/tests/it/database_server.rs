//! Database servers of single tests.

use model_registry_testkit::{DatabaseServer, Error, Result};

use crate::support::print_skipped;

/// The server that was started; `None` after a line on standard error if the program is not installed.
pub(crate) fn if_installed(started: Result<DatabaseServer>) -> Option<DatabaseServer> {
    match started {
        Ok(server) => Some(server),
        Err(missing @ Error::Missing { .. }) => {
            print_skipped(&format!("skipped a test that starts its own database server: {missing}"));
            None
        }
        Err(error) => panic!("{error}"),
    }
}
