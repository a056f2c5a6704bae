//! What to copy, in which parts: decisions without input or output.

use std::ops::Range;

use crate::digest::Sha256;
use crate::endpoint::{Entry, Existing, Listing};

/// Object stores accept this many parts of an object.
const MOST_PARTS: u64 = 10_000;
const MEBIBYTE: u64 = 1 << 20;

/// What happens to a file.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// It is there already.
    Keep { digest: Sha256 },
    /// It is copied, after what `existing` has.
    Copy { existing: Existing },
}

/// Sums over all files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) files: usize,
    pub(crate) bytes: u64,
    pub(crate) files_there: usize,
    pub(crate) bytes_there: u64,
}

/// The bytes of each part of a file: the configured number, or more if the file would have too many parts. It depends only on
/// the size, so that a later run continues with the same parts.
pub(crate) fn part_size(size: Option<u64>, configured: u64) -> u64 {
    let least = size.unwrap_or_default().div_ceil(MOST_PARTS).next_multiple_of(MEBIBYTE);
    configured.max(least)
}

/// The parts of a file after its first `from` bytes. An empty file has one empty part.
pub(crate) fn parts(from: u64, size: u64, part_size: u64) -> impl Iterator<Item = Range<u64>> + Send + use<> {
    let part_size = part_size.max(1);
    let rest = size.saturating_sub(from);
    let count = if size == 0 { 1 } else { rest.div_ceil(part_size) };
    (0..count).map(move |number| {
        let start = from + number * part_size;
        start..(start + part_size).min(size)
    })
}

/// Decides about a file, once it is known what is there and, for a file of the same size, whether its content is the same.
pub(crate) fn action(entry: &Entry, existing: Existing, same: Option<Sha256>, configured: u64) -> Action {
    match existing {
        Existing::Complete { digest } => Action::Keep { digest },
        Existing::SameSize { .. } | Existing::Nothing => match same {
            Some(digest) => Action::Keep { digest },
            None => Action::Copy { existing: Existing::Nothing },
        },
        Existing::Beginning { bytes, digest } => {
            // Anything else would have to be read again, and in parts of other sizes.
            let part_size = part_size(entry.size, configured);
            let is_usable =
                entry.size.is_some_and(|size| bytes <= size && (bytes.is_multiple_of(part_size) || bytes == size));
            let existing = if is_usable { Existing::Beginning { bytes, digest } } else { Existing::Nothing };
            Action::Copy { existing }
        }
    }
}

/// Adds up what is there and what is copied.
pub(crate) fn sums(listing: &Listing, actions: &[Action]) -> Sums {
    let mut sums = Sums { files: listing.entries.len(), ..Sums::default() };
    for (entry, action) in listing.entries.iter().zip(actions) {
        let size = entry.size.unwrap_or_default();
        sums.bytes += size;
        match action {
            Action::Keep { .. } => {
                sums.files_there += 1;
                sums.bytes_there += size;
            }
            Action::Copy { existing: Existing::Beginning { bytes, .. } } => sums.bytes_there += bytes,
            Action::Copy { .. } => {}
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::digest::RunningDigest;
    use crate::endpoint::Shape;
    use crate::relative_path::RelativePath;

    fn entry(size: Option<u64>) -> Entry {
        Entry { path: RelativePath::parse("a").unwrap(), size, version: Some("1".to_owned()), digest: None }
    }

    #[test]
    fn a_large_file_has_larger_parts_and_an_empty_file_has_one() {
        assert_eq!(part_size(Some(10 << 30), 8 << 20), 8 << 20);
        assert_eq!(part_size(Some(5 << 40), 8 << 20), 525 << 20);
        assert_eq!(part_size(None, 8 << 20), 8 << 20);
        assert!(parts(0, 0, 5).eq(std::iter::once(0..0)));
        assert_eq!(parts(5, 12, 5).collect::<Vec<_>>(), [5..10, 10..12]);
        assert_eq!(parts(12, 12, 5).count(), 0);
    }

    #[test]
    fn a_beginning_is_continued_only_at_the_boundary_of_a_part() {
        let beginning = |bytes| Existing::Beginning { bytes, digest: RunningDigest::default() };
        let continues = |size, bytes| match action(&entry(size), beginning(bytes), None, 10) {
            Action::Copy { existing } => matches!(existing, Existing::Beginning { .. }),
            Action::Keep { .. } => panic!("a beginning is not a whole file"),
        };
        // The smallest part is one mebibyte, however small the configured one.
        let part = MEBIBYTE;
        assert!(
            continues(Some(3 * part), part)
                && continues(Some(3 * part), 3 * part)
                && continues(Some(part + 1), part + 1)
        );
        assert!(!continues(Some(3 * part), part + 1) && !continues(Some(part), 2 * part) && !continues(None, part));
    }

    #[test]
    fn a_file_that_is_there_with_the_same_digest_is_kept() {
        let digest = Sha256::of(b"");
        let keeps = |existing, same| matches!(action(&entry(Some(0)), existing, same, 10), Action::Keep { .. });
        assert!(keeps(Existing::Complete { digest }, None));
        assert!(keeps(Existing::SameSize { digest: None }, Some(digest)));
        assert!(!keeps(Existing::SameSize { digest: Some(digest) }, None) && !keeps(Existing::Nothing, None));
    }

    #[test]
    fn what_is_there_is_counted() {
        let listing = Listing { shape: Shape::Tree, entries: vec![entry(Some(7)), entry(Some(20)), entry(None)] };
        let existing = Existing::Beginning { bytes: 10, digest: RunningDigest::default() };
        let copy = Action::Copy { existing: Existing::Nothing };
        let actions = [Action::Keep { digest: Sha256::of(b"") }, Action::Copy { existing }, copy];
        let expected = Sums { files: 3, bytes: 27, files_there: 1, bytes_there: 17 };
        assert_eq!(sums(&listing, &actions), expected);
    }

    proptest! {
        #[test]
        fn parts_cover_the_rest_of_a_file_exactly_once(from in 0_u64..5_000, size in 0_u64..5_000, part_size in 1_u64..700) {
            let from = from.min(size);
            let parts: Vec<_> = parts(from, size, part_size).collect();
            let mut end = from;
            for part in &parts {
                prop_assert_eq!(part.start, end);
                prop_assert!(part.end - part.start <= part_size && (part.end > part.start || size == 0));
                end = part.end;
            }
            prop_assert_eq!(end, size);
            let whole = parts.iter().rev().skip(1).all(|part| part.end - part.start == part_size);
            prop_assert!(whole, "only the last part is shorter");
        }

        #[test]
        fn no_file_has_more_parts_than_stores_accept(size in 0_u64..(50 << 40), configured in (5_u64 << 20)..(64 << 20)) {
            prop_assert!(size.div_ceil(part_size(Some(size), configured)) <= MOST_PARTS);
        }
    }
}
