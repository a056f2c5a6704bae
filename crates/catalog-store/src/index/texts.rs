//! Many texts in one piece of memory: a box for each would cost as much as a short one.

/// Texts by their place.
#[derive(Debug, Default)]
pub(super) struct Texts {
    joined: String,
    ends: Vec<usize>,
}

impl Texts {
    pub(super) fn push(&mut self, text: &str) {
        self.joined.push_str(text);
        self.ends.push(self.joined.len());
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Empty where there is none.
    pub(super) fn get(&self, place: u32) -> &str {
        let place = place as usize;
        let start = place.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied());
        let (Some(start), Some(end)) = (start, self.ends.get(place).copied()) else { return "" };
        self.joined.get(start..end).unwrap_or_default()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (0_u32..).take(self.len()).map(|place| self.get(place))
    }

    pub(super) fn shrink(&mut self) {
        self.joined.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}

impl<'a> FromIterator<&'a str> for Texts {
    fn from_iter<I: IntoIterator<Item = &'a str>>(texts: I) -> Self {
        let mut held = Self::default();
        texts.into_iter().for_each(|text| held.push(text));
        held.shrink();
        held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_out_as_they_went_in() {
        let given = ["", "a", "日本", "", "b\0c"];
        let texts: Texts = given.into_iter().collect();
        assert_eq!(texts.iter().collect::<Vec<_>>(), given);
        assert_eq!((texts.len(), texts.get(2), texts.get(5)), (5, "日本", ""));
    }
}
