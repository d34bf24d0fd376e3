//! `oauth-start`: returns the address of the page on which an account's owner can consent.

use delivery::SettingsReader;
use domain::{Limit, OAuthState, Scopes};
use edge::{ApiRequest, Body, Handler, Response, SiteConfig, json, ok};
use jiff::{SignedDuration, Timestamp};
use platform::{Clock, Random, encoding};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{MainTable, OAuthFlow};

use crate::{
    error::{Error, Result},
    limits::TenantLimits,
    operations::StartOperation,
    setup::Setup,
};

/// How long the owner may take on Pinterest's page.
const OAUTH_FLOW_TTL: SignedDuration = SignedDuration::from_mins(10);

/// The address to which the browser returns.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "StartOAuthRequest")]
pub struct StartOAuth {
    /// A path of the frontend, or an address on an allowed origin. Default: `/app/channels`.
    #[serde(default = "channels_page")]
    #[schemars(length(max = 2048))]
    return_to: String,
}

fn channels_page() -> String {
    "/app/channels".to_owned()
}

/// The address for the browser.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "StartedOAuth")]
pub struct StartedOAuth {
    /// Pinterest's consent page.
    #[schemars(url)]
    authorize_url: String,
    /// The owner must return before this time.
    #[serde(serialize_with = "domain::instant::serialize")]
    expires_at: Timestamp,
}

/// What `oauth-start` may use.
#[derive(Debug)]
pub struct OauthStart {
    main: MainTable,
    limits: TenantLimits,
    settings: SettingsReader,
    pinterest: pinterest::Client,
    scopes: Scopes,
    site: SiteConfig,
    clock: Clock,
    random: Random,
}

impl OauthStart {
    #[must_use]
    pub fn new(main: MainTable, pinterest: pinterest::Client, setup: &Setup) -> Self {
        Self {
            settings: SettingsReader::new(main.clone(), &setup.variables),
            limits: TenantLimits::new(main.clone(), setup),
            main,
            pinterest,
            scopes: setup.variables.get("PINTEREST_SCOPES").map_or_else(Scopes::required, Scopes::parse),
            site: setup.site(),
            clock: setup.clock.clone(),
            random: setup.random.clone(),
        }
    }

    /// Starts a flow. Only the hash of its state is stored: whoever can read the table cannot finish a flow.
    async fn start(&self, request: &ApiRequest, start: StartOAuth) -> Result<StartedOAuth> {
        let caller = request.caller()?;
        let return_to = self.site.return_address(&request.base_url, &start.return_to)?;
        let now = self.clock.now();
        let integration = self.settings.active(now).await?;
        let redirect_uri = self.site.redirect_uri(&request.base_url);
        let state = OAuthState::new(self.random.secret());
        let authorize_url =
            self.pinterest.authorize_url(&integration.app_id, &redirect_uri, &self.scopes, &state)?;
        self.limits.use_units(&caller.tenant, &[(Limit::StartsPerMinute, 1)]).await?;
        let expires_at = now + OAUTH_FLOW_TTL;
        let flow = OAuthFlow {
            tenant: caller.tenant.clone(),
            user: caller.user.clone(),
            environment: integration.environment,
            redirect_uri,
            return_to,
            expires_at: expires_at.as_second(),
        };
        self.main.save_oauth_flow(&encoding::sha256(state.expose()), flow).await?;
        Ok(StartedOAuth { authorize_url, expires_at })
    }
}

impl Handler for OauthStart {
    type Operation = StartOperation;
    type Error = Error;

    fn site(&self) -> &SiteConfig {
        &self.site
    }

    async fn first_tenant_claim(&self) -> Result<Option<&str>> {
        Ok(self.main.first_tenant_claim(self.clock.now()).await?)
    }

    async fn prepare(&self) -> Result<()> {
        self.main.prepare(self.clock.now()).await?;
        Ok(())
    }

    async fn handle(&self, operation: StartOperation, request: ApiRequest) -> Result<Response<Body>> {
        match operation {
            StartOperation::Start => Ok(ok(&self.start(&request, json(&request)?).await?)?),
        }
    }
}
