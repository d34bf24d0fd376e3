//! `/sim/…`: how other processes control the simulation and look into it. No token is needed, because the server
//! listens on loopback only.

pub(crate) mod view;

use std::{cmp, io, sync::Arc};

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
    http::{Environment, Id},
    simulation::{Simulation, faults::Fault},
    state::{Picture, Policy},
};

type SharedSimulation = State<Arc<Simulation>>;

/// The routes below `/sim`.
pub(crate) fn routes() -> Router<Arc<Simulation>> {
    Router::new()
        .route("/faults", get(list_faults).post(add_fault).delete(clear_faults))
        .route("/policy", get(get_policy).post(change_policy))
        .route("/pins", get(list_pins))
        .route("/calls", get(list_calls))
        .route("/boards", post(add_boards))
        .route("/group-boards", post(add_group_board))
        .route("/accounts", post(add_account))
        .route("/revoke", post(revoke_tokens))
        .route("/pictures/{pin}/{index}", get(get_picture))
        .route("/avatar.svg", get(|| async { svg_image("#e60023", "P") }))
        .route("/video.svg", get(|| async { svg_image("#444444", "&#9654;") }))
}

#[derive(Deserialize)]
struct HostQuery {
    environment: Option<Environment>,
}

#[derive(Deserialize)]
struct AccountBody {
    account: String,
}

#[derive(Deserialize)]
struct NewBoardsBody {
    #[serde(default = "demo_account")]
    account: String,
    environment: Environment,
    count: usize,
}

#[derive(Deserialize)]
struct NewGroupBoardBody {
    owner: String,
    member: String,
    environment: Environment,
    name: String,
    may_pin: bool,
}

fn demo_account() -> String {
    "demo_account".to_owned()
}

async fn list_faults(State(simulation): SharedSimulation) -> Json<Value> {
    items(simulation.lock().faults.pending())
}

async fn add_fault(State(simulation): SharedSimulation, Json(fault): Json<Fault>) -> Json<Value> {
    let mut inner = simulation.lock();
    inner.faults.add(fault);
    items(inner.faults.pending())
}

async fn clear_faults(State(simulation): SharedSimulation) -> StatusCode {
    simulation.lock().faults.clear();
    StatusCode::NO_CONTENT
}

async fn get_policy(State(simulation): SharedSimulation) -> Json<Policy> {
    Json(simulation.read(|state| state.policy.clone()))
}

/// Changes the fields that the body names.
async fn change_policy(
    State(simulation): SharedSimulation,
    Json(changes): Json<Map<String, Value>>,
) -> Response {
    let policy = simulation.read(|state| merge_policy(&state.policy, changes));
    match policy {
        Ok(policy) => match simulation.change(|state| state.policy = policy.clone()) {
            Ok(()) => Json(policy).into_response(),
            Err(error) => save_failed(&error),
        },
        Err(error) => (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()).into_response(),
    }
}

fn merge_policy(policy: &Policy, changes: Map<String, Value>) -> serde_json::Result<Policy> {
    let mut merged = serde_json::to_value(policy)?;
    for (name, value) in changes {
        merged[name] = value;
    }
    serde_json::from_value(merged)
}

async fn list_pins(State(simulation): SharedSimulation, Query(query): Query<HostQuery>) -> Json<Value> {
    let hosts =
        Environment::ALL.into_iter().filter(|host| query.environment.is_none_or(|only| only == *host));
    let mut pins: Vec<_> =
        simulation.read(|state| hosts.flat_map(|host| view::pins(state, host, &simulation.origin)).collect());
    pins.sort_by_key(|pin| cmp::Reverse(pin.id.parse::<u64>().ok()));
    items(&pins)
}

async fn list_calls(State(simulation): SharedSimulation) -> Json<Value> {
    items(&simulation.lock().calls.all())
}

async fn add_boards(State(simulation): SharedSimulation, Json(new): Json<NewBoardsBody>) -> Response {
    let now = simulation.now();
    let added = simulation.change(|state| {
        let ids = state.add_boards(new.environment, &new.account, new.count, now);
        let account = state.account_named(&new.account).map(|account| account.id);
        let mut all = account.map_or_else(Vec::new, |account| view::boards(state, new.environment, account));
        all.split_off(all.len() - ids.len())
    });
    match added {
        Ok(boards) => items(&boards).into_response(),
        Err(error) => save_failed(&error),
    }
}

async fn add_group_board(
    State(simulation): SharedSimulation,
    Json(new): Json<NewGroupBoardBody>,
) -> Response {
    let (now, accounts) = (simulation.now(), (new.owner.as_str(), new.member.as_str()));
    let added = simulation
        .change(|state| state.add_group_board(new.environment, accounts, &new.name, new.may_pin, now));
    match added {
        Ok(Some(id)) => Json(json!({ "id": id.to_string() })).into_response(),
        Ok(None) => (StatusCode::UNPROCESSABLE_ENTITY, "there is no such account").into_response(),
        Err(error) => save_failed(&error),
    }
}

async fn add_account(State(simulation): SharedSimulation, Json(body): Json<AccountBody>) -> Response {
    let now = simulation.now();
    match simulation.change(|state| state.add_account(&body.account, &body.account, now)) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => save_failed(&error),
    }
}

async fn revoke_tokens(State(simulation): SharedSimulation, Json(body): Json<AccountBody>) -> Response {
    match simulation.change(|state| state.revoke_tokens(&body.account)) {
        Ok(tokens) => Json(json!({ "revoked": tokens })).into_response(),
        Err(error) => save_failed(&error),
    }
}

/// A picture of a Pin that came as data.
async fn get_picture(
    State(simulation): SharedSimulation,
    Path((pin, index)): Path<(u64, usize)>,
) -> Response {
    let picture = simulation.read(|state| {
        let mut pins = Environment::ALL.into_iter().flat_map(|host| &state.host(host).pins);
        let pin = pins.find(|candidate| candidate.id == Id(pin))?;
        match pin.media.pictures().get(index)? {
            Picture::Data { content_type, base64 } => {
                Some((content_type.clone(), STANDARD.decode(base64).ok()?))
            }
            Picture::Address(_) => None,
        }
    });
    match picture {
        Some((content_type, bytes)) => ([(CONTENT_TYPE, content_type)], bytes).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn items(items: &(impl Serialize + ?Sized)) -> Json<Value> {
    Json(json!({ "items": items }))
}

fn save_failed(error: &io::Error) -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, format!("the state could not be saved: {error}")).into_response()
}

fn svg_image(color: &str, sign: &str) -> Response {
    let drawing = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 2 2\"><rect width=\"2\" height=\"2\" \
         fill=\"{color}\"/><text x=\"1\" y=\"1.35\" font-size=\"1\" text-anchor=\"middle\" fill=\"#fff\">\
         {sign}</text></svg>"
    );
    ([(CONTENT_TYPE, "image/svg+xml")], drawing).into_response()
}
