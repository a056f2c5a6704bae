//! Whether the database responds and stores what it receives.

use std::time::{Duration, Instant};

use sea_query::{Expr, ExprTrait, Query};

use super::clock::database_time;
use super::driver::MYSQL_READ_ONLY;
use super::{Database, Pools};
use crate::dialect::Dialect;
use crate::error::{Result, StoreError};
use crate::tables::WORKSPACE;

/// The row that is written to find out whether the database stores anything; a lease that is never held.
const WRITE_PROBE: &str = "write-probe";

/// The time of the database, and how long it took to read.
pub(crate) struct MeasuredTime {
    /// Milliseconds since the Unix epoch.
    pub(crate) time: i64,
    pub(crate) round_trip: Duration,
}

impl Database {
    /// Fails if the database is not reachable or cannot store anything.
    ///
    /// It reads. Only where the last write failed because of the storage, or the server calls itself read-only, it writes a row
    /// too: users with more rights may write to a server of MySQL that is read-only for others.
    pub(crate) async fn probe(&self) -> Result<MeasuredTime> {
        let is_read_only = match self.dialect() {
            Dialect::Sqlite => Expr::val(0_i64),
            Dialect::Postgres => Expr::cust(
                "CASE WHEN current_setting('transaction_read_only') = 'on' THEN 1::bigint ELSE 0::bigint END",
            ),
            Dialect::MySql => Expr::cust(MYSQL_READ_ONLY),
        };
        let mut select = Query::select();
        select
            .expr(is_read_only)
            .expr(database_time(self.dialect()))
            .from("workspace")
            .and_where(Expr::col("id").eq(WORKSPACE));
        let started = Instant::now();
        let row = self.fetch_optional::<(i64, i64)>(&select).await?;
        let round_trip = started.elapsed();
        // The row is a part of the schema.
        let (is_read_only, time) = row.ok_or(StoreError::Database(sqlx::Error::RowNotFound))?;
        let (is_read_only, measured) = (is_read_only != 0, MeasuredTime { time, round_trip });
        let storage = match &self.pools {
            Pools::Sqlite { write, .. } => write.storage(),
            Pools::Postgres(pool) => pool.storage(),
            Pools::MySql(pool) => pool.storage(),
        };
        if !is_read_only && storage.problem().is_none() {
            return Ok(measured);
        }
        let _alone = storage.probing.lock().await;
        // Another probe may have found out meanwhile.
        if is_read_only || storage.problem().is_some() {
            self.write_probe().await?;
        }
        Ok(measured)
    }

    /// Reads the time of the database.
    pub(crate) async fn time(&self) -> Result<MeasuredTime> {
        let mut select = Query::select();
        select.expr(database_time(self.dialect()));
        let started = Instant::now();
        let row = self.fetch_optional::<(i64,)>(&select).await?;
        let (time,) = row.ok_or(StoreError::Database(sqlx::Error::RowNotFound))?;
        Ok(MeasuredTime { time, round_trip: started.elapsed() })
    }

    async fn write_probe(&self) -> Result<()> {
        let mut tx = self.begin().await?;
        let update = Query::update()
            .table("lease")
            .value("fence", Expr::col("fence").add(1))
            .and_where(Expr::col("name").eq(WRITE_PROBE))
            .take();
        if tx.execute(&update).await? == 0 {
            let mut insert = Query::insert();
            insert.into_table("lease").columns(["name", "holder", "fence", "expire_time"]).values_panic([
                WRITE_PROBE.into(),
                "".into(),
                1_i64.into(),
                0_i64.into(),
            ]);
            match tx.execute(&insert).await {
                // Another replica has just written it.
                Err(StoreError::DuplicateKey(_)) => return Ok(()),
                inserted => inserted?,
            };
        }
        tx.commit().await
    }
}
