//! Events of the HTTP API, as the platform hands them to every function.

use app::Function;
use edge::Request;
use lambda_http::{RequestExt as _, request::RequestContext};
use serde_json::Value;

use crate::{dice::Dice, harness, mutate, tally};

const FUNCTIONS: [Function; 8] = [
    Function::AdminSave,
    Function::OauthStart,
    Function::OauthCallback,
    Function::Channels,
    Function::Publish,
    Function::Pins,
    Function::Analytics,
    Function::Docs,
];

const SAMPLES: [&str; 8] = [
    include_str!("../../../events/admin-save.json"),
    include_str!("../../../events/oauth-start.json"),
    include_str!("../../../events/oauth-callback.json"),
    include_str!("../../../events/channels.json"),
    include_str!("../../../events/publish.json"),
    include_str!("../../../events/pins.json"),
    include_str!("../../../events/analytics.json"),
    include_str!("../../../events/docs.json"),
];

/// Whatever the event, a function answers it, and never with a 5xx: the content of a request is no fault of ours.
pub fn events(bytes: &[u8]) {
    let mut dice = Dice::new(bytes);
    let number = dice.below(SAMPLES.len());
    let misrouted = dice.once_in(8);
    let text =
        if dice.once_in(32) { dice.take_rest().to_vec() } else { mutate_sample(&mut dice, SAMPLES[number]) };
    let Some(request) = harness::parse_event(&text) else { return tally::count("events", false) };
    tally::count("events", true);
    // Where the API is, the platform says, and nobody else: what is no address leads to no consent page.
    let allowed: &[u16] = if is_somewhere(&request) { &[] } else { &[502] };
    harness::with(async |app| {
        let answer = if misrouted {
            app.answer_as(dice.pick(&FUNCTIONS), request).await
        } else {
            app.answer(request).await
        };
        answer.check(allowed);
        tally::count("events that lead somewhere", answer.status != 404);
    });
}

fn is_somewhere(request: &Request) -> bool {
    let Some(RequestContext::ApiGatewayV2(context)) = request.request_context_ref() else { return true };
    let domain = context.domain_name.as_deref().unwrap_or("localhost");
    reqwest::Url::parse(&format!("https://{domain}/")).is_ok()
}

/// The sample with what callers choose changed: their path, query, headers and body; and now and then the rest.
fn mutate_sample(dice: &mut Dice<'_>, sample: &str) -> Vec<u8> {
    let mut event: Value = serde_json::from_str(sample).unwrap();
    for name in ["rawPath", "rawQueryString", "body"] {
        if dice.once_in(4)
            && let Some(text) = event[name].as_str()
        {
            event[name] = mutate::text(dice, text).into();
        }
    }
    for name in ["host", "x-forwarded-proto", "idempotency-key", "content-type"] {
        if dice.once_in(8) {
            let valid = event["headers"][name].as_str().unwrap_or("application/json").to_owned();
            event["headers"][name] = mutate::text(dice, &valid).into();
        }
    }
    if dice.once_in(8) {
        event["requestContext"]["http"]["method"] =
            (dice.pick(&["GET", "PUT", "DELETE", "OPTIONS", "x"])).into();
    }
    if dice.once_in(8) {
        event["isBase64Encoded"] = true.into();
    }
    if dice.once_in(4) {
        mutate::json(dice, &mut event);
    }
    mutate::serialize(dice, &event)
}
