//! `POST /oauth/token`: exchanges codes and refresh tokens for tokens.

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde_json::json;

use crate::{
    app::{APP_ID, APP_SECRET},
    http::{Answer, Parameters, Refusal, Request},
    oauth::authorize::redeem_code,
    state::{
        Grant, Scopes, State,
        policy::{AccessTier, DeadRefreshToken, TokenAnswer},
        tokens::{ACCESS_TOKEN_SECONDS, REFRESH_TOKEN_SECONDS, TokenPair, add_seconds},
    },
};

/// Refuses every app but ours.
pub(crate) fn authenticate(request: &Request) -> Result<(), Refusal> {
    if is_our_app(request.authorization) { Ok(()) } else { Err(Refusal::NotAuthenticated) }
}

/// `POST /oauth/token` of any grant type.
pub(crate) fn create_token(state: &mut State, request: &Request) -> Result<Answer, Refusal> {
    let form = Parameters::parse(request.body);
    let required = |name| form.get(name).ok_or_else(|| Refusal::invalid(format!("{name} is required")));
    state.host_mut(request.environment).tokens.remove_expired(request.now);
    match required("grant_type")? {
        "authorization_code" => {
            if form.get("continuous_refresh").is_some_and(|value| !matches!(value, "true" | "false")) {
                return Err(Refusal::invalid("continuous_refresh must be true or false"));
            }
            let grant = redeem_code(state, required("code")?, required("redirect_uri")?, request.now)?;
            Ok(issue_tokens(state, request, "authorization_code", &grant))
        }
        "refresh_token" => refresh_tokens(state, request, required("refresh_token")?, form.get("scope")),
        "client_credentials" => {
            if !state.policy.client_credentials || state.policy.access_tier == AccessTier::Pending {
                return Err(Refusal::ConsumerTypeNotSupported);
            }
            let scopes = Scopes::parse(required("scope")?)?;
            let owner = state.accounts.first().ok_or(Refusal::ConsumerTypeNotSupported)?.id;
            let grant = Grant { account: owner, scopes, is_client: true };
            Ok(issue_tokens(state, request, "client_credentials", &grant))
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

fn issue_tokens(state: &mut State, request: &Request, response_type: &str, grant: &Grant) -> Answer {
    let pair = state.host_mut(request.environment).tokens.issue(grant, request.now, request.random);
    token_answer(state.policy.token_answer, &pair, response_type, &grant.scopes, request.now)
}

fn refresh_tokens(
    state: &mut State,
    request: &Request,
    refresh_token: &str,
    narrower_scope: Option<&str>,
) -> Result<Answer, Refusal> {
    let rotation = state.policy.rotation;
    let invalid = match state.policy.dead_refresh_token {
        DeadRefreshToken::Unauthorized => Refusal::NotAuthenticated,
        DeadRefreshToken::BadRequest => Refusal::DeadRefreshToken,
    };
    let tokens = &mut state.host_mut(request.environment).tokens;
    let mut grant = tokens.refresh_grant(refresh_token, request.now).ok_or(invalid)?.clone();
    if let Some(narrower_scope) = narrower_scope {
        let scopes = Scopes::parse(narrower_scope)?;
        if !scopes.is_within(&grant.scopes) {
            return Err(Refusal::invalid("scope must be within the scopes that were granted"));
        }
        grant.scopes = scopes;
    }
    let pair = tokens.rotate(refresh_token, &grant, rotation, request.now, request.random);
    Ok(token_answer(state.policy.token_answer, &pair, "refresh_token", &grant.scopes, request.now))
}

fn token_answer(
    policy: TokenAnswer,
    pair: &TokenPair,
    response_type: &str,
    scopes: &Scopes,
    now: Timestamp,
) -> Answer {
    let mut document = json!({
        "access_token": pair.access,
        "response_type": response_type,
        "token_type": "bearer",
        "expires_in": ACCESS_TOKEN_SECONDS,
    });
    if policy.has_scope {
        document["scope"] = json!(scopes.to_string());
    }
    if let Some(refresh_token) = &pair.refresh {
        document["refresh_token"] = json!(refresh_token);
        document["refresh_token_expires_in"] = json!(REFRESH_TOKEN_SECONDS);
        document["refresh_token_expires_at"] = json!(add_seconds(now, REFRESH_TOKEN_SECONDS).as_second());
    }
    if policy.is_created { Answer::created(&document) } else { Answer::ok(&document) }
}
