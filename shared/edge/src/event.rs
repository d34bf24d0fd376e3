//! Converts events of the platform to requests, and answers to the platform's form: HTTP APIs, payload format 2.0.
//!
//! `lambda_http` does the same, but first builds an address from host, path and query, and panics if it is invalid: anyone
//! could end an invocation with a header `Host: a b`.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lambda_http::{
    Body, Request, RequestExt as _, Response,
    aws_lambda_events::{
        apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse},
        query_map::QueryMap,
    },
    request::RequestContext,
};
use serde::{Deserialize, Deserializer, de::Error as _};

/// A request, read from the platform's event. Its address is `/`: the path is stored separately, as it was sent.
#[derive(Debug)]
pub struct Event(pub Request);

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(event: D) -> Result<Self, D::Error> {
        let event = ApiGatewayV2httpRequest::deserialize(event)?;
        let body = match event.body {
            None => Body::Empty,
            Some(text) if event.is_base64_encoded => {
                Body::Binary(STANDARD.decode(text).map_err(D::Error::custom)?)
            }
            Some(text) => Body::Text(text),
        };
        let mut request = Request::new(body);
        *request.method_mut() = event.request_context.http.method.clone();
        *request.headers_mut() = event.headers;
        let Ok(query) = event.raw_query_string.unwrap_or_default().parse::<QueryMap>();
        Ok(Self(
            request
                .with_raw_http_path(event.raw_path.as_deref().unwrap_or_default())
                .with_query_string_parameters(query)
                .with_request_context(RequestContext::ApiGatewayV2(event.request_context)),
        ))
    }
}

/// An answer in the platform's form.
pub(crate) fn to_platform(answer: Response<Body>) -> ApiGatewayV2httpResponse {
    let (parts, body) = answer.into_parts();
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = i64::from(parts.status.as_u16());
    response.headers = parts.headers;
    response.is_base64_encoded = matches!(body, Body::Binary(_));
    // A missing body is an empty text: API Gateway does not document `null`.
    response.body = Some(if matches!(body, Body::Empty) { Body::Text(String::new()) } else { body });
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(host: &str, path: &str, query: &str) -> serde_json::Value {
        serde_json::json!({
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": query,
            "headers": { "host": host, "x-forwarded-proto": "a b" },
            "requestContext": { "http": { "method": "GET" }, "stage": "$default" },
            "isBase64Encoded": false,
        })
    }

    #[test]
    fn a_request_with_an_invalid_address_is_still_a_request() {
        for (host, path, query) in [
            ("a b", "/api/v1/health", ""),
            ("", "/api/v1/health", ""),
            ("api.example.com:99999", "/api/v1/pins/ü ", "state=<&state=\u{e9}"),
            ("[", "", "%"),
        ] {
            let Event(request) = serde_json::from_value(event(host, path, query)).unwrap();
            assert_eq!(request.raw_http_path(), path);
        }
    }

    #[test]
    fn a_query_is_decoded_and_a_body_too() {
        let mut event = event("api.example.com", "/", "a=b%20c&a=d");
        event["body"] = "eyJ4IjoxfQ==".into();
        event["isBase64Encoded"] = true.into();
        let Event(request) = serde_json::from_value(event.clone()).unwrap();
        assert_eq!(request.query_string_parameters().first("a"), Some("b c"));
        assert_eq!(request.body().as_ref(), br#"{"x":1}"#);

        event["body"] = "not base 64".into();
        assert!(serde_json::from_value::<Event>(event).is_err());
    }

    #[test]
    fn an_answer_has_the_form_of_the_platform() {
        let answer = crate::redirect("https://app.example.com/#connection=x").unwrap();
        let response = serde_json::to_value(to_platform(answer)).unwrap();
        assert_eq!(response["statusCode"], 302);
        assert_eq!(response["headers"]["location"], "https://app.example.com/#connection=x");
        assert_eq!(response["isBase64Encoded"], false);
    }
}
