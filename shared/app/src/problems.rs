//! Turns errors into problem documents. This is the only place that does so.

use delivery::Error as DeliveryError;
use domain::{
    Disabled, Environment, Limit, LimitReached, PauseReason, Refusal, ResponseMeta, WrongState, failures,
    phrases,
};
use edge::{ApiError, Problem};
use http::StatusCode;

use crate::Error;

/// The `Retry-After` after a spam block, whose end Pinterest does not announce: the first hold of a channel.
const SPAM_WAIT_SECONDS: i64 = 600;
/// The `Retry-After` of a limit at which only a user's action makes room again.
const NO_KNOWN_WAIT_SECONDS: i64 = 60;

impl ApiError for Error {
    fn problem(&self) -> Problem {
        match self {
            Error::Request(error) => error.into(),
            Error::Delivery(error) => using_pinterest(error),
            Error::WrongState(WrongState { detail, fix }) => {
                Problem::new(StatusCode::CONFLICT, "wrong_state", detail, *fix)
            }
            Error::KeyReused => {
                let fix = "Use a new key for a new request, or send the first request's body again.";
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                Problem::new(status, "idempotency_key_reused", self.to_string(), fix)
            }
            Error::PinterestPinTaken => {
                let fix = "Look which of your Pins it is, and resolve this one as another, or send it again.";
                Problem::new(StatusCode::CONFLICT, "pinterest_pin_taken", self.to_string(), fix)
            }
            Error::NotInSandbox => {
                let fix = "Connect the account in the production environment: Trial access is enough to read numbers.";
                Problem::new(StatusCode::CONFLICT, "analytics_not_in_sandbox", self.to_string(), fix)
            }
            Error::Refused { failure, pin, others } => {
                Problem::refused(failure).about_pins(pin.clone(), others.clone())
            }
            Error::LimitReached(reached) => limit_reached(*reached, self.to_string()),
            Error::Busy | Error::Store(store::Error::Contended) => busy(),
            Error::DeadlineExceeded => {
                let fix = "Send the file again: rows that are done are not done twice.";
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_done", self.to_string(), fix)
            }
            Error::Store(_)
            | Error::Vault(_)
            | Error::SettingsSecret(_)
            | Error::MediaBucket(_)
            | Error::EventBus(_)
            | Error::MissingVariable(_)
            | Error::InvalidVariable(_)
            | Error::Network(_) => Problem::internal(),
        }
    }
}

/// With the headers of the IETF's draft (`draft-ietf-httpapi-ratelimit-headers-10`).
fn limit_reached(reached: LimitReached, detail: String) -> Problem {
    let LimitReached { limit, amount, wait } = reached;
    let fix = match limit {
        Limit::Channels => "Disconnect a channel, or ask the operator for more.",
        Limit::OpenPins => "Wait until Pins are published, or cancel some; or ask the operator for more.",
        Limit::UploadBytes => "Delete files that are not needed, or ask the operator for more.",
        _ if wait.is_none() => "Ask for less at once, or ask the operator for more.",
        _ => "Try again after the time in Retry-After, or ask the operator for more.",
    };
    let seconds = wait.map_or(NO_KNOWN_WAIT_SECONDS, |wait| wait.as_secs() + 1);
    let window = limit.window().map(|window| format!(";w={}", window.as_secs())).unwrap_or_default();
    let name = limit.name();
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "limit_reached", detail, fix)
        .with_params([("limit", name.to_owned()), ("amount", amount.to_string())])
        .retry_after(seconds)
        .with_header("ratelimit-policy", &format!("\"{name}\";q={amount}{window}"))
        .with_header("ratelimit", &format!("\"{name}\";r=0;t={seconds}"))
}

fn busy() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "too many changes at once", "Try again.")
        .retry_after(1)
}

fn token_refresh() -> Problem {
    let detail = "the account's access token is being renewed";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "token_refresh", detail, "Try again in a minute.")
        .retry_after(60)
}

fn using_pinterest(error: &DeliveryError) -> Problem {
    match error {
        DeliveryError::IntegrationDisabled(disabled) => {
            let fix = match disabled {
                Disabled::NotConfigured => {
                    "An admin enters App ID and App Secret in the integration's settings, or the operator sets \
                     PINTEREST_APP_ID and PINTEREST_APP_SECRET."
                }
                Disabled::SwitchedOff => "An admin switches the integration on in its settings.",
            };
            let detail = disabled.phrase().text;
            Problem::new(StatusCode::CONFLICT, "integration_disabled", detail, fix)
        }
        DeliveryError::Disconnected => Problem::from(&edge::RequestError::NotFound("channel")),
        DeliveryError::ReconnectRequired => {
            let fix = "Connect the account again, then repeat the request.";
            Problem::new(StatusCode::CONFLICT, "reconnect_required", error.to_string(), fix)
        }
        DeliveryError::TokenRefreshing => token_refresh(),
        DeliveryError::Paused { pause, seconds } => {
            let code = match pause.reason {
                PauseReason::Quota => "pinterest_rate_limited",
                PauseReason::SpamHold => "spam_hold",
                PauseReason::PinterestUnavailable => "pinterest_unreachable",
            };
            let fix = "Try again after that time.";
            Problem::new(StatusCode::TOO_MANY_REQUESTS, code, error.to_string(), fix).retry_after(*seconds)
        }
        DeliveryError::Pinterest(error) => reading(error),
        DeliveryError::Store(store::Error::Contended) => busy(),
        DeliveryError::Store(_) | DeliveryError::Vault(_) => Problem::internal(),
    }
}

/// The problem for the caller after a call to Pinterest without side effects.
fn reading(error: &pinterest::Error) -> Problem {
    let (refusal, response) = match error {
        pinterest::Error::Refused { refusal, response } => (refusal, response),
        pinterest::Error::Unknown { .. } if error.is_unreadable() => {
            return Problem::new(
                StatusCode::BAD_GATEWAY,
                "pinterest_unreadable",
                "Pinterest answered in an unknown form",
                "Try again later; if it goes on, report it to the operator, whose log says more.",
            );
        }
        pinterest::Error::Unknown { response, source: None } => return unreachable(&failed(response)),
        pinterest::Error::Unknown { .. } | pinterest::Error::NotSent(_) => {
            return unreachable("Pinterest did not answer");
        }
    };
    match refusal {
        Refusal::TokenDead => token_refresh(),
        Refusal::Scope | Refusal::NotPermitted => {
            Problem::refused(&failures::invalid_scope(Environment::Sandbox))
        }
        Refusal::Quota { retry_after } => Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "pinterest_rate_limited",
            phrases::RATE_LIMITED.text,
            "Try again after the time in Retry-After.",
        )
        .retry_after(retry_after.map_or(60, |wait| wait.as_secs().max(1))),
        Refusal::Spam => Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "spam_hold",
            "Pinterest has blocked this account for a while to combat spam",
            "Wait some hours, and vary what is published.",
        )
        .retry_after(SPAM_WAIT_SECONDS),
        Refusal::BoardGone => Problem::refused(&failures::board_gone()),
        Refusal::SectionGone
        | Refusal::LinkBlocked
        | Refusal::GrantDead
        | Refusal::MediaUnreachable
        | Refusal::Busy
        | Refusal::Other => {
            let message = response.message.clone().unwrap_or_else(|| "no reason given".to_owned());
            let detail = format!("Pinterest refused: {message}");
            let fix = "Change what Pinterest objects to, and try again.";
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "refused_by_pinterest", detail, fix)
        }
    }
}

fn unreachable(detail: &str) -> Problem {
    let fix = "Try again later; Pinterest's status page tells whether it is down.";
    Problem::new(StatusCode::BAD_GATEWAY, "pinterest_unreachable", detail, fix)
}

/// Pinterest reports an error of its own.
pub(crate) fn failed(response: &ResponseMeta) -> String {
    let status = response.http_status.map(|status| format!(" with status {status}"));
    let words = response.message.as_ref().map(|message| format!(": {message}"));
    let detail: String = [status, words].into_iter().flatten().collect();
    format!("Pinterest reported an error of its own{detail}")
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use edge::codes::{self, is_listed};

    /// The text of every source file below `folder`, without its tests.
    fn sources(folder: &Path, all: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if !path.ends_with("tests") {
                    sources(&path, all);
                }
            } else if path.extension().is_some_and(|kind| kind == "rs")
                && !path.ends_with("edge/src/codes.rs")
            {
                let text = fs::read_to_string(&path).unwrap();
                all.push(text.split("#[cfg(test)]").next().unwrap_or_default().to_owned());
            }
        }
    }

    /// The argument at `wanted` of each call that begins with `call`, if it is a plain text.
    fn arguments<'a>(text: &'a str, call: &str, argument_count: usize) -> Vec<&'a str> {
        let argument = |remaining: &'a str| {
            let (mut depth, mut quoted, mut position, mut begin) = (0, false, 0, 0);
            for (at, letter) in remaining.char_indices() {
                match letter {
                    '"' => quoted = !quoted,
                    _ if quoted => {}
                    '(' | '[' | '{' => depth += 1,
                    ')' | ']' | '}' if depth > 0 => depth -= 1,
                    ',' | ')' if depth == 0 => {
                        if position == argument_count {
                            return remaining[begin..at].trim().strip_prefix('"')?.strip_suffix('"');
                        }
                        (position, begin) = (position + 1, at + 1);
                    }
                    _ => {}
                }
            }
            None
        };
        text.split(call).skip(1).filter_map(argument).collect()
    }

    #[test]
    fn every_error_code_in_the_source_is_listed_and_every_listed_one_is_used() {
        let shared = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut texts = Vec::new();
        for part in ["domain", "edge", "delivery", "app"] {
            sources(&shared.join(part).join("src"), &mut texts);
        }
        let mut codes_in_code = BTreeSet::new();
        for text in &texts {
            for (call, argument) in [("Invalid::new(", 1), ("Failure::new(", 0), ("Problem::new(", 1)] {
                codes_in_code.extend(arguments(text, call, argument));
            }
        }
        assert!(codes_in_code.len() > 40, "{codes_in_code:?}");
        for code in &codes_in_code {
            assert!(is_listed(code), "{code} is not in the list of codes");
        }
        for (number, code) in codes::all().map(|code| code.code).enumerate() {
            assert!(!codes::all().take(number).any(|other| other.code == code), "{code} is listed twice");
            let quoted_code = format!("\"{code}\"");
            assert!(texts.iter().any(|text| text.contains(&quoted_code)), "nothing makes {code}");
        }
    }
}
