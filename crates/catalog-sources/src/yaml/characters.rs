//! Decodes a file as UTF-8, one buffer at a time: the parser takes characters.

use std::io::{self, Read};

use granit_parser::{ErrorKind, InputIoError};

const BUFFER: usize = 1 << 16;

/// Longest file; the size of its content is limited as well (`TextLimit`).
const MOST_BYTES: usize = 1 << 31;

/// The characters of a reader. Iteration ends after the first error.
pub(super) struct Characters<R> {
    reader: R,
    text: String,
    /// Bytes of `text` that were consumed.
    consumed: usize,
    /// First bytes of a character that the end of the buffer cut off.
    cut_off: Vec<u8>,
    total: usize,
    is_over: bool,
}

impl<R: Read> Characters<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, text: String::new(), consumed: 0, cut_off: Vec::new(), total: 0, is_over: false }
    }

    /// Reads the next buffer; false at the end of the file.
    fn fill(&mut self) -> Result<bool, ErrorKind> {
        let mut buffer = std::mem::take(&mut self.text).into_bytes();
        self.consumed = 0;
        buffer.clear();
        buffer.append(&mut self.cut_off);
        let kept = buffer.len();
        buffer.resize(BUFFER, 0);
        let read = loop {
            match self.reader.read(buffer.get_mut(kept..).unwrap_or_default()) {
                Ok(read) => break read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ErrorKind::InputIo { error: InputIoError::from_io(error) }),
            }
        };
        buffer.truncate(kept + read);
        self.total += read;
        if self.total > MOST_BYTES {
            return Err(ErrorKind::InputByteLimitExceeded { limit: MOST_BYTES });
        }
        let invalid = || ErrorKind::InputDecoding { message: "is not valid UTF-8".to_owned() };
        self.text = match String::from_utf8(buffer) {
            Ok(text) => text,
            // Cut off within a character: the next buffer has the rest.
            Err(error) if error.utf8_error().error_len().is_none() && read > 0 => {
                let complete = error.utf8_error().valid_up_to();
                let mut buffer = error.into_bytes();
                self.cut_off = buffer.split_off(complete);
                String::from_utf8(buffer).map_err(|_| invalid())?
            }
            Err(_) => return Err(invalid()),
        };
        Ok(read > 0)
    }
}

impl<R: Read> Iterator for Characters<R> {
    type Item = Result<char, ErrorKind>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(character) = self.text.get(self.consumed..).and_then(|text| text.chars().next()) {
                self.consumed += character.len_utf8();
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

    /// Returns one byte at a time, with an interruption before each.
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
    fn characters_may_be_cut_off_anywhere() {
        let text = "aé\u{1F980}ü";
        let read: Result<String, ErrorKind> = Characters::new(Slow(text.as_bytes().to_vec(), false)).collect();
        assert_eq!(read.unwrap(), text);
        let long = "é".repeat(BUFFER);
        let read: Result<String, ErrorKind> = Characters::new(format!("x{long}").as_bytes()).collect();
        assert_eq!(read.unwrap().len(), 1 + 2 * BUFFER);
    }

    #[test]
    fn invalid_utf_8_ends_the_iteration() {
        for bytes in [&b"ab\xff"[..], b"ab\xc3"] {
            let read: Vec<_> = Characters::new(bytes).collect();
            assert!(read.last().unwrap().is_err(), "{read:?}");
        }
    }
}
