//! Pages of lists that are complete in memory. A page token names the last item by its key, and the list.

use model_registry_base::{Fnv1a, PageTokenProblem, decode_page_token, encode_page_token};
use model_registry_server::{ApiError, Query};
use model_registry_store::PAGE_BYTES;

use super::PageBody;

/// A list; the key of an item is unique in it.
pub(super) struct InMemoryList<'a, T, K> {
    /// Identifies the list with its order and filters.
    pub(super) name: &'a str,
    pub(super) items: &'a [T],
    pub(super) key: K,
}

impl<T, K: Fn(&T) -> String> InMemoryList<'_, T, K> {
    /// The page after the token: at most [`PAGE_BYTES`] of JSON, and at least one item.
    pub(super) fn page(
        &self,
        page_size: u32,
        token: Option<&str>,
        to_json: impl Fn(&T) -> String,
    ) -> Result<PageBody, ApiError> {
        let start = match token {
            None => 0,
            Some(token) => {
                let key = decode(token, self.name)?;
                let index = self.items.iter().position(|item| (self.key)(item) == key);
                index.map(|index| index + 1).ok_or_else(|| invalid(PageTokenProblem::ItemGone))?
            }
        };
        let following = self.items.get(start..).unwrap_or_default();
        let (mut items, mut bytes) = (Vec::new(), 0);
        for item in following.iter().take(page_size as usize) {
            let json = to_json(item);
            bytes += json.len();
            if bytes > PAGE_BYTES && !items.is_empty() {
                break;
            }
            items.push(json);
        }
        let last = items.len().checked_sub(1).filter(|_| items.len() < following.len());
        let next_page_token =
            last.and_then(|last| following.get(last)).map(|last| encode(&(self.key)(last), self.name));
        Ok(PageBody { items, page_size, next_page_token: next_page_token.unwrap_or_default() })
    }
}

/// The token, if it has the form of a token; [`InMemoryList::page`] checks that it belongs to the list.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(items: &[usize], page_size: u32) -> Vec<usize> {
        let list = InMemoryList { name: "list", items, key: usize::to_string };
        let (mut sizes, mut token) = (Vec::new(), None::<String>);
        loop {
            let page = list.page(page_size, token.as_deref(), |size| "x".repeat(*size)).unwrap();
            sizes.push(page.items.len());
            if page.next_page_token.is_empty() {
                return sizes;
            }
            token = Some(page.next_page_token);
        }
    }

    #[test]
    fn a_page_ends_at_its_number_of_items_or_bytes_and_its_token_leads_to_the_rest() {
        assert_eq!(pages(&[1, 2, 3], 2), [2, 1]);
        assert_eq!(pages(&[1, 2], 2), [2]);
        assert_eq!(pages(&[], 2), [0]);
        let half = PAGE_BYTES / 2;
        assert_eq!(pages(&[half, half - 1, 1, 2, 2 * PAGE_BYTES, 3], 10), [3, 1, 1, 1]);
    }
}
