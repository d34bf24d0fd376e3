//! Texts that are sent compressed to clients that accept it: API Gateway compresses nothing.

use std::io::Write as _;

use edge::{ApiRequest, Body, Response};
use flate2::{Compression, write::GzEncoder};
use http::{HeaderValue, header};

/// A text, as it is and compressed.
#[derive(Clone, Debug)]
pub(super) struct CompressedText {
    plain: String,
    /// `None`: it could not be compressed.
    gzip: Option<Vec<u8>>,
}

impl CompressedText {
    pub(super) fn new(plain: String) -> Self {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        let gzip = gzip.write_all(plain.as_bytes()).and_then(|()| gzip.finish()).ok();
        Self { plain, gzip }
    }

    /// An answer with the text.
    pub(super) fn response(&self, request: &ApiRequest, content_type: &'static str) -> Response<Body> {
        let gzip = self.gzip.as_ref().filter(|_| accepts_gzip(request));
        let body = gzip.map_or_else(|| Body::Text(self.plain.clone()), |gzip| Body::Binary(gzip.clone()));
        let mut answer = Response::new(body);
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if gzip.is_some() {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        answer
    }
}

/// Whether the browser accepts compressed answers (RFC 9110, section 12.5.3).
pub(super) fn accepts_gzip(request: &ApiRequest) -> bool {
    let accepted = request.header("accept-encoding").and_then(Result::ok).unwrap_or_default();
    accepted.split(',').map(str::trim).any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        name.eq_ignore_ascii_case("gzip") && !matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}
