//! People: they connect accounts, publish Pins, put some off and cancel some, take everything back, and come again.
//!
//! All time here is virtual: a `sleep` ends as soon as everybody sleeps, even one of days.

use std::{
    rc::Rc,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use app::{
    functions::{Channels, OauthCallback, OauthStart, Pins, Publish},
    http::{Answer, Response, handle},
};
use jiff::SignedDuration;
use lambda_http::Body;
use serde_json::{Value, json};
use tokio::time::{Duration, sleep};

use crate::{lambda::Lambda, run::Functions, world::World};

const HOUR: Duration = Duration::from_hours(1);

/// Somebody with one account at Pinterest.
pub(crate) struct Person {
    world: std::sync::Arc<World>,
    functions: Rc<Functions>,
    number: usize,
}

/// An answer, if one came.
struct Told {
    status: u16,
    body: Value,
    location: String,
}

impl Person {
    pub(crate) fn new(functions: &Rc<Functions>, number: usize) -> Self {
        Self { world: functions.world.clone(), functions: functions.clone(), number }
    }

    fn name(&self) -> String {
        format!("person{}", self.number)
    }

    /// A life: connects, publishes, and looks after the connection.
    pub(crate) async fn live(&self, pins: Vec<Plan>) {
        let connected = AtomicBool::new(false);
        let first = async {
            let channel = self.connect().await;
            connected.store(true, Relaxed);
            channel
        };
        let channel = first.await;
        let publish = futures::future::join_all(pins.into_iter().map(|plan| self.publish(&channel, plan)));
        futures::join!(publish, self.look_after(&channel), self.change_mind());
    }

    /// Connects the account, however often that takes.
    async fn connect(&self) -> String {
        loop {
            if let Some(channel) = self.try_to_connect().await {
                return channel;
            }
            sleep(self.world.dice.span(Duration::from_secs(5), HOUR * 8)).await;
        }
    }

    async fn try_to_connect(&self) -> Option<String> {
        let Functions { start, callback, channels, .. } = &*self.functions;
        let started =
            self.ask::<OauthStart>(start, "POST", "/api/v1/auth/pinterest/start", None, json!({})).await?;
        let page = url::Url::parse(started.body["authorize_url"].as_str()?).unwrap();
        let (_, state) = page.query_pairs().find(|(name, _)| name == "state")?;
        let code = self.world.model.lock().unwrap().consent(self.number);
        let path = format!("/api/v1/auth/pinterest/callback?state={state}&code={code}");
        let back = self.ask::<OauthCallback>(callback, "GET", &path, None, json!({})).await?;
        let (_, ticket) = back.location.split_once("#connection=")?;
        for _ in 0..5 {
            let claim = json!({"connection": ticket});
            let claimed =
                self.ask::<Channels>(channels, "POST", "/api/v1/connections/claim", None, claim).await;
            if let Some(told) = claimed.filter(|told| told.status < 300) {
                return Some(told.body["id"].as_str()?.to_owned());
            }
            sleep(Duration::from_secs(self.world.dice.between(1, 60))).await;
        }
        None
    }

    /// Publishes a Pin, and asks again with the same key if nobody says what became of it.
    async fn publish(&self, channel: &str, plan: Plan) {
        sleep(plan.after).await;
        let world = &self.world;
        let board = world.model.lock().unwrap().accounts[self.number].board.clone();
        let mut body = json!({
            "channel_id": channel,
            "board_id": board,
            "title": plan.title,
            "media": {"kind": "image", "url": format!("https://images.example.com/{}.jpg", plan.key)},
        });
        if let Some(later) = plan.later {
            body["publish_at"] = json!((world.now() + SignedDuration::try_from(later).unwrap()).to_string());
        }
        if let Some(hours) = plan.within_hours {
            body["publish_within"] = json!(format!("PT{hours}H"));
        }
        let mut id = None;
        for _ in 0..4 {
            let ask = || {
                self.ask::<Publish>(
                    &self.functions.publish,
                    "POST",
                    "/api/v1/pins",
                    Some(&plan.key),
                    body.clone(),
                )
            };
            let told = if world.befalls(world.plan.presses_twice) {
                let (one, other) = futures::join!(ask(), ask());
                one.filter(|told| told.status < 300).or(other)
            } else {
                ask().await
            };
            match told {
                Some(told) if told.status < 300 => {
                    id = domain::PinId::try_from(told.body["id"].as_str().unwrap().to_owned()).ok();
                    break;
                }
                Some(told) if told.status < 500 && told.status != 409 => break,
                _ => sleep(Duration::from_secs(world.dice.between(1, 200))).await,
            }
        }
        let Some(id) = id else { return };
        world.rules.lock().unwrap().accept(id.clone());
        if let Some((after, by)) = plan.put_off {
            sleep(after).await;
            let at = world.now() + SignedDuration::try_from(by).unwrap();
            let path = format!("/api/v1/pins/{id}");
            // Told or not, and in time or not: the row says when it is to be published.
            self.ask::<Pins>(&self.functions.pins, "PATCH", &path, None, json!({ "publish_at": at })).await;
        }
        if plan.regrets {
            sleep(world.dice.span(Duration::from_secs(1), HOUR * 48)).await;
            let path = format!("/api/v1/pins/{id}");
            let told = self.ask::<Pins>(&self.functions.pins, "DELETE", &path, None, json!({})).await;
            if told.is_some_and(|told| told.status == 200) {
                world.rules.lock().unwrap().cancel(id);
            }
        }
    }

    /// Connects again when that is asked for, after a while.
    async fn look_after(&self, channel: &str) {
        loop {
            sleep(HOUR).await;
            let row = self.world.tables.row(
                "main",
                &format!("TENANT#{}", self.name()),
                &format!("CHANNEL#{channel}"),
            );
            let lost = row.is_some_and(|row| row["connection"]["status"] == "reconnect_required");
            let anew = !self.world.is_calm() && self.world.dice.happens(0.001);
            if lost || anew {
                if lost && !self.world.is_calm() {
                    sleep(self.world.dice.span(Duration::from_mins(1), HOUR * 96)).await;
                }
                self.connect().await;
            }
        }
    }

    /// Takes back what was granted, at some time, perhaps.
    async fn change_mind(&self) {
        if self.world.dice.happens(self.world.plan.revokes) {
            let busy = self.world.dice.one_of(&self.world.plan.bursts);
            let around = Duration::from_secs(self.world.dice.between(0, 1200));
            sleep((busy + around).saturating_sub(Duration::from_mins(10))).await;
            self.world.note(|| format!("{} revokes", self.name()));
            self.world.model.lock().unwrap().revoke(self.number);
        }
    }

    async fn ask<F: Answer>(
        &self,
        function: &Lambda<F>,
        method: &str,
        path_and_query: &str,
        key: Option<&str>,
        body: Value,
    ) -> Option<Told> {
        let request = tests::request(&self.name(), method, path_and_query, key, &body);
        let answer = function.invoke(async move |function: &F, _| handle(function, request).await).await?;
        let told = Told::of(&answer);
        self.world
            .note(|| format!("{} is told {} {} {}", self.name(), told.status, told.body, told.location));
        Some(told)
    }
}

impl Told {
    fn of(answer: &Response<Body>) -> Self {
        let body = match answer.body() {
            Body::Text(text) => serde_json::from_str(text).unwrap_or_default(),
            _ => Value::Null,
        };
        let location = answer.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
        Self { status: answer.status().as_u16(), body, location: location.unwrap_or_default() }
    }
}

/// A Pin that a person means to publish.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) key: String,
    pub(crate) title: String,
    pub(crate) after: Duration,
    pub(crate) later: Option<Duration>,
    pub(crate) within_hours: Option<u64>,
    /// After how long it is given another time, and how far away that is.
    pub(crate) put_off: Option<(Duration, Duration)>,
    pub(crate) regrets: bool,
}

impl Plan {
    /// What `number` of a run's Pins is to be. Some look the same on purpose.
    pub(crate) fn of(world: &World, number: usize) -> Self {
        let dice = &world.dice;
        let burst = dice.one_of(&world.plan.bursts);
        Self {
            key: format!("pin{number}"),
            title: if dice.happens(world.plan.twins) { "twins".to_owned() } else { format!("pin{number}") },
            after: burst + Duration::from_secs(dice.between(0, 180)),
            later: dice.happens(world.plan.later).then(|| dice.span(Duration::from_mins(1), HOUR * 24 * 5)),
            within_hours: dice.one_of(&[None, Some(6), Some(24), Some(72)]),
            put_off: dice.happens(0.1).then(|| {
                (dice.span(Duration::from_secs(1), HOUR * 24), dice.span(Duration::from_secs(1), HOUR * 48))
            }),
            regrets: dice.happens(0.1),
        }
    }
}
