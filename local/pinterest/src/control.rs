//! `/sim/…`: the same switches for curl and other processes. Nothing here asks for a token: the
//! server listens on loopback only.

use std::{io, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    environment::Environment,
    faults::Fault,
    policy::Policy,
    simulated::{add_boards, revoke},
    simulation::Simulation,
    state::{Id, Picture},
    view,
};

type Simulated = State<Arc<Simulation>>;

/// The routes below `/sim`.
pub(crate) fn routes() -> Router<Arc<Simulation>> {
    Router::new()
        .route("/faults", get(faults).post(inject).delete(clear_faults))
        .route("/policy", get(policy).post(change_policy))
        .route("/pins", get(pins))
        .route("/calls", get(calls))
        .route("/boards", post(boards))
        .route("/accounts", post(account))
        .route("/revoke", post(end_tokens))
        .route("/pictures/{pin}/{index}", get(picture))
        .route("/avatar.svg", get(|| async { svg("#e60023", "P") }))
        .route("/video.svg", get(|| async { svg("#444444", "&#9654;") }))
}

#[derive(Deserialize)]
struct OfHost {
    environment: Option<Environment>,
}

#[derive(Deserialize)]
struct OfAccount {
    account: String,
}

#[derive(Deserialize)]
struct NewBoards {
    #[serde(default = "demo_account")]
    account: String,
    environment: Environment,
    count: usize,
}

fn demo_account() -> String {
    "demo_account".to_owned()
}

async fn faults(State(simulation): Simulated) -> Json<Value> {
    items(simulation.lock().faults.pending())
}

async fn inject(State(simulation): Simulated, Json(fault): Json<Fault>) -> Json<Value> {
    let mut inner = simulation.lock();
    inner.faults.add(fault);
    items(inner.faults.pending())
}

async fn clear_faults(State(simulation): Simulated) -> StatusCode {
    simulation.lock().faults.clear();
    StatusCode::NO_CONTENT
}

async fn policy(State(simulation): Simulated) -> Json<Policy> {
    Json(simulation.read(|state| state.policy.clone()))
}

/// Changes what the body names, and leaves the rest as it is.
async fn change_policy(State(simulation): Simulated, Json(changes): Json<Map<String, Value>>) -> Response {
    let policy = simulation.read(|state| merged(&state.policy, changes));
    match policy {
        Ok(policy) => match simulation.change(|state| state.policy = policy.clone()) {
            Ok(()) => Json(policy).into_response(),
            Err(error) => not_kept(&error),
        },
        Err(error) => (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()).into_response(),
    }
}

fn merged(policy: &Policy, changes: Map<String, Value>) -> serde_json::Result<Policy> {
    let mut merged = serde_json::to_value(policy)?;
    for (name, value) in changes {
        merged[name] = value;
    }
    serde_json::from_value(merged)
}

async fn pins(State(simulation): Simulated, Query(of): Query<OfHost>) -> Json<Value> {
    let hosts = Environment::ALL.into_iter().filter(|host| of.environment.is_none_or(|only| only == *host));
    let mut pins: Vec<_> =
        simulation.read(|state| hosts.flat_map(|host| view::pins(state, host, &simulation.origin)).collect());
    pins.sort_by_key(|pin| std::cmp::Reverse(pin.id.parse::<u64>().ok()));
    items(&pins)
}

async fn calls(State(simulation): Simulated) -> Json<Value> {
    items(&simulation.lock().calls.all())
}

async fn boards(State(simulation): Simulated, Json(new): Json<NewBoards>) -> Response {
    let now = simulation.now();
    let added = simulation.change(|state| {
        let ids = add_boards(state, new.environment, &new.account, new.count, now);
        let account = state.account_named(&new.account).map(|account| account.id);
        let mut all = account.map_or_else(Vec::new, |account| view::boards(state, new.environment, account));
        all.split_off(all.len() - ids.len())
    });
    match added {
        Ok(boards) => items(&boards).into_response(),
        Err(error) => not_kept(&error),
    }
}

async fn account(State(simulation): Simulated, Json(of): Json<OfAccount>) -> Response {
    let now = simulation.now();
    match simulation.change(|state| state.add_account(&of.account, &of.account, now)) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => not_kept(&error),
    }
}

async fn end_tokens(State(simulation): Simulated, Json(of): Json<OfAccount>) -> Response {
    match simulation.change(|state| revoke(state, &of.account)) {
        Ok(tokens) => Json(json!({ "revoked": tokens })).into_response(),
        Err(error) => not_kept(&error),
    }
}

/// A picture that came as data.
async fn picture(State(simulation): Simulated, Path((pin, index)): Path<(u64, usize)>) -> Response {
    let found = simulation.read(|state| {
        let mut pins = Environment::ALL.into_iter().flat_map(|host| &state.world(host).pins);
        let pin = pins.find(|known| known.id == Id(pin))?;
        match pin.media.pictures().get(index)? {
            Picture::Data { content_type, base64 } => {
                Some((content_type.clone(), STANDARD.decode(base64).ok()?))
            }
            Picture::Address(_) => None,
        }
    });
    match found {
        Some((content_type, bytes)) => ([(CONTENT_TYPE, content_type)], bytes).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn items(items: &(impl Serialize + ?Sized)) -> Json<Value> {
    Json(json!({ "items": items }))
}

fn not_kept(error: &io::Error) -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, format!("the state could not be kept: {error}")).into_response()
}

fn svg(color: &str, sign: &str) -> Response {
    let drawing = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 2 2\"><rect width=\"2\" height=\"2\" \
         fill=\"{color}\"/><text x=\"1\" y=\"1.35\" font-size=\"1\" text-anchor=\"middle\" fill=\"#fff\">\
         {sign}</text></svg>"
    );
    ([(CONTENT_TYPE, "image/svg+xml")], drawing).into_response()
}
