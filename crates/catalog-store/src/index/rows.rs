//! Sets of rows, one bit each.

/// Some of the rows 0..count.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    words: Vec<u64>,
    count: usize,
}

impl Rows {
    pub(super) fn none(count: usize) -> Self {
        Self { words: vec![0; count.div_ceil(64)], count }
    }

    pub(super) fn all(count: usize) -> Self {
        Self::none(count).others()
    }

    pub(super) fn add(&mut self, row: u32) {
        if let Some(word) = self.words.get_mut(row as usize / 64) {
            *word |= 1 << (row % 64);
        }
    }

    pub(super) fn has(&self, row: u32) -> bool {
        self.words.get(row as usize / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// The rows of both.
    pub(super) fn and(mut self, other: &Self) -> Self {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
        self
    }

    /// The rows of either.
    pub(super) fn or(mut self, other: &Self) -> Self {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
        self
    }

    /// The rows that are not here.
    pub(super) fn others(mut self) -> Self {
        for word in &mut self.words {
            *word = !*word;
        }
        if let Some(last) = self.words.last_mut()
            && !self.count.is_multiple_of(64)
        {
            *last &= (1 << (self.count % 64)) - 1;
        }
        self
    }

    /// The rows of these that pass.
    pub(super) fn only(&self, passes: impl Fn(u32) -> bool) -> Self {
        let mut rows = Self::none(self.count);
        self.iter().filter(|row| passes(*row)).for_each(|row| rows.add(row));
        rows
    }

    /// In ascending order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0_u32..).zip(&self.words).flat_map(|(number, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros())?;
                left &= left - 1;
                Some(number * 64 + bit)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_combined_and_know_where_they_end() {
        let mut some = Rows::none(70);
        for row in [0, 63, 64, 69, 1_000] {
            some.add(row);
        }
        assert_eq!(some.iter().collect::<Vec<_>>(), [0, 63, 64, 69]);
        assert_eq!(some.clone().others().iter().count(), 66);
        assert_eq!(Rows::all(70).iter().count(), 70);
        assert_eq!(Rows::all(64).iter().count(), 64);
        assert_eq!(Rows::all(0).iter().count(), 0);
        assert!(some.clone().and(&some.clone().others()).iter().next().is_none());
        assert_eq!(some.clone().or(&some.clone().others()).iter().count(), 70);
        assert!(some.has(69) && !some.has(68) && !some.has(1_000));
    }
}
