//! Publishes a Pin from the address of an image, as a tutorial on Lambda in Rust would write it: `aws-config`,
//! default features, the default profile, and the same work as Pinwright's `publish` does without an
//! `Idempotency-Key`.

use std::{collections::HashMap, env};

use aws_config::BehaviorVersion;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_sdk_dynamodb::types::AttributeValue;
use base64::{Engine, engine::general_purpose::STANDARD};
use lambda_http::{Body, Error, Request, Response, run, service_fn, tracing};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use uuid::Uuid;

type Row = HashMap<String, AttributeValue>;

struct App {
    dynamodb: aws_sdk_dynamodb::Client,
    secrets: aws_sdk_secretsmanager::Client,
    pinterest: reqwest::Client,
    pinterest_url: String,
    table: String,
    secret: String,
    key: OnceCell<LessSafeKey>,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let app = App {
        dynamodb: aws_sdk_dynamodb::Client::new(&config),
        secrets: aws_sdk_secretsmanager::Client::new(&config),
        pinterest: reqwest::Client::new(),
        pinterest_url: env::var("PINTEREST_API_URL")?,
        table: env::var("MAIN_TABLE")?,
        secret: env::var("KEY_SECRET")?,
        key: OnceCell::new(),
    };
    run(service_fn(|request| publish(&app, request))).await
}

async fn publish(app: &App, request: Request) -> Result<Response<Body>, Error> {
    let Ok(pin) = serde_json::from_slice::<Value>(request.body()) else {
        return answer(400, &json!({"error": "the body is not JSON"}));
    };
    let (Some(channel_id), Some(title)) = (pin["channel_id"].as_str(), pin["title"].as_str()) else {
        return answer(422, &json!({"error": "channel_id and title are required"}));
    };

    let settings = app.row("APP", "SETTINGS").await?.ok_or("no settings")?;
    if text(&settings, "status")? != "enabled" {
        return answer(503, &json!({"error": "switched off"}));
    }
    let Some(channel) = app.row("CHANNEL", channel_id).await? else {
        return answer(404, &json!({"error": "no such channel"}));
    };
    let token = app.row("TOKEN", channel_id).await?.ok_or("no token")?;
    let token = app.open(text(&token, "sealed")?).await?;

    let id = Uuid::new_v4().to_string();
    app.save(&id, &pin, "sending", None).await?;
    let body = json!({
        "board_id": text(&channel, "board_id")?,
        "title": title,
        "media_source": {"source_type": "image_url", "url": pin["media"]["url"]},
    });
    let url = format!("{}/pins", app.pinterest_url);
    let sent = app.pinterest.post(url).bearer_auth(token).json(&body).send().await?;
    let published: Value = sent.error_for_status()?.json().await?;
    let pinterest_id = published["id"].as_str().ok_or("Pinterest's answer has no id")?;
    app.save(&id, &pin, "published", Some(pinterest_id)).await?;
    answer(201, &json!({"id": id, "state": "published", "pinterest_pin_id": pinterest_id}))
}

impl App {
    async fn row(&self, pk: &str, sk: &str) -> Result<Option<Row>, Error> {
        let get = self.dynamodb.get_item().table_name(&self.table);
        let get = get.key("pk", AttributeValue::S(pk.into())).key("sk", AttributeValue::S(sk.into()));
        Ok(get.send().await?.item)
    }

    async fn save(
        &self,
        id: &str,
        pin: &Value,
        state: &str,
        pinterest_id: Option<&str>,
    ) -> Result<(), Error> {
        let put = self.dynamodb.put_item().table_name(&self.table);
        let put = put.item("pk", AttributeValue::S("PIN".into())).item("sk", AttributeValue::S(id.into()));
        let put = put.item("draft", AttributeValue::S(pin.to_string()));
        let put = put.item("state", AttributeValue::S(state.into()));
        let found = pinterest_id.map_or(AttributeValue::Null(true), |id| AttributeValue::S(id.into()));
        put.item("pinterest_pin_id", found).send().await?;
        Ok(())
    }

    /// Opens a sealed token with the key, which is read from Secrets Manager once.
    async fn open(&self, sealed: &str) -> Result<String, Error> {
        let key = self.key.get_or_try_init(|| self.read_key()).await?;
        let mut sealed = STANDARD.decode(sealed)?;
        let nonce = Nonce::try_assume_unique_for_key(sealed.get(..NONCE_LEN).ok_or("no nonce")?)?;
        let token = key.open_within(nonce, Aad::empty(), &mut sealed, NONCE_LEN..)?;
        Ok(String::from_utf8(token.to_vec())?)
    }

    async fn read_key(&self) -> Result<LessSafeKey, Error> {
        let secret = self.secrets.get_secret_value().secret_id(&self.secret).send().await?;
        let key = STANDARD.decode(secret.secret_string().ok_or("the secret is empty")?)?;
        Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key)?))
    }
}

fn text<'a>(row: &'a Row, name: &str) -> Result<&'a str, Error> {
    let value = row.get(name).and_then(|value| value.as_s().ok());
    value.map(String::as_str).ok_or_else(|| format!("the row has no {name}").into())
}

fn answer(status: u16, body: &Value) -> Result<Response<Body>, Error> {
    let response = Response::builder().status(status).header("content-type", "application/json");
    Ok(response.body(body.to_string().into())?)
}
