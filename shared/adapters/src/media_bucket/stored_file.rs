//! A file in the bucket, and whether a Pin can show it.

use domain::{DigitalSource, FileType, Invalid, MEDIA_TOO_LARGE, OtherFile, WrongFile};

/// A file in the bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredFile {
    /// Its type by its own bytes, not by its declared content type.
    pub kind: Result<FileType, OtherFile>,
    /// Its size.
    pub bytes: u64,
    /// Whether it is a video without its index.
    pub is_unfinished: bool,
    /// The mark in the file that a model made it, if there is one.
    pub digital_source: Option<DigitalSource>,
}

impl StoredFile {
    /// Whether a Pin can show it as the video or image that `field` requires.
    pub fn check(self, field: &str, is_video: bool) -> Result<(), Invalid> {
        let field = format!("{field}.media_id");
        let kind = FileType::wanted(self.kind, is_video).map_err(|wrong| {
            let detail = format!("names a file that {}", wrong.detail);
            Invalid::new(&field, "unsupported_media_type", detail, wrong.fix)
        })?;
        if self.is_unfinished {
            let WrongFile { detail, fix } = WrongFile::unfinished();
            return Err(Invalid::new(field, "video_unfinished", format!("names a file that {detail}"), fix));
        }
        if self.bytes > kind.max_bytes() {
            let detail = format!("names a file of {} bytes", self.bytes);
            let fix = format!("Upload a smaller one: at most {} bytes.", kind.max_bytes());
            return Err(Invalid::new(field, MEDIA_TOO_LARGE, detail, fix));
        }
        Ok(())
    }
}
