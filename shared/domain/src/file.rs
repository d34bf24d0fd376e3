//! Files that people upload, and their maximum sizes.

use crate::{FileType, Invalid};

/// The code of a file that is larger than Pinterest accepts.
pub const MEDIA_TOO_LARGE: &str = "media_too_large";

const MB: u64 = 1024 * 1024;
/// The largest image that Pinterest accepts.
pub const MAX_IMAGE_BYTES: u64 = 20 * MB;
/// The largest video that Pinterest accepts.
pub const MAX_VIDEO_BYTES: u64 = 2048 * MB;

impl TryFrom<&str> for FileType {
    type Error = Invalid;

    fn try_from(content_type: &str) -> Result<Self, Invalid> {
        Self::of_content_type(content_type).ok_or_else(|| {
            let fix = format!("Send one of {}.", Self::ALL.map(Self::content_type).join(", "));
            Invalid::new("content_type", "unsupported_media_type", "is none that Pinterest takes", fix)
        })
    }
}

/// A file before its upload, of a type and a size that Pinterest accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewFile {
    kind: FileType,
    bytes: u64,
}

impl NewFile {
    /// Checks the rules for which Pinterest would refuse the file.
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

    /// Its declared type.
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

    #[test]
    fn a_file_is_of_a_kind_and_a_size_that_pinterest_takes() {
        for kind in FileType::ALL {
            let name = kind.content_type();
            assert_eq!(NewFile::new(name, kind.max_bytes()).unwrap().kind(), kind);
            assert_eq!(NewFile::new(name, kind.max_bytes() + 1).unwrap_err().code, MEDIA_TOO_LARGE);
            assert_eq!(NewFile::new(name, 0).unwrap_err().code, "empty_media");
        }
        for other in ["image/jpg", "image/JPEG", " image/jpeg; charset=utf-8"] {
            assert_eq!(NewFile::new(other, 1).unwrap().kind(), FileType::Jpeg, "{other}");
        }
        for other in ["", "image/heic", "image/svg+xml", "video/*", "video/webm"] {
            let refused = NewFile::new(other, 1).unwrap_err();
            assert_eq!(refused.code, "unsupported_media_type", "{other}");
            assert!(refused.fix.contains("image/jpeg, image/png, image/webp"), "{}", refused.fix);
        }
    }
}
