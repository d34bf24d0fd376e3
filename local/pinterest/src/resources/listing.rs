//! Changes a Pin that is read again as the policy defines.

use jiff::{SignedDuration, Timestamp, tz};
use serde_json::{Value, json};
use url::Url;

use crate::{
    http::format_date_time,
    pages::html::escape,
    state::{
        Pin,
        listing::{ListedAltText, ListedDescription, ListedLink, ListedTime, ListedTitle, Listing},
    },
};

/// Changes the document of `pin`.
pub(super) fn show_as(listing: &Listing, pin: &Pin, mut document: Value) -> Value {
    let text = |text: &str| if listing.escape { escape(text) } else { text.to_owned() };
    let title = match listing.title {
        ListedTitle::AsSent => pin.title.clone(),
        ListedTitle::Page => Some("Green salad | Blog".to_owned()),
        ListedTitle::Append => pin.title.as_ref().map(|title| format!("{title} | Blog")),
    };
    document["title"] = json!(title.as_deref().map(text));
    let description = match listing.description {
        ListedDescription::AsSent => Some(pin.description.clone()),
        ListedDescription::Cut => Some(pin.description.as_deref().map(cut)),
        ListedDescription::Omit => None,
    };
    set(&mut document, "description", description.map(|sent| json!(sent.as_deref().map(text))));
    let alt_text = match listing.alt_text {
        ListedAltText::AsSent => Some(json!(pin.alt_text.as_deref().map(text))),
        ListedAltText::Null => Some(Value::Null),
        ListedAltText::Omit => None,
    };
    set(&mut document, "alt_text", alt_text);
    let link = match listing.link {
        ListedLink::AsSent => Some(pin.link.clone()),
        ListedLink::StripQuery => Some(pin.link.as_deref().map(without_query)),
        ListedLink::Slash => Some(pin.link.as_deref().map(with_other_end)),
        ListedLink::Omit => None,
    };
    set(&mut document, "link", link.map(|link| json!(link)));
    set(&mut document, "created_at", created_at(listing, pin.created_at));
    document
}

/// Sets a field, or removes it.
fn set(document: &mut Value, name: &str, value: Option<Value>) {
    match value {
        Some(value) => document[name] = value,
        None => {
            document.as_object_mut().map(|fields| fields.remove(name));
        }
    }
}

fn cut(text: &str) -> String {
    let middle = text.chars().count() / 2;
    text.chars().take(middle).chain(['…']).collect()
}

fn without_query(link: &str) -> String {
    link.split(['?', '#']).next().unwrap_or_default().to_owned()
}

fn with_other_end(link: &str) -> String {
    let Ok(mut url) = Url::parse(link) else { return link.to_owned() };
    let path = url.path().to_owned();
    url.set_path(&path.strip_suffix('/').map_or_else(|| format!("{path}/"), str::to_owned));
    url.into()
}

fn created_at(listing: &Listing, moment: Timestamp) -> Option<Value> {
    let minutes = SignedDuration::from_mins(listing.created_at_minutes.into());
    let moment = moment.saturating_add(minutes).unwrap_or(moment);
    match listing.created_at {
        ListedTime::NoZone => Some(json!(format_date_time(moment))),
        ListedTime::Zone => Some(json!(format!("{}Z", format_date_time(moment)))),
        ListedTime::Offset => {
            let local = tz::offset(2).to_datetime(moment);
            Some(json!(local.strftime("%Y-%m-%dT%H:%M:%S+02:00").to_string()))
        }
        ListedTime::Epoch => Some(json!(moment.as_second())),
        ListedTime::Rfc822 => Some(json!(moment.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())),
        ListedTime::Null => Some(Value::Null),
        ListedTime::Omit => None,
    }
}
