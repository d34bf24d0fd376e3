//! Files that people upload: which kinds Pinterest takes, how large they may be, and what a file is by its own bytes.

use crate::Invalid;

/// The code of a file that is larger than Pinterest takes.
pub const MEDIA_TOO_LARGE: &str = "media_too_large";

const MB: u64 = 1024 * 1024;
/// The largest image that Pinterest takes.
pub const MAX_IMAGE_BYTES: u64 = 20 * MB;
/// The largest video that Pinterest takes.
pub const MAX_VIDEO_BYTES: u64 = 2048 * MB;

/// How the brands of MPEG-4 files begin that are no videos.
const NON_VIDEO_BRANDS: [&[u8]; 11] =
    [b"M4A", b"M4B", b"M4P", b"avif", b"avis", b"crx", b"hei", b"hevc", b"hevx", b"mif1", b"msf1"];

/// A kind of file that Pins are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileType {
    /// A JPEG image.
    Jpeg,
    /// A PNG image.
    Png,
    /// A video in an MPEG-4 container.
    Mp4,
    /// A video in a `QuickTime` container.
    QuickTime,
    /// A video in Apple's variety of MPEG-4.
    M4v,
}

impl FileType {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Jpeg, Self::Png, Self::Mp4, Self::QuickTime, Self::M4v];

    /// How many of a file's first bytes tell what it is.
    pub const SNIFF_BYTES: usize = 64;

    /// The kind as HTTP names it.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Mp4 => "video/mp4",
            Self::QuickTime => "video/quicktime",
            Self::M4v => "video/x-m4v",
        }
    }

    /// Whether it is a video: Pinterest takes those another way than images.
    #[must_use]
    pub const fn is_video(self) -> bool {
        matches!(self, Self::Mp4 | Self::QuickTime | Self::M4v)
    }

    /// The most bytes that Pinterest takes of this kind.
    #[must_use]
    pub const fn max_bytes(self) -> u64 {
        if self.is_video() { MAX_VIDEO_BYTES } else { MAX_IMAGE_BYTES }
    }

    /// What a file is by its first [`FileType::SNIFF_BYTES`] bytes, whatever it is called. `None`: nothing that a Pin
    /// is made of.
    ///
    /// MPEG-4 and `QuickTime` files are boxes: a length, a name, and, in the first one, a brand (ISO/IEC 14496-12).
    #[must_use]
    pub fn sniff(first: &[u8]) -> Option<Self> {
        if first.starts_with(&[0xff, 0xd8, 0xff]) {
            return Some(Self::Jpeg);
        }
        if first.starts_with(b"\x89PNG\r\n\x1a\n") {
            return Some(Self::Png);
        }
        match (first.get(4..8)?, first.get(8..12)?) {
            (b"ftyp", b"qt  ") | (b"moov" | b"mdat" | b"wide", _) => Some(Self::QuickTime),
            (b"ftyp", b"M4V " | b"M4VH" | b"M4VP") => Some(Self::M4v),
            // Sounds, and images of phones (HEIF, AVIF), come in the same boxes.
            (b"ftyp", brand) if NON_VIDEO_BRANDS.iter().any(|other| brand.starts_with(other)) => None,
            (b"ftyp", _) => Some(Self::Mp4),
            _ => None,
        }
    }
}

impl TryFrom<&str> for FileType {
    type Error = Invalid;

    fn try_from(content_type: &str) -> Result<Self, Invalid> {
        let named = Self::ALL.into_iter().find(|kind| kind.content_type() == content_type);
        named.ok_or_else(|| {
            let fix = format!("Send one of {}.", Self::ALL.map(Self::content_type).join(", "));
            Invalid::new("content_type", "unsupported_media_type", "is none that Pinterest takes", fix)
        })
    }
}

/// A file that is yet to come: of a kind and a size that Pinterest takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewFile {
    kind: FileType,
    bytes: u64,
}

impl NewFile {
    /// Checks what Pinterest would otherwise refuse the file for.
    ///
    /// # Errors
    ///
    /// The first rule broken: `unsupported_media_type`, `empty_media`, or [`MEDIA_TOO_LARGE`].
    pub fn new(content_type: &str, bytes: u64) -> Result<Self, Invalid> {
        let kind = FileType::try_from(content_type)?;
        if bytes == 0 {
            let fix = "Send the size of the file, to the byte.";
            return Err(Invalid::new("bytes", "empty_media", "is 0: there is nothing to upload", fix));
        }
        if bytes > kind.max_bytes() {
            let (what, most) = if kind.is_video() { ("video", "2 GB") } else { ("image", "20 MB") };
            let detail = format!("is {bytes}: Pinterest takes at most {most} of a {what}");
            let fix = format!("Make the {what} smaller: at most {} bytes.", kind.max_bytes());
            return Err(Invalid::new("bytes", MEDIA_TOO_LARGE, detail, fix));
        }
        Ok(Self { kind, bytes })
    }

    /// What it is said to be.
    #[must_use]
    pub fn kind(&self) -> FileType {
        self.kind
    }

    /// Its size.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(name: &[u8], brand: &[u8]) -> Option<FileType> {
        FileType::sniff(&[b"\0\0\0\x20".as_slice(), name, brand, b"\0\0\0\0isommp42"].concat())
    }

    #[test]
    fn a_file_is_what_its_first_bytes_say() {
        assert_eq!(FileType::sniff(&[0xff, 0xd8, 0xff, 0xe0, 0, 16]), Some(FileType::Jpeg));
        assert_eq!(FileType::sniff(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), Some(FileType::Png));
        for brand in [b"isom", b"mp42", b"avc1", b"MSNV"] {
            assert_eq!(boxed(b"ftyp", brand), Some(FileType::Mp4));
        }
        assert_eq!(boxed(b"ftyp", b"qt  "), Some(FileType::QuickTime));
        assert_eq!(boxed(b"moov", b"\0\0\0\x6c"), Some(FileType::QuickTime));
        assert_eq!(boxed(b"ftyp", b"M4V "), Some(FileType::M4v));
    }

    #[test]
    fn what_no_pin_is_made_of_is_nothing() {
        for brand in [b"heic", b"heix", b"hevc", b"mif1", b"avif", b"M4A "] {
            assert_eq!(boxed(b"ftyp", brand), None);
        }
        for other in
            [b"".as_slice(), b"GIF89a", b"RIFF\0\0\0\0WEBPVP8 ", b"%PDF-1.7\n", b"<svg xmlns=", &[0xff, 0xd8]]
        {
            assert_eq!(FileType::sniff(other), None, "{other:?}");
        }
    }

    #[test]
    fn a_file_is_of_a_kind_and_a_size_that_pinterest_takes() {
        for kind in FileType::ALL {
            let name = kind.content_type();
            assert_eq!(NewFile::new(name, kind.max_bytes()).unwrap().kind(), kind);
            assert_eq!(NewFile::new(name, kind.max_bytes() + 1).unwrap_err().code, MEDIA_TOO_LARGE);
            assert_eq!(NewFile::new(name, 0).unwrap_err().code, "empty_media");
        }
        for other in ["", "image/gif", "image/JPEG", "image/jpeg; charset=utf-8", "video/*", "video/webm"] {
            let refused = NewFile::new(other, 1).unwrap_err();
            assert_eq!(refused.code, "unsupported_media_type", "{other}");
            assert!(refused.fix.contains("image/jpeg, image/png, video/mp4"), "{}", refused.fix);
        }
    }
}
