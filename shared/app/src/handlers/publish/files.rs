//! Files of Pins: those within a request, and those that were uploaded before.

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

/// How many files are checked in parallel.
const MAX_PARALLEL_FILES: usize = 16;

/// The files that were uploaded before, if they exist.
pub(super) type StoredFiles = BTreeMap<MediaId, Option<StoredFile>>;

impl Publish {
    /// Stores the image from the request, which counts as an upload, or marks the files that were uploaded before as used.
    pub(super) async fn take_files(&self, pin: &Pin, inline_image: Option<&InlineImage>) -> Result<()> {
        let bucket = &self.publisher.bucket;
        if let Some(InlineImage { id, kind, content }) = inline_image {
            self.limits.use_upload(&pin.tenant, content.len() as u64).await?;
            return Ok(bucket.put(&pin.tenant, id, *kind, content.clone()).await?);
        }
        keep_files(bucket, pin).await
    }

    /// Reads each file once.
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

/// The first mark in the uploaded files that a model made one of them.
pub(super) fn digital_source(media: &Media, files: &StoredFiles) -> Option<DigitalSource> {
    uploaded_files(media).iter().find_map(|id| files.get(id)?.as_ref()?.digital_source)
}

/// Marks the files of a Pin as used, so that the bucket keeps them.
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
