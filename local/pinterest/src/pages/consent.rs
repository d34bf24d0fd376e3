//! `/oauth/`: the page where a user allows or denies an app to act for an account.

use std::{fmt::Write, sync::Arc};

use axum::{
    body::Bytes,
    extract::State,
    http::{StatusCode, Uri, header::LOCATION},
    response::{IntoResponse, Response},
};

use super::html::{escape, page};
use crate::{
    app::APP_ID,
    http::{Parameters, Refusal},
    oauth::authorize::AuthorizeRequest,
    simulation::Simulation,
    state::{Account, Scopes},
};

/// The consent page.
pub(crate) async fn show_form(State(simulation): State<Arc<Simulation>>, uri: Uri) -> Response {
    let query = uri.query().unwrap_or_default();
    match parse_request(&simulation, &Parameters::parse(query.as_bytes())) {
        Ok(request) => {
            let accounts = simulation.read(|state| state.accounts.clone());
            page(StatusCode::OK, "Give access", &consent_form(&request, query, &accounts))
        }
        Err(refusal) => invalid_request_page(&refusal),
    }
}

/// The user's decision, from the page or from a script. Fields that the form lacks are taken from the query, so that
/// `curl -d decision=allow "$AUTHORIZE_URL"` is enough. A `scope` in the form grants less than the app requested.
pub(crate) async fn submit_decision(
    State(simulation): State<Arc<Simulation>>,
    uri: Uri,
    body: Bytes,
) -> Response {
    let query = uri.query().unwrap_or_default();
    match redirect_address(&simulation, query, &body) {
        Ok(location) => (StatusCode::FOUND, [(LOCATION, location)]).into_response(),
        Err(refusal) => invalid_request_page(&refusal),
    }
}

fn parse_request(simulation: &Simulation, parameters: &Parameters) -> Result<AuthorizeRequest, Refusal> {
    let is_any_allowed = simulation.read(|state| state.policy.any_redirect_uri);
    let is_registered = |uri: &str| simulation.redirect_uris.iter().any(|registered| registered == uri);
    AuthorizeRequest::parse(parameters, |uri| is_any_allowed || is_registered(uri))
}

fn redirect_address(simulation: &Simulation, query: &str, body: &[u8]) -> Result<String, Refusal> {
    let form = Parameters::parse(body);
    let request = parse_request(simulation, &Parameters::parse(&[query.as_bytes(), b"&", body].concat()))?;
    match form.get("decision") {
        Some("deny") => return Ok(request.deny().into()),
        Some("allow") => {}
        _ => return Err(Refusal::invalid("decision must be allow or deny")),
    }
    let granted = form.get("scope").map_or_else(|| Ok(request.scopes.clone()), Scopes::parse)?;
    if !granted.is_within(&request.scopes) {
        return Err(Refusal::invalid("scope must be within the scopes that the app requested"));
    }
    let account = form.get("account").unwrap_or("demo_account");
    let now = simulation.now();
    let address = simulation.change(|state| request.allow(state, account, granted, now, &simulation.random));
    Ok(address.map_err(|error| Refusal::StateNotSaved(error.to_string()))??.into())
}

fn consent_form(request: &AuthorizeRequest, query: &str, accounts: &[Account]) -> String {
    let mut scopes = String::new();
    for (scope, description) in request.scopes.with_descriptions() {
        writeln!(scopes, "<li>{} <span class=\"note\">({})</span></li>", escape(description), escape(scope))
            .ok();
    }
    let mut choices = String::new();
    for (index, account) in accounts.iter().enumerate() {
        let checked = if index == 0 { " checked" } else { "" };
        let (username, name) = (escape(&account.username), escape(&account.business_name));
        writeln!(
            choices,
            "<label><input type=\"radio\" name=\"account\" value=\"{username}\"{checked}> {name} \
             <span class=\"note\">({username})</span></label>"
        )
        .ok();
    }
    format!(
        "<main class=\"ask\">\n<h1>App {APP_ID} asks for access to your Pinterest account</h1>\n\
         <p>If you allow it, the app can:</p>\n<ul>\n{scopes}</ul>\n\
         <form method=\"post\" action=\"/oauth/?{query}\">\n\
         <fieldset>\n<legend>Account</legend>\n{choices}</fieldset>\n\
         <button class=\"main\" name=\"decision\" value=\"allow\">Allow</button>\n\
         <button name=\"decision\" value=\"deny\">Deny</button>\n</form>\n\
         <p class=\"note\">This is a simulated Pinterest on your own machine. It sends nothing to the real one.</p>\n</main>",
        query = escape(query),
    )
}

fn invalid_request_page(refusal: &Refusal) -> Response {
    let message = refusal.body()["message"].as_str().map(escape).unwrap_or_default();
    let body = format!(
        "<main class=\"ask\">\n<h1>This request for access is invalid</h1>\n<p>{message}</p>\n</main>"
    );
    page(refusal.status(), "Invalid request", &body)
}
