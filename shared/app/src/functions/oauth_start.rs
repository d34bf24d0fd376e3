//! `oauth-start`: where to send the browser, so that an account's owner can say yes.

use domain::{OAuthState, Scopes};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PublicSettings;
use crate::{
    Clock, Random,
    error::Result,
    http::{self, Answer, Call, Response, Site},
    routes::Operation,
    setup::Setup,
    store::{Flow, MainTable},
    text,
};

/// How long the owner may take at Pinterest's page.
const FLOW: SignedDuration = SignedDuration::from_mins(10);

/// Where the browser goes afterwards.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "StartOAuthRequest")]
pub struct StartOAuth {
    /// A path of the frontend, or an address on an allowed origin. `/app/channels` unless given.
    #[serde(default = "channels_page")]
    #[schemars(length(max = 2048))]
    return_to: String,
}

fn channels_page() -> String {
    "/app/channels".to_owned()
}

/// Where to send the browser now.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "StartedOAuth")]
pub struct Started {
    /// Pinterest's consent page.
    #[schemars(url)]
    authorize_url: String,
    /// Until when the owner has to be back.
    expires_at: Timestamp,
}

/// What `oauth-start` may touch.
#[derive(Debug)]
pub struct OauthStart {
    main: MainTable,
    settings: PublicSettings,
    pinterest: pinterest::Client,
    scopes: Scopes,
    site: Site,
    clock: Clock,
    random: Random,
}

impl OauthStart {
    /// Of its parts.
    #[must_use]
    pub fn new(main: MainTable, pinterest: pinterest::Client, setup: &Setup) -> Self {
        Self {
            settings: PublicSettings::new(main.clone(), &setup.variables),
            main,
            pinterest,
            scopes: setup.variables.get("PINTEREST_SCOPES").map_or_else(Scopes::needed, Scopes::parse),
            site: setup.site(),
            clock: setup.clock.clone(),
            random: setup.random.clone(),
        }
    }

    /// Begins a flow. Only the hash of its state is kept: who can read the table cannot finish a flow.
    async fn start(&self, call: &Call, request: StartOAuth) -> Result<Started> {
        let caller = call.caller()?;
        let return_to = self.site.return_address(&call.base_url, &request.return_to)?;
        let now = self.clock.now();
        let integration = self.settings.enabled(now).await?;
        let redirect_uri = self.site.redirect_uri(&call.base_url);
        let state = OAuthState::new(self.random.secret());
        let authorize_url =
            self.pinterest.authorize_url(&integration.app_id, &redirect_uri, &self.scopes, &state)?;

        let expires_at = now + FLOW;
        let flow = Flow {
            tenant: caller.tenant.clone(),
            user: caller.user.clone(),
            environment: integration.environment,
            redirect_uri,
            return_to,
            expires_at: expires_at.as_second(),
        };
        self.main.begin(&text::sha256(state.expose()), flow).await?;
        Ok(Started { authorize_url, expires_at })
    }
}

impl Answer for OauthStart {
    fn site(&self) -> &Site {
        &self.site
    }

    async fn prepare(&self) -> Result<()> {
        self.main.settings(self.clock.now()).await?;
        Ok(())
    }

    async fn answer(&self, call: Call) -> Result<Response<lambda_http::Body>> {
        match call.operation {
            Operation::StartOAuth => http::ok(&self.start(&call, http::json(&call)?).await?),
            _ => Err(crate::Error::NotFound("address")),
        }
    }
}
