//! Leases: work that only one replica does at a time. A holder that stops renewing its lease loses it.
//!
//! Expiry is written and judged by the clock of the database, within the statements: the clocks of the replicas do not count.

use std::time::Duration;

use sea_query::{Expr, ExprTrait, Query};

use crate::db::{Transaction, database_time};
use crate::error::{Result, StoreError};
use crate::store::Store;
use crate::unit_of_work::{Outcome, UnitOfWork};

/// A claim to a lease.
#[derive(Clone, Debug)]
pub struct Lease {
    pub name: &'static str,
    /// Unique for each process.
    pub holder: String,
    pub duration: Duration,
}

impl Lease {
    /// A claim of this process, with a random holder.
    #[expect(clippy::disallowed_methods, reason = "a random name of the holder is all that distinguishes processes")]
    pub fn new(name: &'static str, duration: Duration) -> Self {
        Self { name, holder: uuid::Uuid::new_v4().to_string(), duration }
    }

    /// Whether this claim holds the lease, within the transaction: a holder that has been replaced must not write.
    pub async fn is_held(&self, tx: &mut Transaction) -> Result<bool> {
        let select = Query::select().column("holder").from("lease").and_where(Expr::col("name").eq(self.name)).take();
        let holder = tx.fetch_optional::<(String,)>(&select).await?;
        Ok(holder.is_some_and(|(holder,)| holder == self.holder))
    }
}

impl Store {
    /// Takes or renews the lease; returns whether this claim holds it now.
    pub async fn acquire(&self, lease: &Lease) -> Result<bool> {
        self.write(&Acquire { lease }).await
    }

    /// Releases the lease, so that another replica can take it at once.
    pub async fn release(&self, lease: &Lease) -> Result<()> {
        self.write(&Release { lease }).await
    }
}

struct Acquire<'a> {
    lease: &'a Lease,
}

impl UnitOfWork for Acquire<'_> {
    type Output = bool;
    type Error = StoreError;

    async fn run(&self, tx: &mut Transaction) -> Result<Outcome<bool>> {
        let Lease { name, holder, duration } = self.lease;
        let now = database_time(tx.dialect());
        let expire_time = now.clone().add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 2));
        let renew = Query::update()
            .table("lease")
            .value("holder", holder.as_str())
            .value("expire_time", expire_time.clone())
            .value("fence", Expr::col("fence").add(1))
            .and_where(Expr::col("name").eq(*name))
            .and_where(Expr::col("holder").eq(holder.as_str()).or(Expr::col("expire_time").lt(now)))
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
            expire_time,
        ]);
        tx.execute(&insert).await?;
        Ok(Outcome::Done(true))
    }

    fn may_retry(&self, error: &StoreError) -> bool {
        // Of two concurrent first claims, one violates the primary key; its next attempt finds the row of the other.
        matches!(error, StoreError::Retry(_) | StoreError::DuplicateKey(_))
    }
}

struct Release<'a> {
    lease: &'a Lease,
}

impl UnitOfWork for Release<'_> {
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

#[cfg(test)]
mod tests {
    use model_registry_base::Clock;
    use model_registry_testkit::{Backend, on_each_database};

    use super::*;
    use crate::db::PoolOptions;
    use crate::test_support::{TestStore, connect};

    on_each_database!(
        only_one_holder_has_a_lease_until_it_expires,
        the_clocks_of_the_replicas_do_not_decide_who_holds_a_lease,
        a_released_lease_is_free_at_once,
        of_many_concurrent_first_claims_one_wins_and_none_fails
    );

    const DURATION: Duration = Duration::from_mins(1);

    /// Lets the database's clock advance, as far as leases are concerned.
    async fn let_pass(store: &Store, milliseconds: i64) {
        let mut tx = store.database().unwrap().begin().await.unwrap();
        let earlier =
            Query::update().table("lease").value("expire_time", Expr::col("expire_time").sub(milliseconds)).take();
        tx.execute(&earlier).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn only_one_holder_has_a_lease_until_it_expires(backend: Backend) {
        let store = TestStore::new(backend).await;
        let (first, second) = (Lease::new("work", DURATION), Lease::new("work", DURATION));
        let other_work = Lease::new("other-work", DURATION);
        assert!(store.acquire(&first).await.unwrap());
        assert!(!store.acquire(&second).await.unwrap());
        assert!(store.acquire(&other_work).await.unwrap());
        let_pass(&store, 30_000).await;
        assert!(store.acquire(&first).await.unwrap(), "renewed");
        let_pass(&store, 40_000).await;
        assert!(!store.acquire(&second).await.unwrap(), "the duration counts from the renewal");
        let_pass(&store, 21_000).await;
        assert!(store.acquire(&second).await.unwrap(), "expired");
        assert!(!store.acquire(&first).await.unwrap());
        let mut tx = store.database().unwrap().begin().await.unwrap();
        assert!(!first.is_held(&mut tx).await.unwrap());
        assert!(second.is_held(&mut tx).await.unwrap());
    }

    async fn the_clocks_of_the_replicas_do_not_decide_who_holds_a_lease(backend: Backend) {
        const DAY: i64 = 24 * 60 * 60 * 1000;
        let store = TestStore::with_clock(backend, Clock::system()).await;
        let replica = async |error| {
            let url = store.url().parse().unwrap();
            Store::connect(&url, PoolOptions::default(), Clock::wrong_by(error)).await.unwrap()
        };
        let (ahead, late) = (replica(DAY).await, replica(-DAY).await);
        let lease = || Lease::new("work", DURATION);
        let held = lease();
        assert!(store.acquire(&held).await.unwrap());
        assert!(!ahead.acquire(&lease()).await.unwrap(), "not taken by a replica that is a day ahead");
        assert!(!late.acquire(&lease()).await.unwrap());
        assert!(store.acquire(&held).await.unwrap(), "still held");
        store.release(&held).await.unwrap();
        // A holder that is ahead does not keep it for a day, and one whose clock is late does not lose it at once.
        for holder in [&ahead, &late] {
            let held = lease();
            assert!(holder.acquire(&held).await.unwrap());
            assert!(!store.acquire(&lease()).await.unwrap());
            let_pass(&store, 61_000).await;
            let next = lease();
            assert!(store.acquire(&next).await.unwrap(), "expired by the clock of the database");
            store.release(&next).await.unwrap();
        }
    }

    async fn a_released_lease_is_free_at_once(backend: Backend) {
        let store = TestStore::new(backend).await;
        let (first, second) = (Lease::new("work", DURATION), Lease::new("work", DURATION));
        assert!(store.acquire(&first).await.unwrap());
        store.release(&second).await.unwrap();
        assert!(!store.acquire(&second).await.unwrap(), "only its holder can release it");
        store.release(&first).await.unwrap();
        assert!(store.acquire(&second).await.unwrap());
    }

    /// Each claim is made through a connection pool of its own, as by different processes.
    async fn of_many_concurrent_first_claims_one_wins_and_none_fails(backend: Backend) {
        const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let store = TestStore::new(backend).await;
        let replicas = [store.store().clone(), connect(store.url()).await, connect(store.url()).await];
        for name in NAMES {
            let claims: Vec<_> = replicas
                .iter()
                .map(|replica| {
                    let (replica, lease) = (replica.clone(), Lease::new(name, DURATION));
                    tokio::spawn(async move { replica.acquire(&lease).await })
                })
                .collect();
            let mut held = 0;
            for claim in claims {
                held += u32::from(claim.await.unwrap().unwrap());
            }
            assert_eq!(held, 1, "{name}");
        }
    }
}
