//! Checks that a video has its index. Without it, no player can find the frames.

/// Reads the boxes of an MPEG-4 or `QuickTime` file one after the other, and looks for the index (`moov`). A program writes
/// the index last, at the beginning or at the end of the file; an incomplete file has none.
#[derive(Clone, Debug, Default)]
pub struct MovieScan {
    /// How much was read.
    position: u64,
    /// How many bytes of the current box remain to be skipped.
    rest: u64,
    header: Vec<u8>,
    has_index: bool,
}

/// The result so far, or the position of the next read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextLook {
    /// It has its index.
    Playable,
    /// It has none.
    Unfinished,
    /// The next box begins here.
    At(u64),
}

impl MovieScan {
    /// The most reads of a file: most files need two.
    pub const MAX_LOOKS: usize = 6;

    /// Whether the index was found.
    #[must_use]
    pub fn has_index(&self) -> bool {
        self.has_index
    }

    /// Reads the next bytes of the file.
    pub fn read(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() && !self.has_index {
            let skipped = usize::try_from(self.rest).unwrap_or(usize::MAX).min(piece.len());
            self.rest -= skipped as u64;
            self.position += skipped as u64;
            piece = &piece[skipped..];
            if let Some((byte, behind)) = piece.split_first() {
                self.header.push(*byte);
                self.position += 1;
                piece = behind;
                self.read_header();
            }
        }
    }

    /// Where to read next in a file of `bytes` bytes, if ranges are supported. The rest of the box is skipped.
    pub fn next(&mut self, bytes: u64) -> NextLook {
        if self.has_index {
            return NextLook::Playable;
        }
        self.position = self.position.saturating_add(self.rest);
        self.rest = 0;
        if self.position < bytes { NextLook::At(self.position) } else { NextLook::Unfinished }
    }

    fn read_header(&mut self) {
        // A length and a name. The length may be written in 8 bytes more (ISO/IEC 14496-12, section 4.2).
        let Some((&length, rest)) = self.header.split_first_chunk() else { return };
        let Some((name, rest)) = rest.split_first_chunk::<4>() else { return };
        let length = match u32::from_be_bytes(length) {
            0 => u64::MAX, // to the end of the file
            1 => match rest.first_chunk() {
                Some(long) => u64::from_be_bytes(*long),
                None => return,
            },
            length => length.into(),
        };
        self.has_index = name == b"moov";
        // A box cannot be shorter than its own header: nothing after it can be found.
        self.rest = length.checked_sub(self.header.len() as u64).unwrap_or(u64::MAX);
        self.header.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(name: &[u8], content: usize) -> Vec<u8> {
        let length = u32::try_from(8 + content).unwrap();
        [&length.to_be_bytes(), name, &vec![0; content]].concat()
    }

    fn has_index(file: &[u8], piece: usize) -> bool {
        let mut scan = MovieScan::default();
        file.chunks(piece).for_each(|piece| scan.read(piece));
        scan.has_index()
    }

    #[test]
    fn an_index_is_found_wherever_it_is_and_however_the_file_comes() {
        let long = [&1_u32.to_be_bytes(), b"mdat".as_slice(), &(16_u64 + 5).to_be_bytes(), &[0; 5]].concat();
        let files = [
            [boxed(b"ftyp", 16), boxed(b"moov", 100), boxed(b"mdat", 100)].concat(),
            [boxed(b"ftyp", 16), boxed(b"free", 0), boxed(b"mdat", 1000), boxed(b"moov", 100)].concat(),
            [boxed(b"wide", 0), long, boxed(b"moov", 1)].concat(),
        ];
        for file in files {
            for piece in [1, 7, 8, 64, 10_000] {
                assert!(has_index(&file, piece), "{piece}");
            }
        }
    }

    #[test]
    fn an_unfinished_file_has_no_index() {
        let to_the_end = [&0_u32.to_be_bytes(), b"mdat".as_slice(), b"\0\0\0\x08moov"].concat();
        for file in [
            [boxed(b"ftyp", 16), boxed(b"free", 0), boxed(b"mdat", 0)].concat(),
            [boxed(b"ftyp", 16), to_the_end].concat(),
            [boxed(b"ftyp", 16), b"\0\0\0\x07free\0\0\0\x08moov".to_vec()].concat(),
            b"\0\0\0\x20ftyp".to_vec(),
            Vec::new(),
        ] {
            assert!(!has_index(&file, 5), "{file:?}");
        }
    }

    #[test]
    fn the_content_of_other_boxes_can_be_skipped() {
        let mut scan = MovieScan::default();
        scan.read(&boxed(b"ftyp", 8));
        scan.read(b"\0\x10\0\0mdat");
        assert_eq!(scan.next(2_000_000), NextLook::At(16 + 0x0010_0000));
        let mut cut_off = scan.clone();
        assert_eq!(cut_off.next(16 + 0x0010_0000), NextLook::Unfinished);
        scan.read(b"\0\0\0\x08moov");
        assert_eq!(scan.next(2_000_000), NextLook::Playable);
    }
}
