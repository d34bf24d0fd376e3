//! What all parts of a run share.

use std::sync::{
    Arc, Mutex, OnceLock,
    atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

use app::{Clock, Random, Setup, Variables, Vault, Wires, media};
use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::Notify,
    time::{Duration, Instant},
};

use crate::{
    aws::{self, Tables},
    dice::Dice,
    history::History,
    lambda::{Blow, Deed, Invocation, Moment, When},
    mutants::Mutant,
    pinterest::{self, Model},
    plan::{Plan, Trouble},
    rules::Rules,
};

pub(crate) const APP_ID: &str = "1500000";
pub(crate) const APP_SECRET: &str = "the-app-secret";
/// A run has some twenty rows: with sixteen partitions nearly all queries would find nothing.
const DUE_SHARDS: u32 = 2;
const RING: &str = r#"{"current":"k1","k1":"0123456789abcdef0123456789abcdef"}"#;
/// So much work is none any more: something goes round in circles.
const MOST_CALLS: u64 = 400_000;

/// A run.
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) mutant: Option<Mutant>,
    pub(crate) plan: Plan,
    pub(crate) dice: Dice,
    pub(crate) history: History,
    pub(crate) model: Mutex<Model>,
    pub(crate) tables: Tables,
    pub(crate) rules: Mutex<Rules>,
    /// Work has appeared that is due sooner than what was known.
    pub(crate) stirred: Notify,
    /// Nothing goes wrong any more.
    pub(crate) calm: AtomicBool,
    invocations: AtomicU64,
    calls: AtomicU64,
    epoch: Timestamp,
    began: Instant,
    vault: OnceLock<Vault>,
}

impl World {
    pub(crate) fn new(seed: u64, mutant: Option<Mutant>, with_history: bool) -> Arc<Self> {
        let dice = Dice::of(seed);
        let epoch = Timestamp::from_second(1_790_000_000).unwrap();
        let plan = Plan::of(&dice, epoch, mutant.map(|mutant| mutant.storm));
        let world = Self {
            seed,
            mutant,
            model: Mutex::new(Model::new(&plan, epoch)),
            tables: Tables::new(),
            rules: Mutex::default(),
            plan,
            dice,
            history: History::new(with_history),
            stirred: Notify::new(),
            calm: AtomicBool::new(false),
            invocations: AtomicU64::new(0),
            calls: AtomicU64::new(0),
            epoch,
            began: Instant::now(),
            vault: OnceLock::new(),
        };
        world.note(|| format!("{:?}", world.plan));
        let world = Arc::new(world);
        let setup = world.setup(&Invocation::idle());
        drop(world.vault.set(setup.vault().unwrap()));
        world
    }

    /// The true time.
    pub(crate) fn now(&self) -> Timestamp {
        self.epoch + SignedDuration::try_from(self.began.elapsed()).unwrap()
    }

    pub(crate) fn epoch(&self) -> Timestamp {
        self.epoch
    }

    pub(crate) fn note(&self, line: impl FnOnce() -> String) {
        self.history.note(self.now(), line);
    }

    /// A rule is broken: the run is over.
    pub(crate) fn broken(&self, rule: &'static str, how: impl FnOnce() -> String) {
        self.rules.lock().unwrap().broken(rule, how);
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.calm.load(Relaxed)
    }

    /// Whether something befalls that does so with this rate, while things go wrong at all.
    pub(crate) fn befalls(&self, rate: f64) -> bool {
        rate > 0.0 && !self.is_calm() && self.dice.happens(rate)
    }

    pub(crate) fn next_invocation(&self) -> u64 {
        self.invocations.fetch_add(1, Relaxed) + 1
    }

    /// Counts a call on a wire.
    pub(crate) fn count(&self) {
        if self.calls.fetch_add(1, Relaxed) == MOST_CALLS {
            self.broken("work comes to an end", || format!("{MOST_CALLS} calls"));
        }
    }

    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Relaxed)
    }

    /// What is to happen to the next invocation.
    pub(crate) fn fate(&self) -> Option<(When, Blow)> {
        if !self.befalls(self.plan.blows) {
            return None;
        }
        let when = if self.dice.happens(if self.mutant.is_some() { 0.2 } else { 0.5 }) {
            let steps = self.dice.span(Duration::from_secs(1), Duration::from_secs(400));
            When::Step(u32::try_from(steps.as_secs()).unwrap())
        } else {
            let moments = [Moment::Before, Moment::Under, Moment::After];
            When::At(self.dice.one_of(self.plan.aims), self.dice.one_of(&moments))
        };
        let blow = if self.dice.happens(0.6) {
            Blow::Kill
        } else {
            Blow::Freeze(self.dice.span(self.plan.freeze, Duration::from_secs(280)))
        };
        // Between the look at the clock and the first byte nothing can be checked any more: a process that
        // stands still there for longer than the last look is the one that no protocol can see.
        let unseen = matches!((when, blow), (When::At(Deed::Send, Moment::Before), Blow::Freeze(_)));
        (!unseen).then_some((when, blow))
    }

    /// What is wrong at Pinterest now.
    pub(crate) fn trouble(&self) -> Option<Trouble> {
        let now = self.now();
        let spell = self.plan.spells.iter().find(|spell| spell.from <= now && now < spell.to)?;
        (!self.is_calm()).then_some(spell.trouble)
    }

    /// Whether our App Secret was taken for a wrong one within a day.
    pub(crate) fn secret_was_wrong(&self, now: Timestamp) -> bool {
        let day = SignedDuration::from_hours(24);
        let wrong = self.plan.spells.iter().filter(|spell| spell.trouble == Trouble::WrongSecret);
        wrong.into_iter().any(|spell| spell.from <= now && now < spell.to + day)
    }

    /// Whether App ID and App Secret are set.
    pub(crate) fn is_configured(&self) -> bool {
        self.trouble() != Some(Trouble::Unconfigured)
    }

    /// Whether they were not, within so much time.
    pub(crate) fn was_unconfigured(&self, since: Timestamp) -> bool {
        let (now, spells) = (self.now(), self.plan.spells.iter());
        spells
            .filter(|spell| spell.trouble == Trouble::Unconfigured)
            .any(|spell| spell.from <= now && since < spell.to)
    }

    /// Opens what processes have sealed.
    pub(crate) fn vault(&self) -> &Vault {
        self.vault.get().unwrap()
    }

    /// What a function is built from: its wires know whose calls they carry.
    pub(crate) fn setup(self: &Arc<Self>, invocation: &Invocation) -> Setup {
        // One name for each process: the SDK keeps its retry budget by region.
        let region = format!("s{}-{}", self.seed, self.next_invocation());
        let app = [("PINTEREST_APP_ID", APP_ID), ("PINTEREST_APP_SECRET", APP_SECRET)];
        let app = app.into_iter().filter(|_| self.is_configured());
        let variables = [
            ("AWS_REGION", region.as_str()),
            ("AWS_ACCESS_KEY_ID", "key"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("MAIN_TABLE", aws::MAIN),
            ("TOKENS_TABLE", aws::TOKENS),
            ("SETTINGS_SECRET", "settings"),
            ("TOKEN_KEYS", RING),
            ("MEDIA_BUCKET", "media"),
            ("BASE_URL", "https://api.example.com"),
            ("FRONTEND_URL", "https://app.example.com"),
        ];
        let variables: Variables = variables.into_iter().chain(app).collect();
        let most = self.plan.skew;
        let skew = if most == 0 {
            0
        } else {
            i64::try_from(self.dice.between(0, 2 * most.unsigned_abs() + 1)).unwrap() - most
        };
        let skew = SignedDuration::from_secs(skew);
        let (clock, random) = (self.clone(), self.clone());
        let wires = Wires {
            aws: aws::wire(self, invocation),
            pinterest: pinterest::wire(self, invocation),
            media: media::Wire::new(|_| Box::pin(async { Err("no Pin is made of a file here".into()) })),
        };
        let clock = Clock::new(move || clock.now() + skew);
        let random = Random::new(move |bytes| random.dice.fill(bytes));
        let mut setup = Setup::over(wires, variables, clock, random).unwrap();
        setup.due_shards = DUE_SHARDS;
        setup
    }
}

/// Puts requests together for all runs, and sends none.
pub(crate) fn http() -> reqwest::Client {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    let build = || {
        let roots = rustls::RootCertStore::empty();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        reqwest::Client::builder().tls_backend_preconfigured(tls).build().unwrap()
    };
    CLIENT.get_or_init(build).clone()
}
