//! Requests to S3: signing, sending, and the errors in answers.

use std::time::Duration;

use aws_sigv4::{
    http_request::{
        PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
        UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use domain::{MediaId, SignedUrl, TenantId};
use http::{HeaderMap, HeaderValue, Method, header};
use platform::encoding;
use reqwest::{Request, Response};

use super::{Error, MediaBucket};
use crate::transports::BoxError;

/// How long a signed address of our own requests is valid: they are sent at once.
const REQUEST_VALIDITY: Duration = Duration::from_mins(1);

impl MediaBucket {
    /// A request of our own, with `headers`.
    pub(super) fn request(
        &self,
        method: Method,
        tenant: &TenantId,
        id: &MediaId,
        headers: &[(&'static str, String)],
    ) -> Result<Request, Error> {
        self.request_of(method, tenant, id, "", headers)
    }

    /// The same for a sub-resource of the file.
    pub(super) fn request_of(
        &self,
        method: Method,
        tenant: &TenantId,
        id: &MediaId,
        part: &str,
        headers: &[(&'static str, String)],
    ) -> Result<Request, Error> {
        let url = self.sign(&method, tenant, id, part, headers, REQUEST_VALIDITY)?;
        let url = url.expose().parse().map_err(|error: url::ParseError| Error::Unsigned(error.into()))?;
        let mut request = Request::new(method, url);
        for (name, value) in headers {
            let value = HeaderValue::try_from(value).map_err(|error| Error::Unsigned(error.into()))?;
            request.headers_mut().insert(*name, value);
        }
        Ok(request)
    }

    pub(super) async fn send(&self, request: Request) -> Result<Response, Error> {
        let answer = self.transport.send(request).await.map_err(Error::Unreachable)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        // Only the code of the body is used: the body repeats what was signed.
        let code = code(&answer.text().await.map_err(broken)?);
        Err(Error::Refused { status, code })
    }

    /// The address of a request that is sent with `headers`.
    pub(super) fn sign(
        &self,
        method: &Method,
        tenant: &TenantId,
        id: &MediaId,
        part: &str,
        headers: &[(&'static str, String)],
        valid_for: Duration,
    ) -> Result<SignedUrl, Error> {
        let address = format!("{}/{}/{id}{part}", self.address, encoding::sha256(&tenant.0));
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(valid_for);
        // S3 is the only service that does not normalise paths.
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let sign = || -> Result<String, BoxError> {
            let params = v4::SigningParams::builder()
                .identity(&self.identity)
                .region(&self.region)
                .name("s3")
                .time(self.clock.now().into())
                .settings(settings)
                .build()?
                .into();
            let headers = headers.iter().map(|(name, value)| (*name, value.as_str()));
            let body = SignableBody::UnsignedPayload;
            let request = SignableRequest::new(method.as_str(), &address, headers, body)?;
            let (signed, _) = sign(request, &params)?.into_parts();
            let mut request = http::Request::builder().uri(&address).body(())?;
            signed.apply_to_request_http1x(&mut request);
            Ok(request.uri().to_string())
        };
        sign().map(SignedUrl::new).map_err(Error::Unsigned)
    }
}

pub(super) fn broken(error: reqwest::Error) -> Error {
    Error::Unreachable(error.without_url().into())
}

/// The size of the whole file, from the header of a partial answer: `bytes 0-63/1234`.
pub(super) fn whole(headers: &HeaderMap) -> Option<u64> {
    let (_, whole) = headers.get(header::CONTENT_RANGE)?.to_str().ok()?.rsplit_once('/')?;
    whole.parse().ok()
}

/// S3's error code.
pub(super) fn code(xml: &str) -> String {
    let code = xml.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    code.map(|(code, _)| code.to_owned()).unwrap_or_default()
}
