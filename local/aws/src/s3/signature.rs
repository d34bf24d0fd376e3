//! Checks the signatures in addresses as S3 does. It shares no code with the signer.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>

use std::collections::BTreeMap;

use axum::http::{HeaderMap, Method, Uri};
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use ring::{
    digest::{SHA256, digest},
    hmac::{self, HMAC_SHA256},
};

use super::error::S3Error;

/// How far the signer's clock may be ahead.
const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(15);
/// How long an address may be valid.
const MAX_VALIDITY_SECONDS: i64 = 7 * 24 * 60 * 60;

/// The key whose signatures are valid.
pub(super) struct AccessKey {
    pub(super) id: &'static str,
    pub(super) secret: &'static str,
    pub(super) region: &'static str,
}

impl AccessKey {
    /// Checks that the address was signed with this key, for this request, and has not expired at `now`.
    pub(super) fn check(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<(), S3Error> {
        let query = Query::parse(uri);
        let (Some(signature), Some(date), Some(valid_for), Some(signed_headers)) = (
            query.get("X-Amz-Signature"),
            query.get("X-Amz-Date"),
            query.get("X-Amz-Expires").and_then(|seconds| seconds.parse::<i64>().ok()),
            query.get("X-Amz-SignedHeaders"),
        ) else {
            return Err(S3Error::denied("AccessDenied", "The address is not signed."));
        };
        let signed_at = DateTime::strptime("%Y%m%dT%H%M%SZ", date)
            .and_then(|date| date.to_zoned(TimeZone::UTC))
            .map_err(|_| S3Error::denied("AuthorizationQueryParametersError", "X-Amz-Date is not a date."))?
            .timestamp();
        if !(1..=MAX_VALIDITY_SECONDS).contains(&valid_for) || signed_at > now + MAX_CLOCK_SKEW {
            return Err(S3Error::denied(
                "AuthorizationQueryParametersError",
                "X-Amz-Expires or X-Amz-Date is out of range.",
            ));
        }
        if now > signed_at + SignedDuration::from_secs(valid_for) {
            return Err(S3Error::denied("AccessDenied", "Request has expired"));
        }
        let day = date.get(..8).unwrap_or_default();
        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        let credential = format!("{}/{scope}", self.id).replace('/', "%2F");
        if query.get("X-Amz-Credential") != Some(&credential) {
            return Err(S3Error::denied(
                "InvalidAccessKeyId",
                "There is no such access key, or it is for another region.",
            ));
        }

        let signed_headers = signed_headers.replace("%3B", ";");
        if !signed_headers.split(';').any(|name| name == "host") {
            return Err(S3Error::denied("AccessDenied", "The host header is not signed."));
        }
        let request = [
            method.as_str(),
            uri.path(),
            &query.canonical(),
            &canonical_headers(headers, &signed_headers)?,
            &signed_headers,
            "UNSIGNED-PAYLOAD",
        ]
        .join("\n");
        let request = hex(digest(&SHA256, request.as_bytes()).as_ref());
        let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{request}");
        let key = [day, self.region, "s3", "aws4_request"]
            .into_iter()
            .fold(format!("AWS4{}", self.secret).into_bytes(), |key, part| hmac_sha256(&key, part));
        if hex(&hmac_sha256(&key, &text)) != signature {
            return Err(S3Error::denied(
                "SignatureDoesNotMatch",
                "The address was signed for another request.",
            ));
        }
        Ok(())
    }
}

/// The parameters of an address, still percent-encoded: the signature covers the encoded form.
struct Query<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Query<'a> {
    fn parse(uri: &'a Uri) -> Self {
        let pairs = uri.query().unwrap_or_default().split('&');
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

/// The signed headers in canonical form. Each must be present.
fn canonical_headers(headers: &HeaderMap, names: &str) -> Result<String, S3Error> {
    let line = |name| {
        let value = headers.get(name).and_then(|value| value.to_str().ok())?;
        Some(format!("{name}:{}\n", value.trim()))
    };
    let missing = || S3Error::denied("AccessDenied", "A signed header is missing.");
    names.split(';').map(line).collect::<Option<_>>().ok_or_else(missing)
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
    const KEY: AccessKey = AccessKey {
        id: "AKIAIOSFODNN7EXAMPLE",
        secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        region: "us-east-1",
    };

    fn check(method: &Method, address: &str, now: &str) -> Result<(), &'static str> {
        let headers = HeaderMap::from_iter([(
            axum::http::header::HOST,
            "examplebucket.s3.amazonaws.com".parse().unwrap(),
        )]);
        KEY.check(method, &address.parse().unwrap(), &headers, now.parse().unwrap())
            .map_err(|error| error.code)
    }

    #[test]
    fn the_address_of_the_documentation_is_good_for_its_request_and_its_day() {
        assert_eq!(check(&Method::GET, ADDRESS, "2013-05-24T00:00:00Z"), Ok(()));
        assert_eq!(check(&Method::GET, ADDRESS, "2013-05-25T00:00:00Z"), Ok(()));
        assert_eq!(check(&Method::GET, ADDRESS, "2013-05-25T00:00:01Z"), Err("AccessDenied"));
        assert_eq!(
            check(&Method::GET, ADDRESS, "2013-05-23T23:40:00Z"),
            Err("AuthorizationQueryParametersError")
        );
        assert_eq!(check(&Method::PUT, ADDRESS, "2013-05-24T00:00:00Z"), Err("SignatureDoesNotMatch"));
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
            assert_eq!(check(&Method::GET, &changed, "2013-05-24T00:00:00Z"), Err(code), "{to}");
        }
    }
}
