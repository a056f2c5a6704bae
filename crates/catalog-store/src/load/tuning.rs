//! Settings of the database session during a load, which inserts into many places of every index.

use model_registry_store::dialect::Dialect;
use model_registry_store::sql::SQLITE_CACHE;
use model_registry_store::{Result, Transaction};

use super::LoadReport;

/// KiB of SQLite's page cache during a load: with a small one it writes and reads each page of an index again and again.
const CACHE_KIB: u32 = 64 * 1024;
/// KiB of PostgreSQL's pending list during a load, and of the memory to merge it: its trigram index takes rows through that
/// list, which is best merged in large pieces.
const PENDING_LIST_KIB: u32 = 32 * 1024;
/// KiB that PostgreSQL builds indexes with: enough for two processes.
const INDEX_BUILD_KIB: u32 = 64 * 1024;

pub(super) async fn begin(tx: &mut Transaction) -> Result<()> {
    match tx.dialect() {
        Dialect::Sqlite => tx.execute_text(format!("PRAGMA cache_size = -{CACHE_KIB}")).await,
        Dialect::Postgres => {
            let settings = [
                ("gin_pending_list_limit", PENDING_LIST_KIB),
                ("work_mem", PENDING_LIST_KIB),
                ("maintenance_work_mem", INDEX_BUILD_KIB),
            ];
            let set = settings.map(|(setting, size)| format!("SET LOCAL {setting} = {size}"));
            tx.execute_text(set.join("; ")).await
        }
        Dialect::MySql => Ok(()),
    }
}

/// Restores what [`begin`] changed. On PostgreSQL the first load builds the indexes that do not exist before it, and later
/// ones merge the pending list: see migration 9.
pub(super) async fn end(tx: &mut Transaction, report: &LoadReport) -> Result<()> {
    match tx.dialect() {
        Dialect::Sqlite => tx.execute_text(format!("PRAGMA cache_size = -{SQLITE_CACHE}")).await,
        Dialect::Postgres if report.written > 0 => tx.execute_text("SELECT catalog_end_load()".to_owned()).await,
        Dialect::Postgres | Dialect::MySql => Ok(()),
    }
}
