//! Every address of the API, once: handlers are found by this table, the contract is made of it, and the
//! template is compared with it.

use http::Method;

/// A thing that a caller can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// The settings, where they come from, and whether the workers run.
    ReadSettings,
    /// Saves settings.
    SaveSettings,
    /// Asks Pinterest whether App ID and App Secret are right.
    TestCredentials,
    /// Begins to connect an account.
    StartOAuth,
    /// Where Pinterest sends the browser.
    OAuthCallback,
    /// Makes a connection the caller's channel.
    Claim,
    /// All channels.
    ListChannels,
    /// One channel.
    ReadChannel,
    /// Chooses the default board.
    ChangeChannel,
    /// Disconnects.
    DeleteChannel,
    /// All boards of the account.
    ListBoards,
    /// A new board.
    CreateBoard,
    /// Publishes.
    CreatePin,
    /// Says whether a Pin would be published.
    ValidatePin,
    /// Takes many Pins in one file.
    BulkPins,
    /// Where to send a file.
    Upload,
    /// Pins, newest first.
    ListPins,
    /// One Pin with its timeline.
    ReadPin,
    /// Cancels what is not yet sent.
    CancelPin,
    /// Edits or reschedules a Pin.
    ChangePin,
    /// Gives all Pins of a board to another board.
    MovePins,
    /// Sends a failed Pin again.
    RetryPin,
    /// How a channel does, day by day.
    ChannelAnalytics,
    /// Which Pins of a channel do best.
    TopPins,
    /// How all Pins of a channel do, in short.
    PinMetrics,
    /// How a Pin does, day by day.
    PinAnalytics,
    /// Whether the API answers.
    Health,
    /// The contract.
    OpenApi,
    /// Where a person begins.
    Home,
    /// A page: which one, its scripts see by its address.
    Page,
    /// A file of the pages.
    PageFile,
}

/// The functions that answer requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Function {
    /// `functions/admin-save`
    AdminSave,
    /// `functions/oauth-start`
    OauthStart,
    /// `functions/oauth-callback`
    OauthCallback,
    /// `functions/channels`
    Channels,
    /// `functions/publish`
    Publish,
    /// `functions/pins`
    Pins,
    /// `functions/analytics`
    Analytics,
    /// `functions/docs`
    Docs,
    /// `functions/console`
    Console,
}

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone.
    Open,
    /// Whoever is signed in.
    User,
    /// Whoever is signed in with the admin scope or group.
    Admin,
}

/// An address and what it does.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The method.
    pub method: &'static str,
    /// The path, with `{id}` for an id, and any other name in braces for what may be anything.
    pub path: &'static str,
    /// What it does.
    pub operation: Operation,
    /// Who does it.
    pub function: Function,
    /// Who may ask.
    pub access: Access,
}

const fn route(
    method: &'static str,
    path: &'static str,
    operation: Operation,
    function: Function,
    access: Access,
) -> Route {
    Route { method, path, operation, function, access }
}

/// The path of the settings.
const SETTINGS: &str = "/api/v1/admin/integrations/pinterest";
/// Pinterest sends the browser here.
pub const CALLBACK: &str = "/api/v1/auth/pinterest/callback";
/// The same, as another product calls it: for apps whose redirect URI is registered already.
pub const CALLBACK_ALIAS: &str = "/mixpost/callback/pinterest";

/// The table.
pub const ROUTES: [Route; 37] = {
    use Access::{Admin, Open, User};
    use Function::{AdminSave, Analytics, Channels, Console, Docs, OauthCallback, OauthStart, Pins, Publish};
    use Operation as Op;
    [
        route("GET", SETTINGS, Op::ReadSettings, AdminSave, Admin),
        route("PUT", SETTINGS, Op::SaveSettings, AdminSave, Admin),
        route("POST", "/api/v1/admin/integrations/pinterest/test", Op::TestCredentials, AdminSave, Admin),
        route("POST", "/api/v1/auth/pinterest/start", Op::StartOAuth, OauthStart, User),
        route("GET", CALLBACK, Op::OAuthCallback, OauthCallback, Open),
        route("GET", CALLBACK_ALIAS, Op::OAuthCallback, OauthCallback, Open),
        route("POST", "/api/v1/connections/claim", Op::Claim, Channels, User),
        route("GET", "/api/v1/channels", Op::ListChannels, Channels, User),
        route("GET", "/api/v1/channels/{id}", Op::ReadChannel, Channels, User),
        route("PATCH", "/api/v1/channels/{id}", Op::ChangeChannel, Channels, User),
        route("DELETE", "/api/v1/channels/{id}", Op::DeleteChannel, Channels, User),
        route("GET", "/api/v1/channels/{id}/boards", Op::ListBoards, Channels, User),
        route("POST", "/api/v1/channels/{id}/boards", Op::CreateBoard, Channels, User),
        route("POST", "/api/v1/pins", Op::CreatePin, Publish, User),
        route("POST", "/api/v1/pins/validate", Op::ValidatePin, Publish, User),
        route("POST", "/api/v1/pins/bulk", Op::BulkPins, Publish, User),
        route("POST", "/api/v1/media", Op::Upload, Publish, User),
        route("GET", "/api/v1/pins", Op::ListPins, Pins, User),
        route("POST", "/api/v1/pins/move", Op::MovePins, Pins, User),
        route("GET", "/api/v1/pins/{id}", Op::ReadPin, Pins, User),
        route("PATCH", "/api/v1/pins/{id}", Op::ChangePin, Pins, User),
        route("DELETE", "/api/v1/pins/{id}", Op::CancelPin, Pins, User),
        route("POST", "/api/v1/pins/{id}/retry", Op::RetryPin, Pins, User),
        route("GET", "/api/v1/channels/{id}/analytics", Op::ChannelAnalytics, Analytics, User),
        route("GET", "/api/v1/channels/{id}/top-pins", Op::TopPins, Analytics, User),
        route("GET", "/api/v1/channels/{id}/pin-metrics", Op::PinMetrics, Analytics, User),
        route("GET", "/api/v1/pins/{id}/analytics", Op::PinAnalytics, Analytics, User),
        route("GET", "/api/v1/health", Op::Health, Docs, Open),
        route("GET", "/openapi.json", Op::OpenApi, Docs, Open),
        route("GET", "/", Op::Home, Console, Open),
        route("GET", "/app/channels", Op::Page, Console, Open),
        route("GET", "/app/publishing", Op::Page, Console, Open),
        route("GET", "/app/numbers", Op::Page, Console, Open),
        route("GET", "/app/sign-in", Op::Page, Console, Open),
        route("GET", "/admin/api-integration/pinterest", Op::Page, Console, Open),
        route("GET", "/api-reference", Op::Page, Console, Open),
        route("GET", "/assets/{version}/{id}", Op::PageFile, Console, Open),
    ]
};

/// What an address leads to.
#[derive(Debug)]
pub enum Found<'a> {
    /// This route, and the id in the path.
    Route(&'static Route, Option<&'a str>),
    /// The path exists, with these methods.
    OtherMethod(Vec<&'static str>),
    /// No route has this path.
    Nothing,
}

/// Finds the route of a request.
#[must_use]
pub fn find<'a>(method: &Method, path: &'a str) -> Found<'a> {
    let mut allowed = Vec::new();
    for route in &ROUTES {
        if let Some(Matched { id }) = matches(route.path, path) {
            if route.method == method.as_str() {
                return Found::Route(route, id);
            }
            allowed.push(route.method);
        }
    }
    if allowed.is_empty() { Found::Nothing } else { Found::OtherMethod(allowed) }
}

/// A path of a route's form.
struct Matched<'a> {
    id: Option<&'a str>,
}

/// Whether `path` is of the form of `pattern`.
fn matches<'a>(pattern: &str, path: &'a str) -> Option<Matched<'a>> {
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    let mut id = None;
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(Matched { id }),
            (Some("{id}"), Some(part)) if !part.is_empty() => id = Some(part),
            (Some(any), Some(part)) if any.starts_with('{') && !part.is_empty() => {}
            (Some(want), Some(part)) if want == part => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_finds_its_route_and_its_id() {
        let Found::Route(route, id) = find(&Method::GET, "/api/v1/channels/ch_1/boards") else { panic!() };
        assert_eq!((route.operation, id), (Operation::ListBoards, Some("ch_1")));
        let Found::OtherMethod(allowed) = find(&Method::PUT, "/api/v1/pins") else { panic!() };
        assert_eq!(allowed, ["POST", "GET"]);
        let Found::Route(route, id) = find(&Method::GET, "/assets/4f1c/app.js") else { panic!() };
        assert_eq!((route.operation, id), (Operation::PageFile, Some("app.js")));
        assert!(matches!(find(&Method::GET, "/api/v1/channels/"), Found::Nothing));
        assert!(matches!(find(&Method::GET, "/api/v1/nothing"), Found::Nothing));
    }

    #[test]
    fn no_two_routes_answer_the_same_request() {
        for (position, one) in ROUTES.iter().enumerate() {
            for other in &ROUTES[position + 1..] {
                assert!((one.method, one.path) != (other.method, other.path), "{} {}", one.method, one.path);
            }
        }
    }
}
