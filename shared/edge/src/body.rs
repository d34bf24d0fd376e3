//! Reads and writes JSON.

use std::{fmt, marker::PhantomData};

use domain::Invalid;
use http::{HeaderValue, StatusCode, header};
use lambda_http::{Body, Response};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

use crate::{
    ApiRequest, RequestError,
    wrong_body::{place, wrong},
};

/// How many values a JSON object may have, including those of nested objects and lists.
const MAX_VALUES: usize = 1000;

/// Reads the body. An error names the field. An unknown field is refused, so that a misspelt name is noticed.
pub fn json<T: DeserializeOwned>(request: &ApiRequest) -> Result<T, RequestError> {
    parse(if request.body().is_empty() { b"{}" } else { request.body() })
}

/// Reads one JSON object by the same rules.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, RequestError> {
    check_values(body)?;
    // This check stores nothing: the body is parsed only into the type below.
    serde_json::from_slice::<AnyJson>(body).map_err(|error| RequestError::Malformed {
        code: "invalid_json",
        detail: format!("the body is not JSON: {}", place(&error)),
        fix: "Send one JSON object in UTF-8.",
    })?;
    if body.trim_ascii_start().first() != Some(&b'{') {
        let fix = "Send one JSON object.";
        return Err(Invalid::new("body", "invalid_type", "is not a JSON object", fix).into());
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    Ok(serde_path_to_error::deserialize(&mut reader).map_err(|error| wrong(&error, body))?)
}

/// JSON of any form, whose texts are validated and not stored. Serde's `IgnoredAny` would accept invalid texts, such as
/// half a surrogate pair.
struct AnyJson;

impl<'de> Deserialize<'de> for AnyJson {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        value.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for AnyJson {
    type Value = Self;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self, A::Error> {
        while fields.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
}

/// Counts the values between commas and brackets. A small value can need a hundred times more memory than its text.
fn check_values(body: &[u8]) -> Result<(), Invalid> {
    let (mut values, mut in_text, mut escaped) = (0, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b',' | b'[' | b'{' if !in_text => values += 1,
            _ => {}
        }
    }
    if values <= MAX_VALUES {
        return Ok(());
    }
    let detail = format!("holds more than {MAX_VALUES} values");
    Err(Invalid::new("body", "too_many_values", detail, "Send only the fields of the API reference."))
}

/// Reads a part of a body that has to be an object. Serde would also accept a list as a struct, field by field.
pub fn object<'de, D: Deserializer<'de>, T: DeserializeOwned>(value: D) -> Result<T, D::Error> {
    value.deserialize_map(Fields(PhantomData))
}

/// Passes the fields of an object on one by one, so that a repeated field is noticed.
struct Fields<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for Fields<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields))
    }
}

/// 200 with a body.
pub fn ok(body: &impl Serialize) -> Result<Response<Body>, RequestError> {
    with_status(StatusCode::OK, body)
}

/// 201 with a body.
pub fn created(body: &impl Serialize) -> Result<Response<Body>, RequestError> {
    with_status(StatusCode::CREATED, body)
}

/// 204, which has no body.
#[must_use]
pub fn no_content() -> Response<Body> {
    let mut answer = Response::new(Body::Empty);
    *answer.status_mut() = StatusCode::NO_CONTENT;
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// The same answer, with the path of its resource.
#[must_use]
pub fn located(mut answer: Response<Body>, path: &str) -> Response<Body> {
    answer.headers_mut().extend(HeaderValue::from_str(path).map(|path| (header::LOCATION, path)));
    answer
}

/// Any status with a body.
pub fn with_status(status: StatusCode, body: &impl Serialize) -> Result<Response<Body>, RequestError> {
    Ok(response(status, "application/json", body_text(body)?))
}

/// A serialised body, for an answer that is sent more than once.
pub fn body_text(body: &impl Serialize) -> Result<String, RequestError> {
    serde_json::to_string(body).map_err(RequestError::Serialize)
}

/// 200 with a body that was serialised before.
#[must_use]
pub fn ok_text(body: String) -> Response<Body> {
    response(StatusCode::OK, "application/json", body)
}

/// 200 with a file of rows, which a browser saves.
#[must_use]
pub fn csv_file(rows: String) -> Response<Body> {
    let mut answer = response(StatusCode::OK, "text/csv; charset=utf-8", rows);
    let disposition = HeaderValue::from_static("attachment; filename=\"pins.csv\"");
    answer.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    answer
}

/// 302. The address may contain a one-time ticket: the answer must not be cached, and no referrer may be sent.
pub fn redirect(to: &str) -> Result<Response<Body>, RequestError> {
    let location = HeaderValue::from_str(to).map_err(|_| RequestError::NotFound("return address"))?;
    let mut answer = Response::new(Body::Empty);
    *answer.status_mut() = StatusCode::FOUND;
    let headers = answer.headers_mut();
    headers.insert(header::LOCATION, location);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(answer)
}

/// A response with a body, which must not be cached.
pub(crate) fn response(status: StatusCode, content_type: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::Text(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
    enum Part {
        Image { url: String },
    }

    #[test]
    fn a_body_is_one_object_with_few_values() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Named {
            name: String,
        }
        let code = |body: &str| match parse::<Named>(body.as_bytes()) {
            Ok(named) => named.name,
            Err(RequestError::Invalid(invalid)) => invalid.code.to_owned(),
            Err(RequestError::Malformed { code, .. }) => code.to_owned(),
            Err(other) => other.to_string(),
        };
        let commas = ",[{".repeat(1000);
        assert_eq!(code(&format!(r#"{{"name":"\"{commas}"}}"#)), format!("\"{commas}"), "text counts as one");
        assert_eq!(code(&format!(r#"{{"name":"a","x":[{}0]}}"#, "0,".repeat(1000))), "too_many_values");
        assert_eq!(code(&"[".repeat(5000)), "too_many_values");
        for (body, expected) in [
            (" \n{\"name\":\"a\"} ", "a"),
            (r#"{"name":"a"} {}"#, "invalid_json"),
            (r#"{"name":"a""#, "invalid_json"),
            (r#"{"x":1,"name":}"#, "invalid_json"),
            ("[]", "invalid_type"),
            ("\"{}\"", "invalid_type"),
            (r#"{"name":1}"#, "invalid_type"),
            (r#"{"name":"a","name":"b"}"#, "invalid_type"),
            (r#"{"name":"a","x":1}"#, "unknown_field"),
            ("{}", "missing_field"),
        ] {
            assert_eq!(code(body), expected, "{body}");
        }
    }

    #[test]
    fn a_part_is_an_object_with_each_field_once() {
        let parse_part = |json| object::<_, Part>(&mut serde_json::Deserializer::from_str(json));
        let Part::Image { url } = parse_part(r#"{"url":"a","kind":"image"}"#).unwrap();
        assert_eq!(url, "a");
        for bad in [
            r#"{"kind":"image","url":"a","url":"b"}"#,
            r#"{"kind":"image","kind":"image","url":"a"}"#,
            r#"["image","a"]"#,
            r#"{"kind":"image","url":"a","more":1}"#,
        ] {
            assert!(parse_part(bad).is_err(), "{bad}");
        }
    }
}
