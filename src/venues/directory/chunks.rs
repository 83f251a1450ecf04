//! Lists that grow without ever being copied: a `Vec` of millions would hold twice its size while it
//! doubles.

/// Things in a row, by position.
#[derive(Debug)]
pub(super) struct Chunks<T>(Vec<Vec<T>>);

/// Things in one chunk.
const CHUNK: usize = 4096;

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Chunks<T> {
    /// Add `thing` and give its position. `None` when there are more than 2^32 - 1.
    pub(super) fn push(&mut self, thing: T) -> Option<u32> {
        let full = self.0.last().is_none_or(|chunk| chunk.len() == CHUNK);
        if full {
            self.0.push(Vec::with_capacity(CHUNK));
        }
        let before = (self.0.len() - 1) * CHUNK;
        let chunk = self.0.last_mut()?;
        let at = u32::try_from(before + chunk.len()).ok()?;
        chunk.push(thing);
        Some(at)
    }

    /// The thing at a position.
    pub(super) fn get(&self, at: u32) -> Option<&T> {
        let at = usize::try_from(at).ok()?;
        self.0.get(at / CHUNK)?.get(at % CHUNK)
    }

    /// The thing at a position, to change it.
    pub(super) fn get_mut(&mut self, at: u32) -> Option<&mut T> {
        let at = usize::try_from(at).ok()?;
        self.0.get_mut(at / CHUNK)?.get_mut(at % CHUNK)
    }

    /// All of them in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flatten()
    }
}

/// Texts end to end, each behind its length in two bytes.
#[derive(Debug, Default)]
pub(super) struct Texts(Vec<Vec<u8>>);

/// Bytes in one chunk of texts: a position is 16 bits of chunk and 16 bits in it, which holds 4 GiB.
const TEXT_CHUNK: usize = 1 << 16;

/// Where a text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Text(u32);

impl Texts {
    /// Keep `text`, cut to 60,000 bytes: names are shorter by far. `None` when 4 GiB are full.
    pub(super) fn add(&mut self, text: &str) -> Option<Text> {
        let text = text.get(..text.floor_char_boundary(60_000))?;
        let room = |chunk: &Vec<u8>| chunk.len() + 2 + text.len() <= TEXT_CHUNK;
        if !self.0.last().is_some_and(room) {
            self.0.push(Vec::with_capacity(TEXT_CHUNK));
        }
        let number = u32::try_from(self.0.len() - 1).ok()?;
        let chunk = self.0.last_mut()?;
        let place = u32::try_from(chunk.len()).ok()?;
        let at = number.checked_mul(1 << 16)?.checked_add(place)?;
        chunk.extend(u16::try_from(text.len()).ok()?.to_le_bytes());
        chunk.extend(text.as_bytes());
        Some(Text(at))
    }

    /// A text that was kept.
    pub(super) fn get(&self, Text(at): Text) -> &str {
        self.bytes(at)
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }

    fn bytes(&self, at: u32) -> Option<&[u8]> {
        let chunk = self.0.get(usize::try_from(at >> 16).ok()?)?;
        let (length, rest) = chunk
            .get(usize::try_from(at & 0xFFFF).ok()?..)?
            .split_first_chunk()?;
        rest.get(..usize::from(u16::from_le_bytes(*length)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_where_they_were_put() {
        let mut chunks = Chunks::default();
        for n in 0..10_000_u32 {
            assert_eq!(chunks.push(n * 3), Some(n));
        }
        *chunks.get_mut(5_000).unwrap() = 1;
        assert_eq!(chunks.get(4_999), Some(&14_997));
        assert_eq!(chunks.get(5_000), Some(&1));
        assert_eq!(chunks.get(10_000), None);
        assert_eq!(chunks.iter().count(), 10_000);
    }

    #[test]
    fn texts_come_back_whole() {
        let mut texts = Texts::default();
        let written: Vec<String> = (0..3_000)
            .map(|n| "Cửa hàng ".repeat(n % 40) + &n.to_string())
            .collect();
        let kept: Vec<Text> = written.iter().map(|t| texts.add(t).unwrap()).collect();
        assert!(texts.0.len() > 1, "the texts fill more than one chunk");
        for (text, at) in written.iter().zip(kept) {
            assert_eq!(texts.get(at), text);
        }
        let long = texts.add(&"ơ".repeat(40_000)).unwrap();
        assert_eq!(texts.get(long), "ơ".repeat(30_000));
        let empty = texts.add("").unwrap();
        assert_eq!(texts.get(empty), "");
    }
}
