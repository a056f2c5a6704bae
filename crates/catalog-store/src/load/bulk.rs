//! What a database needs around many rows. Indexes grow at many places at once.

use model_registry_store::dialect::Dialect;
use model_registry_store::sql::SQLITE_CACHE;
use model_registry_store::{Result, Transaction};

use super::LoadReport;

/// Kibibytes of SQLite's cache during a load: with a small one it writes and reads each page of an index again and again.
const CACHE: u32 = 64 * 1024;
/// Kibibytes of PostgreSQL's pending list during a load, and of the memory to empty it with: its index of searches takes
/// rows through that list, which is best emptied in large pieces.
const PENDING: u32 = 32 * 1024;
/// Kibibytes that PostgreSQL makes indexes with: enough for two processes.
const MAKING: u32 = 64 * 1024;

pub(super) async fn begin(tx: &mut Transaction) -> Result<()> {
    match tx.dialect() {
        Dialect::Sqlite => tx.execute_text(format!("PRAGMA cache_size = -{CACHE}")).await,
        Dialect::Postgres => {
            let settings =
                [("gin_pending_list_limit", PENDING), ("work_mem", PENDING), ("maintenance_work_mem", MAKING)];
            let set = settings.map(|(setting, size)| format!("SET LOCAL {setting} = {size}"));
            tx.execute_text(set.join("; ")).await
        }
        Dialect::MySql => Ok(()),
    }
}

/// Ends what [`begin`] began. On PostgreSQL the first load makes the indexes that are not there before it, and others empty
/// the pending list: migration 9.
pub(super) async fn end(tx: &mut Transaction, report: &LoadReport) -> Result<()> {
    match tx.dialect() {
        Dialect::Sqlite => tx.execute_text(format!("PRAGMA cache_size = -{SQLITE_CACHE}")).await,
        Dialect::Postgres if report.written > 0 => tx.execute_text("SELECT catalog_end_load()".to_owned()).await,
        Dialect::Postgres | Dialect::MySql => Ok(()),
    }
}
