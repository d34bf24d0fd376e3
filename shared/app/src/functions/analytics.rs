//! `analytics`: how accounts and their Pins do. Pinterest is asked each time: nobody may keep its numbers.

mod kept;
mod question;
mod view;

use domain::{Environment, PinId, Refusal, State, TenantId, WrongState, words};
use jiff::Timestamp;

pub(crate) use self::question::TOP_PINS;
pub use self::view::{ChannelAnalyticsView, PinAnalyticsView, PinMetricsView, TopPinsView};
use self::{
    kept::Kept,
    question::{About, Question},
};
use super::accounts::Accounts;
use crate::{
    error::{Error, Result},
    http::{self, Answer, Call, Response, Site},
    parameters::CURSOR,
    routes::Operation,
    setup::Setup,
    store::{MainTable, TokensTable},
    vault::Vault,
};

/// What `analytics` may touch.
#[derive(Debug)]
pub struct Analytics {
    accounts: Accounts,
    kept: Kept,
    site: Site,
}

impl Analytics {
    /// Of its parts.
    #[must_use]
    pub fn new(
        vault: Vault,
        main: MainTable,
        tokens: TokensTable,
        pinterest: pinterest::Client,
        setup: &Setup,
    ) -> Self {
        let accounts = Accounts { vault, main, tokens, pinterest, clock: setup.clock.clone() };
        Self { accounts, kept: Kept::default(), site: setup.site() }
    }

    /// Reads the question, and for one about a Pin, what Pinterest calls the Pin.
    async fn question(&self, call: &Call, tenant: &TenantId, now: Timestamp) -> Result<Question> {
        match call.operation {
            Operation::ChannelAnalytics => Question::of_channel(call, now),
            Operation::TopPins => Question::of_top_pins(call, now),
            Operation::PinMetrics => Question::of_pins(call),
            Operation::PinAnalytics => {
                let id: PinId = call.id("Pin")?;
                let pin = self.accounts.main.pin(tenant, &id).await?.ok_or(Error::NotFound("Pin"))?;
                let State::Published { pinterest_pin_id, .. } = &pin.state else {
                    let detail = format!("the Pin is {}, so nobody has seen it yet", pin.state.name());
                    return Err(WrongState { detail, fix: "Ask again once it is published." }.into());
                };
                Question::of_pin(call, now, &pin, pinterest_pin_id)
            }
            _ => Err(Error::NotFound("address")),
        }
    }

    /// Pinterest's answer as JSON, which may be a few minutes old.
    ///
    /// The channel is read each time: nobody is told what was answered about a channel that is not theirs, or that is
    /// gone by now.
    async fn told(&self, tenant: &TenantId, question: Question, now: Timestamp) -> Result<String> {
        let (channel, token) = self.accounts.read(tenant, &question.channel).await?;
        if channel.environment == Environment::Sandbox {
            return Err(Error::NotInSandbox);
        }
        if let Some(scope) = question.scopes().iter().find(|scope| !channel.scopes.contains(scope)) {
            return Err(Error::refused(words::missing_scope(scope)));
        }
        if let Some(kept) = self.kept.recall(&question, now) {
            return Ok(kept);
        }
        let access = self.accounts.access(&channel, &token).await?;
        let (on, pinterest) = (channel.environment, &self.accounts.pinterest);
        let answer = match &question.about {
            About::Channel(days) => {
                let report = pinterest.account_analytics(on, &access, days.period, &days.metrics).await;
                let report = self.accounts.asked(report, &token).await.map_err(refusal)?;
                http::text(&ChannelAnalyticsView::of(&channel.id, days, &report, now))?
            }
            About::Pin { id, remote, days } => {
                let report = pinterest.pin_analytics(on, &access, remote, days.period, &days.metrics).await;
                let report = self.accounts.asked(report, &token).await.map_err(refusal)?;
                http::text(&PinAnalyticsView::of(id, remote, &channel.id, days, &report, now))?
            }
            About::TopPins { days, sort_by, most } => {
                let (period, metrics) = (days.period, &days.metrics);
                let top = pinterest.top_pins(on, &access, period, metrics, sort_by, *most).await;
                let top = self.accounts.asked(top, &token).await.map_err(refusal)?;
                let theirs = top.pins.iter().map(|pin| pin.id.clone()).collect();
                let owners = self.accounts.main.owners(tenant, on, &theirs).await?;
                http::text(&TopPinsView::of(&channel.id, days, sort_by, &top, &owners, now))?
            }
            About::Pins { cursor, limit } => {
                let page = pinterest.pin_totals(on, &access, *limit, cursor.as_deref()).await;
                let page = self.accounts.asked(page, &token).await;
                let page = page.map_err(|error| of_cursor(cursor.as_deref(), error)).map_err(refusal)?;
                let theirs = page.items.iter().map(|pin| pin.id.clone()).collect();
                let owners = self.accounts.main.owners(tenant, on, &theirs).await?;
                http::text(&PinMetricsView::of(&channel.id, page, &owners, now))?
            }
        };
        self.kept.keep(question, answer.clone(), now);
        Ok(answer)
    }
}

/// What Pinterest refuses only when it is asked for numbers. It documents 403 for an account that may not see them,
/// and does not say whether personal accounts may; code 7 is the same in other words.
fn refusal(error: Error) -> Error {
    let Error::Pinterest(pinterest::Error::Refused { refusal, answer }) = &error else {
        return error;
    };
    let status = (answer.http_status, answer.pinterest_code);
    match (refusal, status) {
        (Refusal::Scope | Refusal::Other, (Some(403), _) | (_, Some(7))) => {
            Error::refused(words::no_analytics(answer.message.as_deref().unwrap_or("no reason given")))
        }
        (Refusal::Scope, _) => Error::refused(words::scope_of_numbers()),
        (Refusal::Other, (Some(404), _)) => Error::refused(words::pin_gone()),
        _ => error,
    }
}

/// A page that Pinterest cannot make sense of the beginning of. It documents no code for that.
fn of_cursor(cursor: Option<&str>, error: Error) -> Error {
    match &error {
        Error::Pinterest(pinterest::Error::Refused { refusal: Refusal::Other, answer })
            if cursor.is_some() && answer.http_status == Some(400) =>
        {
            let fix = "Use `next` of the page before, or leave it out to begin again.";
            CURSOR.wrong("leads to no page", fix).into()
        }
        _ => error,
    }
}

impl Answer for Analytics {
    fn site(&self) -> &Site {
        &self.site
    }

    async fn prepare(&self) -> Result<()> {
        self.accounts.prepare().await
    }

    async fn answer(&self, call: Call) -> Result<Response<lambda_http::Body>> {
        let (tenant, now) = (&call.caller()?.tenant, self.accounts.clock.now());
        let question = self.question(&call, tenant, now).await?;
        Ok(http::ok_text(self.told(tenant, question, now).await?))
    }
}
