//! The characters of a file, read piece by piece.

use std::io::{self, Read};

use granit_parser::{ErrorKind, InputIoError};

const PIECE: usize = 1 << 16;

/// The longest input; what it holds is limited besides.
const MOST_BYTES: usize = 1 << 31;

/// UTF-8 text of a reader. It ends after the first error.
pub(super) struct Characters<R> {
    reader: R,
    /// Text that was read, and how much of it was given out.
    text: String,
    given: usize,
    /// The beginning of a character whose rest was not read yet.
    rest: Vec<u8>,
    total: usize,
    is_over: bool,
}

impl<R: Read> Characters<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, text: String::new(), given: 0, rest: Vec::new(), total: 0, is_over: false }
    }

    /// Reads the next piece; false where there is none.
    fn fill(&mut self) -> Result<bool, ErrorKind> {
        let mut piece = std::mem::take(&mut self.text).into_bytes();
        self.given = 0;
        piece.clear();
        piece.append(&mut self.rest);
        let begun = piece.len();
        piece.resize(PIECE, 0);
        let read = loop {
            match self.reader.read(piece.get_mut(begun..).unwrap_or_default()) {
                Ok(read) => break read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ErrorKind::InputIo { error: InputIoError::from_io(error) }),
            }
        };
        piece.truncate(begun + read);
        self.total += read;
        if self.total > MOST_BYTES {
            return Err(ErrorKind::InputByteLimitExceeded { limit: MOST_BYTES });
        }
        let not_text = || ErrorKind::InputDecoding { message: "is not UTF-8 text".to_owned() };
        self.text = match String::from_utf8(piece) {
            Ok(text) => text,
            // Cut off within a character: its rest comes with the next piece.
            Err(error) if error.utf8_error().error_len().is_none() && read > 0 => {
                let complete = error.utf8_error().valid_up_to();
                let mut piece = error.into_bytes();
                self.rest = piece.split_off(complete);
                String::from_utf8(piece).map_err(|_| not_text())?
            }
            Err(_) => return Err(not_text()),
        };
        Ok(read > 0)
    }
}

impl<R: Read> Iterator for Characters<R> {
    type Item = Result<char, ErrorKind>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(character) = self.text.get(self.given..).and_then(|text| text.chars().next()) {
                self.given += character.len_utf8();
                return Some(Ok(character));
            }
            if self.is_over {
                return None;
            }
            match self.fill() {
                Ok(more) => self.is_over = !more,
                Err(error) => {
                    self.is_over = true;
                    return Some(Err(error));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time, with an interruption before each.
    struct Slow(Vec<u8>, bool);

    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            if self.0.is_empty() {
                return Ok(0);
            }
            buffer[0] = self.0.remove(0);
            Ok(1)
        }
    }

    #[test]
    fn characters_may_be_cut_anywhere() {
        let text = "aé\u{1F980}ü";
        let read: Result<String, ErrorKind> = Characters::new(Slow(text.as_bytes().to_vec(), false)).collect();
        assert_eq!(read.unwrap(), text);
        let long = "é".repeat(PIECE);
        let read: Result<String, ErrorKind> = Characters::new(format!("x{long}").as_bytes()).collect();
        assert_eq!(read.unwrap().len(), 1 + 2 * PIECE);
    }

    #[test]
    fn what_is_no_text_ends_it() {
        for bytes in [&b"ab\xff"[..], b"ab\xc3"] {
            let read: Vec<_> = Characters::new(bytes).collect();
            assert!(read.last().unwrap().is_err(), "{read:?}");
        }
    }
}
