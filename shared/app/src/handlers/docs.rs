//! `docs`: the contract, what the codes of problems mean, and whether the API answers. Uses nothing.

use edge::{
    ApiRequest, Body, Handler, RequestError, Response, RouteMatch, SiteConfig, codes, find, not_found, ok,
};
use http::Method;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    error::{Error, Result},
    openapi,
    operations::{DocsOperation, endpoints},
    setup::Setup,
    vocabulary::ProblemCode,
};

/// That the API answers.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Health")]
pub struct HealthView {
    #[schemars(extend("enum" = ["ok"]))]
    status: &'static str,
    version: &'static str,
}

/// What the code of a problem means.
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
}

impl Docs {
    #[must_use]
    pub fn new(setup: &Setup) -> Self {
        Self { site: setup.site() }
    }
}

impl Handler for Docs {
    type Operation = DocsOperation;
    type Error = Error;

    fn site(&self) -> &SiteConfig {
        &self.site
    }

    /// Locally, this function gets the requests that no function has a route for.
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
            DocsOperation::OpenApi => ok(&openapi::document(&request.base_url))?,
            DocsOperation::Problem => {
                let code = request.id.as_deref().and_then(codes::find);
                ok(&ProblemView::from(code.ok_or_else(|| not_found::<Error>("problem"))?))?
            }
        })
    }
}
