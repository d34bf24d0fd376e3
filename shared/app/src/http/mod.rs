//! The edge: requests in, answers out. Every error becomes a problem document in one place.

mod body;
mod caller;
mod codes;
mod event;
mod problem;
mod site;

use std::{future::Future, sync::Arc};

pub use body::{created, json, object, ok, ok_text, parse, redirect, text, with_status};
pub(crate) use codes::CODES;
pub use event::Event;
use http::{HeaderMap, StatusCode, header};
use lambda_http::{Body, LambdaEvent, RequestExt, service_fn};
pub use lambda_http::{Request, Response};
pub use problem::Problem;
pub use site::Site;
use tokio::time::{Duration, timeout};

pub use self::caller::Caller;
use crate::{
    Error, Exit,
    error::{Result, chain},
    parameters::{self, Parameter},
    routes::{self, Access, Found, Operation},
};

/// The most that the platform carries (a Lambda request is 6 MB, with its envelope).
pub const LARGEST_BODY: usize = 6 * 1024 * 1024;

/// How long the start may take for the sake of the first request. Lambda allows 10 s for all of it.
const PREPARATION: Duration = Duration::from_secs(3);

/// A request that has found its route, by somebody who may ask.
#[derive(Debug)]
pub struct Call {
    /// What is asked for.
    pub operation: Operation,
    /// The id in the path.
    pub id: Option<String>,
    /// Who asks. Nobody on open routes.
    caller: Option<Caller>,
    /// The public address of the API, without a slash at its end.
    pub base_url: String,
    query: lambda_http::aws_lambda_events::query_map::QueryMap,
    headers: HeaderMap,
    body: Body,
}

impl Call {
    /// Who asks.
    pub fn caller(&self) -> Result<&Caller> {
        self.caller.as_ref().ok_or(Error::Unauthenticated)
    }

    /// The id in the path, of the kind that is wanted here. Anything else is not found.
    pub fn id<T: TryFrom<String>>(&self, what: &'static str) -> Result<T> {
        let id = self.id.clone().unwrap_or_default();
        T::try_from(id).map_err(|_| Error::NotFound(what))
    }

    /// A parameter of the query. An empty one is none.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.first(name).filter(|value| !value.is_empty())
    }

    /// Whether a switch of the query is on.
    pub(crate) fn flag(&self, parameter: &Parameter) -> Result<bool> {
        Ok(self.query(parameter.name).map_or(Ok(false), |text| parameter.flag(text))?)
    }

    /// A number of the query, or the one that counts if none is given.
    pub(crate) fn number(&self, parameter: &Parameter) -> Result<u16> {
        let text = self.query(parameter.name);
        Ok(text.map_or(Ok(parameter.default_number()), |text| parameter.number(text))?)
    }

    /// All values of a list in the query, which may be given in one or in several.
    pub(crate) fn words(&self, parameter: &Parameter) -> Result<Vec<&'static str>> {
        let mut words = Vec::new();
        for text in self.query.all(parameter.name).unwrap_or_default() {
            if !text.is_empty() {
                words.extend(parameter.words(text)?);
            }
        }
        Ok(words)
    }

    /// A header as text. `Some(Err)`: it holds what is not visible ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<Result<&str, ()>> {
        self.headers.get(name).map(|value| value.to_str().map_err(|_| ()))
    }

    /// The body's bytes.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.body.as_ref()
    }
}

/// A function that answers requests.
pub trait Answer: Send + Sync {
    /// Where the API is, and how callers are known.
    fn site(&self) -> &Site;

    /// Does ahead what a first request would wait for: reads what is kept in memory, over the connections that are
    /// then there.
    fn prepare(&self) -> impl Future<Output = Result<()>> + Send;

    /// Answers a request that has found its route.
    fn answer(&self, call: Call) -> impl Future<Output = Result<Response<Body>>> + Send;
}

/// Serves a function's requests until Lambda ends the process. What a first request needs is made ready before, as
/// part of the start, for which Lambda gives more of a processor; a failure only leaves it to that request.
pub async fn serve(function: impl Answer + 'static) -> Exit {
    let function = Arc::new(function);
    match timeout(PREPARATION, Box::pin(function.prepare())).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(error = %chain(&error), "not all is ready before the first request"),
        Err(_) => tracing::warn!("getting ready for the first request takes too long"),
    }
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Event>| {
        let function = function.clone();
        async move {
            let answer = handle(function.as_ref(), event.payload.0).await;
            Ok::<_, std::convert::Infallible>(event::to_platform(answer))
        }
    }))
    .await?;
    Ok(())
}

/// Answers one request, come what may.
pub async fn handle(function: &impl Answer, request: Request) -> Response<Body> {
    let request_id = request_id(&request);
    let base_url = function.site().base_url(&request);
    let answered = match open(function.site(), request) {
        // Boxed: the SDK's futures are large, and this one is held by value all the way up.
        Ok(call) => Box::pin(function.answer(call)).await,
        Err(error) => Err(error),
    };
    answered.unwrap_or_else(|error| {
        let problem = Problem::of(&error);
        if problem.status.is_server_error() {
            tracing::error!(error = %chain(&error), request.id = request_id, "a request failed");
        }
        problem.answer(&base_url, &request_id)
    })
}

/// Finds the route, and checks whether this caller may take it.
fn open(site: &Site, request: Request) -> Result<Call> {
    let path = request.raw_http_path().to_owned();
    let (route, id) = match routes::find(request.method(), &path) {
        Found::Route(route, id) => (route, id.map(str::to_owned)),
        Found::OtherMethod(allowed) => return Err(Error::MethodNotAllowed(allowed.join(", "))),
        Found::Nothing => return Err(Error::NotFound("address")),
    };
    let caller = match route.access {
        Access::Open => None,
        Access::User | Access::Admin => Some(site.caller(&request)?),
    };
    if route.access == Access::Admin && !caller.as_ref().is_some_and(|caller| caller.admin) {
        return Err(Error::NotAdmin);
    }
    if request.body().len() > LARGEST_BODY {
        return Err(Error::TooLarge(request.body().len()));
    }
    let base_url = site.base_url(&request);
    let query = request.query_string_parameters();
    parameters::query(route.operation).check(&query)?;
    let (parts, body) = request.into_parts();
    Ok(Call { operation: route.operation, id, caller, base_url, query, headers: parts.headers, body })
}

/// What AWS calls the request, for people who ask us about it.
fn request_id(request: &Request) -> String {
    match request.request_context_ref() {
        Some(lambda_http::request::RequestContext::ApiGatewayV2(context)) => {
            context.request_id.clone().unwrap_or_default()
        }
        _ => String::new(),
    }
}

/// An answer with a body. Building it from our own parts cannot fail; if it did, the caller gets a bare 500.
fn answer(status: StatusCode, content_type: &'static str, body: String) -> Response<Body> {
    let mut answer = Response::new(Body::Text(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    answer.headers_mut().insert(header::CACHE_CONTROL, http::HeaderValue::from_static("no-store"));
    answer
}
