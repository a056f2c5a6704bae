//! Answers kept under the client's Idempotency-Key, so that a repeated request gets the first one's answer.

use crate::from_row;
use model_registry_base::{digest_of_parts, hex};
use sea_query::{DeleteStatement, Expr, ExprTrait, Query};

use crate::db::Transaction;
use crate::error::{Result, StoreError, UniqueField};
use crate::store::Store;
use crate::tables::WORKSPACE;

/// How long an answer is kept, in milliseconds.
const KEPT_FOR: i64 = 24 * 60 * 60 * 1000;

/// A caller's key with the digest of the request that it came with.
#[derive(Clone, Debug)]
pub struct IdempotencyKey {
    /// Digest of caller and key: a key says nothing about the requests of another caller.
    pub key: String,
    /// Digest of method, path and body.
    pub digest: String,
}

impl IdempotencyKey {
    /// Callers without a name are one.
    pub fn new(caller: Option<&str>, key: &str, method: &str, path: &str, body: &[u8]) -> Self {
        let key = match caller {
            Some(caller) => digest(&[b"named", caller.as_bytes(), key.as_bytes()]),
            None => digest(&[b"nameless", key.as_bytes()]),
        };
        Self { key, digest: digest(&[method.as_bytes(), path.as_bytes(), body]) }
    }
}

/// A digest of the parts, wherever one ends and the next begins.
fn digest(parts: &[&[u8]]) -> String {
    hex(&digest_of_parts(parts.iter().copied()))
}

/// A kept answer.
#[derive(Clone, Debug)]
pub struct StoredResponse {
    pub digest: String,
    pub status: i16,
    pub etag: Option<String>,
    pub body: String,
    create_time: i64,
}

from_row!(StoredResponse { digest, status, etag, body, create_time });

impl Transaction {
    /// The answer kept under a key. One that is too old is deleted, so that the key is free again.
    pub async fn find_answer(&mut self, key: &IdempotencyKey, now: i64) -> Result<Option<StoredResponse>> {
        let mut select = Query::select();
        select
            .columns(["digest", "status", "etag", "body", "create_time"])
            .from("idempotency")
            .and_where(Expr::col("workspace_id").eq(WORKSPACE))
            .and_where(Expr::col("idempotency_key").eq(key.key.as_str()));
        let found = self.fetch_optional::<StoredResponse>(&select).await?;
        if found.as_ref().is_some_and(|answer| answer.create_time <= now - KEPT_FOR) {
            let mut expired = expired_answers(now);
            expired
                .and_where(Expr::col("workspace_id").eq(WORKSPACE))
                .and_where(Expr::col("idempotency_key").eq(key.key.as_str()));
            self.execute(&expired).await?;
            return Ok(None);
        }
        Ok(found)
    }

    /// Keeps an answer. A conflict means that there is one under this key: of an earlier request, or of one that was sent
    /// at the same time and was faster.
    pub async fn keep_answer(
        &mut self,
        key: &IdempotencyKey,
        status: u16,
        etag: Option<&str>,
        body: &str,
        now: i64,
    ) -> Result<()> {
        let mut insert = Query::insert();
        insert
            .into_table("idempotency")
            .columns(["workspace_id", "idempotency_key", "digest", "status", "etag", "body", "create_time"])
            .values_panic([
                WORKSPACE.into(),
                key.key.as_str().into(),
                key.digest.as_str().into(),
                status.cast_signed().into(),
                etag.into(),
                body.into(),
                now.into(),
            ]);
        match self.execute(&insert).await {
            Ok(_) => Ok(()),
            // The key is the table's primary key, and MariaDB's message says no more than `PRIMARY`.
            Err(StoreError::Database(sqlx::Error::Database(error))) if error.is_unique_violation() => {
                Err(StoreError::Conflict(UniqueField::IdempotencyKey))
            }
            Err(error) => Err(error),
        }
    }
}

impl Store {
    /// Deletes the answers that are too old; tells how many.
    pub async fn delete_old_answers(&self) -> Result<u64> {
        let mut tx = self.database()?.begin().await?;
        let deleted = tx.execute(&expired_answers(self.clock().now())).await?;
        tx.commit().await?;
        Ok(deleted)
    }
}

fn expired_answers(now: i64) -> DeleteStatement {
    let mut delete = Query::delete();
    delete.from_table("idempotency").and_where(Expr::col("create_time").lte(now - KEPT_FOR));
    delete
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_belongs_to_its_caller() {
        let key = |caller, key| IdempotencyKey::new(caller, key, "POST", "/", b"").key;
        assert_eq!(key(Some("ada"), "k"), key(Some("ada"), "k"));
        let keys =
            [key(Some("ada"), "k"), key(Some("ad"), "ak"), key(Some(""), "adak"), key(Some(""), "k"), key(None, "k")];
        for (number, key) in keys.iter().enumerate() {
            assert!(!keys[..number].contains(key), "{number}");
            assert_eq!(key.len(), 64);
        }
    }
}
