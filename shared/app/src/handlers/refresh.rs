//! `refresh`: every minute, refreshes the tokens that are due; every day, checks all that are about to expire.
//!
//! Ticks and workers are those of [`super::due`]; the pace is a setting.

mod channel;
mod daily;

use std::{
    collections::{BTreeSet, HashMap},
    num::{NonZeroU32, NonZeroUsize},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use adapters::{SettingsSecret, Vault, Workers};
use domain::{
    AppSecret, ResolvedSettings,
    refresh::{Decide, decide},
};
use futures_util::{FutureExt as _, future::BoxFuture};
use jiff::Timestamp;
use platform::{Clock, Random, chain, encoding};
use serde_json::{Value, json};
use store::{DueItem, DueItemKind, DueOf, Heartbeat, MainTable, TokensTable, VerifiedSecret};
use tokio::time::{Duration, Instant};

use self::channel::Refreshed;
use super::due::{self, DueWork, Hold, Lease, Rules, Sizes, Turn, Work, postpone, warn_about_rest};
use crate::{error::Result, setup::Setup};

/// How many channels one worker refreshes at once, unless `REFRESH_AT_ONCE` says otherwise.
const DEFAULT_PARALLEL_CHANNELS: usize = 8;
/// How many channels are refreshed in a minute, unless `REFRESHES_PER_MINUTE` says otherwise: a million in seventeen hours.
const DEFAULT_PACE: u32 = 1000;
/// How many refreshes a minute one worker can do, if Pinterest answers within a second.
const PACE_OF_A_WORKER: u32 = 480;
/// How many entries of each partition are read at once.
const PAGE_ENTRIES: usize = 256;
/// The most waiting entries in a worker: more than it can process in an invocation at its pace.
const MAX_WAITING: usize = 4000;
/// The most waiting entries of one tenant, so that entries of other tenants that are later in the index are read too.
const MAX_OF_TENANT: usize = 2000;
/// How long App ID and App Secret are cached. An old secret only delays a refresh.
const MAX_SECRET_AGE: Duration = Duration::from_mins(10);
/// The time that must be left of the invocation to start a channel: for several calls, and for the save.
const MIN_TIME_LEFT: Duration = Duration::from_mins(2);

/// The `job` of the daily rule's event.
const DAILY_CHECK: &str = "daily_check";
/// The `job` of the event that a worker is started with.
const REFRESH: &str = "refresh";

/// What wakes the function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefreshJob {
    /// Every minute: what is due.
    Tick,
    /// A tick has started this worker for some partitions.
    Partitions(BTreeSet<u32>),
    /// Every day: warnings, and what is overdue.
    DailyCheck,
}

impl RefreshJob {
    /// The daily rule sends `{"job":"daily_check"}`, a tick `{"job":"refresh","partitions":[…]}`; anything else is a
    /// minute.
    #[must_use]
    pub fn from_event(event: &Value) -> Self {
        if event["job"] == DAILY_CHECK {
            return Self::DailyCheck;
        }
        due::partitions_of(event).map_or(Self::Tick, Self::Partitions)
    }

    /// Whether a tick of `refresh` has started a worker with this event. `deliver` starts its own with others.
    #[must_use]
    pub fn is_of(event: &Value) -> bool {
        event["job"] == REFRESH
    }
}

/// What `refresh` may use.
#[derive(Debug)]
pub struct Refresh {
    secret: SettingsSecret,
    vault: Vault,
    main: MainTable,
    tokens: TokensTable,
    workers: Workers,
    pinterest: pinterest::Client,
    rules: Rules,
    clock: Clock,
    random: Random,
    /// The claim that names tenants, which is noted for the functions that answer them.
    tenant_claim: String,
    /// The protocol: an argument, so that tests can break it.
    pub decide: Decide,
}

/// App ID and App Secret of this tick, and when Pinterest last accepted the secret.
struct AppCredentials {
    id: String,
    secret: AppSecret,
    fingerprint: String,
    verified_at: Option<Timestamp>,
}

/// One invocation that refreshes.
struct Refresher<'a> {
    refresh: &'a Refresh,
    app: AppCredentials,
    verified: Mutex<Option<VerifiedSecret>>,
    /// Pinterest has said that it was asked too often.
    is_limited: AtomicBool,
}

impl Refresh {
    #[must_use]
    pub fn new(
        secret: SettingsSecret,
        vault: Vault,
        main: MainTable,
        tokens: TokensTable,
        workers: Workers,
        pinterest: pinterest::Client,
        setup: &Setup,
    ) -> Self {
        let pace = setup.refreshes_per_minute().map_or(DEFAULT_PACE, NonZeroU32::get);
        let most = usize::try_from(pace.div_ceil(PACE_OF_A_WORKER)).unwrap_or(usize::MAX);
        let rules = Rules {
            sizes: Sizes {
                entries_per_worker: setup.entries_per_worker,
                max_workers: setup.max_workers().unwrap_or(usize::MAX).min(most),
            },
            look_entries: PAGE_ENTRIES,
            page_entries: PAGE_ENTRIES,
            lanes: setup.refresh_at_once().map_or(DEFAULT_PARALLEL_CHANNELS, NonZeroUsize::get),
            per_minute: NonZeroU32::new(pace),
            max_waiting: MAX_WAITING,
            max_of_tenant: MAX_OF_TENANT,
            min_time_left: MIN_TIME_LEFT,
        };
        Self {
            secret,
            vault,
            main,
            tokens,
            workers,
            pinterest,
            rules,
            clock: setup.clock.clone(),
            random: setup.random.clone(),
            tenant_claim: setup.site().tenant_claim().to_owned(),
            decide,
        }
    }

    /// One invocation.
    pub async fn run(&self, job: RefreshJob, deadline: Instant) -> Result<()> {
        match job {
            RefreshJob::Tick => self.tick(deadline).await,
            RefreshJob::Partitions(partitions) => match self.load_credentials().await? {
                Some(app) => self.due().work_on(&partitions, &self.refresher(app), deadline).await,
                None => Ok(()),
            },
            RefreshJob::DailyCheck => self.daily_check(deadline).await,
        }
    }

    /// Looks at what is due, starts as many workers as there is work for, and refreshes a share of it.
    async fn tick(&self, deadline: Instant) -> Result<()> {
        let look = self.due().look().await?;
        // Read only if something is due: an idle minute asks Secrets Manager nothing.
        let app = if look.oldest().is_some() { self.load_credentials().await? } else { None };
        let Some(app) = app else {
            let now = self.clock.now();
            warn_about_rest(look.oldest(), now);
            let heartbeat = Heartbeat::Refresh(look.oldest(), None);
            self.main.record_heartbeat(&heartbeat, &self.tenant_claim, now).await?;
            return Ok(());
        };
        let event = |partitions: &BTreeSet<u32>| json!({ "job": REFRESH, "partitions": partitions });
        self.due().share(look, &self.refresher(app), event, deadline).await
    }

    fn due(&self) -> DueWork<'_> {
        let Self { main, tokens, workers, clock, random, rules, .. } = self;
        DueWork { index: tokens.due_index(), of: DueOf::Tokens, main, workers, clock, random, rules: *rules }
    }

    fn refresher(&self, app: AppCredentials) -> Refresher<'_> {
        Refresher { refresh: self, app, verified: Mutex::default(), is_limited: AtomicBool::default() }
    }

    /// App ID and App Secret, if the integration has them. Tokens are refreshed even when it is switched off. Otherwise all
    /// channels would be lost when it is switched on again.
    async fn load_credentials(&self) -> Result<Option<AppCredentials>> {
        let settings = self.secret.resolved_within(MAX_SECRET_AGE).await?;
        let ResolvedSettings { app_id, app_secret, .. } = settings.as_ref();
        let (Some(id), Some(secret)) = (&app_id.value, &app_secret.value) else {
            return Ok(None);
        };
        let fingerprint = encoding::sha256(format!("pinwright|{id}|{}", secret.expose()))[..16].to_owned();
        let verified = self.main.worker_status().await?.verified_secret;
        let verified = verified.filter(|verified| verified.fingerprint == fingerprint);
        let verified_at = verified.map(|verified| verified.at);
        Ok(Some(AppCredentials { id: id.clone(), secret: secret.clone(), fingerprint, verified_at }))
    }
}

impl Work for Refresher<'_> {
    /// Older versions have named no tenant: the row does.
    fn resolve<'a>(&'a self, items: Vec<DueItem>, _: &'a Lease<'_>) -> BoxFuture<'a, Vec<DueItem>> {
        self.name_tenants(items).boxed()
    }

    /// Boxed: the SDK's futures are deep, and there are as many of these as lanes.
    fn take<'a>(&'a self, turn: Turn, hold: &'a Hold<'_>) -> BoxFuture<'a, Vec<DueItem>> {
        self.refresh_turn(turn, hold).boxed()
    }

    /// After a limit, the next tick asks again, and little by little.
    fn goes_on(&self) -> bool {
        !self.is_limited.load(Relaxed)
    }

    fn heartbeat(&self, oldest: Option<Timestamp>) -> Heartbeat {
        Heartbeat::Refresh(oldest, self.verified.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl Refresher<'_> {
    async fn name_tenants(&self, items: Vec<DueItem>) -> Vec<DueItem> {
        let (mut known, unknown): (Vec<_>, Vec<_>) =
            items.into_iter().partition(|item| item.tenant().is_some());
        if unknown.is_empty() {
            return known;
        }
        let Refresh { tokens, clock, .. } = self.refresh;
        let channels: Vec<_> = unknown.iter().filter_map(|item| item.channel.clone()).collect();
        let rows = tokens.tokens(&channels).await.unwrap_or_else(|error| {
            tracing::error!(error = %chain(&error), "tokens that are due could not be read");
            Vec::new()
        });
        let mut rows: HashMap<_, _> = rows.into_iter().collect();
        for item in unknown {
            match item.channel.as_ref().and_then(|channel| rows.remove_entry(channel)) {
                Some((channel, Ok(row))) => {
                    let kind = DueItemKind::Token(Some(row.state.tenant.clone()), channel);
                    known.push(DueItem { kind, ..item });
                }
                Some((_, Err(error))) => {
                    postpone(tokens.due_index(), &item, clock.now(), &error).await;
                }
                None => {} // removed: the index is behind
            }
        }
        known
    }

    /// Refreshes the channel of a turn, and returns what has to come again. An entry that fails is postponed.
    async fn refresh_turn(&self, turn: Turn, hold: &Hold<'_>) -> Vec<DueItem> {
        let Refresh { tokens, clock, .. } = self.refresh;
        let mut left = Vec::new();
        for item in turn.items {
            match self.refresh_channel(&item, hold).await {
                Ok(Refreshed::Done) => {
                    let fingerprint = self.app.fingerprint.clone();
                    let verified = VerifiedSecret { fingerprint, at: clock.now() };
                    *self.verified.lock().unwrap_or_else(PoisonError::into_inner) = Some(verified);
                }
                Ok(Refreshed::Not) => {}
                Ok(Refreshed::Later) => left.push(item),
                Err(error) => {
                    postpone(tokens.due_index(), &item, clock.now(), &error).await;
                }
            }
        }
        left
    }
}
