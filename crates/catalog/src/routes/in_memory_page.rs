//! Pages of lists that are complete in memory. A page token names the last item by its key, and the list.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
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
            index.map(|index| index + 1).ok_or_else(|| invalid("its last item is gone; start again without a token"))?
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
    URL_SAFE_NO_PAD.encode(format!("{:016x}:{key}", fingerprint(list)))
}

fn decode(token: &str, list: &str) -> Result<String, ApiError> {
    let (found, key) = parts(token)?;
    if found != format!("{:016x}", fingerprint(list)) {
        return Err(invalid("it belongs to another list, order or filter; start again without a token"));
    }
    Ok(key)
}

/// The list's fingerprint and the key.
fn parts(token: &str) -> Result<(String, String), ApiError> {
    let malformed = || invalid("it was not issued by this server; pass the token of the previous page unchanged");
    let bytes = URL_SAFE_NO_PAD.decode(token.trim_end_matches('=')).map_err(|_| malformed())?;
    let text = String::from_utf8(bytes).map_err(|_| malformed())?;
    let (found, key) = text.split_once(':').ok_or_else(malformed)?;
    if found.len() != 16 {
        return Err(malformed());
    }
    Ok((found.to_owned(), key.to_owned()))
}

fn invalid(reason: &str) -> ApiError {
    ApiError::Invalid(format!("invalid nextPageToken: {reason}"))
}

/// FNV-1a, which is the same on every replica. It is not a protection against forged tokens.
fn fingerprint(list: &str) -> u64 {
    list.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
