//! Pinterest, as our client sees it: a wire to a model, on which everything happens that happens on a network.

mod model;
mod pins;
mod tokens;

use std::{collections::HashMap, sync::Arc};

use pinterest::{Carried, Error, Fault};
use reqwest::{Method, Request, Response};
use serde_json::{Value, json};
use tokio::{
    sync::oneshot,
    time::{Duration, sleep, timeout},
};

pub(crate) use self::model::{Made, Model};
use crate::{
    lambda::{Deed, Invocation, Moment},
    plan::Trouble,
    world::{World, http},
};

/// A status, headers that matter, and a body.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
    /// `x-ratelimit-reset`, in seconds.
    pub(crate) reset: Option<u64>,
}

impl Reply {
    pub(crate) fn ok(body: Value) -> Self {
        Self { status: 200, body, reset: None }
    }

    pub(crate) fn no(status: u16, code: i64, message: &str) -> Self {
        Self { status, body: json!({"code": code, "message": message}), reset: None }
    }
}

/// What may befall a call.
#[derive(Clone, Debug)]
enum Strike {
    /// No connection.
    NotSent,
    /// The effect comes, perhaps late, and something else or nothing is answered.
    After(Loss, Duration),
    /// No effect comes, and nothing or something that does not say so is answered.
    Before(Loss),
    /// No, in words.
    Refused(Reply),
    /// The answer is right, and slow.
    Slow(Duration),
}

/// What stands in for an answer.
#[derive(Clone, Copy, Debug)]
enum Loss {
    Cut,
    Silence,
    Status(u16),
    /// 400 code 2787, which says nothing.
    Undecided,
}

/// A request, as far as it matters.
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: HashMap<String, String>,
    pub(crate) bearer: String,
    pub(crate) body: String,
}

impl Asked {
    fn of(request: &Request) -> Self {
        let authorization = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        let body = request.body().and_then(|body| body.as_bytes()).unwrap_or_default();
        Self {
            method: request.method().clone(),
            path: request.url().path().trim_start_matches("/v5/").to_owned(),
            query: request.url().query_pairs().into_owned().collect(),
            bearer: authorization
                .and_then(|text| text.strip_prefix("Bearer "))
                .unwrap_or_default()
                .to_owned(),
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    /// The body as a form.
    pub(crate) fn form(&self) -> HashMap<String, String> {
        let form = url::form_urlencoded::parse(self.body.as_bytes());
        form.into_owned().collect()
    }

    /// Whose token is with it.
    pub(crate) fn account(&self) -> Option<usize> {
        let refresh = self.form().remove("refresh_token");
        let token = refresh.unwrap_or_else(|| self.bearer.clone());
        token.split('_').nth(1)?.parse().ok()
    }

    fn deed(&self) -> Deed {
        match (self.method.as_str(), self.path.as_str()) {
            ("POST", "pins") => Deed::Send,
            ("POST", "oauth/token") if self.body.contains("grant_type=refresh_token") => Deed::Renew,
            ("GET", path) if path.ends_with("/pins") => Deed::Look,
            _ => Deed::Other,
        }
    }
}

pub(crate) fn wire(world: &Arc<World>, invocation: &Invocation) -> pinterest::Wire {
    let (world, invocation) = (world.clone(), invocation.clone());
    pinterest::Wire::new(http(), move |request| -> Carried {
        Box::pin(carry(world.clone(), invocation.clone(), request))
    })
}

async fn carry(world: Arc<World>, invocation: Invocation, request: Request) -> Result<Response, Error> {
    world.count();
    let patience = request.timeout().copied().unwrap_or(Duration::from_secs(25));
    let asked = Asked::of(&request);
    let deed = asked.deed();
    invocation.reach(deed, Moment::Before).await;
    world.rules.lock().unwrap().asked(&world, &invocation, deed, &asked);
    let strike = strike(&world, deed);
    world.note(|| {
        let strike = strike.as_ref().map_or(String::new(), |strike| format!(" {strike:?}"));
        format!("#{} {} {} {}{strike}", invocation.id(), asked.method, asked.path, asked.body)
    });

    if strike.is_some() {
        world.rules.lock().unwrap().hampered(asked.account(), world.now());
    }
    if matches!(strike, Some(Strike::NotSent)) {
        return Err(Error::NotSent(Fault::Connection("no connection".into())));
    }
    let (answer, answered) = oneshot::channel();
    let (server, caller) = (world.clone(), invocation.id());
    tokio::spawn(async move { serve(&server, caller, asked, strike, answer).await });
    invocation.reach(deed, Moment::Under).await;
    let reply = timeout(patience, answered).await;
    invocation.reach(deed, Moment::After).await;
    match reply {
        Ok(Ok(reply)) => {
            if let Some(refresh) = reply.body["refresh_token"].as_str() {
                world.rules.lock().unwrap().received(&world, &invocation, refresh);
            }
            Ok(response(&reply))
        }
        Ok(Err(_)) => Err(unknown("the connection was cut")),
        Err(_) => Err(unknown("no answer in time")),
    }
}

async fn serve(
    world: &World,
    caller: u64,
    asked: Asked,
    strike: Option<Strike>,
    answer: oneshot::Sender<Reply>,
) {
    sleep(Duration::from_millis(world.dice.between(20, 900))).await;
    let loss = match strike {
        Some(Strike::Refused(reply)) => {
            let mut rules = world.rules.lock().unwrap();
            if reply.status == 429 {
                rules.limited(world.now());
            }
            if reply.status == 401 && reply.body["code"] == 2 {
                rules.called_dead(world.now());
            }
            if let Ok(body) = serde_json::from_str::<Value>(&asked.body)
                && let Some(image) = body["media_source"]["url"].as_str()
            {
                rules.refused(image, reply.status, reply.body["code"].as_i64().unwrap());
            }
            drop(rules);
            // Nobody may be there any more to hear it.
            return drop(answer.send(reply));
        }
        Some(Strike::Before(loss)) => loss,
        Some(Strike::After(loss, wait)) => {
            sleep(wait).await;
            effect(world, caller, &asked);
            loss
        }
        Some(Strike::Slow(wait)) => {
            sleep(wait).await;
            return drop(answer.send(effect(world, caller, &asked)));
        }
        Some(Strike::NotSent) | None => return drop(answer.send(effect(world, caller, &asked))),
    };
    match loss {
        Loss::Cut => drop(answer),
        Loss::Silence => sleep(Duration::from_mins(1)).await,
        Loss::Status(status) => drop(answer.send(Reply::no(status, 0, "Something went wrong"))),
        Loss::Undecided => {
            drop(answer.send(Reply::no(400, 2787, "Something went wrong on our end")));
        }
    }
}

fn effect(world: &World, caller: u64, asked: &Asked) -> Reply {
    let now = world.now();
    let reply = world.model.lock().unwrap().answer(world, asked, now);
    world.note(|| format!("#{caller} Pinterest answers {} {}", reply.status, reply.body));
    if reply.status >= 400 {
        world.rules.lock().unwrap().hampered(asked.account(), now);
        if let Ok(body) = serde_json::from_str::<Value>(&asked.body)
            && let Some(image) = body["media_source"]["url"].as_str()
        {
            let code = reply.body["code"].as_i64().unwrap();
            world.rules.lock().unwrap().refused(image, reply.status, code);
        }
    }
    let mut rules = world.rules.lock().unwrap();
    if reply.status == 401 && reply.body["code"] == 2 && asked.path != "oauth/token" {
        rules.called_dead(now);
    }
    if let Some(refresh) = reply.body["refresh_token"].as_str() {
        rules.gave(caller, asked.account(), refresh.to_owned());
    }
    rules.pinterest_changed(world);
    drop(rules);
    reply
}

/// What befalls a call now. Each effect comes at most 30 s after its call.
fn strike(world: &World, deed: Deed) -> Option<Strike> {
    let dice = &world.dice;
    match world.trouble() {
        Some(Trouble::Unreachable) => return Some(Strike::NotSent),
        Some(Trouble::Down) => return Some(Strike::Before(Loss::Status(503))),
        Some(Trouble::Mute) => return Some(Strike::After(Loss::Silence, Duration::from_secs(1))),
        Some(Trouble::Limited) if matches!(deed, Deed::Send | Deed::Look) => {
            return Some(Strike::Refused(Reply::no(429, 8, "You have exceeded your rate limit")));
        }
        Some(Trouble::Blocked) if deed == Deed::Send => return Some(Strike::Refused(spam())),
        _ => {}
    }
    if !world.befalls(world.plan.strikes) {
        return None;
    }
    let loss = dice.one_of(&[Loss::Cut, Loss::Silence, Loss::Status(500), Loss::Undecided]);
    let wait = dice.span(Duration::from_millis(1), Duration::from_secs(29));
    Some(match dice.between(0, 10) {
        0 => Strike::NotSent,
        1 | 2 => Strike::Before(loss),
        3..=5 => Strike::After(loss, wait),
        6 => Strike::Slow(wait),
        _ => Strike::Refused(refusal(world, deed)?),
    })
}

fn refusal(world: &World, deed: Deed) -> Option<Reply> {
    let dice = &world.dice;
    let quota = Reply {
        reset: dice.one_of(&[None, Some(30), Some(600), Some(20_000)]),
        ..Reply::no(429, 8, "You have exceeded your rate limit")
    };
    let unapproved = Reply::no(401, 3, "Your application consumer type is not supported");
    Some(match deed {
        Deed::Send => dice.one_of(&[
            quota,
            spam(),
            Reply::no(409, 1, "Concurrent update"),
            Reply::no(400, 1, "Sorry! We could not fetch the image."),
            Reply::no(401, 2, "Authentication failed."),
        ]),
        Deed::Look => dice.one_of(&[quota, spam(), Reply::no(401, 2, "Authentication failed."), unapproved]),
        Deed::Renew => dice.one_of(&[quota, unapproved]),
        _ => return None,
    })
}

fn spam() -> Reply {
    Reply::no(403, 9, "We blocked this as spam")
}

fn unknown(why: &str) -> Error {
    Error::Unknown { answer: domain::Answer::default(), source: Some(Fault::Connection(why.into())) }
}

fn response(reply: &Reply) -> Response {
    let mut response = http::Response::builder().status(reply.status);
    if let Some(reset) = reply.reset {
        response = response.header("x-ratelimit-reset", reset);
    }
    response.body(reply.body.to_string()).unwrap().into()
}
