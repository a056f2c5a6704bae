//! Idempotency keys: stored responses, so that a repeated request gets the response of the first one.

use model_registry_base::{digest_of_parts, hex};
use sea_query::{DeleteStatement, Expr, ExprTrait, Query};

use crate::db::Transaction;
use crate::error::{Result, StoreError, UniqueField};
use crate::from_row;
use crate::large_document::{size_in_bytes, string_up_to};
use crate::store::Store;
use crate::tables::WORKSPACE;

/// How long a response is stored, in milliseconds.
const RETENTION: i64 = 24 * 60 * 60 * 1000;

/// A client's `Idempotency-Key` with a digest of its request.
#[derive(Clone, Debug)]
pub struct IdempotencyKey {
    /// Digest of caller and key, so that callers do not share keys.
    pub key: String,
    /// Digest of method, path and body.
    pub digest: String,
}

impl IdempotencyKey {
    /// All callers without a name share their keys.
    pub fn new(caller: Option<&str>, key: &str, method: &str, path: &str, body: &[u8]) -> Self {
        let key = match caller {
            Some(caller) => digest(&[b"named", caller.as_bytes(), key.as_bytes()]),
            None => digest(&[b"nameless", key.as_bytes()]),
        };
        Self { key, digest: digest(&[method.as_bytes(), path.as_bytes(), body]) }
    }
}

fn digest(parts: &[&[u8]]) -> String {
    hex(&digest_of_parts(parts.iter().copied()))
}

/// The response to the first request with an idempotency key.
#[derive(Clone, Debug)]
pub struct StoredResponse {
    /// Digest of the first request.
    pub digest: String,
    pub status: i16,
    pub etag: Option<String>,
    pub body: String,
}

/// A row whose body is null if the transaction lacks the memory for it.
struct StoredRow {
    digest: String,
    status: i16,
    etag: Option<String>,
    body: Option<String>,
    size: i64,
    create_time: i64,
}

from_row!(StoredRow { digest, status, etag, body, size, create_time });

impl Transaction {
    /// Finds the response stored for a key. An expired one is deleted, so that the key can be used again.
    pub async fn find_stored_response(&mut self, key: &IdempotencyKey, now: i64) -> Result<Option<StoredResponse>> {
        let limit = i64::try_from(self.documents.bytes()).unwrap_or(i64::MAX);
        let mut select = Query::select();
        select
            .columns(["digest", "status", "etag", "create_time"])
            .expr_as(string_up_to("idempotency", "body", limit), "body")
            .expr_as(size_in_bytes("idempotency", "body", self.dialect()), "size")
            .from("idempotency")
            .and_where(Expr::col("workspace_id").eq(WORKSPACE))
            .and_where(Expr::col("idempotency_key").eq(key.key.as_str()));
        let Some(row) = self.fetch_optional::<StoredRow>(&select).await? else { return Ok(None) };
        let StoredRow { digest, status, etag, body, size, create_time } = row;
        if create_time <= now - RETENTION {
            let mut expired = expired_responses(now);
            expired
                .and_where(Expr::col("workspace_id").eq(WORKSPACE))
                .and_where(Expr::col("idempotency_key").eq(key.key.as_str()));
            self.execute(&expired).await?;
            return Ok(None);
        }
        match body {
            Some(body) => Ok(Some(StoredResponse { digest, status, etag, body })),
            None => Err(self.documents.exceeded(usize::try_from(size).unwrap_or(0))),
        }
    }

    /// Stores a response. A conflict means that another one exists under this key, from an earlier or a concurrent request.
    pub async fn store_response(
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
            Err(StoreError::DuplicateKey(_)) => Err(StoreError::Conflict(UniqueField::IdempotencyKey)),
            Err(error) => Err(error),
        }
    }
}

impl Store {
    /// Deletes the expired responses and returns how many.
    pub async fn delete_expired_responses(&self) -> Result<u64> {
        let mut tx = self.database()?.begin().await?;
        let deleted = tx.execute(&expired_responses(self.clock().now())).await?;
        tx.commit().await?;
        Ok(deleted)
    }
}

fn expired_responses(now: i64) -> DeleteStatement {
    let mut delete = Query::delete();
    delete.from_table("idempotency").and_where(Expr::col("create_time").lte(now - RETENTION));
    delete
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_do_not_share_keys() {
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
