//! Signs the AWS SDK's requests: Signature Version 4, with the signature in a header
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>).
//!
//! The SDK's own signer derives the key again for each request and signs all headers, which is a third of the cost of a round
//! trip. This signer caches the key, which is the same all day, signs only the required headers, and hashes with `ring`.

use std::sync::{Mutex, PoisonError};

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::{
    auth::{AuthScheme, AuthSchemeEndpointConfig, AuthSchemeId, Sign},
    identity::{Identity, SharedIdentityResolver},
    orchestrator::HttpRequest,
    runtime_components::{GetIdentityResolver, RuntimeComponents},
};
use aws_smithy_types::config_bag::ConfigBag;
use http::Uri;
use jiff::Timestamp;
use platform::{Clock, encoding};
use ring::hmac;

use crate::transports::BoxError;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// What ends the scope of each signature.
const TERMINATOR: &str = "aws4_request";
/// Beside `x-amz-…`.
const SIGNED_HEADERS: [&str; 2] = ["content-type", "host"];

/// Signs requests to one service in one region.
#[derive(Debug)]
pub struct Signer {
    service: &'static str,
    region: String,
    credentials: Credentials,
    clock: Clock,
    /// The key of a day, and the day.
    key: Mutex<Option<(String, hmac::Key)>>,
}

impl Signer {
    /// `clock` is that of AWS.
    #[must_use]
    pub fn new(service: &'static str, region: String, credentials: Credentials, clock: Clock) -> Self {
        Self { service, region, credentials, clock, key: Mutex::new(None) }
    }

    /// Signs a request without a query, whose path is the endpoint's own: nothing in it has to be encoded.
    pub(crate) fn sign(&self, request: &mut HttpRequest) -> Result<(), BoxError> {
        let now = Timestamp::from_second(self.clock.now().as_second())?;
        let time = now.to_string().replace(['-', ':'], "");
        let (date, _) = time.split_once('T').unwrap_or_default();
        let uri: Uri = request.uri().parse()?;
        let host = uri.authority().ok_or("an endpoint has a host")?.to_string();
        let headers = request.headers_mut();
        headers.try_insert("host", host)?;
        headers.try_insert("x-amz-date", time.clone())?;
        if let Some(token) = self.credentials.session_token() {
            headers.try_insert("x-amz-security-token", token.to_owned())?;
        }

        let is_signed = |name: &str| name.starts_with("x-amz-") || SIGNED_HEADERS.contains(&name);
        let mut signed: Vec<(&str, &str)> = Vec::new();
        for header in request.headers().iter().filter(|(name, _)| is_signed(name)) {
            signed.insert(signed.partition_point(|other| *other < header), header);
        }
        let names = signed.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let lines: Vec<_> =
            signed.iter().map(|(name, value)| [name, ":", value.trim(), "\n"].concat()).collect();
        let body = request.body().bytes().ok_or("a streaming body cannot be signed")?;
        let canonical = [
            request.method(),
            uri.path(),
            "", // the query
            &lines.concat(),
            &names,
            &encoding::sha256(body),
        ];
        let scope = [date, &self.region, self.service, TERMINATOR].join("/");
        let to_sign = [ALGORITHM, &time, &scope, &encoding::sha256(canonical.join("\n"))].join("\n");
        let signature = encoding::hex(hmac::sign(&self.key(date), to_sign.as_bytes()).as_ref());

        let key = self.credentials.access_key_id();
        let authorization =
            format!("{ALGORITHM} Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}");
        request.headers_mut().try_insert("authorization", authorization)?;
        Ok(())
    }

    /// The key of a day.
    fn key(&self, date: &str) -> hmac::Key {
        let mut cached = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, key)) = cached.as_ref()
            && of == date
        {
            return key.clone();
        }
        let secret = ["AWS4", self.credentials.secret_access_key()].concat();
        let first = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let key = [date, &self.region, self.service, TERMINATOR].iter().fold(first, |key, part| {
            hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref())
        });
        *cached = Some((date.to_owned(), key.clone()));
        key
    }
}

impl AuthScheme for Signer {
    /// That of the SDK's own signer: this one takes its place.
    fn scheme_id(&self) -> AuthSchemeId {
        AuthSchemeId::new("sigv4")
    }

    fn identity_resolver(&self, identities: &dyn GetIdentityResolver) -> Option<SharedIdentityResolver> {
        identities.identity_resolver(self.scheme_id())
    }

    fn signer(&self) -> &dyn Sign {
        self
    }
}

impl Sign for Signer {
    fn sign_http_request(
        &self,
        request: &mut HttpRequest,
        _identity: &Identity,
        _endpoint: AuthSchemeEndpointConfig<'_>,
        _components: &RuntimeComponents,
        _config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.sign(request)
    }
}

#[cfg(test)]
mod tests {
    use aws_sigv4::{
        http_request::{SignableBody, SignableRequest, SigningSettings, sign},
        sign::v4,
    };
    use aws_smithy_types::body::SdkBody;

    use super::*;

    const ENDPOINT: &str = "https://dynamodb.eu-central-1.amazonaws.com/";
    const BODY: &str = r#"{"TableName":"pinwright-main"}"#;
    const HEADERS: [(&str, &str); 2] =
        [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", "DynamoDB_20120810.GetItem")];

    fn credentials(session: Option<&str>) -> Credentials {
        Credentials::new("key", "secret-planted", session.map(str::to_owned), None, "test")
    }

    fn signer(session: Option<&str>) -> Signer {
        let times =
            Mutex::new(["2026-12-01T09:00:00.250Z", "2026-12-01T23:59:59Z", "2026-12-02T00:00:00Z"].iter());
        let clock = Clock::new(move || times.lock().unwrap().next().unwrap().parse().unwrap());
        Signer::new("dynamodb", "eu-central-1".to_owned(), credentials(session), clock)
    }

    fn request() -> HttpRequest {
        let mut request = HttpRequest::new(SdkBody::from(BODY));
        request.set_method("POST").unwrap();
        request.set_uri(ENDPOINT).unwrap();
        for (name, value) in HEADERS {
            request.headers_mut().insert(name, value);
        }
        request
    }

    /// The header that the SDK's own signer makes.
    fn expected(at: &str, session: Option<&str>) -> String {
        let identity = credentials(session).into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region("eu-central-1")
            .name("dynamodb")
            .time(at.parse::<Timestamp>().unwrap().into())
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let body = SignableBody::Bytes(BODY.as_bytes());
        let signable = SignableRequest::new("POST", ENDPOINT, HEADERS.into_iter(), body).unwrap();
        let (signed, _) = sign(signable, &params).unwrap().into_parts();
        let (_, value) = signed.headers().find(|(name, _)| *name == "authorization").unwrap();
        value.to_owned()
    }

    #[test]
    fn a_signature_is_the_one_that_the_sdk_would_make_on_this_day_and_the_next() {
        for session in [None, Some("session")] {
            let signer = signer(session);
            for at in ["2026-12-01T09:00:00Z", "2026-12-01T23:59:59Z", "2026-12-02T00:00:00Z"] {
                let mut request = request();
                signer.sign(&mut request).unwrap();

                assert_eq!(request.headers().get("authorization"), Some(&*expected(at, session)), "{at}");
            }
        }
    }

    #[test]
    fn what_only_informs_is_not_signed() {
        let mut request = request();
        request.headers_mut().insert("user-agent", "x");
        signer(None).sign(&mut request).unwrap();

        let signature = request.headers().get("authorization").unwrap();
        assert_eq!(signature, expected("2026-12-01T09:00:00Z", None));
        assert!(!format!("{:?}", signer(None)).contains("planted"));
    }
}
