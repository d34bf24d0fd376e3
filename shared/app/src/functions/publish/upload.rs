//! Takes a file for a Pin: the caller is told where to send it, which is not here.

use std::{collections::BTreeMap, time::Duration};

use domain::{FileType, MediaId, NewFile};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Publish;
use crate::{error::Result, functions::Sender, http::Caller, vocabulary::FileContentType};

/// How long the caller may take to begin.
const VALID_FOR: Duration = Duration::from_hours(1);

/// A file that the caller has.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CreateUploadRequest")]
pub struct NewUpload {
    #[schemars(with = "FileContentType")]
    content_type: String,
    /// The size of the file, to the byte: at most 20 MB for an image, 2 GB for a video.
    #[schemars(range(min = 1, max = FileType::Mp4.largest()))]
    bytes: u64,
}

/// Where the file goes.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Upload")]
pub struct UploadView {
    /// What Pins call the file.
    media_id: MediaId,
    /// The request that brings it there.
    upload: UploadRequest,
    /// Until when that has to begin.
    expires_at: Timestamp,
}

/// A request to the bucket, without a token: whoever has its address may send it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "UploadTarget")]
struct UploadRequest {
    #[schemars(extend("enum" = ["PUT"]))]
    method: &'static str,
    #[schemars(url)]
    url: String,
    /// To be sent as they are. A browser sends `content-length` by itself.
    headers: BTreeMap<&'static str, String>,
}

impl Publish {
    /// Makes an id, and an address that is good for that one file. Nothing is kept: who never sends leaves nothing.
    pub(super) fn upload(&self, caller: &Caller, wanted: &NewUpload) -> Result<UploadView> {
        let Sender { clock, random, bucket, .. } = &self.sender;
        let now = clock.now();
        let file = NewFile::new(&wanted.content_type, wanted.bytes)?;
        let media_id = MediaId::new(now, random.entropy());
        let upload = bucket.upload(&caller.tenant, &media_id, file, VALID_FOR)?;
        let (url, headers) = (upload.url.expose().to_owned(), upload.headers.into());
        Ok(UploadView {
            media_id,
            upload: UploadRequest { method: "PUT", url, headers },
            expires_at: now + VALID_FOR,
        })
    }
}
