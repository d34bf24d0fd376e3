//! Videos: registration, upload, and the status of Pinterest's processing.

use domain::{
    AccessToken, Environment, FormField, PinterestMediaId,
    delivery::{MediaStatus, UploadForm},
};
use reqwest::{
    Body,
    multipart::{self, Part},
};
use serde::Deserialize;
use serde_json::json;
use std::{collections::BTreeMap, time::Duration};
use url::{Host, Url};

use crate::{Client, Error, Fault, lenient};

/// `MediaUpload` in the contract. The parameters are credentials: all of them are passed on, and never read.
#[derive(Deserialize)]
struct MediaUpload {
    #[serde(deserialize_with = "lenient::id")]
    media_id: PinterestMediaId,
    upload_url: String,
    upload_parameters: BTreeMap<String, FormField>,
}

/// `MediaUploadDetails` in the contract, where the status is optional.
#[derive(Deserialize)]
struct Media {
    status: Option<String>,
}

impl Client {
    /// Registers a video ([`POST /media`](https://developers.pinterest.com/docs/api/v5/media-create)).
    ///
    /// After [`Error::Unknown`] there may be an unused registration, which does no harm.
    pub async fn register_video(
        &self,
        environment: Environment,
        token: &AccessToken,
    ) -> Result<(UploadForm, domain::ResponseMeta), Error> {
        let request = self.post(environment, token, "media", &json!({ "media_type": "video" }));
        let received = self.send(request).await?;
        let upload: MediaUpload = received.secret_json()?;
        if !self.may_upload_to(environment, &upload.upload_url) {
            return Err(Error::unknown(received.meta(), Fault::Malformed { source: None }));
        }
        let form = UploadForm {
            pinterest_media_id: upload.media_id,
            url: upload.upload_url,
            fields: upload.upload_parameters.into_iter().collect(),
        };
        Ok((form, received.meta()))
    }

    /// Whether a file may be sent to an address from Pinterest: it must be as public, and as well protected by TLS, as the
    /// API.
    fn may_upload_to(&self, environment: Environment, address: &str) -> bool {
        let Ok(url) = Url::parse(address) else { return false };
        let is_plain = url.username().is_empty() && url.password().is_none();
        let is_public = match url.host() {
            Some(Host::Domain(name)) => name.contains('.') && !name.ends_with(".localhost"),
            Some(Host::Ipv4(_) | Host::Ipv6(_)) | None => false,
        };
        let like_the_api = self.address(environment, "").starts_with("http://") && url.scheme() == "http";
        is_plain && (url.scheme() == "https" && is_public && url.port().is_none() || like_the_api)
    }

    /// Uploads a video of `bytes` bytes as the file of a form (S3's `POST` of an object), without holding it in memory.
    /// `within`: the time limit.
    pub async fn upload_video(
        &self,
        form: &UploadForm,
        video: impl Into<Body>,
        bytes: u64,
        within: Duration,
    ) -> Result<(), Error> {
        let mut fields = multipart::Form::new();
        for (name, value) in &form.fields {
            fields = fields.text(name.clone(), value.expose().to_owned());
        }
        // S3 ignores fields after the file, and requires the total length in advance.
        let file = Part::stream_with_length(video, bytes).file_name("video");
        let request = self.upload(&form.url).multipart(fields.part("file", file)).timeout(within);
        self.execute(request.build().map_err(Error::before_answer)?).await?.stored()
    }

    /// The status of a video ([`GET /media/{media_id}`](https://developers.pinterest.com/docs/api/v5/media-get)).
    pub async fn video(
        &self,
        environment: Environment,
        token: &AccessToken,
        id: &PinterestMediaId,
    ) -> Result<MediaStatus, Error> {
        let received = self.send(self.get(environment, token, &format!("media/{id}"))).await?;
        match received.json::<Media>()?.status.as_deref() {
            Some("registered") => Ok(MediaStatus::Registered),
            // Without a status, it is being processed.
            Some("processing") | None => Ok(MediaStatus::Processing),
            Some("succeeded") => Ok(MediaStatus::Succeeded),
            Some("failed") => Ok(MediaStatus::Failed),
            _ => Err(Error::unknown(received.meta(), Fault::Malformed { source: None })),
        }
    }
}
