//! The environment of a run: what all its parts share.

use std::sync::{
    Arc, Mutex, OnceLock,
    atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

use adapters::{Transport, Transports, Vault};
use app::Setup;
use domain::RefreshKeyShare;
use jiff::{SignedDuration, Timestamp};
use platform::{Clock, Random, Variables};
use tokio::{
    sync::Notify,
    time::{Duration, Instant},
};

use crate::{
    aws::{self, Tables},
    history::History,
    invariants::Invariants,
    lambda::{CallKind, CallPhase, Invocation, ProcessFault, Trigger},
    mutants::Mutant,
    pinterest::{self, Model},
    rng::Rng,
    scenario::{Outage, Scenario},
    starts::{self, Starts},
};

pub(crate) const APP_ID: &str = "1500000";
pub(crate) const APP_SECRET: &str = "the-app-secret";
/// A run has about twenty rows. With sixteen partitions nearly all queries would find nothing.
const DUE_PARTITIONS: u32 = 2;
/// Two entries in two partitions are enough for a second worker.
const ENTRIES_PER_WORKER: usize = 1;
const RING: &str = r#"{"current":"k1","k1":"0123456789abcdef0123456789abcdef"}"#;
/// A run that makes more calls repeats something without end.
const MAX_CALLS: u64 = 400_000;

/// One run: its scenario, its models and its invariants.
pub(crate) struct SimEnv {
    pub(crate) seed: u64,
    pub(crate) mutant: Option<Mutant>,
    pub(crate) scenario: Scenario,
    pub(crate) rng: Rng,
    pub(crate) history: History,
    pub(crate) model: Mutex<Model>,
    pub(crate) tables: Tables,
    pub(crate) invariants: Mutex<Invariants>,
    /// Workers that ticks have started.
    pub(crate) starts: Starts,
    /// Notified when a write may have made work that is due sooner.
    pub(crate) work_added: Notify,
    /// From then on there are no more faults.
    pub(crate) faults_ended: AtomicBool,
    invocations: AtomicU64,
    calls: AtomicU64,
    epoch: Timestamp,
    began: Instant,
    vault: OnceLock<Vault>,
}

impl SimEnv {
    pub(crate) fn new(seed: u64, mutant: Option<Mutant>, with_history: bool) -> Arc<Self> {
        let rng = Rng::from_seed(seed);
        let epoch = Timestamp::from_second(1_790_000_000).unwrap();
        let scenario = Scenario::new(&rng, epoch, mutant.map(|mutant| mutant.profile));
        let env = Self {
            seed,
            mutant,
            model: Mutex::new(Model::new(&scenario, epoch)),
            tables: Tables::new(),
            invariants: Mutex::default(),
            scenario,
            rng,
            history: History::new(with_history),
            starts: Starts::default(),
            work_added: Notify::new(),
            faults_ended: AtomicBool::new(false),
            invocations: AtomicU64::new(0),
            calls: AtomicU64::new(0),
            epoch,
            began: Instant::now(),
            vault: OnceLock::new(),
        };
        env.note(|| format!("{:?}", env.scenario));
        let env = Arc::new(env);
        let setup = env.setup(&Invocation::idle());
        drop(env.vault.set(setup.vault().unwrap()));
        env
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

    /// Reports a violation, which ends the run.
    pub(crate) fn violate(&self, invariant: &'static str, detail: impl FnOnce() -> String) {
        self.invariants.lock().unwrap().violate(invariant, detail);
    }

    pub(crate) fn faults_ended(&self) -> bool {
        self.faults_ended.load(Relaxed)
    }

    /// Whether a fault with this probability happens now. None happens at the end of a run.
    pub(crate) fn fault_happens(&self, rate: f64) -> bool {
        rate > 0.0 && !self.faults_ended() && self.rng.chance(rate)
    }

    pub(crate) fn next_invocation(&self) -> u64 {
        self.invocations.fetch_add(1, Relaxed) + 1
    }

    /// Counts a call to a table or to Pinterest.
    pub(crate) fn count(&self) {
        if self.calls.fetch_add(1, Relaxed) == MAX_CALLS {
            self.violate("work comes to an end", || format!("{MAX_CALLS} calls"));
        }
    }

    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Relaxed)
    }

    /// The fault that the process of the next invocation meets, if any.
    pub(crate) fn random_process_fault(&self) -> Option<(Trigger, ProcessFault)> {
        if !self.fault_happens(self.scenario.process_fault_rate) {
            return None;
        }
        let trigger = if self.rng.chance(if self.mutant.is_some() { 0.2 } else { 0.5 }) {
            let steps = self.rng.log_uniform(Duration::from_secs(1), Duration::from_secs(400));
            Trigger::Steps(u32::try_from(steps.as_secs()).unwrap())
        } else {
            let phases = [CallPhase::Before, CallPhase::InFlight, CallPhase::After];
            Trigger::Call(self.rng.choose(self.scenario.fault_targets), self.rng.choose(&phases))
        };
        let fault = if self.rng.chance(0.6) {
            ProcessFault::Kill
        } else {
            ProcessFault::Freeze(self.rng.log_uniform(self.scenario.min_freeze, Duration::from_secs(280)))
        };
        // After a sender has read its clock, it cannot check anything before the first byte. No protocol can protect
        // against a process that stands still there for longer than the last board check.
        let is_unprotected = matches!(
            (trigger, fault),
            (Trigger::Call(CallKind::SendPin, CallPhase::Before), ProcessFault::Freeze(_))
        );
        (!is_unprotected).then_some((trigger, fault))
    }

    /// The outage that lasts now.
    pub(crate) fn outage(&self) -> Option<Outage> {
        let now = self.now();
        let window =
            self.scenario.fault_windows.iter().find(|window| window.from <= now && now < window.to)?;
        (!self.faults_ended()).then_some(window.outage)
    }

    /// Whether Pinterest called the App Secret wrong within the last day.
    pub(crate) fn secret_was_wrong(&self, now: Timestamp) -> bool {
        let day = SignedDuration::from_hours(24);
        let wrong = self.scenario.fault_windows.iter().filter(|window| window.outage == Outage::WrongSecret);
        wrong.into_iter().any(|window| window.from <= now && now < window.to + day)
    }

    /// Whether App ID and App Secret are set.
    pub(crate) fn is_configured(&self) -> bool {
        self.outage() != Some(Outage::Unconfigured)
    }

    /// Whether App ID and App Secret were not set at some time after `since`.
    pub(crate) fn was_unconfigured(&self, since: Timestamp) -> bool {
        let (now, fault_windows) = (self.now(), self.scenario.fault_windows.iter());
        fault_windows
            .filter(|window| window.outage == Outage::Unconfigured)
            .any(|window| window.from <= now && since < window.to)
    }

    /// The share that the processes have made. As long as there is none, nothing was sealed with it.
    pub(crate) fn refresh_key_share(&self) -> RefreshKeyShare {
        let row = self.tables.row(aws::TOKENS, "SHARE", "SHARE");
        let share = row.as_ref().and_then(|row| row["share"].as_str()).unwrap_or_default();
        RefreshKeyShare::new(share.to_owned())
    }

    /// A vault that opens what the processes have sealed.
    pub(crate) fn vault(&self) -> &Vault {
        self.vault.get().unwrap()
    }

    /// What a function is built from. Its transports know which invocation makes a call.
    pub(crate) fn setup(self: &Arc<Self>, invocation: &Invocation) -> Setup {
        // One region for each process, because the SDK keeps one retry budget for each region.
        let region = format!("s{}-{}", self.seed, self.next_invocation());
        let app = [("PINTEREST_APP_ID", APP_ID), ("PINTEREST_APP_SECRET", APP_SECRET)];
        let app = app.into_iter().filter(|_| self.is_configured());
        let variables = [
            ("AWS_REGION", region.as_str()),
            ("AWS_ACCESS_KEY_ID", "key"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_LAMBDA_FUNCTION_NAME", "deliver"),
            ("MAIN_TABLE", aws::MAIN),
            ("TOKENS_TABLE", aws::TOKENS),
            ("SETTINGS_SECRET", "settings"),
            ("TOKEN_KEYS", RING),
            ("MEDIA_BUCKET", "media"),
            ("BASE_URL", "https://api.example.com"),
            ("FRONTEND_URL", "https://app.example.com"),
        ];
        let variables: Variables = variables.into_iter().chain(app).collect();
        let max_skew = self.scenario.clock_skew_secs;
        let skew = if max_skew == 0 {
            0
        } else {
            i64::try_from(self.rng.between(0, 2 * max_skew.unsigned_abs() + 1)).unwrap() - max_skew
        };
        let skew = SignedDuration::from_secs(skew);
        let (clock, random) = (self.clone(), self.clone());
        let wires = Transports {
            aws: aws::transport(self, invocation),
            pinterest: pinterest::transport(self, invocation),
            media: Transport::new(|_| Box::pin(async { Err("no Pin of the simulation has a file".into()) })),
            lambda: starts::transport(self, invocation),
        };
        let clock = Clock::new(move || clock.now() + skew);
        let random = Random::new(move |bytes| random.rng.fill(bytes));
        let mut setup = Setup::with_transports(wires, variables, clock, random).unwrap();
        setup.due_partitions = DUE_PARTITIONS;
        setup.entries_per_worker = ENTRIES_PER_WORKER;
        setup
    }
}

/// The client that builds the requests of all runs. It sends none.
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
