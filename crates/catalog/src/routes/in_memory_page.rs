//! Pages of lists that are complete in memory. A page token names the last item by its key, and the list.

use model_registry_base::{Fnv1a, PageTokenProblem, decode_page_token, encode_page_token};
use model_registry_server::{ApiError, Query};

use super::PageBody;

/// An item with a key that is unique in its list.
pub(super) struct Item {
    pub(super) key: String,
    pub(super) json: String,
}

/// The page after the token; `list` identifies the list with its order and filters.
pub(super) fn page(items: Vec<Item>, list: &str, page_size: u32, token: Option<&str>) -> Result<PageBody, ApiError> {
    let start = match token {
        None => 0,
        Some(token) => {
            let key = decode(token, list)?;
            let index = items.iter().position(|item| item.key == key);
            index.map(|index| index + 1).ok_or_else(|| invalid(PageTokenProblem::ItemGone))?
        }
    };
    let size = page_size as usize;
    let next_page_token = match items.get(start + size - 1) {
        Some(item) if items.len() > start + size => encode(&item.key, list),
        _ => String::new(),
    };
    let items = items.into_iter().skip(start).take(size).map(|item| item.json).collect();
    Ok(PageBody { items, page_size, next_page_token })
}

/// The token, if it has the form of a token; [`page`] checks that it belongs to the list.
pub(super) fn token(query: &Query) -> Result<Option<&str>, ApiError> {
    let token = query.get("nextPageToken");
    token.map(parts).transpose()?;
    Ok(token)
}

fn encode(key: &str, list: &str) -> String {
    encode_page_token(&format!("{}:{key}", fingerprint(list)))
}

fn decode(token: &str, list: &str) -> Result<String, ApiError> {
    let (found, key) = parts(token)?;
    if found != fingerprint(list) {
        return Err(invalid(PageTokenProblem::OtherList));
    }
    Ok(key)
}

/// The list's fingerprint and the key.
fn parts(token: &str) -> Result<(String, String), ApiError> {
    let content = decode_page_token(token).map_err(invalid)?;
    match content.split_once(':') {
        Some((found, key)) if found.len() == 16 => Ok((found.to_owned(), key.to_owned())),
        _ => Err(invalid(PageTokenProblem::Malformed)),
    }
}

fn invalid(problem: PageTokenProblem) -> ApiError {
    ApiError::Invalid(format!("invalid nextPageToken: {problem}"))
}

/// The same on every replica. It is not a protection against forged tokens.
fn fingerprint(list: &str) -> String {
    let mut hash = Fnv1a::new();
    hash.update(list.as_bytes());
    format!("{:016x}", hash.finish())
}
