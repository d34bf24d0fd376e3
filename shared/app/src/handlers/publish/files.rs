//! Files of Pins: those that come within a request, and those that were uploaded before.

use std::collections::{BTreeMap, BTreeSet};

use adapters::{MediaBucket, media_bucket::StoredFile};
use domain::{DigitalSource, File, Media, MediaFile, MediaId, Pin, TenantId};
use edge::not_found;
use futures_util::{StreamExt as _, TryStreamExt as _, future::try_join_all, stream};

use super::Publish;
use crate::{
    error::{Error, Result},
    handlers::requests::InlineImage,
};

/// How many files are looked at in parallel.
const MAX_PARALLEL_FILES: usize = 16;

/// Files that were uploaded before, as far as they are there.
pub(super) type StoredFiles = BTreeMap<MediaId, Option<StoredFile>>;

impl Publish {
    /// Stores the image that came within the request, which counts as an upload, or has the bucket keep the files that were
    /// uploaded before.
    pub(super) async fn take_files(&self, pin: &Pin, inline_image: Option<&InlineImage>) -> Result<()> {
        let bucket = &self.publisher.bucket;
        if let Some(InlineImage { id, kind, content }) = inline_image {
            self.limits.use_upload(&pin.tenant, content.len() as u64).await?;
            return Ok(bucket.put(&pin.tenant, id, *kind, content.clone()).await?);
        }
        keep_files(bucket, pin).await
    }

    /// Looks once at each file.
    pub(super) async fn look_at_files(
        &self,
        tenant: &TenantId,
        ids: BTreeSet<MediaId>,
    ) -> Result<StoredFiles> {
        let files = stream::iter(ids).map(|id| async move {
            let stored = self.publisher.bucket.head(tenant, &id).await?;
            Ok::<_, Error>((id, stored))
        });
        files.buffered(MAX_PARALLEL_FILES).try_collect().await
    }
}

/// Checks the files that were uploaded before.
pub(super) fn check_files(pin: &Pin, files: &StoredFiles) -> Result<()> {
    for media in pin.draft.media.files() {
        if let File::Uploaded { media_id } = media.file {
            let stored = files.get(media_id).copied().flatten();
            let stored = stored.ok_or_else(|| not_found::<Error>("file"))?;
            stored.check(&media.field, media.is_video)?;
        }
    }
    Ok(())
}

/// What the first of the uploaded files that says so says of a model that made it.
pub(super) fn digital_source(media: &Media, files: &StoredFiles) -> Option<DigitalSource> {
    uploaded_files(media).iter().find_map(|id| files.get(id)?.as_ref()?.digital_source)
}

/// Has the bucket keep the files that a Pin names.
pub(in crate::handlers) async fn keep_files(bucket: &MediaBucket, pin: &Pin) -> Result<()> {
    let keeps = uploaded_files(&pin.draft.media).into_iter().map(|id| async move {
        if bucket.keep(&pin.tenant, &id).await? { Ok(()) } else { Err(not_found::<Error>("file")) }
    });
    try_join_all(keeps).await?;
    Ok(())
}

/// The files of a Pin that were uploaded before.
pub(super) fn uploaded_files(media: &Media) -> BTreeSet<MediaId> {
    let uploaded = |media: MediaFile<'_>| match media.file {
        File::Uploaded { media_id } => Some(media_id.clone()),
        File::Public { .. } => None,
    };
    let mut ids = BTreeSet::new();
    ids.extend(media.files().into_iter().filter_map(uploaded));
    ids
}
