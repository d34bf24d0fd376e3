//! A simulated Pinterest with a clock that stands still, and a client for it.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use jiff::Timestamp;
use reqwest::{
    Client, Method, RequestBuilder,
    header::{CONTENT_TYPE, LOCATION},
    redirect,
};
use serde_json::{Value, json};
use simulated_pinterest::{APP_ID, APP_SECRET, Environment, Options, SimulatedPinterest};
use url::{Url, form_urlencoded};

pub(crate) const SCOPES: &str = "boards:read,boards:write,pins:read,pins:write,user_accounts:read";
const FORM: &str = "application/x-www-form-urlencoded";
pub(crate) const REDIRECT_URI: &str = "http://localhost:3000/callback?keep=1";

/// Everything that a test acts on.
pub(crate) struct Harness {
    pub(crate) pinterest: SimulatedPinterest,
    pub(crate) client: Client,
    clock: Arc<AtomicI64>,
}

/// What a client gets to see of an answer.
#[derive(Debug)]
pub(crate) struct ApiResponse {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl ApiResponse {
    /// Status and Pinterest's own code.
    pub(crate) fn refusal(&self) -> (u16, i64) {
        (self.status, self.body["code"].as_i64().unwrap_or_default())
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_else(|| panic!("no {name} in {self:?}")).to_owned()
    }

    pub(crate) fn items(&self) -> &Vec<Value> {
        self.body["items"].as_array().unwrap()
    }
}

impl Harness {
    /// Kept in memory only.
    pub(crate) async fn start() -> Self {
        Self::start_in(None).await
    }

    /// Kept in `file`.
    pub(crate) async fn start_in(file: Option<PathBuf>) -> Self {
        rustls::crypto::ring::default_provider().install_default().ok(); // the first test has done it
        let clock = Arc::new(AtomicI64::new(1_800_000_000));
        let seed = Arc::new(AtomicU64::new(if file.as_ref().is_some_and(|file| file.exists()) {
            1 << 32
        } else {
            1
        }));
        let now = Arc::clone(&clock);
        let options = Options {
            port: 0,
            file,
            redirect_uris: vec![REDIRECT_URI.to_owned()],
            now: Arc::new(move || Timestamp::from_second(now.load(Ordering::SeqCst)).unwrap()),
            random: Arc::new(move |bytes| {
                for chunk in bytes.chunks_mut(8) {
                    let number = seed.fetch_add(1, Ordering::SeqCst).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                    chunk.copy_from_slice(&number.to_be_bytes()[..chunk.len()]);
                }
            }),
        };
        let client = Client::builder().redirect(redirect::Policy::none()).build().unwrap();
        Self { pinterest: SimulatedPinterest::start(options).await.unwrap(), client, clock }
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn authorize_url(&self, scopes: &str) -> Url {
        let parameters = [
            ("client_id", APP_ID),
            ("redirect_uri", REDIRECT_URI),
            ("response_type", "code"),
            ("scope", scopes),
            ("state", "s t&te"),
        ];
        Url::parse_with_params(&self.pinterest.authorize_url(), parameters).unwrap()
    }

    /// Answers the consent page, and returns the address to which it sends the browser.
    pub(crate) async fn consent(&self, scopes: &str, form: &[(&str, &str)]) -> Url {
        let request = self.client.post(self.authorize_url(scopes)).body(encoded(form));
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 302);
        Url::parse(response.headers()[LOCATION].to_str().unwrap()).unwrap()
    }

    pub(crate) async fn code(&self, scopes: &str, account: &str) -> String {
        let location = self.consent(scopes, &[("decision", "allow"), ("account", account)]).await;
        query_of(&location, "code").unwrap()
    }

    /// Asks the token endpoint, with the right App Secret.
    pub(crate) async fn token(&self, environment: Environment, form: &[(&str, &str)]) -> ApiResponse {
        let request = self.client.post(format!("{}/oauth/token", self.api(environment)));
        let request = request.basic_auth(APP_ID, Some(APP_SECRET)).header(CONTENT_TYPE, FORM);
        send(request.body(encoded(form))).await
    }

    /// Goes the whole way from the consent page to a pair of tokens.
    pub(crate) async fn connect(&self, environment: Environment, scopes: &str, account: &str) -> ApiResponse {
        let code = self.code(scopes, account).await;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", REDIRECT_URI),
            ("continuous_refresh", "true"),
        ];
        let pair = self.token(environment, &form).await;
        assert_eq!(pair.status, 200, "{pair:?}");
        pair
    }

    /// An access token of `demo_account` in production, with the scopes that publishing needs.
    pub(crate) async fn access_token(&self) -> String {
        self.connect(Environment::Production, SCOPES, "demo_account").await.text("access_token")
    }

    pub(crate) async fn refresh(&self, refresh_token: &str) -> ApiResponse {
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        self.token(Environment::Production, &form).await
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> ApiResponse {
        send(self.request(Method::GET, token, path)).await
    }

    pub(crate) async fn post(&self, token: &str, path: &str, body: &Value) -> ApiResponse {
        send(self.request(Method::POST, token, path).json(body)).await
    }

    pub(crate) async fn delete(&self, token: &str, path: &str) -> ApiResponse {
        send(self.request(Method::DELETE, token, path)).await
    }

    /// A request to production, not sent yet.
    pub(crate) fn request(&self, method: Method, token: &str, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.pinterest.api_url())).bearer_auth(token)
    }

    /// The id of a board of `demo_account` in production.
    pub(crate) fn board(&self, name: &str) -> String {
        let boards = self.pinterest.boards(Environment::Production, "demo_account");
        boards.into_iter().find(|board| board.name == name).unwrap().id
    }

    pub(crate) fn api(&self, environment: Environment) -> String {
        match environment {
            Environment::Production => self.pinterest.api_url(),
            Environment::Sandbox => self.pinterest.sandbox_api_url(),
        }
    }

    /// The body of a Pin with one image, on the board "Recipes".
    pub(crate) fn image_pin(&self, title: &str) -> Value {
        json!({
            "board_id": self.board("Recipes"),
            "title": title,
            "media_source": { "source_type": "image_url", "url": "https://cdn.example.com/salad.jpg" },
        })
    }
}

/// Sends, and reads the answer; a body that is not JSON is a string.
pub(crate) async fn send(request: RequestBuilder) -> ApiResponse {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    ApiResponse { status, headers, body }
}

pub(crate) fn query_of(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn encoded(form: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish()
}
