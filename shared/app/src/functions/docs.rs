//! `docs`: the contract, and whether the API answers. Touches nothing.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    error::{Error, Result},
    http::{self, Answer, Call, Response, Site},
    openapi,
    routes::Operation,
    setup::Setup,
};

/// That the API answers.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Health")]
pub struct HealthView {
    #[schemars(extend("enum" = ["ok"]))]
    status: &'static str,
    version: &'static str,
}

/// What `docs` may touch: nothing.
#[derive(Debug)]
pub struct Docs {
    site: Site,
}

impl Docs {
    /// From the function's settings.
    #[must_use]
    pub fn new(setup: &Setup) -> Self {
        Self { site: setup.site() }
    }
}

impl Answer for Docs {
    fn site(&self) -> &Site {
        &self.site
    }

    async fn prepare(&self) -> Result<()> {
        Ok(())
    }

    async fn answer(&self, call: Call) -> Result<Response<lambda_http::Body>> {
        match call.operation {
            Operation::Health => http::ok(&HealthView { status: "ok", version: env!("CARGO_PKG_VERSION") }),
            Operation::OpenApi => http::ok(&openapi::document(&call.base_url)),
            _ => Err(Error::NotFound("address")),
        }
    }
}
