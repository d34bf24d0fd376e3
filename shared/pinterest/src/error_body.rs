//! Reads Pinterest's error bodies.

use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Map, Value};

/// An error body (`Error` in the contract): `{"code": 2, "message": "Authentication failed."}`. Live ones have
/// `message_detail`, `data` and `details` as well, hold the error in a field or in a list, or write the code as text.
#[derive(Debug)]
pub(crate) struct ErrorBody {
    pub(crate) code: Option<i64>,
    /// The sentences that describe the error: they decide its meaning.
    pub(crate) message: String,
    /// The whole text, for people: `data` and `details` may repeat the request.
    pub(crate) text: String,
}

/// The form of an endpoint's errors.
pub(crate) type ReadError = fn(&[u8]) -> Option<ErrorBody>;

impl ErrorBody {
    /// Reads the error body of the API. `None`: the body is not from Pinterest.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        Self::new(&serde_json::from_slice(body).ok()?, &["message", "message_detail"])
    }

    /// Reads the error body of the token endpoint, which is the API's, unless it is that of [RFC 6749, section
    /// 5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2): some clients expect it.
    pub(crate) fn read_oauth(body: &[u8]) -> Option<Self> {
        let fields = ["error", "error_description", "message", "message_detail"];
        Self::new(&serde_json::from_slice(body).ok()?, &fields)
    }

    /// Reads an error body that came with a status of success. A body with any field of a success is not an error.
    pub(crate) fn read_in_success(body: &[u8], read: ReadError) -> Option<Self> {
        /// The fields that distinguish an error from a success. The rest, which may be large or secret, is not stored.
        #[derive(Deserialize)]
        struct Envelope {
            code: Option<Value>,
            error: Option<IgnoredAny>,
            errors: Option<IgnoredAny>,
            id: Option<IgnoredAny>,
            items: Option<IgnoredAny>,
            media_id: Option<IgnoredAny>,
            access_token: Option<IgnoredAny>,
        }
        // A list of errors has none of these fields, and no success is a list.
        if !body.trim_ascii_start().starts_with(b"[") {
            let found: Envelope = serde_json::from_slice(body).ok()?;
            let success = [found.id, found.items, found.media_id, found.access_token];
            let error = [found.error, found.errors];
            let has_code = found.code.as_ref().and_then(number).is_some_and(|code| code != 0);
            if success.iter().any(Option::is_some) || !has_code && error.iter().all(Option::is_none) {
                return None;
            }
        }
        read(body).filter(|body| !body.text.is_empty())
    }

    /// `fields`: the fields with sentences.
    fn new(body: &Value, fields: &[&str]) -> Option<Self> {
        let outer = object(body)?;
        let inner = ["error", "errors"].iter().find_map(|field| object(outer.get(*field)?));
        let parts = || std::iter::once(outer).chain(inner);
        let code = parts().find_map(|part| number(part.get("code")?));
        let speaks = parts().any(|part| fields.iter().any(|field| part.get(*field).is_some_and(is_text)));
        if code.is_none() && !speaks {
            return None;
        }
        let texts = |fields: &[&str]| {
            let mut texts = Vec::new();
            for part in parts() {
                fields
                    .iter()
                    .filter_map(|field| part.get(*field))
                    .for_each(|value| collect(value, &mut texts));
            }
            texts.dedup();
            texts.join(" ")
        };
        let all: Vec<_> = fields.iter().copied().chain(["data", "details"]).collect();
        Some(Self { code, message: texts(fields), text: texts(&all) })
    }
}

/// The object, or the first one of a list of errors.
fn object(value: &Value) -> Option<&Map<String, Value>> {
    match value {
        Value::Object(object) => Some(object),
        Value::Array(list) => list.iter().find_map(Value::as_object),
        _ => None,
    }
}

/// A number, even if it is written as text.
fn number(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_i64(),
    }
}

fn is_text(value: &Value) -> bool {
    value.is_string() || value.as_array().is_some_and(|list| list.iter().any(Value::is_string))
}

/// The texts in a value: a sentence, a list of sentences, or an object of them.
fn collect<'a>(value: &'a Value, texts: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(list) => texts.extend(list.iter().filter_map(Value::as_str)),
        Value::Object(object) => texts.extend(object.values().filter_map(Value::as_str)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse_error(body: &Value) -> Option<(Option<i64>, String)> {
        let body = ErrorBody::read(body.to_string().as_bytes())?;
        Some((body.code, body.text))
    }

    #[test]
    fn an_error_is_read_in_every_form_that_was_seen() {
        for body in [
            json!({"code": 29, "message": "No."}),
            json!({"code": "29", "message": ["No."], "data": null, "details": {"source_field": null}}),
            json!({"error": {"message": "No.", "code": 29}}),
            json!({"error": {"message": "No."}, "code": 29, "data": null}),
            json!([{"code": 29, "message": "No."}, {"code": 30, "message": "Never."}]),
            json!({"errors": [{"code": "29", "message": "No."}]}),
            json!({"code": 29, "message": null, "data": "No."}),
            json!({"code": 29, "message": "No.", "details": {"reason": "No."}}),
        ] {
            assert_eq!(parse_error(&body), Some((Some(29), "No.".to_owned())), "{body}");
        }
        assert_eq!(parse_error(&json!({"code": 29})), Some((Some(29), String::new())));
        assert_eq!(parse_error(&json!({"message": ""})), Some((None, String::new())));
    }

    #[test]
    fn a_body_with_neither_code_nor_message_is_no_error_of_pinterest() {
        for body in
            [json!(["code"]), json!({"error": "denied"}), json!({"code": null}), json!("No."), json!({})]
        {
            assert_eq!(parse_error(&body), None, "{body}");
        }
    }

    #[test]
    fn the_data_field_is_shown_and_decides_nothing() {
        let body = json!({"code": 1, "message": "Invalid.", "data": "my title about spam links"}).to_string();
        let body = ErrorBody::read(body.as_bytes()).unwrap();
        assert_eq!(
            (body.message.as_str(), body.text.as_str()),
            ("Invalid.", "Invalid. my title about spam links")
        );
    }

    #[test]
    fn a_success_is_no_error_whatever_else_is_in_it() {
        let parse_error =
            |body: Value| ErrorBody::read_in_success(body.to_string().as_bytes(), ErrorBody::read_oauth);
        for success in [
            json!({"id": "1", "code": 29, "message": "No."}),
            json!({"items": [], "code": 29, "message": "No."}),
            json!({"access_token": "pina_a", "error": "invalid_grant"}),
            json!({"code": 0, "message": "ok", "data": {}}),
            json!({"all": {}}),
            json!([]),
            json!("ok"),
        ] {
            assert!(parse_error(success.clone()).is_none(), "{success}");
        }
        for error in [
            json!({"code": "29", "message": "No."}),
            json!([{"code": 29, "message": "No."}]),
            json!({"error": {"code": 29, "message": "No."}}),
            json!({"error": "invalid_grant"}),
        ] {
            assert!(parse_error(error.clone()).is_some(), "{error}");
        }
    }
}
