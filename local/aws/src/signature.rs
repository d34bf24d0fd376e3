//! Checks signatures (Signature Version 4) as AWS does. It shares no code with the signer.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>; in addresses:
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>

use std::collections::BTreeMap;

use axum::http::{HeaderMap, Method, Uri, header};
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use ring::{
    digest::{SHA256, digest},
    hmac::{self, HMAC_SHA256},
};

/// How far the signer's clock may be from ours.
const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(15);
/// How long an address may be valid.
const MAX_VALIDITY_SECONDS: i64 = 7 * 24 * 60 * 60;

/// The key whose signatures are valid.
#[derive(Clone)]
pub(crate) struct AccessKey {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) region: &'static str,
}

/// Why a request is refused: AWS's error code, and a sentence.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) code: &'static str,
    pub(crate) message: &'static str,
}

impl AccessKey {
    /// Checks that the headers were signed with this key, for `service` and for this request, just before `now`.
    pub(crate) fn check_headers(
        &self,
        service: &str,
        uri: &Uri,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), Refused> {
        let refuse = |code, message| Err(Refused { code, message });
        let Some(authorization) = text(headers, header::AUTHORIZATION.as_str()) else {
            return refuse("MissingAuthenticationTokenException", "The request is not signed.");
        };
        let part = |name: &str| {
            let parts = authorization.strip_prefix("AWS4-HMAC-SHA256 ")?.split(',');
            parts.filter_map(|part| part.trim().split_once('=')).find(|(key, _)| *key == name)
        };
        let (Some((_, credential)), Some((_, signed_headers)), Some((_, signature)), Some(date)) =
            (part("Credential"), part("SignedHeaders"), part("Signature"), text(headers, "x-amz-date"))
        else {
            return refuse("IncompleteSignatureException", "A part of the signature is missing.");
        };
        let scope = self.scope(date, service);
        if credential != format!("{}/{scope}", self.id) {
            return refuse("UnrecognizedClientException", "There is no such access key here.");
        }
        if !time(date)?.duration_since(now).abs().le(&MAX_CLOCK_SKEW) {
            return refuse("InvalidSignatureException", "The signature is of another time.");
        }
        let request = CanonicalRequest {
            method: &Method::POST,
            uri,
            query: Query::parse(uri).canonical(),
            headers,
            signed_headers,
            payload: &hex(digest(&SHA256, body).as_ref()),
        };
        self.verify(&request, date, service, signature, "InvalidSignatureException")
    }

    /// Checks that the address was signed with this key, for this request to S3, and has not expired at `now`.
    pub(crate) fn check_address(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let refuse = |code, message| Err(Refused { code, message });
        let query = Query::parse(uri);
        let (Some(signature), Some(date), Some(valid_for), Some(signed_headers)) = (
            query.get("X-Amz-Signature"),
            query.get("X-Amz-Date"),
            query.get("X-Amz-Expires").and_then(|seconds| seconds.parse::<i64>().ok()),
            query.get("X-Amz-SignedHeaders"),
        ) else {
            return refuse("AccessDenied", "The address is not signed.");
        };
        let out_of_range = "AuthorizationQueryParametersError";
        let signed_at = time(date).map_err(|refused| Refused { code: out_of_range, ..refused })?;
        if !(1..=MAX_VALIDITY_SECONDS).contains(&valid_for) || signed_at > now + MAX_CLOCK_SKEW {
            return refuse(out_of_range, "X-Amz-Expires or X-Amz-Date is out of range.");
        }
        if now > signed_at + SignedDuration::from_secs(valid_for) {
            return refuse("AccessDenied", "Request has expired");
        }
        let credential = format!("{}/{}", self.id, self.scope(date, "s3")).replace('/', "%2F");
        if query.get("X-Amz-Credential") != Some(&credential) {
            let message = "There is no such access key, or it is for another region.";
            return refuse("InvalidAccessKeyId", message);
        }
        let request = CanonicalRequest {
            method,
            uri,
            query: query.canonical(),
            headers,
            signed_headers: &signed_headers.replace("%3B", ";"),
            payload: "UNSIGNED-PAYLOAD",
        };
        self.verify(&request, date, "s3", signature, "SignatureDoesNotMatch")
    }

    /// The credential scope: the day of `date`, the region and the service for which the key was used.
    fn scope(&self, date: &str, service: &str) -> String {
        format!("{}/{}/{service}/aws4_request", date.get(..8).unwrap_or_default(), self.region)
    }

    fn verify(
        &self,
        request: &CanonicalRequest<'_>,
        date: &str,
        service: &str,
        signature: &str,
        mismatch: &'static str,
    ) -> Result<(), Refused> {
        let request = hex(digest(&SHA256, request.text()?.as_bytes()).as_ref());
        let scope = self.scope(date, service);
        let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{request}");
        let key = scope
            .split('/')
            .fold(format!("AWS4{}", self.secret).into_bytes(), |key, part| hmac_sha256(&key, part));
        if hex(&hmac_sha256(&key, &text)) != signature {
            return Err(Refused { code: mismatch, message: "It was signed for another request." });
        }
        Ok(())
    }
}

/// The parts of a request that a signature covers.
struct CanonicalRequest<'a> {
    method: &'a Method,
    uri: &'a Uri,
    query: String,
    headers: &'a HeaderMap,
    /// Their names, with semicolons between them.
    signed_headers: &'a str,
    payload: &'a str,
}

impl CanonicalRequest<'_> {
    /// The request in canonical form. The host and all headers that change what AWS does must be signed.
    fn text(&self) -> Result<String, Refused> {
        let denied = |message| Refused { code: "AccessDenied", message };
        let signed = |required: &str| self.signed_headers.split(';').any(|name| name == required);
        if !signed("host") {
            return Err(denied("The host header is not signed."));
        }
        if self.headers.keys().any(|name| name.as_str().starts_with("x-amz-") && !signed(name.as_str())) {
            return Err(denied("There are headers of AWS that are not signed."));
        }
        let line = |name| {
            let value: Vec<_> = text(self.headers, name)?.split_whitespace().collect();
            Some(format!("{name}:{}\n", value.join(" ")))
        };
        let headers: Option<String> = self.signed_headers.split(';').map(line).collect();
        Ok([
            self.method.as_str(),
            self.uri.path(),
            &self.query,
            &headers.ok_or_else(|| denied("A signed header is missing."))?,
            self.signed_headers,
            self.payload,
        ]
        .join("\n"))
    }
}

/// The parameters of an address, still percent-encoded: the signature covers the encoded form.
struct Query<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Query<'a> {
    fn parse(uri: &'a Uri) -> Self {
        let pairs = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        Self(pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect())
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).copied()
    }

    /// All parameters except the signature, in the order of their names: the part that is signed.
    fn canonical(&self) -> String {
        let signed = self.0.iter().filter(|(name, _)| **name != "X-Amz-Signature");
        signed.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    }
}

fn time(date: &str) -> Result<Timestamp, Refused> {
    let time = DateTime::strptime("%Y%m%dT%H%M%SZ", date).and_then(|date| date.to_zoned(TimeZone::UTC));
    let refused = Refused { code: "IncompleteSignatureException", message: "X-Amz-Date is not a date." };
    time.map(|time| time.timestamp()).map_err(|_| refused)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn hmac_sha256(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    let halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    halves.filter_map(|half| char::from_digit(half.into(), 16)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of AWS's documentation.
    const ADDRESS: &str = "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE\
        %2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400\
        &X-Amz-SignedHeaders=host\
        &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";

    fn key() -> AccessKey {
        AccessKey {
            id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
            region: "us-east-1",
        }
    }

    fn check(
        method: &Method,
        address: &str,
        more: Option<&'static str>,
        now: &str,
    ) -> Result<(), &'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "examplebucket.s3.amazonaws.com".parse().unwrap());
        if let Some(name) = more {
            headers.insert(name, "1".parse().unwrap());
        }
        key()
            .check_address(method, &address.parse().unwrap(), &headers, now.parse().unwrap())
            .map_err(|refused| refused.code)
    }

    #[test]
    fn the_address_of_the_documentation_is_good_for_its_request_and_its_day() {
        assert_eq!(check(&Method::GET, ADDRESS, None, "2013-05-24T00:00:00Z"), Ok(()));
        assert_eq!(check(&Method::GET, ADDRESS, None, "2013-05-25T00:00:00Z"), Ok(()));
        assert_eq!(check(&Method::GET, ADDRESS, None, "2013-05-25T00:00:01Z"), Err("AccessDenied"));
        assert_eq!(
            check(&Method::GET, ADDRESS, None, "2013-05-23T23:40:00Z"),
            Err("AuthorizationQueryParametersError")
        );
        assert_eq!(check(&Method::PUT, ADDRESS, None, "2013-05-24T00:00:00Z"), Err("SignatureDoesNotMatch"));
        let with_header = check(&Method::GET, ADDRESS, Some("x-amz-acl"), "2013-05-24T00:00:00Z");
        assert_eq!(with_header, Err("AccessDenied"), "AWS takes no order that was not signed");
        for (from, to, code) in [
            ("test.txt", "rest.txt", "SignatureDoesNotMatch"),
            ("86400", "86401", "SignatureDoesNotMatch"),
            ("86400", "604801", "AuthorizationQueryParametersError"),
            ("AKIAIOSFODNN7", "AKIAIOSFODNN8", "InvalidAccessKeyId"),
            ("us-east-1", "us-east-2", "InvalidAccessKeyId"),
            ("=host", "=date", "AccessDenied"),
            ("=host", "=host%3Brange", "AccessDenied"),
            ("&X-Amz-Signature", "&Signature", "AccessDenied"),
        ] {
            let changed = ADDRESS.replace(from, to);
            assert_eq!(check(&Method::GET, &changed, None, "2013-05-24T00:00:00Z"), Err(code), "{to}");
        }
    }
}
