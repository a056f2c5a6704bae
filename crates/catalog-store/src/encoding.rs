//! A compact binary form: integers as LEB128, strings and bytes with their length in front.

/// Appends values to bytes.
#[derive(Debug, Default)]
pub(crate) struct Encoder(Vec<u8>);

impl Encoder {
    pub(crate) fn byte(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(crate) fn unsigned(&mut self, mut value: u64) {
        while value > 0x7F {
            self.0.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.0.push(value.to_le_bytes()[0]);
    }

    /// Small numbers of either sign are short: 0, -1, 1, -2 … become 0, 1, 2, 3 …
    pub(crate) fn signed(&mut self, value: i64) {
        self.unsigned((value << 1 ^ value >> 63).cast_unsigned());
    }

    pub(crate) fn double(&mut self, value: f64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn bytes(&mut self, value: &[u8]) {
        self.unsigned(value.len() as u64);
        self.0.extend_from_slice(value);
    }

    pub(crate) fn string(&mut self, value: &str) {
        self.bytes(value.as_bytes());
    }

    /// An optional value: a byte 0, or a byte 1 and the value.
    pub(crate) fn optional<T>(&mut self, value: Option<T>, encode: impl FnOnce(&mut Self, T)) {
        self.byte(u8::from(value.is_some()));
        if let Some(value) = value {
            encode(self, value);
        }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Takes values from bytes, in the order in which they were appended. `None` where the bytes are not what an [`Encoder`]
/// wrote.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decoder<'a>(&'a [u8]);

impl<'a> Decoder<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(crate) fn unsigned(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    pub(crate) fn length(&mut self) -> Option<usize> {
        usize::try_from(self.unsigned()?).ok()
    }

    pub(crate) fn signed(&mut self) -> Option<i64> {
        let value = self.unsigned()?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    pub(crate) fn double(&mut self) -> Option<f64> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(f64::from_le_bytes(*first))
    }

    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.length()?;
        let (first, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(first)
    }

    pub(crate) fn string(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    /// The outer `None` is a decoding error, the inner one an absent value.
    #[expect(clippy::option_option, reason = "an absent value differs from a decoding error")]
    pub(crate) fn optional<T>(&mut self, decode: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        match self.byte()? {
            0 => Some(None),
            1 => Some(Some(decode(self)?)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_value_is_decoded_as_it_was_encoded(
            unsigned: u64, signed: i64, double: f64, string: String, number in proptest::option::of(any::<i64>()),
        ) {
            let mut encoder = Encoder::default();
            encoder.unsigned(unsigned);
            encoder.signed(signed);
            encoder.double(double);
            encoder.string(&string);
            encoder.optional(number, Encoder::signed);
            let bytes = encoder.finish();
            let mut decoder = Decoder::new(&bytes);
            prop_assert_eq!(decoder.unsigned(), Some(unsigned));
            prop_assert_eq!(decoder.signed(), Some(signed));
            prop_assert_eq!(decoder.double().map(f64::to_bits), Some(double.to_bits()));
            prop_assert_eq!(decoder.string(), Some(string.as_str()));
            prop_assert_eq!(decoder.optional(Decoder::signed), Some(number));
            prop_assert!(decoder.is_empty());
        }

        #[test]
        fn arbitrary_bytes_do_not_panic(bytes: Vec<u8>) {
            let mut decoder = Decoder::new(&bytes);
            while decoder.optional(Decoder::string).is_some() {}
        }
    }

    #[test]
    fn small_numbers_take_one_byte() {
        for number in [0, -1, 1, 63, -64] {
            let mut encoder = Encoder::default();
            encoder.signed(number);
            assert_eq!(encoder.finish().len(), 1, "{number}");
        }
    }

    #[test]
    fn a_value_that_is_cut_off_is_none() {
        let mut encoder = Encoder::default();
        encoder.string("four");
        let bytes = encoder.finish();
        assert_eq!(Decoder::new(&bytes[..3]).string(), None);
        assert_eq!(Decoder::new(&[0x80]).unsigned(), None);
        assert_eq!(Decoder::new(&[0xFF; 11]).unsigned(), None);
        assert_eq!(Decoder::new(&[0; 7]).double(), None);
        assert_eq!(Decoder::new(&[2]).optional(Decoder::byte), None);
    }
}
