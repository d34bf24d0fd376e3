//! The types of files that Pinterest accepts, and the type of a file by its own bytes.

use std::fmt;

use url::Url;

use crate::file::{MAX_IMAGE_BYTES, MAX_VIDEO_BYTES};

/// A kind of file that Pins are made of.
///
/// Of images, Pinterest's help pages name BMP, JPEG, PNG, TIFF and WebP
/// (<https://help.pinterest.com/en-gb/article/review-pin-specs>), and GIF is known to work; its contract names JPEG and PNG
/// where an image comes within a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileType {
    /// A JPEG image.
    Jpeg,
    /// A PNG image.
    Png,
    /// A WebP image.
    Webp,
    /// A GIF image, which may move.
    Gif,
    /// A BMP image.
    Bmp,
    /// A TIFF image.
    Tiff,
    /// A video in an MPEG-4 container.
    Mp4,
    /// A video in a `QuickTime` container.
    QuickTime,
    /// A video in Apple's variety of MPEG-4.
    M4v,
}

impl FileType {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Jpeg,
        Self::Png,
        Self::Webp,
        Self::Gif,
        Self::Bmp,
        Self::Tiff,
        Self::Mp4,
        Self::QuickTime,
        Self::M4v,
    ];
    /// The types that may be sent within a request: those of Pinterest's own `image_base64`.
    pub const INLINE: [Self; 2] = [Self::Jpeg, Self::Png];

    /// How many of a file's first bytes are needed to recognise its type.
    pub const SNIFF_BYTES: usize = 64;

    /// The content type.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Gif => "image/gif",
            Self::Bmp => "image/bmp",
            Self::Tiff => "image/tiff",
            Self::Mp4 => "video/mp4",
            Self::QuickTime => "video/quicktime",
            Self::M4v => "video/x-m4v",
        }
    }

    /// The type of a `Content-Type`, also in upper case, with parameters, and with names that are common but not
    /// registered.
    #[must_use]
    pub fn of_content_type(content_type: &str) -> Option<Self> {
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "image/jpg" | "image/pjpeg" => Some(Self::Jpeg),
            "image/x-png" => Some(Self::Png),
            "image/x-ms-bmp" | "image/x-bmp" => Some(Self::Bmp),
            "video/m4v" => Some(Self::M4v),
            name => Self::ALL.into_iter().find(|kind| kind.content_type() == name),
        }
    }

    /// The type by the file extension of an address. `None`: the address has no known extension.
    #[must_use]
    pub fn of_address(address: &str) -> Option<Self> {
        let address = Url::parse(address).ok()?;
        let (_, ending) = address.path().rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "jpg" | "jpeg" => Some(Self::Jpeg),
            "png" => Some(Self::Png),
            "webp" => Some(Self::Webp),
            "gif" => Some(Self::Gif),
            "bmp" => Some(Self::Bmp),
            "tif" | "tiff" => Some(Self::Tiff),
            "mp4" => Some(Self::Mp4),
            "mov" => Some(Self::QuickTime),
            "m4v" => Some(Self::M4v),
            _ => None,
        }
    }

    /// Whether it is a video: Pinterest gets videos in another way than images.
    #[must_use]
    pub const fn is_video(self) -> bool {
        matches!(self, Self::Mp4 | Self::QuickTime | Self::M4v)
    }

    /// The largest file of this type that Pinterest accepts, in bytes.
    #[must_use]
    pub const fn max_bytes(self) -> u64 {
        if self.is_video() { MAX_VIDEO_BYTES } else { MAX_IMAGE_BYTES }
    }

    /// The type of a file by its first [`FileType::SNIFF_BYTES`] bytes. Its name and declared type do not matter.
    ///
    /// MPEG-4 and `QuickTime` files are boxes: a length, a name, and, in the first one, a brand (ISO/IEC 14496-12).
    pub fn sniff(first: &[u8]) -> Result<Self, OtherFile> {
        match first {
            [] => Err(OtherFile::Empty),
            [0xff, 0xd8, 0xff, ..] => Ok(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Ok(Self::Png),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Ok(Self::Gif),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Ok(Self::Webp),
            [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => Ok(Self::Bmp),
            [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => Ok(Self::Tiff),
            [_, _, _, _, b'f', b't', b'y', b'p', brands @ ..] => Self::of_brands(brands),
            // A file of QuickTime may begin with any of these boxes.
            [_, _, _, _, name @ ..]
                if [b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"]
                    .iter()
                    .any(|known| name.starts_with(*known)) =>
            {
                Ok(Self::QuickTime)
            }
            _ => Err(OtherFile::of_first(first)),
        }
    }

    /// Audio files, and images of phones (HEIF, AVIF), have the same boxes as videos.
    fn of_brands(brands: &[u8]) -> Result<Self, OtherFile> {
        let is_one_of = |known: &[&[u8]]| known.iter().any(|brand| brands.starts_with(brand));
        let names = |brand: &[u8]| brands.windows(4).any(|other| other == brand);
        if is_one_of(&[b"qt  "]) {
            Ok(Self::QuickTime)
        } else if is_one_of(&[b"M4V ", b"M4VH", b"M4VP"]) {
            Ok(Self::M4v)
        } else if is_one_of(&[b"avif", b"avis"]) || is_one_of(&[b"mif1", b"msf1"]) && names(b"avif") {
            Err(OtherFile::Avif)
        } else if is_one_of(&[b"hei", b"hevc", b"hevx", b"mif1", b"msf1"]) {
            Err(OtherFile::Heic)
        } else if is_one_of(&[b"M4A", b"M4B", b"M4P"]) {
            Err(OtherFile::Sound)
        } else if is_one_of(&[b"crx"]) {
            Err(OtherFile::Unknown)
        } else {
            Ok(Self::Mp4)
        }
    }
}

impl FileType {
    /// The kind, if it is the one that is wanted: a video, or else an image.
    pub fn wanted(found: Result<Self, OtherFile>, is_video: bool) -> Result<Self, WrongFile> {
        let wanted = if is_video { "a video" } else { "an image" };
        let wrong =
            |is: &dyn fmt::Display, fix| WrongFile { detail: format!("is {is}, and not {wanted}"), fix };
        match found {
            Ok(kind) if kind.is_video() == is_video => Ok(kind),
            Ok(kind) if kind.is_video() => Err(wrong(&kind.name(), "Publish it as `\"kind\":\"video\"`.")),
            Ok(kind) => Err(wrong(&kind.name(), "Publish it as `\"kind\":\"image\"`.")),
            Err(other) => Err(wrong(&other, other.fix())),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "a JPEG image",
            Self::Png => "a PNG image",
            Self::Webp => "a WebP image",
            Self::Gif => "a GIF image",
            Self::Bmp => "a BMP image",
            Self::Tiff => "a TIFF image",
            Self::Mp4 => "an MP4 video",
            Self::QuickTime => "a MOV video",
            Self::M4v => "an M4V video",
        }
    }
}

/// A file that no Pin can show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongFile {
    /// What it is, as the end of a sentence that begins with the file.
    pub detail: String,
    /// What to do about it.
    pub fix: &'static str,
}

impl WrongFile {
    /// A video without its index.
    #[must_use]
    pub fn unfinished() -> Self {
        Self {
            detail: "has no index (`moov`): it is incomplete".to_owned(),
            fix: "Export the video again, to its end, and use the whole file.",
        }
    }
}

/// The type of a file that no Pin can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OtherFile {
    /// It has no bytes.
    #[error("an empty file")]
    Empty,
    /// The format of iPhone photos.
    #[error("a HEIC image, as phones take them")]
    Heic,
    /// An AVIF image.
    #[error("an AVIF image")]
    Avif,
    /// HTML, perhaps one that asks to sign in.
    #[error("a web page")]
    WebPage,
    /// A drawing.
    #[error("an SVG drawing")]
    Svg,
    /// A document.
    #[error("a PDF document")]
    Pdf,
    /// An audio file.
    #[error("a sound")]
    Sound,
    /// A video in a container that Pinterest does not accept.
    #[error("a WebM or Matroska video")]
    Matroska,
    /// Anything else.
    #[error("of an unknown kind")]
    Unknown,
}

impl OtherFile {
    fn of_first(first: &[u8]) -> Self {
        let text =
            String::from_utf8_lossy(first).trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
        match first {
            [b'%', b'P', b'D', b'F', ..] => Self::Pdf,
            [0x1a, 0x45, 0xdf, 0xa3, ..] => Self::Matroska,
            _ if text.contains("<svg") => Self::Svg,
            _ if text.starts_with('<') => Self::WebPage,
            _ => Self::Unknown,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn fix(self) -> &'static str {
        match self {
            Self::Empty => "Check that the file was saved whole, and upload it again.",
            Self::Heic | Self::Avif | Self::Svg | Self::Pdf => "Export it as JPEG or PNG.",
            Self::WebPage => {
                "Give the address of the file itself, which opens without a login, and not of a page around it."
            }
            Self::Sound | Self::Matroska => "Export it as an MP4 video.",
            Self::Unknown => "Give a JPEG, PNG, WebP, GIF, BMP or TIFF image, or an MP4, MOV or M4V video.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(name: &[u8], brand: &[u8]) -> Result<FileType, OtherFile> {
        FileType::sniff(&[b"\0\0\0\x20".as_slice(), name, brand, b"\0\0\0\0isommp42"].concat())
    }

    #[test]
    fn a_file_is_what_its_first_bytes_say() {
        assert_eq!(FileType::sniff(&[0xff, 0xd8, 0xff, 0xe0, 0, 16]), Ok(FileType::Jpeg));
        assert_eq!(FileType::sniff(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), Ok(FileType::Png));
        assert_eq!(FileType::sniff(b"GIF89a\x01\0\x01\0"), Ok(FileType::Gif));
        assert_eq!(FileType::sniff(b"RIFF\x24\0\0\0WEBPVP8 "), Ok(FileType::Webp));
        assert_eq!(FileType::sniff(b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0"), Ok(FileType::Bmp));
        assert_eq!(FileType::sniff(b"II*\0\x08\0\0\0"), Ok(FileType::Tiff));
        assert_eq!(FileType::sniff(b"MM\0*\0\0\0\x08"), Ok(FileType::Tiff));
        for brand in [b"isom", b"mp42", b"avc1", b"MSNV"] {
            assert_eq!(boxed(b"ftyp", brand), Ok(FileType::Mp4));
        }
        assert_eq!(boxed(b"ftyp", b"qt  "), Ok(FileType::QuickTime));
        for name in [b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"] {
            assert_eq!(boxed(name, b"\0\0\0\x6c"), Ok(FileType::QuickTime));
        }
        assert_eq!(boxed(b"ftyp", b"M4V "), Ok(FileType::M4v));
    }

    #[test]
    fn an_unsupported_file_type_is_named() {
        for (brand, other) in [
            (b"heic", OtherFile::Heic),
            (b"heix", OtherFile::Heic),
            (b"hevc", OtherFile::Heic),
            (b"mif1", OtherFile::Heic),
            (b"avif", OtherFile::Avif),
            (b"M4A ", OtherFile::Sound),
        ] {
            assert_eq!(boxed(b"ftyp", brand), Err(other));
        }
        assert_eq!(FileType::sniff(b"\0\0\0\x20ftypmif1\0\0\0\0mif1avif"), Err(OtherFile::Avif));
        for (first, other) in [
            (b"".as_slice(), OtherFile::Empty),
            (b"<!DOCTYPE html><title>Sign in</title>", OtherFile::WebPage),
            (b"\xef\xbb\xbf\n<HTML>", OtherFile::WebPage),
            (b"<?xml version=\"1.0\"?><svg xmlns=", OtherFile::Svg),
            (b"%PDF-1.7\n", OtherFile::Pdf),
            (b"\x1a\x45\xdf\xa3\x01\0", OtherFile::Matroska),
            (b"{\"error\":\"gone\"}", OtherFile::Unknown),
            (&[0xff, 0xd8], OtherFile::Unknown),
        ] {
            assert_eq!(FileType::sniff(first), Err(other), "{first:?}");
        }
    }

    #[test]
    fn the_ending_of_an_address_tells_the_kind() {
        for (address, kind) in [
            ("https://a.example/1.JPG", Some(FileType::Jpeg)),
            ("https://a.example/film.mp4?v=1.jpg#x.png", Some(FileType::Mp4)),
            ("https://a.example/film.MOV", Some(FileType::QuickTime)),
            ("https://a.example/film.m4v", Some(FileType::M4v)),
            ("https://a.example/file?name=film.mp4", None),
            ("https://a.mp4/", None),
            ("film.mp4", None),
        ] {
            assert_eq!(FileType::of_address(address), kind, "{address}");
        }
    }
}
