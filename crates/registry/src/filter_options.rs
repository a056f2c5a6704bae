//! The filter options of each kind, computed at most every half minute.
//!
//! They are estimates in a registry that changes: a response has their age. While options that are not much older are computed again,
//! they are returned; concurrent first requests wait for one computation.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model_registry_api::Kind;
use model_registry_store::{FilterOptions, Store, StoreError};

/// Options of this age are returned as they are.
const FRESH: Duration = Duration::from_secs(30);
/// Older ones are returned too, while new ones are computed, up to this age.
const USABLE: Duration = Duration::from_mins(10);

/// Options with the time when they were computed, in milliseconds since the Unix epoch.
type Computed = (i64, Arc<FilterOptions>);

/// The options of every kind that was requested.
#[derive(Debug, Default)]
pub(crate) struct FilterOptionsCache {
    computed: Mutex<HashMap<Kind, Computed>>,
    /// Held while options are computed: one computation at a time, as each takes some ten statements.
    computing: tokio::sync::Mutex<()>,
}

impl FilterOptionsCache {
    /// The options of a kind with their age.
    pub(crate) async fn get(
        self: &Arc<Self>,
        store: &Store,
        kind: Kind,
    ) -> Result<(Duration, Arc<FilterOptions>), StoreError> {
        let now = store.clock().now();
        if let Some((age, options)) = self.find(kind, now)
            && age < USABLE
        {
            if age >= FRESH {
                let (cache, store) = (Arc::clone(self), store.clone());
                tokio::spawn(async move { cache.refresh(&store, kind).await });
            }
            return Ok((age, options));
        }
        let _computing = self.computing.lock().await;
        // A request before this one may have computed them.
        match self.find(kind, store.clock().now()) {
            Some((age, options)) if age < FRESH => Ok((age, options)),
            _ => Ok((Duration::ZERO, self.compute(store, kind).await?)),
        }
    }

    fn find(&self, kind: Kind, now: i64) -> Option<(Duration, Arc<FilterOptions>)> {
        let computed = self.computed.lock().unwrap_or_else(PoisonError::into_inner);
        let (time, options) = computed.get(&kind)?;
        Some((Duration::from_millis(u64::try_from(now - time).unwrap_or(0)), Arc::clone(options)))
    }

    /// Computes options again, unless some are being computed; a later request tries again.
    async fn refresh(&self, store: &Store, kind: Kind) {
        let Ok(_computing) = self.computing.try_lock() else { return };
        if let Err(error) = self.compute(store, kind).await {
            tracing::warn!(
                kind = kind.name(),
                error = &error as &dyn std::error::Error,
                "filter options not computed; older ones are returned"
            );
        }
    }

    async fn compute(&self, store: &Store, kind: Kind) -> Result<Arc<FilterOptions>, StoreError> {
        let time = store.clock().now();
        let options = Arc::new(store.filter_options(kind).await?);
        let mut computed = self.computed.lock().unwrap_or_else(PoisonError::into_inner);
        computed.insert(kind, (time, Arc::clone(&options)));
        Ok(options)
    }
}
