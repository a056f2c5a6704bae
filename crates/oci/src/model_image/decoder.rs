//! Decompresses a layer: gzip, zstd, or neither. Which one is decided by its first bytes, because media types are often wrong.

use std::io::{self, Read};

use bytes::{Buf, Bytes};
use flate2::read::MultiGzDecoder;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
use tokio::sync::mpsc::Receiver;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// A frame with information for programs that read parts of an archive, which may also come first.
const ZSTD_SKIPPABLE: [u8; 3] = [0x2a, 0x4d, 0x18];

/// A layer without its compression.
pub(super) enum Decoder {
    Plain(ChannelReader),
    Gzip(Box<MultiGzDecoder<ChannelReader>>),
    Zstd(ZstdReader),
}

impl Decoder {
    pub(super) fn of(mut input: ChannelReader) -> Self {
        let first = input.peek(8);
        if first.starts_with(&GZIP) {
            Self::Gzip(Box::new(MultiGzDecoder::new(input)))
        } else if first.starts_with(&ZSTD) || skippable(&first).is_some() {
            Self::Zstd(ZstdReader::Between(input))
        } else {
            Self::Plain(input)
        }
    }

    /// The input, without what was read of it.
    pub(super) fn into_input(self) -> ChannelReader {
        match self {
            Self::Plain(input) => input,
            Self::Gzip(decoder) => decoder.into_inner(),
            Self::Zstd(reader) => reader.into_input(),
        }
    }
}

impl Read for Decoder {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(input) => input.read(buffer),
            Self::Gzip(decoder) => decoder.read(buffer),
            Self::Zstd(reader) => reader.read(buffer),
        }
    }
}

/// One zstd frame after the other, which the decoder of the library leaves to its user.
pub(super) enum ZstdReader {
    Between(ChannelReader),
    Within(Box<StreamingDecoder<ChannelReader, FrameDecoder>>),
    /// Only while the state changes, and after an error.
    Broken,
}

impl ZstdReader {
    fn into_input(self) -> ChannelReader {
        match self {
            Self::Between(input) => input,
            Self::Within(decoder) => decoder.into_inner(),
            Self::Broken => ChannelReader::empty(),
        }
    }

    /// Begins the next frame; `None` at the end of the input.
    fn next_frame(mut input: ChannelReader) -> io::Result<Option<Self>> {
        if input.peek(1).is_empty() {
            return Ok(None);
        }
        if let Some(length) = skippable(&input.peek(8)) {
            let length = length + 8;
            let skipped = io::copy(&mut Read::by_ref(&mut input).take(length), &mut io::sink())?;
            if skipped < length {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends within a zstd frame"));
            }
            return Ok(Some(Self::Between(input)));
        }
        let invalid = |error| io::Error::new(io::ErrorKind::InvalidData, format!("it cannot be decompressed: {error}"));
        let decoder = StreamingDecoder::new(input).map_err(invalid)?;
        Ok(Some(Self::Within(Box::new(decoder))))
    }
}

/// The length of the content of a frame that is to be skipped.
fn skippable(first: &[u8]) -> Option<u64> {
    let is_skippable = first.len() == 8 && first[0] & 0xf0 == 0x50 && first[1..4] == ZSTD_SKIPPABLE;
    let length = first.get(4..8)?.try_into().ok()?;
    is_skippable.then(|| u64::from(u32::from_le_bytes(length)))
}

impl Read for ZstdReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::mem::replace(self, Self::Broken) {
                Self::Between(input) => match Self::next_frame(input)? {
                    Some(next) => *self = next,
                    None => return Ok(0),
                },
                Self::Within(mut decoder) => {
                    let count = decoder.read(buffer)?;
                    if count > 0 || buffer.is_empty() {
                        *self = Self::Within(decoder);
                        return Ok(count);
                    }
                    *self = Self::Between(decoder.into_inner());
                }
                Self::Broken => return Ok(0),
            }
        }
    }
}

/// Reads what another task sends.
pub(super) struct ChannelReader {
    receiver: Receiver<Bytes>,
    chunk: Bytes,
}

impl ChannelReader {
    pub(super) fn new(receiver: Receiver<Bytes>) -> Self {
        Self { receiver, chunk: Bytes::new() }
    }

    fn empty() -> Self {
        Self::new(tokio::sync::mpsc::channel(1).1)
    }

    /// The first bytes, which stay.
    fn peek(&mut self, length: usize) -> Bytes {
        let mut first = self.chunk.to_vec();
        while first.len() < length {
            let Some(next) = self.receiver.blocking_recv() else { break };
            first.extend_from_slice(&next);
        }
        self.chunk = Bytes::from(first);
        self.chunk.slice(..length.min(self.chunk.len()))
    }
}

impl Read for ChannelReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match self.receiver.blocking_recv() {
                Some(next) => self.chunk = next,
                None => return Ok(0),
            }
        }
        let count = self.chunk.len().min(buffer.len());
        self.chunk.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn decoded(layer: &[u8], chunk: usize) -> io::Result<Vec<u8>> {
        let (sender, receiver) = tokio::sync::mpsc::channel(layer.len() / chunk + 2);
        for part in layer.chunks(chunk) {
            sender.try_send(Bytes::copy_from_slice(part)).unwrap();
        }
        drop(sender);
        let mut output = Vec::new();
        Decoder::of(ChannelReader::new(receiver)).read_to_end(&mut output).map(|_| output)
    }

    fn zstd(content: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(content, ruzstd::encoding::CompressionLevel::Fastest)
    }

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn layers_are_decompressed_by_their_first_bytes_also_in_several_frames() {
        let content: Vec<u8> = (0..20_000_u32).flat_map(u32::to_le_bytes).collect();
        let (first, second) = content.split_at(30_000);
        let skippable = [0x5e, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
        for layer in [
            content.clone(),
            gzip(&content),
            [gzip(first), gzip(second)].concat(),
            zstd(&content),
            [zstd(first), zstd(second)].concat(),
            [skippable.as_slice(), &zstd(first), &skippable, &zstd(second), &skippable].concat(),
        ] {
            for chunk in [1, 7, 4096, layer.len()] {
                assert!(decoded(&layer, chunk).unwrap() == content, "chunks of {chunk} of {}", layer.len());
            }
        }
        assert!(decoded(&[], 1).unwrap().is_empty());
    }

    #[test]
    fn a_compressed_layer_that_ends_early_is_an_error() {
        let content: Vec<u8> = (0..5_000_u32).flat_map(u32::to_le_bytes).collect();
        for layer in [gzip(&content), zstd(&content)] {
            assert!(decoded(&layer[..layer.len() - 9], 100).is_err());
        }
    }
}
