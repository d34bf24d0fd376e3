//! How one call of the API is processed, from its arrival to its answer.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract,
    http::{
        Method, Response, Uri,
        header::{AUTHORIZATION, CONTENT_TYPE},
        request::Parts,
    },
};

use crate::{
    contract,
    http::{Answer, Environment, Operation, Parameters, Refusal, Request, Target},
    oauth::token,
    resources::{account, analytics, boards, fetch, media, pins, upload},
    simulation::{Simulation, delivery::Delivery, new_call},
    state::{
        Grant, State,
        policy::{AccessTier, ImageAddresses},
        storage::Storage,
    },
};

/// Answers the paths under `/v5` and `/sandbox/v5`, and 404 for all others.
pub(crate) async fn handle_call(
    extract::State(simulation): extract::State<Arc<Simulation>>,
    parts: Parts,
    body: Bytes,
) -> Response<Body> {
    let path = parts.uri.path();
    let host = Environment::ALL.into_iter().find_map(|environment| {
        let path = path.strip_prefix(environment.prefix())?;
        path.starts_with('/').then_some((environment, path))
    });
    let delivery = match host {
        None => Delivery::Whole(Refusal::NoSuchPath.into()),
        Some((environment, path)) => {
            let is_fetched = simulation.read(|state| state.policy.image_addresses) == ImageAddresses::Fetched;
            let is_new_pin = (&parts.method, path) == (&Method::POST, Operation::CreatePin.route().1);
            let fetched = if is_fetched && is_new_pin {
                fetch::check_images(&simulation.client, &body).await
            } else {
                Ok(())
            };
            let request = Request {
                fetched,
                environment,
                authorization: parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()),
                content_type: parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()),
                query: Parameters::parse(parts.uri.query().unwrap_or_default().as_bytes()),
                body: &body,
                now: simulation.now(),
                random: &simulation.random,
                origin: &simulation.origin,
                path_id: "",
            };
            answer_call(&simulation, request, &parts.method, path, &parts.uri)
        }
    };
    delivery.into_response().await
}

fn answer_call(
    simulation: &Simulation,
    request: Request,
    method: &Method,
    path: &str,
    uri: &Uri,
) -> Delivery {
    let now = request.now;
    let target = Target::parse(method.as_str(), path);
    let operation = target.as_ref().ok().map(|target| target.operation);
    let call = new_call(now, Some(request.environment), operation, method.as_str(), uri.path());

    let mut inner = simulation.lock();
    let find_user = |operation| {
        let tokens = &inner.storage.state().host(request.environment).tokens;
        let account = tokens.access_grant(request.bearer_token().ok()?, now)?.account;
        Some((account, contract::rate_category(operation)))
    };
    let user = operation.and_then(find_user);
    let (rate_limit, allowed) = inner.count_call(request.environment, user, now);
    let is_compressed = inner.storage.state().policy.compressed;
    let delivery = inner.answer_call(call, |storage| {
        allowed?;
        let Target { operation, id } = target?;
        perform_operation(storage, operation, &Request { path_id: id, ..request })
    });
    let delivery = delivery.map(|answer| answer.with_api_headers(simulation.random.request_id(), rate_limit));
    if is_compressed { delivery.map(Answer::compressed) } else { delivery }
}

/// The function that performs an operation. Most need a token, and most of those change nothing.
enum Handler {
    Token,
    Read(fn(&State, &Grant, &Request) -> Result<Answer, Refusal>),
    Write(fn(&mut State, &Grant, &Request) -> Result<Answer, Refusal>),
    /// It has an address outside of the API.
    Elsewhere,
}

fn find_handler(operation: Operation) -> Handler {
    match operation {
        Operation::Token => Handler::Token,
        Operation::UserAccount => Handler::Read(account::get),
        Operation::AccountAnalytics => Handler::Read(analytics::get_account_analytics),
        Operation::TopPins => Handler::Read(analytics::list_top_pins),
        Operation::ListBoards => Handler::Read(boards::list),
        Operation::CreateBoard => Handler::Write(boards::create),
        Operation::GetBoard => Handler::Read(boards::get),
        Operation::DeleteBoard => Handler::Write(boards::delete),
        Operation::ListSections => Handler::Read(boards::list_sections),
        Operation::CreateSection => Handler::Write(boards::create_section),
        Operation::ListBoardPins => Handler::Read(pins::list_of_board),
        Operation::ListPins => Handler::Read(pins::list),
        Operation::CreatePin => Handler::Write(pins::create),
        Operation::GetPin => Handler::Read(pins::get),
        Operation::DeletePin => Handler::Write(pins::delete),
        Operation::PinAnalytics => Handler::Read(analytics::get_pin_analytics),
        Operation::RegisterMedia => Handler::Write(media::register),
        Operation::ListMedia => Handler::Read(media::list),
        Operation::GetMedia => Handler::Read(media::get),
        Operation::UploadMedia => Handler::Elsewhere,
    }
}

fn perform_operation(
    storage: &mut Storage,
    operation: Operation,
    request: &Request,
) -> Result<Answer, Refusal> {
    let answer = match find_handler(operation) {
        Handler::Token => {
            token::authenticate(request)?;
            contract::check_request(operation, request)?;
            token::create_token(storage.state_mut(), request)
        }
        Handler::Read(read) => {
            let grant = authenticate(storage, operation, request)?;
            contract::check_request(operation, request)?;
            read(storage.state(), &grant, request)
        }
        Handler::Write(write) => {
            let grant = authenticate(storage, operation, request)?;
            contract::check_request(operation, request)?;
            write(storage.state_mut(), &grant, request)
        }
        Handler::Elsewhere => Err(Refusal::NoSuchPath),
    }?;
    if storage.state().policy.keeps_contract() {
        contract::check_answer(operation, &answer)?;
    }
    Ok(answer)
}

/// Finds the grant of the token, and checks that it allows the operation.
fn authenticate(storage: &mut Storage, operation: Operation, request: &Request) -> Result<Grant, Refusal> {
    let token = request.bearer_token()?;
    let tokens = &storage.state().host(request.environment).tokens;
    let grant = tokens.access_grant(token, request.now).ok_or(Refusal::NotAuthenticated)?.clone();
    if tokens.is_unused(token) {
        storage.state_mut().host_mut(request.environment).tokens.record_first_use(token);
    }
    if storage.state().policy.access_tier == AccessTier::Pending {
        return Err(Refusal::ConsumerTypeNotSupported);
    }
    if grant.is_client && !operation.accepts_client_credentials() {
        return Err(Refusal::MissingScope);
    }
    grant.scopes.require(operation.required_scopes())?;
    if request.environment == Environment::Sandbox && !operation.is_in_sandbox() {
        return Err(Refusal::NotPermitted);
    }
    Ok(grant)
}

/// Answers the form upload of a video. The file is not saved.
pub(crate) async fn handle_upload(
    extract::State(simulation): extract::State<Arc<Simulation>>,
    parts: Parts,
    body: Body,
) -> Response<Body> {
    let Ok(front) = upload::read_front(&parts.headers, body).await else {
        return Answer::no_content().into_response(Body::empty()); // the client has disconnected
    };
    let now = simulation.now();
    let call = new_call(now, None, Some(Operation::UploadMedia), parts.method.as_str(), parts.uri.path());
    let delivery = simulation.lock().answer_call(call, |storage| {
        Ok(upload::receive_form(storage.state_mut(), &parts.headers, &front, now))
    });
    delivery.into_response().await
}
