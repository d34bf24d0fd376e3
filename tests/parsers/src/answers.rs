//! Pinterest's answers to each call of the client: status, headers and body.

use std::sync::{Arc, Mutex};

use domain::{
    AccessToken, AppSecret, AuthorizationCode, BoardId, Draft, Environment, File, Media, PinterestPinId,
    RefreshToken, Refusal, ResponseMeta,
    refresh::{CredentialCheck, Lifetimes},
};
use jiff::{SignedDuration, civil::date};
use pinterest::{
    Addresses, App, CHANNEL_METRICS, Client, Error, IMAGE_METRICS, MediaUrl, NewBoard, Period, PinMedia,
};
use serde_json::{Value, json};

use crate::{
    answer::tells_a_secret,
    dice::Dice,
    harness::{self, NOW},
    tally,
    wire::{self, Answer, Reply, Script},
};

const OPERATIONS: [&str; 14] = [
    "create_pin",
    "token",
    "board_pins",
    "boards",
    "sections",
    "board",
    "create_board",
    "user_account",
    "exchange",
    "check_credentials",
    "account_analytics",
    "pin_analytics",
    "top_pins",
    "pin_totals",
];
const HOST: Environment = Environment::Sandbox;
const DAYS: Period = Period { from: date(2026, 11, 1), to: date(2026, 11, 30) };
const TWO_DAYS: SignedDuration = SignedDuration::from_hours(48);
const TEN_YEARS: SignedDuration = SignedDuration::from_hours(10 * 365 * 24);

/// Whatever comes back, the client knows whether the call took effect, believes in a success only where there is
/// one, waits no longer than two days, and keeps tokens out of what it says.
pub fn answers(bytes: &[u8]) {
    let mut dice = Dice::new(bytes);
    let call = dice.pick(&OPERATIONS);
    let operation = if matches!(call, "exchange" | "check_credentials") { "token" } else { call };
    let replies: Vec<_> = (0..=dice.below(3)).map(|_| wire::reply(&mut dice, operation)).collect();
    let script = Arc::new(Mutex::new(Script::default()));
    script.lock().unwrap().action = replies.iter().map(|reply| (operation, reply.clone())).collect();
    harness::on_runtime(async {
        let client = Client::new(wire::wire(&script), Addresses::default());
        let first = &replies[0];
        let is_success = check_call(&client, call, first).await;
        tally::count(call, is_success);
        let sent_count = script.lock().unwrap().requests.len();
        assert!(
            sent_count <= 100 && (sent_count == 1 || matches!(call, "boards" | "sections")),
            "{call}: {sent_count} calls"
        );
    });
}

/// Makes the call, checks its result against the first reply, and returns whether it was a success.
async fn check_call(client: &Client, call: &str, reply: &Reply) -> bool {
    let token = AccessToken::new("pina_planted".to_owned());
    let board = BoardId::try_from("5".to_owned()).unwrap();
    let secret = AppSecret::new("s3cret_planted".to_owned());
    let app = App { id: "1", secret: &secret };
    match call {
        "create_pin" => {
            let draft = draft();
            let Media::Image { file: File::Public { url } } = &draft.media else { unreachable!() };
            let media = PinMedia::Image(MediaUrl::Public(url));
            let outcome = client.create_pin(HOST, &token, &draft, &media).await;
            check_created(&outcome, reply);
            check(outcome, reply)
        }
        "token" => {
            let old = RefreshToken::new("pinr_planted".to_owned());
            let renewed = client.refresh(HOST, app, &old, NOW).await;
            if let Ok(renewed) = &renewed {
                check_lifetimes(renewed.lifetimes);
            }
            check_tokens_are_kept(renewed.is_ok(), reply);
            check(renewed, reply)
        }
        "exchange" => {
            let code = AuthorizationCode::new("planted".to_owned());
            let granted = client.exchange(HOST, app, &code, "https://api.example.com/", NOW).await;
            if let Ok(granted) = &granted {
                check_lifetimes(granted.lifetimes);
                assert!(!granted.scopes.names().is_empty());
                assert!(!granted.tokens.refresh.expose().is_empty());
            }
            check(granted, reply)
        }
        "check_credentials" => {
            let (check, response) = client.check_credentials(HOST, app).await;
            check_words(&response);
            let success = matches!(reply, Reply::Answer(answer) if answer.is_success() && !answer.cut);
            assert!(success || check != CredentialCheck::Right, "{response:?}");
            let refused = matches!(reply, Reply::Answer(answer) if (400..500).contains(&answer.status));
            assert!(refused || check != CredentialCheck::Wrong, "{response:?}");
            check == CredentialCheck::Right
        }
        "board_pins" => check(client.board_pins(HOST, &token, &board, None).await, reply),
        "boards" => check(client.boards(HOST, &token).await, reply),
        "sections" => check(client.sections(HOST, &token, &board).await, reply),
        "board" => check(client.board(HOST, &token, &board).await, reply),
        "create_board" => {
            let new = NewBoard { name: "Salads", description: None, privacy: None };
            check(client.create_board(HOST, &token, &new).await, reply)
        }
        "account_analytics" => {
            check(client.account_analytics(HOST, &token, DAYS, CHANNEL_METRICS).await, reply)
        }
        "pin_analytics" => {
            let pin = PinterestPinId::try_from("7".to_owned()).unwrap();
            check(client.pin_analytics(HOST, &token, &pin, DAYS, IMAGE_METRICS).await, reply)
        }
        "top_pins" => check(client.top_pins(HOST, &token, DAYS, CHANNEL_METRICS, "SAVE", 10).await, reply),
        "pin_totals" => check(client.pin_totals(HOST, &token, 50, None).await, reply),
        _ => check(client.user_account(HOST, &token).await, reply),
    }
}

/// A success needs one on the wire, and "not sent" a wire that did not send; later pages have replies of their own.
fn check<T>(result: Result<T, Error>, reply: &Reply) -> bool {
    let Err(error) = result else {
        let success = matches!(reply, Reply::Answer(answer) if answer.is_success() && !answer.cut);
        assert!(success, "{reply:?}");
        return true;
    };
    assert!(!tells_a_secret(&format!("{} {error:?}", platform::chain(&error))), "{error:?}");
    match &error {
        Error::NotSent(_) => {}
        Error::Refused { refusal, response } => {
            check_words(response);
            check_refusal(refusal, response);
        }
        Error::Unknown { response, .. } => check_words(response),
    }
    false
}

/// The answer about a new Pin decides whether it is sent again.
fn check_created(outcome: &Result<(PinterestPinId, ResponseMeta), Error>, reply: &Reply) {
    match (outcome, reply) {
        (Ok((id, response)), Reply::Answer(answer)) => {
            let body: Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(body["id"].to_string().trim_matches('"'), id.as_str());
            check_words(response);
        }
        (Err(Error::Refused { refusal, response }), Reply::Answer(answer)) => {
            assert_eq!(response.http_status, Some(answer.status), "{answer:?}");
            let blocks = matches!(refusal, Refusal::Spam | Refusal::LinkBlocked);
            let is_refusal = (400..500).contains(&answer.status) && answer.status != 408;
            // In a success, a refusal is one only if its code or its words are known, and nothing speaks for a Pin.
            let known_refusal = answer.is_success() && *refusal != Refusal::Other && !names_a_pin(answer);
            assert!(is_refusal || blocks || known_refusal, "{answer:?}");
        }
        (Err(Error::NotSent(_)), Reply::NotSent)
        | (Err(Error::Unknown { .. }), Reply::Answer(_) | Reply::Lost) => {}
        _ => panic!("{outcome:?} came of {reply:?}"),
    }
}

fn check_refusal(refusal: &Refusal, response: &ResponseMeta) {
    if let Refusal::Quota { retry_after: Some(wait) } = refusal {
        assert!((SignedDuration::ZERO..=TWO_DAYS).contains(wait), "{wait}");
    }
    let is_success = response.http_status.is_some_and(|status| (200..300).contains(&status));
    assert!(!is_success || *refusal != Refusal::Other && response.message.is_some(), "{response:?}");
}

fn names_a_pin(answer: &Answer) -> bool {
    serde_json::from_slice::<Value>(&answer.body).is_ok_and(|body| !body["id"].is_null())
}

/// What is kept of an answer is short, on one line, and no secret.
fn check_words(response: &ResponseMeta) {
    for text in [&response.message, &response.request_id].into_iter().flatten() {
        assert!(text.chars().count() <= 500, "{text}");
        assert!(!text.contains(char::is_control) && !tells_a_secret(text), "{text:?}");
    }
}

fn check_lifetimes(lifetimes: Lifetimes) {
    for end in [Some(lifetimes.access_expires_at), lifetimes.refresh_expires_at].into_iter().flatten() {
        assert!(NOW < end && end <= NOW + TEN_YEARS, "{end}");
    }
}

/// The token that was sent may be dead: no detail is worth losing the new ones for.
fn check_tokens_are_kept(is_success: bool, reply: &Reply) {
    let Reply::Answer(answer @ Answer { cut: false, .. }) = reply else { return };
    let Ok(body) = serde_json::from_slice::<Value>(&answer.body) else { return };
    // A field that is named twice has no agreed meaning (RFC 8259, section 4).
    let unambiguous = body.to_string().as_bytes() == answer.body;
    let usable = |name: &str| body[name].as_str().is_some_and(|text| !text.is_empty());
    if unambiguous && answer.is_success() && usable("access_token") && usable("refresh_token") {
        assert!(is_success, "tokens are lost: {body}");
    }
}

fn draft() -> Draft {
    serde_json::from_value(json!({ "board_id": "5", "media": harness::image() })).unwrap()
}
