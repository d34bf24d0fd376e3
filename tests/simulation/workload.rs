//! The workload: people who connect accounts, publish, reschedule and cancel Pins, revoke their grants, and connect
//! again.
//!
//! All time here is virtual: a `sleep` of days ends as soon as everything else sleeps too.

use std::{
    rc::Rc,
    sync::Arc,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use app::{
    handlers::Channels, handlers::OauthCallback, handlers::OauthStart, handlers::Pins, handlers::Publish,
};
use edge::{Handler, Response, handle};
use jiff::SignedDuration;
use lambda_http::Body;
use serde_json::{Value, json};
use tokio::time::{Duration, sleep};

use crate::{
    env::SimEnv,
    lambda::Lambda,
    pinterest::{self, RemotePin},
    run::Functions,
};

const HOUR: Duration = Duration::from_hours(1);

/// Somebody with one account at Pinterest.
pub(crate) struct Person {
    env: std::sync::Arc<SimEnv>,
    functions: Rc<Functions>,
    number: usize,
}

/// An answer of the API.
struct ApiResponse {
    status: u16,
    body: Value,
    location: String,
}

impl Person {
    pub(crate) fn new(functions: &Rc<Functions>, number: usize) -> Self {
        Self { env: functions.env.clone(), functions: functions.clone(), number }
    }

    fn name(&self) -> String {
        format!("person{}", self.number)
    }

    /// Connects, publishes, and connects again when it is necessary.
    pub(crate) async fn run(&self, pins: Vec<PlannedPin>) {
        let connected = AtomicBool::new(false);
        let first = async {
            let channel = self.connect().await;
            connected.store(true, Relaxed);
            channel
        };
        let channel = first.await;
        let publish = futures::future::join_all(pins.into_iter().map(|pin| self.publish(&channel, pin)));
        futures::join!(publish, self.keep_connected(&channel), self.revoke_sometimes(), self.review());
    }

    /// Tries to connect the account until it is connected.
    async fn connect(&self) -> String {
        loop {
            if let Some(channel) = self.try_to_connect().await {
                return channel;
            }
            sleep(self.env.rng.log_uniform(Duration::from_secs(5), HOUR * 8)).await;
        }
    }

    async fn try_to_connect(&self) -> Option<String> {
        let Functions { start, callback, channels, .. } = &*self.functions;
        let started = self
            .request::<OauthStart>(start, "POST", "/api/v1/auth/pinterest/start", None, json!({}))
            .await?;
        let page = url::Url::parse(started.body["authorize_url"].as_str()?).unwrap();
        let (_, state) = page.query_pairs().find(|(name, _)| name == "state")?;
        let code = self.env.model.lock().unwrap().consent(self.number);
        let path = format!("/api/v1/auth/pinterest/callback?state={state}&code={code}");
        let back = self.request::<OauthCallback>(callback, "GET", &path, None, json!({})).await?;
        let (_, ticket) = back.location.split_once("#connection=")?;
        for _ in 0..5 {
            let claim = json!({"connection": ticket});
            let claimed =
                self.request::<Channels>(channels, "POST", "/api/v1/connections/claim", None, claim).await;
            if let Some(response) = claimed.filter(|response| response.status < 300) {
                return Some(response.body["id"].as_str()?.to_owned());
            }
            sleep(Duration::from_secs(self.env.rng.between(1, 60))).await;
        }
        None
    }

    /// Publishes a Pin, and repeats the request with the same key if its outcome is unknown.
    async fn publish(&self, channel: &str, pin: PlannedPin) {
        sleep(pin.after).await;
        let env = &self.env;
        let board = env.model.lock().unwrap().accounts[self.number].board.clone();
        let mut body = json!({
            "channel_id": channel,
            "board_id": board,
            "title": pin.title,
            "link": pinterest::link(&pin.title),
            "description": pinterest::description(&pin.title),
            "media": {"kind": "image", "url": format!("https://images.example.com/{}.jpg", pin.key)},
        });
        if let Some(later) = pin.later {
            body["publish_at"] = json!((env.now() + SignedDuration::try_from(later).unwrap()).to_string());
        }
        if let Some(hours) = pin.within_hours {
            body["publish_within"] = json!(format!("PT{hours}H"));
        }
        if env.fault_happens(env.scenario.owners_pin_rate) {
            // Near enough in time to be taken for ours.
            let title = env.rng.choose(&["holiday", "twins"]);
            env.model.lock().unwrap().add_owners_pin(self.number, title, env.now());
        }
        let mut id = None;
        for _ in 0..4 {
            let request = || {
                self.request::<Publish>(
                    &self.functions.publish,
                    "POST",
                    "/api/v1/pins",
                    Some(&pin.key),
                    body.clone(),
                )
            };
            let response = if env.fault_happens(env.scenario.double_request_rate) {
                let (one, other) = futures::join!(request(), request());
                one.filter(|response| response.status < 300).or(other)
            } else {
                request().await
            };
            match response {
                Some(response) if response.status < 300 => {
                    id = domain::PinId::try_from(response.body["id"].as_str().unwrap().to_owned()).ok();
                    break;
                }
                Some(response) if response.status < 500 && response.status != 409 => break,
                _ => sleep(Duration::from_secs(env.rng.between(1, 200))).await,
            }
        }
        let Some(id) = id else { return };
        env.invariants.lock().unwrap().accept(id.clone());
        if let Some((after, by)) = pin.reschedule {
            sleep(after).await;
            let at = env.now() + SignedDuration::try_from(by).unwrap();
            let path = format!("/api/v1/pins/{id}");
            // The answer may be lost or come too late. The row says when the Pin is to be published.
            self.request::<Pins>(&self.functions.pins, "PATCH", &path, None, json!({ "publish_at": at }))
                .await;
        }
        if pin.is_cancelled {
            sleep(env.rng.log_uniform(Duration::from_secs(1), HOUR * 48)).await;
            let path = format!("/api/v1/pins/{id}");
            let response = self.request::<Pins>(&self.functions.pins, "DELETE", &path, None, json!({})).await;
            if response.is_some_and(|response| response.status == 200) {
                env.invariants.lock().unwrap().cancel(id);
            }
        }
    }

    /// Connects again, after a while, when the channel needs it.
    async fn keep_connected(&self, channel: &str) {
        loop {
            sleep(HOUR).await;
            let row = self.env.tables.row(
                "main",
                &format!("TENANT#{}", self.name()),
                &format!("CHANNEL#{channel}"),
            );
            let is_lost = row.is_some_and(|row| row["connection"]["status"] == "reconnect_required");
            let reconnects = !self.env.faults_ended() && self.env.rng.chance(0.001);
            if is_lost || reconnects {
                if is_lost && !self.env.faults_ended() {
                    sleep(self.env.rng.log_uniform(Duration::from_mins(1), HOUR * 96)).await;
                }
                self.connect().await;
            }
        }
    }

    /// Looks at the board for each Pin that needs a review, and says what is there.
    async fn review(&self) {
        loop {
            sleep(HOUR).await;
            let rows = self.env.tables.rows("PIN#");
            let asks = |row: &&Arc<Value>| row["tenant"] == *self.name() && row["state"] == "needs_review";
            for row in rows.iter().filter(asks) {
                let found = self.find(row, &rows).map_or(json!({"resend": true}), |id| json!({"is": id}));
                let path = format!("/api/v1/pins/{}/resolve", row["id"].as_str().unwrap());
                self.request::<Pins>(&self.functions.pins, "POST", &path, None, found).await;
            }
        }
    }

    /// The Pin at Pinterest that was made of this row, or an equal one that is nobody else's.
    fn find(&self, row: &Value, rows: &[Arc<Value>]) -> Option<String> {
        let model = self.env.model.lock().unwrap();
        let is_owned = |id: &str| rows.iter().any(|row| row["pinterest_pin_id"] == *id);
        let equal = model.pins.iter().filter(|there| {
            there.account == self.number
                && row["draft"]["title"] == *there.title
                && !there.image.starts_with("old")
                && !is_owned(&there.id)
        });
        let own = |there: &&RemotePin| row["draft"]["media"]["url"] == *there.image;
        equal.clone().find(own).or_else(|| equal.clone().next()).map(|there| there.id.clone())
    }

    /// Perhaps revokes the grant at some time.
    async fn revoke_sometimes(&self) {
        if self.env.rng.chance(self.env.scenario.revoke_rate) {
            let busy = self.env.rng.choose(&self.env.scenario.bursts);
            let around = Duration::from_secs(self.env.rng.between(0, 1200));
            sleep((busy + around).saturating_sub(Duration::from_mins(10))).await;
            self.env.note(|| format!("{} revokes", self.name()));
            self.env.model.lock().unwrap().revoke(self.number);
        }
    }

    async fn request<F: Handler>(
        &self,
        function: &Lambda<F>,
        method: &str,
        path_and_query: &str,
        key: Option<&str>,
        body: Value,
    ) -> Option<ApiResponse> {
        let request = tests::request(&self.name(), method, path_and_query, key, &body);
        let answer = function.invoke(async move |function: &F, _| handle(function, request).await).await?;
        let response = ApiResponse::new(&answer);
        self.env.note(|| {
            format!("{} gets {} {} {}", self.name(), response.status, response.body, response.location)
        });
        Some(response)
    }
}

impl ApiResponse {
    fn new(answer: &Response<Body>) -> Self {
        let body = match answer.body() {
            Body::Text(text) => serde_json::from_str(text).unwrap_or_default(),
            _ => Value::Null,
        };
        let location = answer.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
        Self { status: answer.status().as_u16(), body, location: location.unwrap_or_default() }
    }
}

/// A Pin that a person will publish.
#[derive(Clone, Debug)]
pub(crate) struct PlannedPin {
    /// The idempotency key, and the name of the image.
    pub(crate) key: String,
    pub(crate) title: String,
    /// When the person asks for it.
    pub(crate) after: Duration,
    /// How far ahead it is scheduled.
    pub(crate) later: Option<Duration>,
    pub(crate) within_hours: Option<u64>,
    /// After how long it is rescheduled, and for how far ahead.
    pub(crate) reschedule: Option<(Duration, Duration)>,
    pub(crate) is_cancelled: bool,
}

impl PlannedPin {
    /// One of a run's Pins. Some have the same texts on purpose.
    pub(crate) fn random(env: &SimEnv, number: usize) -> Self {
        let rng = &env.rng;
        let burst = rng.choose(&env.scenario.bursts);
        Self {
            key: format!("pin{number}"),
            title: if rng.chance(env.scenario.same_text_rate) {
                "twins".to_owned()
            } else {
                format!("pin{number}")
            },
            after: burst + Duration::from_secs(rng.between(0, 180)),
            later: rng
                .chance(env.scenario.scheduled_rate)
                .then(|| rng.log_uniform(Duration::from_mins(1), HOUR * 24 * 5)),
            within_hours: rng.choose(&[None, Some(6), Some(24), Some(72)]),
            reschedule: rng.chance(0.1).then(|| {
                (
                    rng.log_uniform(Duration::from_secs(1), HOUR * 24),
                    rng.log_uniform(Duration::from_secs(1), HOUR * 48),
                )
            }),
            is_cancelled: rng.chance(0.1),
        }
    }
}
