//! Many strings in one allocation: an allocation for each would cost as much memory as a short string.

/// Strings by their place in a list.
#[derive(Debug, Default)]
pub(super) struct Strings {
    joined: String,
    /// Where each string ends.
    ends: Vec<usize>,
}

impl Strings {
    pub(super) fn push(&mut self, string: &str) {
        self.joined.push_str(string);
        self.ends.push(self.joined.len());
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Empty for a place after the last string.
    pub(super) fn get(&self, place: u32) -> &str {
        let place = place as usize;
        let start = place.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied());
        let (Some(start), Some(end)) = (start, self.ends.get(place).copied()) else { return "" };
        self.joined.get(start..end).unwrap_or_default()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (0_u32..).take(self.len()).map(|place| self.get(place))
    }

    pub(super) fn shrink_to_fit(&mut self) {
        self.joined.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}

impl<'a> FromIterator<&'a str> for Strings {
    fn from_iter<I: IntoIterator<Item = &'a str>>(strings: I) -> Self {
        let mut list = Self::default();
        strings.into_iter().for_each(|string| list.push(string));
        list.shrink_to_fit();
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_returned_by_their_place() {
        let given = ["", "a", "日本", "", "b\0c"];
        let strings: Strings = given.into_iter().collect();
        assert_eq!(strings.iter().collect::<Vec<_>>(), given);
        assert_eq!((strings.len(), strings.get(2), strings.get(5)), (5, "日本", ""));
    }
}
