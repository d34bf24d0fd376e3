//! `docs`: the contract, the meaning of the problem codes, and a health check. It uses no other service.

use std::sync::{Mutex, PoisonError};

use edge::{
    ApiRequest, Body, Handler, RequestError, Response, RouteMatch, SiteConfig, body_text, codes, find,
    not_found, ok,
};
use http::{HeaderValue, Method, header};
use schemars::JsonSchema;
use serde::Serialize;

use super::compressed::CompressedText;
use crate::{
    error::{Error, Result},
    openapi,
    operations::{DocsOperation, endpoints},
    setup::Setup,
    vocabulary::ProblemCode,
};

/// The result of the health check.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Health")]
pub struct HealthView {
    #[schemars(extend("enum" = ["ok"]))]
    status: &'static str,
    version: &'static str,
}

/// The meaning of a problem code.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ProblemDescription")]
pub struct ProblemView {
    #[schemars(with = "ProblemCode")]
    code: &'static str,
    /// What happened.
    meaning: &'static str,
    /// What to do.
    fix: &'static str,
    /// A `detail` with this code.
    example: &'static str,
}

impl From<&'static codes::Code> for ProblemView {
    fn from(code: &'static codes::Code) -> Self {
        let codes::Code { code, meaning, fix, example } = code;
        Self { code, meaning, fix, example }
    }
}

/// What `docs` may use: nothing.
#[derive(Debug)]
pub struct Docs {
    site: SiteConfig,
    /// The contract, with the address of the API that it was written for.
    contract: Mutex<Option<(String, CompressedText)>>,
}

impl Docs {
    #[must_use]
    pub fn new(setup: &Setup) -> Self {
        Self { site: setup.site(), contract: Mutex::default() }
    }

    /// The contract. It changes only with a new deployment.
    fn contract(&self, request: &ApiRequest) -> Result<Response<Body>> {
        let mut written = self.contract.lock().unwrap_or_else(PoisonError::into_inner);
        let contract = match written.take() {
            Some((address, contract)) if address == request.base_url => contract,
            _ => CompressedText::new(body_text(&openapi::document(&request.base_url))?),
        };
        let mut answer = contract.response(request, "application/json");
        answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
        *written = Some((request.base_url.clone(), contract));
        Ok(answer)
    }
}

impl Handler for Docs {
    type Operation = DocsOperation;
    type Error = Error;

    fn site(&self) -> &SiteConfig {
        &self.site
    }

    /// Locally, this function also gets the requests that match no route.
    fn wrong_address(&self, method: &Method, path: &str) -> RequestError {
        match find(&endpoints(), |endpoint| (endpoint.method, endpoint.path), method, path) {
            RouteMatch::OtherMethod(allowed) => RequestError::MethodNotAllowed(allowed.join(", ")),
            RouteMatch::Found(..) | RouteMatch::Nothing => RequestError::NotFound("address"),
        }
    }

    async fn prepare(&self) -> Result<()> {
        Ok(())
    }

    async fn handle(&self, operation: DocsOperation, request: ApiRequest) -> Result<Response<Body>> {
        Ok(match operation {
            DocsOperation::Health => ok(&HealthView { status: "ok", version: env!("CARGO_PKG_VERSION") })?,
            DocsOperation::OpenApi => self.contract(&request)?,
            DocsOperation::Problem => {
                let code = request.id.as_deref().and_then(codes::find);
                ok(&ProblemView::from(code.ok_or_else(|| not_found::<Error>("problem"))?))?
            }
        })
    }
}
