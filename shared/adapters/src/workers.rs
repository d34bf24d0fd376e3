//! More workers: the function invokes itself asynchronously, and passes each worker its partitions.
//!
//! One signed request (<https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>), so that a function that makes no
//! other call to Lambda needs no full client.

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use aws_smithy_runtime_api::client::identity::Identity;
use http::{HeaderValue, Method, StatusCode};
use platform::Clock;
use reqwest::Request;
use tokio::time::Duration;

use crate::transports::{BoxError, Transport};

/// How long Lambda may take to accept the event.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// Lambda answers this, and runs the function afterwards.
const ASYNCHRONOUS: (&str, &str) = ("x-amz-invocation-type", "Event");

/// Why no worker was started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No answer. A worker may still have been started.
    #[error("Lambda could not be reached")]
    Unreachable(#[source] BoxError),
    /// The function may not start itself, or its concurrency is used up.
    #[error("Lambda answered {0}")]
    Refused(StatusCode),
    /// The address is not a valid URL.
    #[error("no request can be signed for Lambda: check AWS_ENDPOINT_URL_LAMBDA")]
    Unsigned(#[source] BoxError),
}

/// Starts this function once more.
#[derive(Clone, Debug)]
pub struct Workers {
    transport: Transport,
    address: String,
    region: String,
    identity: Identity,
    clock: Clock,
}

impl Workers {
    /// Workers of `function` at Lambda's `endpoint`, which ends without a slash. `clock` is that of AWS.
    #[must_use]
    pub fn new(
        transport: Transport,
        endpoint: &str,
        function: &str,
        region: String,
        credentials: Credentials,
        clock: Clock,
    ) -> Self {
        let address = format!("{endpoint}/2015-03-31/functions/{function}/invocations");
        Self { transport, address, region, identity: credentials.into(), clock }
    }

    /// Starts one with this event. Lambda may start it later, twice, or never.
    pub async fn start(&self, event: &serde_json::Value) -> Result<(), Error> {
        let mut request = self.request(event.to_string()).map_err(Error::Unsigned)?;
        *request.timeout_mut() = Some(ANSWER_TIMEOUT);
        let answer = self.transport.send(request).await.map_err(Error::Unreachable)?;
        if answer.status().is_success() { Ok(()) } else { Err(Error::Refused(answer.status())) }
    }

    fn request(&self, body: String) -> Result<Request, BoxError> {
        let params = v4::SigningParams::builder()
            .identity(&self.identity)
            .region(&self.region)
            .name("lambda")
            .time(self.clock.now().into())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let (name, value) = ASYNCHRONOUS;
        let signable = SignableRequest::new(
            Method::POST.as_str(),
            &self.address,
            [(name, value)].into_iter(),
            SignableBody::Bytes(body.as_bytes()),
        )?;
        let (signed, _) = sign(signable, &params)?.into_parts();
        let mut request = http::Request::post(&self.address).body(body)?;
        request.headers_mut().insert(name, HeaderValue::from_static(value));
        signed.apply_to_request_http1x(&mut request);
        Ok(Request::try_from(request)?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::json;

    use super::*;

    fn workers(status: u16, requests: &Arc<Mutex<Vec<Request>>>) -> Workers {
        let requests = requests.clone();
        let transport = Transport::new(move |request| {
            requests.lock().unwrap().push(request);
            let answer = http::Response::builder().status(status).body("");
            Box::pin(async move { Ok(answer?.into()) })
        });
        let credentials = Credentials::new("key", "secret-planted", Some("session".to_owned()), None, "test");
        let clock = Clock::new(|| "2026-12-01T09:00:00Z".parse().unwrap());
        let endpoint = "https://lambda.eu-central-1.amazonaws.com";
        Workers::new(transport, endpoint, "deliver", "eu-central-1".to_owned(), credentials, clock)
    }

    #[tokio::test]
    async fn a_worker_is_started_by_one_signed_request_that_does_not_wait_for_it() {
        let requests = Arc::default();
        workers(202, &requests).start(&json!({ "partitions": [3, 7] })).await.unwrap();

        let [request] = &requests.lock().unwrap()[..] else { panic!("one request") };
        let place = "https://lambda.eu-central-1.amazonaws.com/2015-03-31/functions/deliver/invocations";
        assert_eq!((request.method(), request.url().as_str()), (&Method::POST, place));
        assert_eq!(request.headers()["x-amz-invocation-type"], "Event");
        let signature = request.headers()["authorization"].to_str().unwrap();
        assert!(
            signature.contains("Credential=key/20261201/eu-central-1/lambda/aws4_request"),
            "{signature}"
        );
        assert!(signature.contains("x-amz-invocation-type"), "what is signed cannot be changed: {signature}");
        assert_eq!(request.body().unwrap().as_bytes().unwrap(), br#"{"partitions":[3,7]}"#);
    }

    #[tokio::test]
    async fn a_refusal_is_an_error() {
        let error = workers(429, &Arc::default()).start(&json!({})).await.unwrap_err();
        assert!(matches!(error, Error::Refused(StatusCode::TOO_MANY_REQUESTS)), "{error:?}");
    }
}
