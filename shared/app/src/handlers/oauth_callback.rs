//! `oauth-callback`: the owner has answered. The tokens are stored, unclaimed, until the user who started claims them with
//! the ticket.
//!
//! Browsers and link scanners sometimes send the request twice. The code works once, so one request exchanges it, and all
//! requests with the same code get the same redirect: only the user who started can claim the connection.

use adapters::{Binding, SettingsSecret, Vault};
use domain::{AuthorizationCode, Refusal, Ticket};
use edge::{ApiRequest, Body, Handler, Response, SiteConfig, no_content, redirect};
use jiff::SignedDuration;
use platform::{Clock, Random, chain, encoding};
use store::{MainTable, OAuthFlow, PendingConnection, ReturnedFlow, TokensTable};
use tokio::{
    join,
    time::{Duration, Instant, sleep},
};

use crate::{
    error::{Error, Result},
    operations::CallbackOperation,
    setup::Setup,
};

/// How long a ticket is valid: a connection has to be claimed within this time.
const TICKET_TTL: SignedDuration = SignedDuration::from_mins(15);
/// How long a second request waits for the result of the first: API Gateway waits 30 seconds.
const MAX_OUTCOME_WAIT: Duration = Duration::from_secs(25);
/// How often it checks for that result.
const OUTCOME_POLL: Duration = Duration::from_millis(200);
/// The result of a flow, unless it is an error.
const CONNECTED: &str = "connected";

/// Why the flow created no connection: the code after `#error=` for the frontend.
#[derive(Clone, Copy, Debug)]
enum Denied {
    /// The state is unknown, used or older than ten minutes.
    StateInvalid,
    /// The owner denied access.
    OwnerRefused,
    /// An admin has switched the integration off, or removed its credentials.
    IntegrationDisabled,
    /// 401 code 3: the app may not do this yet, or the owner granted too little to read the account.
    InvalidScope,
    /// Pinterest refuses the redirect URI, App ID, App Secret or the code.
    CodeRefused,
    /// Pinterest issued tokens, but refuses to return their account.
    AccountRefused,
    /// Pinterest's rate limit is used up.
    RateLimited,
    /// Pinterest did not answer, or failed.
    PinterestUnreachable,
    /// Pinterest's answer has an unknown form.
    PinterestUnreadable,
    /// An error of the stack.
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
            Self::AccountRefused => "account_refused",
            Self::RateLimited => "pinterest_rate_limited",
            Self::PinterestUnreachable => "pinterest_unreachable",
            Self::PinterestUnreadable => "pinterest_unreadable",
            Self::Internal => "internal",
        }
    }
}

/// What `oauth-callback` may use.
#[derive(Debug)]
pub struct OauthCallback {
    secret: SettingsSecret,
    vault: Vault,
    main: MainTable,
    tokens: TokensTable,
    pinterest: pinterest::Client,
    site: SiteConfig,
    clock: Clock,
    random: Random,
}

impl OauthCallback {
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

    /// Takes the flow of the state, and sends the browser back with a ticket or a reason.
    async fn finish(&self, request: &ApiRequest) -> Result<Response<Body>> {
        if is_speculative(request) {
            return Ok(no_content());
        }
        let (state, code) = (request.query("state"), request.query("code").unwrap_or_default());
        let returned = match state {
            Some(state) => self.take_flow(state, code).await?,
            None => None,
        };
        let is_valid = |returned: &ReturnedFlow| returned.flow().expires_at > self.clock.now().as_second();
        let Some(returned) = returned.filter(is_valid) else {
            let to = self.site.fallback_url(&request.base_url);
            // Pinterest does not guarantee to send the state back with a refusal.
            let denied = match (request.query("error"), request.query("state")) {
                (Some(_), None) => Denied::OwnerRefused,
                _ => Denied::StateInvalid,
            };
            return Ok(redirect(&format!("{to}#error={}", denied.code()))?);
        };
        let ticket = ticket(state.unwrap_or_default(), code);
        let (flow, outcome) = match returned {
            ReturnedFlow::First(flow) => {
                let outcome = match self.connect(request, &flow, &ticket).await {
                    Ok(()) => CONNECTED,
                    Err(denied) => denied.code(),
                };
                self.save_outcome(state.unwrap_or_default(), outcome).await;
                (flow, outcome.to_owned())
            }
            ReturnedFlow::Again(flow, outcome) => {
                let nobody_knows = || Denied::StateInvalid.code().to_owned();
                (flow, outcome.unwrap_or_else(nobody_knows))
            }
        };
        let fragment = match outcome.as_str() {
            CONNECTED => format!("connection={}", ticket.expose()),
            denied => format!("error={denied}"),
        };
        Ok(redirect(&format!("{}#{fragment}", flow.return_to))?)
    }

    /// Takes the flow of the state. If another request with this code has taken it, waits for its result.
    async fn take_flow(&self, state: &str, code: &str) -> Result<Option<ReturnedFlow>> {
        let (state, code, id) = (encoding::sha256(state), encoding::sha256(code), self.random.hex_id());
        let give_up_at = Instant::now() + MAX_OUTCOME_WAIT;
        loop {
            let returned = self.main.take_oauth_flow(&state, &code, &id).await?;
            let is_open = matches!(returned, Some(ReturnedFlow::Again(_, None)));
            if !is_open || Instant::now() >= give_up_at {
                return Ok(returned);
            }
            sleep(OUTCOME_POLL).await;
        }
    }

    /// If this write fails, only a repeated request is affected.
    async fn save_outcome(&self, state: &str, outcome: &str) {
        if let Err(error) = self.main.save_flow_outcome(&encoding::sha256(state), outcome).await {
            tracing::warn!(error = %chain(&error), "what came of a flow could not be saved");
        }
    }

    /// Exchanges the code once, reads the account, and stores the sealed tokens.
    async fn connect(&self, request: &ApiRequest, flow: &OAuthFlow, ticket: &Ticket) -> Result<(), Denied> {
        // Pinterest does not document the form of a denial: an error, or simply no code.
        let code = match (request.query("error"), request.query("code")) {
            (None, Some(code)) => AuthorizationCode::new(code.to_owned()),
            _ => return Err(Denied::OwnerRefused),
        };
        let settings = self.secret.resolved().await.map_err(|error| internal(&error.into()))?;
        settings.public(0).active().map_err(|_| Denied::IntegrationDisabled)?;
        let (Some(id), Some(secret)) = (&settings.app_id.value, &settings.app_secret.value) else {
            return Err(Denied::IntegrationDisabled);
        };
        let app = pinterest::App { id, secret };

        let issued_at = self.clock.now();
        let granted = self
            .pinterest
            .exchange(flow.environment, app, &code, &flow.redirect_uri, issued_at)
            .await
            .map_err(|error| denied(&error, Denied::CodeRefused))?;
        let account = self
            .pinterest
            .user_account(flow.environment, &granted.tokens.access)
            .await
            .map_err(|error| denied(&error, Denied::AccountRefused))?;

        let hash = encoding::sha256(ticket.expose());
        let saved = async {
            let pair = self.vault.seal(&granted.tokens, Binding { row: &hash, version: 0 }).await?;
            let pending = PendingConnection {
                tenant: flow.tenant.clone(),
                user: flow.user.clone(),
                environment: flow.environment,
                account,
                scopes: granted.scopes,
                issued_at,
                access_expires_at: granted.lifetimes.access_expires_at,
                refresh_expires_at: granted.lifetimes.refresh_expires_at,
                pair: Some(pair),
                claimed: None,
                expires_at: (issued_at + TICKET_TTL).as_second(),
            };
            self.tokens.save_pending_connection(&hash, pending).await?;
            Ok(())
        };
        saved.await.map_err(|error| internal(&error))
    }
}

/// The ticket of a connection. It is derived from the state and the code, so a repeated request gets the same ticket, and
/// nobody else can know it.
fn ticket(state: &str, code: &str) -> Ticket {
    Ticket::new(encoding::sha256(format!("ticket|{state}|{code}")))
}

/// Whether this is only a prefetch or a link preview: it must not use up the code, which works once. The person's own
/// request follows (<https://wicg.github.io/nav-speculation/prefetch.html#sec-purpose-header>).
fn is_speculative(request: &ApiRequest) -> bool {
    ["sec-purpose", "purpose", "x-purpose", "x-moz"].iter().any(|name| {
        let purpose = request.header(name).and_then(Result::ok).unwrap_or_default().to_ascii_lowercase();
        ["prefetch", "prerender", "preview"].iter().any(|word| purpose.contains(word))
    })
}

/// The reason for the browser why there is no connection. The log has Pinterest's own message. `refused`: the meaning of a
/// refusal.
fn denied(error: &pinterest::Error, refused: Denied) -> Denied {
    let denied = match error {
        pinterest::Error::Refused { refusal: Refusal::Scope | Refusal::NotPermitted, .. } => {
            Denied::InvalidScope
        }
        pinterest::Error::Refused { refusal: Refusal::Quota { .. }, .. } => Denied::RateLimited,
        pinterest::Error::Refused { .. } => refused,
        _ if error.is_unreadable() => Denied::PinterestUnreadable,
        _ => Denied::PinterestUnreachable,
    };
    tracing::warn!(error = %chain(error), reason = denied.code(), "an account could not be connected");
    denied
}

fn internal(error: &Error) -> Denied {
    tracing::error!(error = %chain(error), "an account could not be connected");
    Denied::Internal
}

impl Handler for OauthCallback {
    type Operation = CallbackOperation;
    type Error = Error;

    fn site(&self) -> &SiteConfig {
        &self.site
    }

    async fn prepare(&self) -> Result<()> {
        // One after the other: two parallel calls to Secrets Manager would need two handshakes.
        let secrets = async {
            self.vault.sealer().await?;
            let settings = self.secret.resolved().await?;
            self.pinterest.connect(settings.environment.value).await?;
            Ok::<_, Error>(())
        };
        // Takes a flow that does not exist: taking a flow is all that this function may do with the table.
        let (secrets, flow) = join!(secrets, self.main.take_oauth_flow("", "", ""));
        flow?;
        secrets
    }

    async fn handle(&self, operation: CallbackOperation, request: ApiRequest) -> Result<Response<Body>> {
        match operation {
            CallbackOperation::Callback => self.finish(&request).await,
        }
    }
}
