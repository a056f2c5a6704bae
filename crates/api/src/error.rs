//! The body of every error response.

use serde::{Deserialize, Serialize};

/// `{"code": "<HTTP reason phrase>", "message": "<what was wrong, where, and what to do>"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    pub code: String,
    pub message: String,
}
