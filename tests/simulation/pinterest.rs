//! Pinterest, as the client sees it: a transport to a model, with the faults of a network.

mod model;
mod pins;
mod tokens;

use std::{collections::HashMap, sync::Arc};

use pinterest::{Error, Fault, ResponseFuture};
use reqwest::{Method, Request, Response};
use serde_json::{Value, json};
use tokio::{
    sync::oneshot,
    time::{Duration, sleep, timeout},
};

pub(crate) use self::model::{Model, RemotePin, description, link};
use crate::{
    env::{SimEnv, http},
    lambda::{CallKind, CallPhase, Invocation},
    scenario::Outage,
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

    pub(crate) fn error(status: u16, code: i64, message: &str) -> Self {
        Self { status, body: json!({"code": code, "message": message}), reset: None }
    }
}

/// A fault of a call to Pinterest.
#[derive(Clone, Debug)]
enum PinterestFault {
    /// No connection can be made.
    NotSent,
    /// The call has its effect, perhaps late, but the answer is lost.
    After(AnswerLoss, Duration),
    /// The call has no effect, and the answer does not show it.
    Before(AnswerLoss),
    /// A refusal.
    Refused(Reply),
    /// The right answer, but late.
    Slow(Duration),
}

/// What the caller receives instead of the answer.
#[derive(Clone, Copy, Debug)]
enum AnswerLoss {
    Cut,
    Silence,
    Status(u16),
    /// 400 with a code or with words that leave the outcome open.
    Undecided,
}

/// A request to Pinterest, as far as it matters.
pub(crate) struct PinterestRequest {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: HashMap<String, String>,
    pub(crate) bearer: String,
    pub(crate) body: String,
}

impl PinterestRequest {
    fn new(request: &Request) -> Self {
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

    /// The account whose token the request carries.
    pub(crate) fn account(&self) -> Option<usize> {
        let refresh = self.form().remove("refresh_token");
        let token = refresh.unwrap_or_else(|| self.bearer.clone());
        token.split('_').nth(1)?.parse().ok()
    }

    fn kind(&self) -> CallKind {
        match (self.method.as_str(), self.path.as_str()) {
            ("POST", "pins") => CallKind::SendPin,
            ("POST", "oauth/token") if self.body.contains("grant_type=refresh_token") => {
                CallKind::RefreshTokens
            }
            ("GET", path) if path.ends_with("/pins") => CallKind::ListBoard,
            _ => CallKind::Other,
        }
    }
}

pub(crate) fn transport(env: &Arc<SimEnv>, invocation: &Invocation) -> pinterest::Transport {
    let (env, invocation) = (env.clone(), invocation.clone());
    pinterest::Transport::new(http(), move |request| -> ResponseFuture {
        Box::pin(carry(env.clone(), invocation.clone(), request))
    })
}

async fn carry(env: Arc<SimEnv>, invocation: Invocation, request: Request) -> Result<Response, Error> {
    env.count();
    let time_limit = request.timeout().copied().unwrap_or(Duration::from_secs(25));
    let request = PinterestRequest::new(&request);
    let kind = request.kind();
    invocation.reach(kind, CallPhase::Before).await;
    env.invariants.lock().unwrap().call_sent(&env, &invocation, kind, &request);
    let fault = random_fault(&env, kind);
    env.note(|| {
        let fault = fault.as_ref().map_or(String::new(), |fault| format!(" {fault:?}"));
        format!("#{} {} {} {}{fault}", invocation.id(), request.method, request.path, request.body)
    });

    if fault.is_some() {
        env.invariants.lock().unwrap().note_fault(request.account(), env.now());
    }
    if matches!(fault, Some(PinterestFault::NotSent)) {
        return Err(Error::NotSent(Fault::Connection("no connection".into())));
    }
    let (answer, answered) = oneshot::channel();
    let (server, caller) = (env.clone(), invocation.id());
    // A process that stood still before the first byte cannot know that another has its work by now.
    let is_counted =
        kind == CallKind::SendPin || kind == CallKind::RefreshTokens && invocation.frozen() == Duration::ZERO;
    let send = is_counted.then(|| Send::begin(&env, kind, request.account(), caller));
    let call = send.as_ref().map(|send| send.call);
    tokio::spawn(async move {
        serve(&server, caller, request, fault, answer).await;
        call.inspect(|call| server.invariants.lock().unwrap().send_ended(*call));
    });
    invocation.reach(kind, CallPhase::InFlight).await;
    let reply = timeout(time_limit, answered).await;
    invocation.reach(kind, CallPhase::After).await;
    match reply {
        Ok(Ok(reply)) => {
            if let Some(refresh) = reply.body["refresh_token"].as_str() {
                env.invariants.lock().unwrap().pair_received(&env, &invocation, refresh);
            }
            Ok(response(&reply))
        }
        Ok(Err(_)) => Err(unknown("the connection was cut")),
        Err(_) => Err(unknown("no answer in time")),
    }
}

/// A Pin, or a token, on its way, until its process has the answer, gives up, or ends.
struct Send {
    env: Arc<SimEnv>,
    call: u64,
}

impl Send {
    fn begin(env: &Arc<SimEnv>, kind: CallKind, account: Option<usize>, sender: u64) -> Self {
        let call = env.calls();
        env.invariants.lock().unwrap().send_began(env, call, kind, account, sender);
        Self { env: env.clone(), call }
    }
}

impl Drop for Send {
    fn drop(&mut self) {
        self.env.invariants.lock().unwrap().send_ended(self.call);
    }
}

async fn serve(
    env: &SimEnv,
    caller: u64,
    request: PinterestRequest,
    fault: Option<PinterestFault>,
    answer: oneshot::Sender<Reply>,
) {
    sleep(Duration::from_millis(env.rng.between(20, 900))).await;
    let loss = match fault {
        Some(PinterestFault::Refused(reply)) => {
            let mut invariants = env.invariants.lock().unwrap();
            if reply.status == 429 {
                invariants.note_rate_limit(env.now());
            }
            if reply.status == 401 && reply.body["code"] == 2 {
                invariants.note_dead_token(env.now());
            }
            if reply.status == 403 && reply.body["code"] == 9 {
                invariants.note_spam_block(request.account());
            }
            if let Ok(body) = serde_json::from_str::<Value>(&request.body)
                && let Some(image) = body["media_source"]["url"].as_str()
            {
                invariants.note_refusal(image, reply.status, reply.body["code"].as_i64().unwrap());
            }
            drop(invariants);
            // The caller may have ended.
            return drop(answer.send(reply));
        }
        Some(PinterestFault::Before(loss)) => loss,
        Some(PinterestFault::After(loss, wait)) => {
            sleep(wait).await;
            execute(env, caller, &request);
            loss
        }
        Some(PinterestFault::Slow(wait)) => {
            sleep(wait).await;
            return drop(answer.send(execute(env, caller, &request)));
        }
        Some(PinterestFault::NotSent) | None => return drop(answer.send(execute(env, caller, &request))),
    };
    match loss {
        AnswerLoss::Cut => drop(answer),
        AnswerLoss::Silence => sleep(Duration::from_mins(1)).await,
        AnswerLoss::Status(status) => drop(answer.send(Reply::error(status, 0, "Something went wrong"))),
        AnswerLoss::Undecided => {
            let (status, code, words) = env.rng.choose(&[
                (400, 2787, "Something"),
                (400, 12, "Sorry! Something went wrong on our end."),
                (404, 404, "This resource is temporarily unavailable."),
                (401, 2, "Sorry! Something went wrong on our end."),
            ]);
            drop(answer.send(Reply::error(status, code, words)));
        }
    }
}

/// Lets the model execute a call.
fn execute(env: &SimEnv, caller: u64, request: &PinterestRequest) -> Reply {
    let now = env.now();
    let reply = env.model.lock().unwrap().answer(env, request, now);
    env.note(|| format!("#{caller} Pinterest answers {} {}", reply.status, reply.body));
    if reply.status >= 400 {
        env.invariants.lock().unwrap().note_fault(request.account(), now);
        if let Ok(body) = serde_json::from_str::<Value>(&request.body)
            && let Some(image) = body["media_source"]["url"].as_str()
        {
            let code = reply.body["code"].as_i64().unwrap();
            env.invariants.lock().unwrap().note_refusal(image, reply.status, code);
        }
    }
    let mut invariants = env.invariants.lock().unwrap();
    if reply.status == 401 && reply.body["code"] == 2 && request.path != "oauth/token" {
        invariants.note_dead_token(now);
    }
    if let Some(refresh) = reply.body["refresh_token"].as_str() {
        invariants.pair_issued(caller, request.account(), refresh.to_owned());
    }
    invariants.pinterest_changed(env);
    drop(invariants);
    reply
}

/// The fault that a call meets, if any. Each effect comes at most 30 s after its call.
fn random_fault(env: &SimEnv, kind: CallKind) -> Option<PinterestFault> {
    let rng = &env.rng;
    match env.outage() {
        Some(Outage::Unreachable) => return Some(PinterestFault::NotSent),
        Some(Outage::Down) => return Some(PinterestFault::Before(AnswerLoss::Status(503))),
        Some(Outage::NoAnswers) => {
            return Some(PinterestFault::After(AnswerLoss::Silence, Duration::from_secs(1)));
        }
        Some(Outage::RateLimited) if matches!(kind, CallKind::SendPin | CallKind::ListBoard) => {
            return Some(PinterestFault::Refused(Reply::error(429, 8, "You have exceeded your rate limit")));
        }
        Some(Outage::SpamBlocked) if kind == CallKind::SendPin => {
            return Some(PinterestFault::Refused(spam()));
        }
        _ => {}
    }
    if !env.fault_happens(env.scenario.pinterest_fault_rate) {
        return None;
    }
    let loss =
        rng.choose(&[AnswerLoss::Cut, AnswerLoss::Silence, AnswerLoss::Status(500), AnswerLoss::Undecided]);
    let wait = rng.log_uniform(Duration::from_millis(1), Duration::from_secs(29));
    Some(match rng.between(0, 10) {
        0 => PinterestFault::NotSent,
        1 | 2 => PinterestFault::Before(loss),
        3..=5 => PinterestFault::After(loss, wait),
        6 => PinterestFault::Slow(wait),
        _ => PinterestFault::Refused(random_refusal(env, kind)?),
    })
}

fn random_refusal(env: &SimEnv, kind: CallKind) -> Option<Reply> {
    let rng = &env.rng;
    let quota = Reply {
        reset: rng.choose(&[None, Some(30), Some(600), Some(20_000)]),
        ..Reply::error(429, 8, "You have exceeded your rate limit")
    };
    let unapproved = Reply::error(401, 3, "Your application consumer type is not supported");
    Some(match kind {
        CallKind::SendPin => rng.choose(&[
            quota,
            spam(),
            Reply::error(429, 9, "Sorry! We blocked this link because it may lead to spam."),
            Reply::error(409, 1, "Concurrent update"),
            Reply::error(400, 1, "Sorry! We could not fetch the image."),
            Reply::error(401, 2, "Authentication failed."),
        ]),
        CallKind::ListBoard => {
            rng.choose(&[quota, spam(), Reply::error(401, 2, "Authentication failed."), unapproved])
        }
        CallKind::RefreshTokens => rng.choose(&[quota, unapproved]),
        _ => return None,
    })
}

fn spam() -> Reply {
    Reply::error(403, 9, "We blocked this as spam")
}

fn unknown(why: &str) -> Error {
    Error::Unknown { response: domain::ResponseMeta::default(), source: Some(Fault::Connection(why.into())) }
}

fn response(reply: &Reply) -> Response {
    let mut response = http::Response::builder().status(reply.status);
    if let Some(reset) = reply.reset {
        response = response.header("x-ratelimit-reset", reset);
    }
    response.body(reply.body.to_string()).unwrap().into()
}
