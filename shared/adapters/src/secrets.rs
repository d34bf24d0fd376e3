//! Secrets Manager: signed requests
//! (<https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>). The SDK's client would read
//! Amazon's list of partitions at every start, and weigh more than all that the two calls are for.

use std::{sync::Arc, time::Duration};

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::{
    http::{HttpConnector as _, SharedHttpConnector},
    orchestrator::HttpRequest,
};
use aws_smithy_types::body::SdkBody;
use platform::{Clock, Random};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::{Signer, transports::BoxError};

/// The time limit of one attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a call is tried that was not answered, or that is to be made later.
const MAX_TRIES: u32 = 3;
/// The longest wait before the first repetition. It doubles.
const BACKOFF: Duration = Duration::from_millis(50);

/// A secret could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No answer, or none that says something.
    #[error("Secrets Manager could not be reached")]
    Unreachable(#[source] BoxError),
    /// There is no such secret, or it has never been filled.
    #[error("Secrets Manager has no value of the secret")]
    NotFound,
    /// The function may not use the secret, or Secrets Manager is out of order.
    #[error("Secrets Manager answered {status} {code}")]
    Refused {
        /// The status.
        status: u16,
        /// What AWS calls it.
        code: String,
    },
}

/// Reads and writes secrets.
#[derive(Clone, Debug)]
pub struct SecretsManager(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    connector: SharedHttpConnector,
    endpoint: String,
    signer: Signer,
    random: Random,
}

impl SecretsManager {
    /// The one at `endpoint`. `clock` is that of AWS.
    #[must_use]
    pub fn new(
        connector: SharedHttpConnector,
        endpoint: String,
        region: String,
        credentials: Credentials,
        clock: Clock,
        random: Random,
    ) -> Self {
        let signer = Signer::new("secretsmanager", region, credentials, clock);
        Self(Arc::new(Shared { connector, endpoint, signer, random }))
    }

    /// The text of a secret.
    pub async fn read(&self, name: &str) -> Result<Option<String>, Error> {
        let mut answer = self.call("GetSecretValue", &json!({ "SecretId": name })).await?;
        match answer["SecretString"].take() {
            Value::String(text) => Ok(Some(text)),
            _ => Ok(None),
        }
    }

    /// Replaces the text of a secret.
    pub async fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        // With one token for all tries, the second does not make another version.
        let token = self.0.random.hex_id();
        let call = json!({ "SecretId": name, "SecretString": text, "ClientRequestToken": token });
        self.call("PutSecretValue", &call).await?;
        Ok(())
    }

    async fn call(&self, operation: &str, body: &Value) -> Result<Value, Error> {
        let mut tries = 1;
        loop {
            let answer = self.attempt(operation, body.to_string()).await;
            match &answer {
                Err(error) if tries < MAX_TRIES && error.may_pass() => {
                    let most = BACKOFF * (1 << (tries - 1));
                    sleep(most.mul_f64(self.0.random.jitter())).await;
                    tries += 1;
                }
                _ => return answer,
            }
        }
    }

    async fn attempt(&self, operation: &str, body: String) -> Result<Value, Error> {
        let request = self.request(operation, body).map_err(Error::Unreachable)?;
        let answer = timeout(ATTEMPT_TIMEOUT, self.0.connector.call(request)).await;
        let answer = answer.map_err(|late| Error::Unreachable(late.into()))?;
        let answer = answer.map_err(|error| Error::Unreachable(error.into()))?;

        let (status, body) = (answer.status(), answer.body().bytes().unwrap_or_default());
        if status.is_success() {
            return serde_json::from_slice(body).map_err(|error| Error::Unreachable(error.into()));
        }
        let problem: Value = serde_json::from_slice(body).unwrap_or_default();
        let name = problem["__type"].as_str().unwrap_or_default();
        match name.rsplit('#').next().unwrap_or_default() {
            "ResourceNotFoundException" => Err(Error::NotFound),
            code => Err(Error::Refused { status: status.as_u16(), code: code.to_owned() }),
        }
    }

    fn request(&self, operation: &str, body: String) -> Result<HttpRequest, BoxError> {
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method("POST")?;
        request.set_uri(self.0.endpoint.as_str())?;
        let headers = request.headers_mut();
        headers.try_insert("content-type", "application/x-amz-json-1.1")?;
        headers.try_insert("x-amz-target", ["secretsmanager.", operation].concat())?;
        self.0.signer.sign(&mut request)?;
        Ok(request)
    }
}

impl Error {
    /// Whether another try may do better.
    fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::NotFound => false,
            Self::Refused { status, code } => *status >= 500 || code == "ThrottlingException",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use aws_smithy_runtime_api::client::{
        http::{HttpConnector, HttpConnectorFuture},
        orchestrator::HttpResponse,
        result::ConnectorError,
    };

    use super::*;

    /// Answers one after the other, status 0 not at all, and writes down what was asked.
    #[derive(Clone, Debug, Default)]
    struct Scripted {
        answers: Arc<Mutex<Vec<(u16, &'static str)>>>,
        asked: Arc<Mutex<Vec<(String, Value)>>>,
    }

    impl HttpConnector for Scripted {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            let headers = request.headers();
            assert!(
                headers.get("authorization").unwrap().contains("/eu-central-1/secretsmanager/aws4_request")
            );
            let target = headers.get("x-amz-target").unwrap().to_owned();
            let body = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
            self.asked.lock().unwrap().push((target, body));
            let (status, body) = self.answers.lock().unwrap().remove(0);
            HttpConnectorFuture::ready(match status {
                0 => Err(ConnectorError::io("the connection is gone".into())),
                _ => Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))),
            })
        }
    }

    fn secrets(answers: &[(u16, &'static str)]) -> (SecretsManager, Scripted) {
        let scripted = Scripted { answers: Arc::new(Mutex::new(answers.to_vec())), ..Scripted::default() };
        let secrets = SecretsManager::new(
            SharedHttpConnector::new(scripted.clone()),
            "https://secretsmanager.eu-central-1.amazonaws.com".to_owned(),
            "eu-central-1".to_owned(),
            Credentials::new("key", "secret-planted", None, None, "test"),
            Clock::system(),
            Random::system(),
        );
        (secrets, scripted)
    }

    #[tokio::test(start_paused = true)]
    async fn a_secret_is_read_even_if_two_calls_fail_in_passing() {
        let throttled = r#"{"__type":"ThrottlingException"}"#;
        let (secrets, scripted) =
            secrets(&[(0, ""), (400, throttled), (200, r#"{"Name":"ring","SecretString":"text"}"#)]);

        assert_eq!(secrets.read("ring").await.unwrap().as_deref(), Some("text"));
        let asked = scripted.asked.lock().unwrap();
        assert_eq!(asked.len(), 3);
        assert_eq!(asked[2], ("secretsmanager.GetSecretValue".to_owned(), json!({"SecretId": "ring"})));
    }

    #[tokio::test(start_paused = true)]
    async fn three_failures_are_enough() {
        let (secrets, scripted) = secrets(&[(500, ""), (503, "not json"), (500, "{}")]);

        let error = secrets.read("ring").await.unwrap_err();
        assert!(matches!(error, Error::Refused { status: 500, .. }), "{error:?}");
        assert_eq!(scripted.asked.lock().unwrap().len(), 3);
    }

    #[tokio::test]
    async fn what_will_not_pass_is_not_repeated() {
        let missing = r#"{"__type":"com.amazonaws.secretsmanager#ResourceNotFoundException"}"#;
        let (secrets, _) = secrets(&[(400, missing), (400, r#"{"__type":"AccessDeniedException"}"#)]);

        assert!(matches!(secrets.read("ring").await, Err(Error::NotFound)));
        let error = secrets.read("ring").await.unwrap_err();
        assert_eq!(error.to_string(), "Secrets Manager answered 400 AccessDeniedException");
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_is_repeated_carries_the_same_token() {
        let (secrets, scripted) = secrets(&[(0, ""), (200, "{}")]);
        secrets.write("settings", "text").await.unwrap();

        let asked = scripted.asked.lock().unwrap();
        assert_eq!(asked[0], asked[1]);
        assert_eq!(asked[0].0, "secretsmanager.PutSecretValue");
        assert_eq!(asked[0].1["ClientRequestToken"].as_str().unwrap().len(), 32);
    }
}
