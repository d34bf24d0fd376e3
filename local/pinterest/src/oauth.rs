//! `POST /oauth/token`: codes and refresh tokens become tokens.

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    answer::Answer,
    api::Request,
    authorize,
    pairs::Pairs,
    policy::{AccessTier, DeadRefreshToken},
    refusal::Refusal,
    scopes::Scopes,
    state::State,
    tokens::{ACCESS_LIFETIME, Grant, Pair, REFRESH_LIFETIME, later},
};

/// The App ID of the one app that this Pinterest knows.
pub const APP_ID: &str = "1234567";
/// The App Secret of that app.
pub const APP_SECRET: &str = "simulated-app-secret";

/// Answers a token request of any grant type.
pub(crate) fn token(state: &mut State, request: &Request) -> Result<Answer, Refusal> {
    if !is_our_app(request.authorization) {
        return Err(Refusal::NotAuthenticated);
    }
    let form = Pairs::parse(request.body);
    let required = |name| form.get(name).ok_or_else(|| Refusal::invalid(format!("{name} is required")));
    state.world_mut(request.environment).tokens.sweep(request.now);
    match required("grant_type")? {
        "authorization_code" => {
            if form.get("continuous_refresh").is_some_and(|value| !matches!(value, "true" | "false")) {
                return Err(Refusal::invalid("continuous_refresh must be true or false"));
            }
            let grant = authorize::redeem(state, required("code")?, required("redirect_uri")?, request.now)?;
            Ok(issue(state, request, "authorization_code", &grant))
        }
        "refresh_token" => refresh(state, request, required("refresh_token")?, form.get("scope")),
        "client_credentials" => {
            if !state.policy.client_credentials || state.policy.access_tier == AccessTier::Pending {
                return Err(Refusal::ConsumerTypeNotSupported);
            }
            let scopes = Scopes::parse(required("scope")?)?;
            let owner = state.accounts.first().ok_or(Refusal::ConsumerTypeNotSupported)?.id;
            let grant = Grant { account: owner, scopes, is_client: true };
            Ok(issue(state, request, "client_credentials", &grant))
        }
        _ => Err(Refusal::invalid("grant_type is not one of those supported")),
    }
}

fn is_our_app(authorization: Option<&str>) -> bool {
    let credentials = authorization
        .and_then(|value| value.strip_prefix("Basic "))
        .and_then(|encoded| STANDARD.decode(encoded).ok());
    credentials.is_some_and(|credentials| credentials == format!("{APP_ID}:{APP_SECRET}").as_bytes())
}

fn issue(state: &mut State, request: &Request, response_type: &str, grant: &Grant) -> Answer {
    let pair = state.world_mut(request.environment).tokens.issue(grant, request.now, request.random);
    Answer::ok(&document(&pair, response_type, &grant.scopes, request.now))
}

fn refresh(
    state: &mut State,
    request: &Request,
    refresh_token: &str,
    narrower: Option<&str>,
) -> Result<Answer, Refusal> {
    let rotation = state.policy.rotation;
    let dead = match state.policy.dead_refresh_token {
        DeadRefreshToken::Unauthorized => Refusal::NotAuthenticated,
        DeadRefreshToken::BadRequest => Refusal::DeadRefreshToken,
    };
    let tokens = &mut state.world_mut(request.environment).tokens;
    let mut grant = tokens.refreshable(refresh_token, request.now).ok_or(dead)?.clone();
    if let Some(narrower) = narrower {
        let scopes = Scopes::parse(narrower)?;
        if !scopes.is_within(&grant.scopes) {
            return Err(Refusal::invalid("scope must be within the scopes that were granted"));
        }
        grant.scopes = scopes;
    }
    let pair = tokens.rotate(refresh_token, &grant, rotation, request.now, request.random);
    Ok(Answer::ok(&document(&pair, "refresh_token", &grant.scopes, request.now)))
}

fn document(pair: &Pair, response_type: &str, scopes: &Scopes, now: Timestamp) -> Value {
    let mut document = json!({
        "access_token": pair.access,
        "response_type": response_type,
        "token_type": "bearer",
        "expires_in": ACCESS_LIFETIME,
        "scope": scopes.to_string(),
    });
    if let Some(refresh_token) = &pair.refresh {
        document["refresh_token"] = json!(refresh_token);
        document["refresh_token_expires_in"] = json!(REFRESH_LIFETIME);
        document["refresh_token_expires_at"] = json!(later(now, REFRESH_LIFETIME).as_second());
    }
    document
}
