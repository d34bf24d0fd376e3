//! Functions that answer requests.

use std::{future::Future, sync::Arc};

use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use lambda_http::{Body, LambdaEvent, Request, RequestExt, Response, request::RequestContext, service_fn};
use platform::chain;
use tokio::time::{Duration, timeout};

use crate::{
    Access, ApiRequest, Event, Operation, Problem, RequestError, Route, RouteMatch, SiteConfig, event, find,
};

/// How long a start may prepare for the first request. Lambda allows 10 s for the whole start.
const MAX_PREPARATION: Duration = Duration::from_secs(3);

/// The header with the id of a request.
const REQUEST_ID: &str = "x-request-id";
/// The longest request id of a caller that is used.
const MAX_REQUEST_ID_CHARS: usize = 128;

/// An error with a problem document.
pub trait ApiError: std::error::Error + From<RequestError> + Send {
    /// The problem for the caller.
    fn problem(&self) -> Problem;
}

/// A function that answers requests.
pub trait Handler: Send + Sync {
    /// The operations of the function.
    type Operation: Operation;
    /// The error of an operation.
    type Error: ApiError;

    /// The addresses of the API, and the rules for callers.
    fn site(&self) -> &SiteConfig;

    /// The error for an address that matches no route of the function.
    fn wrong_address(&self, method: &Method, path: &str) -> RequestError {
        match find(Self::Operation::ROUTES, |route| (route.method, route.path), method, path) {
            RouteMatch::OtherMethod(allowed) => RequestError::MethodNotAllowed(allowed.join(", ")),
            RouteMatch::Found(..) | RouteMatch::Nothing => RequestError::NotFound("address"),
        }
    }

    /// The claim that named the stack's first tenants, if that is known. It is read once.
    fn first_tenant_claim(&self) -> impl Future<Output = Result<Option<&str>, Self::Error>> + Send {
        async { Ok(None) }
    }

    /// Prepares the first request: reads the data that is cached, which also opens the connections.
    fn prepare(&self) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Answers a request.
    fn handle(
        &self,
        operation: Self::Operation,
        request: ApiRequest,
    ) -> impl Future<Output = Result<Response<Body>, Self::Error>> + Send;
}

/// How a function's `main` ends.
pub type Exit = Result<(), Stopped>;

/// The function cannot start, or continue. The log has the reason.
#[derive(Debug)]
pub struct Stopped;

impl From<lambda_runtime::Error> for Stopped {
    fn from(error: lambda_runtime::Error) -> Self {
        tracing::error!(error = %chain(error.as_ref()), "the function stopped");
        Self
    }
}

/// Serves a function's requests until Lambda ends the process. The first request is prepared as part of the start, for
/// which Lambda gives more processor time. If that fails, the first request does it.
pub async fn serve(function: impl Handler + 'static) -> Exit {
    let function = Arc::new(function);
    match timeout(MAX_PREPARATION, Box::pin(function.prepare())).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(error = %chain(&error), "the first request could not be prepared"),
        Err(_) => tracing::warn!("the first request could not be prepared in time"),
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

/// Answers one request. Every error becomes a problem document.
pub async fn handle<H: Handler>(function: &H, request: Request) -> Response<Body> {
    let request_id = request_id(&request);
    let base_url = function.site().base_url(&request);
    let answered = match accept(function, request).await {
        // Boxed: the SDK's futures are large, and this one is held by value all the way up.
        Ok((operation, request)) => Box::pin(function.handle(operation, request)).await,
        Err(error) => Err(error),
    };
    let answer = answered.unwrap_or_else(|error| {
        let problem = error.problem();
        // Only 500 is an error of the stack, and an alarm counts these. Others are temporary, or come from Pinterest.
        if problem.status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(error = %chain(&error), request.id = request_id, "a request failed");
        } else if problem.status.is_server_error() {
            tracing::warn!(error = %chain(&error), request.id = request_id, "a request could not be answered now");
        }
        problem.into_response(&base_url, &request_id)
    });
    completed(answer, &request_id)
}

/// Adds the headers of every answer: the id of the request, `nosniff`, and HSTS for a year.
fn completed(mut answer: Response<Body>, request_id: &str) -> Response<Body> {
    let headers = answer.headers_mut();
    headers.extend(HeaderValue::from_str(request_id).map(|id| (HeaderName::from_static(REQUEST_ID), id)));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    answer
}

/// Finds the operation, and checks the caller, the query and the body size.
async fn accept<H: Handler>(function: &H, request: Request) -> Result<(H::Operation, ApiRequest), H::Error> {
    let (site, path) = (function.site(), request.raw_http_path().to_owned());
    let address = |route: &Route<H::Operation>| (route.method, route.path);
    let RouteMatch::Found(route, id) = find(H::Operation::ROUTES, address, request.method(), &path) else {
        return Err(function.wrong_address(request.method(), &path).into());
    };
    let caller = match route.access {
        Access::Open => None,
        Access::User | Access::Admin => {
            // Without a valid token, nothing is read from a table.
            site.caller(&request, None)?;
            let first_claim = Box::pin(function.first_tenant_claim()).await?;
            Some(site.caller(&request, first_claim)?)
        }
    };
    if route.access == Access::Admin && !caller.as_ref().is_some_and(|caller| caller.admin) {
        return Err(RequestError::NotAdmin.into());
    }
    let (bytes, max_bytes) = (request.body().len(), route.max_body_bytes);
    if bytes > max_bytes {
        return Err(RequestError::TooLarge { bytes, max_bytes }.into());
    }
    let (id, base_url) = (id.map(str::to_owned), site.base_url(&request));
    let query = request.query_string_parameters();
    route.query.check(&query).map_err(RequestError::from)?;
    let (parts, body) = request.into_parts();
    Ok((route.operation, ApiRequest { id, path, caller, base_url, query, headers: parts.headers, body }))
}

/// The id of a request, for questions to the operator: the caller's own, or the one from AWS.
fn request_id(request: &Request) -> String {
    let own = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let is_plain = |id: &&str| {
        (1..=MAX_REQUEST_ID_CHARS).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
    };
    if let Some(own) = own.filter(is_plain) {
        return own.to_owned();
    }
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone().unwrap_or_default(),
        _ => String::new(),
    }
}
