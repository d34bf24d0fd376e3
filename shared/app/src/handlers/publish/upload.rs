//! The upload of a file: the caller gets an address of the bucket, and sends the file there.

use std::{collections::BTreeMap, time::Duration};

use domain::{FileType, Limit, MediaId, NewFile, TenantId};
use edge::{Caller, not_found};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Publish;
use crate::{
    error::{Error, Result},
    vocabulary::FileContentType,
};

/// How long the address of an upload is valid: the upload must start within this time.
const UPLOAD_URL_VALIDITY: Duration = Duration::from_hours(1);

/// A file to upload.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CreateUploadRequest")]
pub struct NewUpload {
    #[schemars(with = "FileContentType")]
    content_type: String,
    /// The size of the file, to the byte: at most 20 MB for an image, 2 GB for a video.
    #[schemars(range(min = 1, max = FileType::Mp4.max_bytes()))]
    bytes: u64,
}

/// Where the file goes.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Upload")]
pub struct UploadView {
    /// The id of the file, for Pins.
    media_id: MediaId,
    /// The request that uploads the file.
    upload: UploadRequest,
    /// The upload must start before this time.
    #[serde(serialize_with = "domain::instant::serialize")]
    expires_at: Timestamp,
}

/// A request to the bucket, without a token: anybody who has its address can send it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "UploadTarget")]
struct UploadRequest {
    #[schemars(extend("enum" = ["PUT"]))]
    method: &'static str,
    #[schemars(url)]
    url: String,
    /// Send these unchanged. A browser sends `content-length` itself.
    headers: BTreeMap<&'static str, String>,
}

impl Publish {
    /// Creates an id, and an address for that one file. Nothing is stored before the file is sent.
    pub(super) async fn upload(&self, caller: &Caller, wanted: &NewUpload) -> Result<UploadView> {
        let now = self.clock.now();
        let file = NewFile::new(&wanted.content_type, wanted.bytes)?;
        self.limits.use_upload(&caller.tenant, file.bytes()).await?;
        let media_id = self.new_media_id(now);
        let bucket = &self.publisher.bucket;
        let upload = bucket.sign_upload(&caller.tenant, &media_id, file, UPLOAD_URL_VALIDITY)?;
        let (url, headers) = (upload.url.expose().to_owned(), upload.headers.into());
        Ok(UploadView {
            media_id,
            upload: UploadRequest { method: "PUT", url, headers },
            expires_at: now + UPLOAD_URL_VALIDITY,
        })
    }

    /// Deletes a file. A Pin that still uses it fails when it is sent.
    pub(super) async fn delete_media(&self, tenant: &TenantId, id: &MediaId) -> Result<()> {
        let bucket = &self.publisher.bucket;
        let stored = bucket.head(tenant, id).await?.ok_or_else(|| not_found::<Error>("file"))?;
        bucket.delete(tenant, id).await?;
        self.limits.give_back(tenant, Limit::UploadBytes, stored.bytes).await
    }
}
