//! `/` and `/pin/{id}/`: the pages that show what was published.

use std::{fmt::Write, sync::Arc};

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};

use super::html::{escape, page};
use crate::{
    control::view::{self, PinView},
    http::Environment,
    simulation::Simulation,
    state::State as PinterestState,
};

/// All accounts with their boards, and all Pins, on both hosts.
pub(crate) async fn show_home(State(simulation): State<Arc<Simulation>>) -> Response {
    let body = simulation.read(|state| {
        let hosts = Environment::ALL.map(|host| host_section(state, host, &simulation.origin));
        format!(
            "<main>\n<h1>Simulated Pinterest</h1>\n<p class=\"note\">What your app has published. \
             All of it is on this machine only.</p>\n{}\n</main>",
            hosts.concat()
        )
    });
    page(StatusCode::OK, "Pins", &body)
}

/// One Pin.
pub(crate) async fn show_pin(State(simulation): State<Arc<Simulation>>, Path(id): Path<String>) -> Response {
    let pin = simulation.read(|state| {
        let mut pins =
            Environment::ALL.into_iter().flat_map(|host| view::pins(state, host, &simulation.origin));
        pins.find(|pin| pin.id == id)
    });
    match pin {
        Some(pin) => page(StatusCode::OK, title(&pin), &pin_body(&pin)),
        None => page(
            StatusCode::NOT_FOUND,
            "No such Pin",
            "<main><h1>There is no such Pin</h1><p><a href=\"/\">All Pins</a></p></main>",
        ),
    }
}

fn host_section(state: &PinterestState, host: Environment, origin: &str) -> String {
    let mut boards = String::new();
    for account in &state.accounts {
        let names: Vec<String> =
            view::boards(state, host, account.id).iter().take(20).map(|board| escape(&board.name)).collect();
        let (name, username) = (escape(&account.business_name), escape(&account.username));
        writeln!(boards, "<li><b>{name}</b> ({username}): {}</li>", names.join(", ")).ok();
    }
    let cards: String = view::pins(state, host, origin).iter().map(card).collect();
    let pins = if cards.is_empty() {
        "<p class=\"note\">No Pins yet.</p>\n".to_owned()
    } else {
        format!("<ul class=\"cards\">\n{cards}</ul>\n")
    };
    format!("<section>\n<h2>{host}</h2>\n<ul>\n{boards}</ul>\n{pins}</section>\n")
}

fn card(pin: &PinView) -> String {
    format!(
        "<li class=\"card\"><a href=\"/pin/{}/\">{}</a><div><b>{}</b><br>\
         <span class=\"note\">{} · {}</span></div></li>\n",
        escape(&pin.id),
        image(pin, pin.pictures.first().map_or("/sim/video.svg", String::as_str)),
        escape(title(pin)),
        escape(&pin.account),
        escape(&pin.board),
    )
}

fn pin_body(pin: &PinView) -> String {
    let pictures: Vec<String> = pin.pictures.iter().map(|address| image(pin, address)).collect();
    let pictures = pictures.join("\n");
    let description = pin.description.as_deref().map(escape).unwrap_or_default();
    // Only web addresses become links. The API refuses others, but a saved file may hold them.
    let link = pin
        .link
        .as_deref()
        .filter(|link| link.starts_with("http"))
        .map(escape)
        .map_or_else(String::new, |link| {
            format!("<p><a href=\"{link}\" rel=\"noreferrer\">{link}</a></p>\n")
        });
    let section = pin.section.as_deref().map(|name| format!(" / {}", escape(name))).unwrap_or_default();
    let disclosed = pin.ai_disclosures.join(", ");
    let disclosed =
        if disclosed.is_empty() { disclosed } else { format!("<p class=\"note\">{disclosed}</p>\n") };
    format!(
        "<main class=\"pin\">\n<p><a href=\"/\">All Pins</a></p>\n<h1>{}</h1>\n{pictures}\n<p>{description}</p>\n\
         {link}{disclosed}<p class=\"note\">{} · {}{section} · {} · {}</p>\n</main>",
        escape(title(pin)),
        escape(&pin.account),
        escape(&pin.board),
        pin.environment,
        pin.created_at,
    )
}

fn image(pin: &PinView, address: &str) -> String {
    let alternative = pin.alt_text.as_deref().unwrap_or(title(pin));
    format!("<img src=\"{}\" alt=\"{}\">", escape(address), escape(alternative))
}

fn title(pin: &PinView) -> &str {
    pin.title.as_deref().filter(|title| !title.is_empty()).unwrap_or("Untitled Pin")
}
