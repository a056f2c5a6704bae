//! Leases: what only one replica does at a time. A holder that stops renewing loses its lease.
//!
//! Times come from the replicas' clocks: these may differ by a fraction of a lease's duration, not more.

use std::time::Duration;

use sea_query::{Expr, ExprTrait, Query};

use crate::db::Transaction;
use crate::error::{Result, StoreError};
use crate::store::{Operation, Outcome, Store};

/// A claim to a lease.
#[derive(Clone, Debug)]
pub struct Lease {
    pub name: &'static str,
    /// Unique for each process.
    pub holder: String,
    pub duration: Duration,
}

impl Lease {
    /// A claim of this process, told apart from every other.
    #[expect(clippy::disallowed_methods, reason = "who holds a lease is told apart by nothing else")]
    pub fn new(name: &'static str, duration: Duration) -> Self {
        Self { name, holder: uuid::Uuid::new_v4().to_string(), duration }
    }

    /// Whether the transaction runs while the lease is held; a holder that was replaced must not write.
    pub async fn is_held(&self, tx: &mut Transaction) -> Result<bool> {
        let select = Query::select().column("holder").from("lease").and_where(Expr::col("name").eq(self.name)).take();
        let holder = tx.fetch_optional::<(String,)>(&select).await?;
        Ok(holder.is_some_and(|(holder,)| holder == self.holder))
    }
}

impl Store {
    /// Takes or renews the lease; tells whether it is held now.
    pub async fn acquire(&self, lease: &Lease) -> Result<bool> {
        self.write(&Acquire { lease, now: self.clock().now() }).await
    }

    /// Gives the lease up, so that another replica need not wait.
    pub async fn release(&self, lease: &Lease) -> Result<()> {
        self.write(&Release { lease }).await
    }
}

struct Acquire<'a> {
    lease: &'a Lease,
    now: i64,
}

impl Operation for Acquire<'_> {
    type Output = bool;
    type Error = StoreError;

    async fn run(&self, tx: &mut Transaction) -> Result<Outcome<bool>> {
        let Lease { name, holder, duration } = self.lease;
        let expire_time = self.now.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX));
        let renew = Query::update()
            .table("lease")
            .value("holder", holder.as_str())
            .value("expire_time", expire_time)
            .value("fence", Expr::col("fence").add(1))
            .and_where(Expr::col("name").eq(*name))
            .and_where(Expr::col("holder").eq(holder.as_str()).or(Expr::col("expire_time").lt(self.now)))
            .take();
        if tx.execute(&renew).await? > 0 {
            return Ok(Outcome::Done(true));
        }
        let select = Query::select().column("fence").from("lease").and_where(Expr::col("name").eq(*name)).take();
        if tx.fetch_optional::<(i64,)>(&select).await?.is_some() {
            return Ok(Outcome::Done(false));
        }
        let mut insert = Query::insert();
        insert.into_table("lease").columns(["name", "holder", "fence", "expire_time"]).values_panic([
            (*name).into(),
            holder.as_str().into(),
            1_i64.into(),
            expire_time.into(),
        ]);
        tx.execute(&insert).await?;
        Ok(Outcome::Done(true))
    }

    fn may_retry(&self, error: &StoreError) -> bool {
        // A concurrent first claim violates the primary key: the next run finds its row.
        matches!(error, StoreError::Retry(_) | StoreError::Conflict(_))
    }
}

struct Release<'a> {
    lease: &'a Lease,
}

impl Operation for Release<'_> {
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Transaction) -> Result<Outcome<()>> {
        let expire = Query::update()
            .table("lease")
            .value("expire_time", 0_i64)
            .and_where(Expr::col("name").eq(self.lease.name))
            .and_where(Expr::col("holder").eq(self.lease.holder.as_str()))
            .take();
        tx.execute(&expire).await?;
        Ok(Outcome::Done(()))
    }

    fn may_retry(&self, error: &StoreError) -> bool {
        matches!(error, StoreError::Retry(_))
    }
}
