//! `analytics`: the numbers of accounts and their Pins. They are read from Pinterest each time, because they must not be
//! stored.

mod query;
mod view;

use delivery::Sessions;
use domain::{Environment, PinId, Refusal, State, TenantId, WrongState, failures};
use edge::{ApiRequest, Body, Handler, Response, SiteConfig, body_text, not_found, ok_text};
use jiff::Timestamp;
use platform::Clock;

pub(crate) use self::query::{DEFAULT_TOP_PINS, MAX_TOP_PINS};
use self::query::{Query, QueryKind};
pub use self::view::{ChannelAnalyticsView, PinAnalyticsView, PinMetricsView, TopPinsView};
use super::recent_answers::RecentAnswers;
use crate::{
    error::{Error, Result},
    limits::TenantLimits,
    operations::AnalyticsOperation,
    parameters::CURSOR,
    setup::Setup,
};

/// What `analytics` may use.
#[derive(Debug)]
pub struct Analytics {
    sessions: Sessions,
    limits: TenantLimits,
    cache: RecentAnswers<Query>,
    site: SiteConfig,
    clock: Clock,
}

impl Analytics {
    #[must_use]
    pub fn new(sessions: Sessions, setup: &Setup) -> Self {
        let limits = TenantLimits::new(sessions.main.clone(), setup);
        let (site, clock) = (setup.site(), setup.clock.clone());
        Self { sessions, limits, cache: RecentAnswers::default(), site, clock }
    }

    /// Reads the query and, if it is about a Pin, the Pin's id at Pinterest.
    async fn query(
        &self,
        operation: AnalyticsOperation,
        request: &ApiRequest,
        tenant: &TenantId,
        now: Timestamp,
    ) -> Result<Query> {
        match operation {
            AnalyticsOperation::Channel => Query::channel(request, now),
            AnalyticsOperation::TopPins => Query::top_pins(request, now),
            AnalyticsOperation::PinMetrics => Query::pins(request),
            AnalyticsOperation::Pin => {
                let id: PinId = request.id("Pin")?;
                let pin = self.sessions.main.pin(tenant, &id).await?;
                let pin = pin.ok_or_else(|| not_found::<Error>("Pin"))?;
                let State::Published { pinterest_pin_id, .. } = &pin.state else {
                    let detail = format!("the Pin is {}, so nobody has seen it yet", pin.state.name());
                    return Err(WrongState { detail, fix: "Ask again once it is published." }.into());
                };
                Query::pin(request, now, &pin, pinterest_pin_id)
            }
        }
    }

    /// Pinterest's answer as JSON, which may be a few minutes old.
    ///
    /// The channel is read each time, so that the answer goes only to the tenant that has the channel now.
    async fn read(&self, tenant: &TenantId, query: Query, now: Timestamp) -> Result<String> {
        let (channel, token) = self.sessions.read_channel(tenant, &query.channel).await?;
        if channel.environment == Environment::Sandbox {
            return Err(Error::NotInSandbox);
        }
        if let Some(scope) = query.scopes().iter().find(|scope| !channel.scopes.contains(scope)) {
            return Err(Error::refused(failures::missing_scope(scope)));
        }
        if let Some(cached) = self.cache.get(&query, now) {
            return Ok(cached);
        }
        self.limits.use_pinterest_calls(tenant, 1).await?;
        let session = self.sessions.open(channel, &token).await?;
        let ((channel, access), sessions) = (session.credentials()?, &self.sessions);
        let (on, pinterest) = (channel.environment, &sessions.pinterest);
        let answer = match &query.kind {
            QueryKind::Channel(wanted) => {
                let report = pinterest.account_analytics(on, access, wanted.period, &wanted.metrics).await;
                let report = sessions.checked(report, &session).await.map_err(refusal)?;
                body_text(&ChannelAnalyticsView::new(&channel.id, wanted, &report, now))?
            }
            QueryKind::Pin { id, remote, wanted } => {
                let report =
                    pinterest.pin_analytics(on, access, remote, wanted.period, &wanted.metrics).await;
                let report = sessions.checked(report, &session).await.map_err(refusal)?;
                body_text(&PinAnalyticsView::new(id, remote, &channel.id, wanted, &report, now))?
            }
            QueryKind::TopPins { wanted, sort_by, limit } => {
                let (period, metrics) = (wanted.period, &wanted.metrics);
                let top = pinterest.top_pins(on, access, period, metrics, sort_by, *limit).await;
                let top = sessions.checked(top, &session).await.map_err(refusal)?;
                let remotes = top.pins.iter().map(|pin| pin.id.clone()).collect();
                let owners = sessions.main.owners_of(tenant, on, &remotes).await?;
                body_text(&TopPinsView::new(&channel.id, wanted, sort_by, &top, &owners, now))?
            }
            QueryKind::Pins { cursor, limit } => {
                let page = pinterest.pin_totals(on, access, *limit, cursor.as_deref()).await;
                let page = sessions.checked(page, &session).await;
                let page = page.map_err(|error| cursor_refusal(cursor.as_deref(), error))?;
                let remotes = page.items.iter().map(|pin| pin.id.clone()).collect();
                let owners = sessions.main.owners_of(tenant, on, &remotes).await?;
                body_text(&PinMetricsView::new(&channel.id, page, &owners, now))?
            }
        };
        self.cache.insert(query, answer.clone(), now);
        Ok(answer)
    }
}

/// A refusal that only analytics have. Pinterest documents 403 for an account that may not read analytics, and does not
/// document if personal accounts may; code 7 means the same.
fn refusal(error: delivery::Error) -> Error {
    let delivery::Error::Pinterest(pinterest::Error::Refused { refusal, response }) = &error else {
        return error.into();
    };
    let status = (response.http_status, response.pinterest_code);
    match (refusal, status) {
        (Refusal::Scope | Refusal::NotPermitted | Refusal::Other, (Some(403), _) | (_, Some(7))) => {
            Error::refused(failures::no_analytics(response.message.as_deref().unwrap_or("no reason given")))
        }
        (Refusal::Scope | Refusal::NotPermitted, _) => Error::refused(failures::analytics_scope()),
        (Refusal::Other, (Some(404), _)) => Error::refused(failures::pin_gone()),
        _ => error.into(),
    }
}

/// A cursor that Pinterest does not accept. It documents no code for that.
fn cursor_refusal(cursor: Option<&str>, error: delivery::Error) -> Error {
    match &error {
        delivery::Error::Pinterest(pinterest::Error::Refused { refusal: Refusal::Other, response })
            if cursor.is_some() && response.http_status == Some(400) =>
        {
            let fix = "Use `next` of the page before, or leave it out to begin again.";
            CURSOR.wrong("leads to no page", fix).into()
        }
        _ => refusal(error),
    }
}

impl Handler for Analytics {
    type Operation = AnalyticsOperation;
    type Error = Error;

    fn site(&self) -> &SiteConfig {
        &self.site
    }

    async fn first_tenant_claim(&self) -> Result<Option<&str>> {
        Ok(self.sessions.main.first_tenant_claim(self.clock.now()).await?)
    }

    async fn prepare(&self) -> Result<()> {
        Ok(self.sessions.prepare().await?)
    }

    async fn handle(&self, operation: AnalyticsOperation, request: ApiRequest) -> Result<Response<Body>> {
        let (tenant, now) = (&request.caller()?.tenant, self.clock.now());
        let query = self.query(operation, &request, tenant, now).await?;
        Ok(ok_text(self.read(tenant, query, now).await?))
    }
}
