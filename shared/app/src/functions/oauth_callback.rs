//! `oauth-callback`: the owner has answered. Their tokens are kept, unclaimed, until the person who started
//! comes with the ticket.

use domain::{AuthorizationCode, Refusal, Ticket};
use jiff::SignedDuration;
use tokio::join;

use crate::{
    Clock, Random,
    error::{Error, Result, chain},
    http::{self, Answer, Call, Response, Site},
    routes::Operation,
    secrets::SettingsSecret,
    setup::Setup,
    store::{Flow, MainTable, Pending, TokensTable},
    text,
    vault::{Place, Vault},
};

/// How long a connection waits to be claimed.
const UNCLAIMED: SignedDuration = SignedDuration::from_mins(15);

/// Why no connection came of it: what the frontend reads after `#error=`.
#[derive(Clone, Copy, Debug)]
enum Denied {
    /// The state is unknown, used or older than ten minutes.
    StateInvalid,
    /// The owner said no.
    OwnerRefused,
    /// An admin has switched the integration off, or taken its credentials away.
    IntegrationDisabled,
    /// 401 code 3: the app may not do this yet, or the owner granted too little to read the account.
    InvalidScope,
    /// Pinterest refuses App ID, App Secret or the code.
    CodeRefused,
    /// Pinterest did not answer.
    PinterestUnreachable,
    /// Something went wrong inside.
    Internal,
}

impl Denied {
    fn code(self) -> &'static str {
        match self {
            Self::StateInvalid => "state_invalid",
            Self::OwnerRefused => "access_denied",
            Self::IntegrationDisabled => "integration_disabled",
            Self::InvalidScope => "invalid_scope",
            Self::CodeRefused => "code_refused",
            Self::PinterestUnreachable => "pinterest_unreachable",
            Self::Internal => "internal",
        }
    }
}

/// What `oauth-callback` may touch.
#[derive(Debug)]
pub struct OauthCallback {
    secret: SettingsSecret,
    vault: Vault,
    main: MainTable,
    tokens: TokensTable,
    pinterest: pinterest::Client,
    site: Site,
    clock: Clock,
    random: Random,
}

impl OauthCallback {
    /// Of its parts.
    #[must_use]
    pub fn new(
        secret: SettingsSecret,
        vault: Vault,
        main: MainTable,
        tokens: TokensTable,
        pinterest: pinterest::Client,
        setup: &Setup,
    ) -> Self {
        let (site, clock, random) = (setup.site(), setup.clock.clone(), setup.random.clone());
        Self { secret, vault, main, tokens, pinterest, site, clock, random }
    }

    /// Takes the state, and sends the browser back with a ticket or a reason.
    async fn back(&self, call: &Call) -> Result<Response<lambda_http::Body>> {
        let state = call.query("state").map(text::sha256);
        let flow = match state {
            Some(hash) => self.main.take(&hash).await?,
            None => None,
        };
        let fresh = flow.filter(|flow| flow.expires_at > self.clock.now().as_second());
        let Some(flow) = fresh else {
            let to = self.site.lost(&call.base_url);
            return http::redirect(&format!("{to}#error={}", Denied::StateInvalid.code()));
        };
        let fragment = match self.connect(call, &flow).await {
            Ok(ticket) => format!("connection={}", ticket.expose()),
            Err(denied) => format!("error={}", denied.code()),
        };
        http::redirect(&format!("{}#{fragment}", flow.return_to))
    }

    /// Exchanges the code at once and exactly once, reads whose account it is, and keeps the sealed tokens.
    async fn connect(&self, call: &Call, flow: &Flow) -> Result<Ticket, Denied> {
        // Pinterest does not document how it says no: an error, or simply no code.
        let code = match (call.query("error"), call.query("code")) {
            (None, Some(code)) => AuthorizationCode::new(code.to_owned()),
            _ => return Err(Denied::OwnerRefused),
        };
        let settings = self.secret.effective().await.map_err(|error| internal(&error.into()))?;
        settings.shown(0).enabled().map_err(|_| Denied::IntegrationDisabled)?;
        let (Some(id), Some(secret)) = (&settings.app_id.0, &settings.app_secret.0) else {
            return Err(Denied::IntegrationDisabled);
        };
        let app = pinterest::App { id, secret };

        let given_at = self.clock.now();
        let granted = self
            .pinterest
            .exchange(flow.environment, app, &code, &flow.redirect_uri, given_at)
            .await
            .map_err(|error| denied(&error))?;
        let account = self
            .pinterest
            .user_account(flow.environment, &granted.tokens.access)
            .await
            .map_err(|error| denied(&error))?;

        let ticket = Ticket::new(self.random.secret());
        let hash = text::sha256(ticket.expose());
        let keep = async {
            let pair = self.vault.seal(&granted.tokens, Place { row: &hash, version: 0 }).await?;
            let pending = Pending {
                tenant: flow.tenant.clone(),
                user: flow.user.clone(),
                environment: flow.environment,
                account,
                scopes: granted.scopes,
                given_at,
                access_expires_at: granted.lifetimes.access_expires_at,
                refresh_expires_at: granted.lifetimes.refresh_expires_at,
                pair: Some(pair),
                claimed: None,
                expires_at: (given_at + UNCLAIMED).as_second(),
            };
            self.tokens.keep(&hash, pending).await?;
            Ok(())
        };
        keep.await.map_err(|error| internal(&error))?;
        Ok(ticket)
    }
}

fn denied(error: &pinterest::Error) -> Denied {
    match error {
        pinterest::Error::Refused { refusal: Refusal::Scope, .. } => Denied::InvalidScope,
        pinterest::Error::Refused { refusal: Refusal::Quota { .. }, .. } => Denied::PinterestUnreachable,
        pinterest::Error::Refused { answer, .. } => {
            tracing::warn!(
                http.status = answer.http_status,
                pinterest.code = answer.pinterest_code,
                pinterest.request_id = answer.request_id,
                "Pinterest refused to connect an account"
            );
            Denied::CodeRefused
        }
        _ => {
            tracing::warn!(error = %chain(error), "an account could not be connected");
            Denied::PinterestUnreachable
        }
    }
}

fn internal(error: &Error) -> Denied {
    tracing::error!(error = %chain(error), "an account could not be connected");
    Denied::Internal
}

impl Answer for OauthCallback {
    fn site(&self) -> &Site {
        &self.site
    }

    async fn prepare(&self) -> Result<()> {
        // One after the other: two questions at once to Secrets Manager would be two handshakes.
        let secrets = async {
            self.vault.sealer().await?;
            let settings = self.secret.effective().await?;
            self.pinterest.connect(settings.environment.0).await?;
            Ok::<_, Error>(())
        };
        // A flow that nobody began: all that this function may ask of the table is to take one.
        let (secrets, flow) = join!(secrets, self.main.take(""));
        flow?;
        secrets
    }

    async fn answer(&self, call: Call) -> Result<Response<lambda_http::Body>> {
        match call.operation {
            Operation::OAuthCallback => self.back(&call).await,
            _ => Err(Error::NotFound("address")),
        }
    }
}
