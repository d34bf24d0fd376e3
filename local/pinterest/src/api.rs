//! One call of the API, from its arrival to its answer.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract,
    http::{Method, Response, Uri, header::AUTHORIZATION, request::Parts},
};
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use crate::{
    account, analytics,
    answer::Answer,
    boards,
    delivery::Delivery,
    environment::Environment,
    media, oauth,
    operation::{Operation, Target},
    pairs::Pairs,
    pins,
    policy::AccessTier,
    random::Random,
    refusal::Refusal,
    simulation::{Simulation, arrival},
    state::{Id, State},
    storage::Storage,
    tokens::Grant,
    upload,
};

/// A request, as far as operations look at it.
pub(crate) struct Request<'a> {
    pub(crate) environment: Environment,
    pub(crate) authorization: Option<&'a str>,
    pub(crate) query: Pairs,
    pub(crate) body: &'a [u8],
    pub(crate) now: Timestamp,
    pub(crate) random: &'a Random,
    /// Where this server is reached, for addresses in answers.
    pub(crate) origin: &'a str,
    id: &'a str,
}

impl Request<'_> {
    /// The id in the path.
    pub(crate) fn id(&self) -> Result<Id, Refusal> {
        Id::parse(self.id).ok_or_else(|| Refusal::invalid(format!("'{}' does not match '^\\d+$'", self.id)))
    }

    /// The body, as the contract describes it.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        serde_json::from_slice(self.body)
            .map_err(|error| Refusal::invalid(format!("Invalid request: {error}")))
    }

    fn bearer(&self) -> Result<&str, Refusal> {
        self.authorization.and_then(|value| value.strip_prefix("Bearer ")).ok_or(Refusal::NotAuthenticated)
    }
}

/// Answers everything under `/v5` and `/sandbox/v5`, and 404 to everything else.
pub(crate) async fn call(
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
            let request = Request {
                environment,
                authorization: parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()),
                query: Pairs::parse(parts.uri.query().unwrap_or_default().as_bytes()),
                body: &body,
                now: simulation.now(),
                random: &simulation.random,
                origin: &simulation.origin,
                id: "",
            };
            answer(&simulation, request, &parts.method, path, &parts.uri)
        }
    };
    delivery.response().await
}

fn answer(simulation: &Simulation, request: Request, method: &Method, path: &str, uri: &Uri) -> Delivery {
    let now = request.now;
    let target = Target::of(method.as_str(), path);
    let operation = target.as_ref().ok().map(|target| target.operation);
    let note = arrival(now, Some(request.environment), operation, method.as_str(), uri.path());

    let mut inner = simulation.lock();
    let is_write = operation.is_some_and(|operation| matches!(handler(operation), Handler::Write(_)));
    let writer = || {
        let tokens = &inner.storage.state().world(request.environment).tokens;
        Some(tokens.bearer(request.bearer().ok()?, now)?.account)
    };
    let writer = if is_write { writer() } else { None };
    let (rate_limit, allowed) = inner.count(request.environment, writer, now);
    let delivery = inner.answer(note, |storage| {
        allowed?;
        let Target { operation, id } = target?;
        perform(storage, operation, &Request { id, ..request })
    });
    delivery.map(|answer| answer.with_api_headers(simulation.random.number(), rate_limit))
}

/// What carries out an operation: most need a token, and most of those change nothing.
enum Handler {
    Token,
    Read(fn(&State, &Grant, &Request) -> Result<Answer, Refusal>),
    Write(fn(&mut State, &Grant, &Request) -> Result<Answer, Refusal>),
    /// It has an address of its own, outside of the API.
    Elsewhere,
}

fn handler(operation: Operation) -> Handler {
    match operation {
        Operation::Token => Handler::Token,
        Operation::UserAccount => Handler::Read(account::get),
        Operation::AccountAnalytics => Handler::Read(analytics::of_account),
        Operation::TopPins => Handler::Read(analytics::top_pins),
        Operation::ListBoards => Handler::Read(boards::list),
        Operation::CreateBoard => Handler::Write(boards::create),
        Operation::GetBoard => Handler::Read(boards::get),
        Operation::DeleteBoard => Handler::Write(boards::delete),
        Operation::ListSections => Handler::Read(boards::list_sections),
        Operation::CreateSection => Handler::Write(boards::create_section),
        Operation::ListBoardPins => Handler::Read(boards::list_pins),
        Operation::ListPins => Handler::Read(pins::list),
        Operation::CreatePin => Handler::Write(pins::create),
        Operation::GetPin => Handler::Read(pins::get),
        Operation::DeletePin => Handler::Write(pins::delete),
        Operation::PinAnalytics => Handler::Read(analytics::of_pin),
        Operation::RegisterMedia => Handler::Write(media::register),
        Operation::ListMedia => Handler::Read(media::list),
        Operation::GetMedia => Handler::Read(media::get),
        Operation::UploadMedia => Handler::Elsewhere,
    }
}

fn perform(storage: &mut Storage, operation: Operation, request: &Request) -> Result<Answer, Refusal> {
    match handler(operation) {
        Handler::Token => oauth::token(storage.state_mut(), request),
        Handler::Read(read) => {
            let grant = authenticate(storage, operation, request)?;
            read(storage.state(), &grant, request)
        }
        Handler::Write(write) => {
            let grant = authenticate(storage, operation, request)?;
            write(storage.state_mut(), &grant, request)
        }
        Handler::Elsewhere => Err(Refusal::NoSuchPath),
    }
}

/// Finds out for whom the token acts, and whether it may act like this.
fn authenticate(storage: &mut Storage, operation: Operation, request: &Request) -> Result<Grant, Refusal> {
    let token = request.bearer()?;
    let tokens = &storage.state().world(request.environment).tokens;
    let grant = tokens.bearer(token, request.now).ok_or(Refusal::NotAuthenticated)?.clone();
    if tokens.is_unused(token) {
        storage.state_mut().world_mut(request.environment).tokens.first_use(token);
    }
    if storage.state().policy.access_tier == AccessTier::Pending {
        return Err(Refusal::ConsumerTypeNotSupported);
    }
    if grant.is_client && !operation.takes_client_credentials() {
        return Err(Refusal::MissingScope);
    }
    grant.scopes.require(operation.scopes())?;
    if request.environment == Environment::Sandbox && !operation.is_in_sandbox() {
        return Err(Refusal::NotPermitted);
    }
    Ok(grant)
}

/// Answers the form upload of a video, whose file is let through and not kept.
pub(crate) async fn upload(
    extract::State(simulation): extract::State<Arc<Simulation>>,
    parts: Parts,
    body: Body,
) -> Response<Body> {
    let Ok(front) = upload::front(body).await else {
        return Answer::no_content().into_response(Body::empty()); // nobody is there any more to read it
    };
    let now = simulation.now();
    let note = arrival(now, None, Some(Operation::UploadMedia), parts.method.as_str(), parts.uri.path());
    let delivery = simulation
        .lock()
        .answer(note, |storage| Ok(upload::receive(storage.state_mut(), &parts.headers, &front, now)));
    delivery.response().await
}
