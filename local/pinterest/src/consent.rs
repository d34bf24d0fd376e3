//! `/oauth/`: where a user allows an app to act for an account, or does not.

use std::{fmt::Write, sync::Arc};

use axum::{
    body::Bytes,
    extract::State,
    http::{StatusCode, Uri, header::LOCATION},
    response::{IntoResponse, Response},
};

use crate::{
    authorize::AuthorizeRequest,
    html::{escape, page},
    oauth::APP_ID,
    pairs::Pairs,
    refusal::Refusal,
    scopes::Scopes,
    simulation::Simulation,
    state::Account,
};

/// The consent page.
pub(crate) async fn ask(State(simulation): State<Arc<Simulation>>, uri: Uri) -> Response {
    let query = uri.query().unwrap_or_default();
    match AuthorizeRequest::parse(&Pairs::parse(query.as_bytes())) {
        Ok(request) => {
            let accounts = simulation.read(|state| state.accounts.clone());
            page(StatusCode::OK, "Give access", &question(&request, query, &accounts))
        }
        Err(refusal) => refused(&refusal),
    }
}

/// The user's answer, of the page or of a script: what the form does not hold is taken from the query,
/// so that `curl -d decision=allow "$AUTHORIZE_URL"` is enough. A `scope` in the form grants less than
/// was asked for.
pub(crate) async fn decide(State(simulation): State<Arc<Simulation>>, uri: Uri, body: Bytes) -> Response {
    let query = uri.query().unwrap_or_default();
    match decision(&simulation, query, &body) {
        Ok(location) => (StatusCode::FOUND, [(LOCATION, location)]).into_response(),
        Err(refusal) => refused(&refusal),
    }
}

fn decision(simulation: &Simulation, query: &str, body: &[u8]) -> Result<String, Refusal> {
    let form = Pairs::parse(body);
    let asked = AuthorizeRequest::parse(&Pairs::parse(&[query.as_bytes(), b"&", body].concat()))?;
    match form.get("decision") {
        Some("deny") => return Ok(asked.deny().into()),
        Some("allow") => {}
        _ => return Err(Refusal::invalid("decision must be allow or deny")),
    }
    let granted = form.get("scope").map_or_else(|| Ok(asked.scopes.clone()), Scopes::parse)?;
    if !granted.is_within(&asked.scopes) {
        return Err(Refusal::invalid("scope must be within the scopes that were asked for"));
    }
    let account = form.get("account").unwrap_or("demo_account");
    let now = simulation.now();
    let allowed = simulation.change(|state| asked.allow(state, account, granted, now, &simulation.random));
    Ok(allowed.map_err(|error| Refusal::NotKept(error.to_string()))??.into())
}

fn question(request: &AuthorizeRequest, query: &str, accounts: &[Account]) -> String {
    let mut scopes = String::new();
    for (scope, words) in request.scopes.in_words() {
        writeln!(scopes, "<li>{} <span class=\"note\">({})</span></li>", escape(words), escape(scope)).ok();
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
         <p class=\"note\">This is a simulated Pinterest on your own machine. Nothing leaves it.</p>\n</main>",
        query = escape(query),
    )
}

fn refused(refusal: &Refusal) -> Response {
    let message = refusal.body()["message"].as_str().map(escape).unwrap_or_default();
    let body = format!(
        "<main class=\"ask\">\n<h1>This request for access is not valid</h1>\n<p>{message}</p>\n</main>"
    );
    page(refusal.status(), "Not valid", &body)
}
