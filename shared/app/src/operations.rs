//! Every operation of the API, declared once: its addresses, who may use it, its query, and its description in the
//! contract.
//!
//! Each function has an enumeration of its own operations, so that a request cannot reach the wrong function. The contract
//! of an operation is separate from its routes, because only `docs` needs it, and it would make the other functions larger.

use edge::{
    Access::{Admin, Open, User},
    CALLBACK, CALLBACK_ALIAS, MAX_BODY_BYTES, MAX_JSON_BYTES, Operation, Page, Route,
    query::Query,
};

use crate::{
    contract::{Answer, AnswerBody, Contract, RequestBody, any_object, done, schema},
    handlers::{
        BoardView, BulkView, ChangeChannel, ChangePin, ChannelAnalyticsView, ChannelView, Claim, CreateBoard,
        CredentialsTest, Disconnected, HealthView, MovePins, MovedPins, NewPin, NewUpload, PinAnalyticsView,
        PinMetricsView, PinPageView, PinView, ProblemView, ResolvePin, SaveSettings, SettingsView,
        StartOAuth, StartedOAuth, TopPinsView, UploadView, Validated,
    },
    limits::{LimitsView, SaveLimits},
    parameters::{
        self, CHANNEL, CHANNEL_METRICS, CURSOR, DEFAULT_CHANNEL, DRY_RUN, FETCH_MEDIA, FROM, LIMIT,
        METRICS_OF_PIN, NONE, PINS_FROM, PINS_TO, SECTIONS, SORT, SORT_BY, STATE, TENANT, TO, TOP_PINS_LIMIT,
    },
};

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

/// Declares the operations of each function.
macro_rules! operations {
    ($(
        $(#[$doc:meta])*
        $enum:ident of $function:ident {
            $($operation:ident {
                at: $method:ident [$($path:expr),+],
                by: $access:ident,
                query: $query:expr,
                $(max_body_bytes: $max_body_bytes:expr,)?
                contract: $contract:expr,
            })+
        }
    )+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub enum $enum { $($operation,)+ }

            impl Operation for $enum {
                const ROUTES: &'static [Route<Self>] = &[$($(
                    Route {
                        method: stringify!($method),
                        path: $path,
                        access: $access,
                        query: $query,
                        max_body_bytes: Self::$operation.max_body_bytes(),
                        operation: Self::$operation,
                    },
                )+)+];
            }

            impl $enum {
                /// How large the body of a request may be.
                const fn max_body_bytes(self) -> usize {
                    match self { $(Self::$operation => [$($max_body_bytes,)? MAX_JSON_BYTES][0],)+ }
                }

                #[allow(clippy::unnecessary_wraps, reason = "pages are in no contract")]
                fn contract(self) -> Option<Contract> {
                    match self { $(Self::$operation => $contract,)+ }
                }
            }
        )+

        /// All addresses of the API.
        #[must_use]
        pub fn endpoints() -> Vec<Endpoint> {
            let mut all = Vec::new();
            $(all.extend($enum::ROUTES.iter().map(|route| Endpoint {
                method: route.method,
                path: route.path,
                access: route.access,
                query: route.query,
                function: Function::$function,
                contract: route.operation.contract(),
            }));)+
            all
        }
    };
}

/// An address of the API, for those who need all of them: the contract, the local gateway, and the tests of the template.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The method.
    pub method: &'static str,
    /// The path, with names in braces for variable segments.
    pub path: &'static str,
    /// Who may use it.
    pub access: edge::Access,
    /// The query parameters.
    pub query: Query,
    /// The function that answers.
    pub function: Function,
    pub(crate) contract: Option<Contract>,
}

impl Endpoint {
    /// The name of the operation in the contract. `None`: it is for people with a browser.
    #[must_use]
    pub fn operation_id(&self) -> Option<&'static str> {
        self.contract.as_ref().map(|contract| contract.id)
    }
}

operations! {
    /// What `admin-save` can be asked for.
    SettingsOperation of AdminSave {
        Read {
            at: GET ["/api/v1/admin/integrations/pinterest"],
            by: Admin,
            query: NONE,
            contract: Some(Contract {
                id: "read_settings",
                tag: "Settings",
                summary: "Reads the settings, where they come from, and whether the workers run",
                body: RequestBody::None,
                answers: done(schema::<SettingsView>),
                problems: &[],
            }),
        }
        Save {
            at: PUT ["/api/v1/admin/integrations/pinterest"],
            by: Admin,
            query: NONE,
            contract: Some(Contract {
                id: "save_settings",
                tag: "Settings",
                summary: "Saves any of the settings",
                body: RequestBody::OptionalJson(schema::<SaveSettings>),
                answers: done(schema::<SettingsView>),
                problems: &[],
            }),
        }
        TestCredentials {
            at: POST ["/api/v1/admin/integrations/pinterest/test"],
            by: Admin,
            query: NONE,
            contract: Some(Contract {
                id: "test_credentials",
                tag: "Settings",
                summary: "Asks Pinterest whether App ID and App Secret are right",
                body: RequestBody::None,
                answers: done(schema::<CredentialsTest>),
                problems: &[],
            }),
        }
    }

    /// What `oauth-start` can be asked for.
    StartOperation of OauthStart {
        Start {
            at: POST ["/api/v1/auth/pinterest/start"],
            by: User,
            query: NONE,
            contract: Some(Contract {
                id: "start_oauth",
                tag: "Connecting",
                summary: "Starts to connect an account: where to send the browser",
                body: RequestBody::OptionalJson(schema::<StartOAuth>),
                answers: done(schema::<StartedOAuth>),
                problems: &[409],
            }),
        }
    }

    /// What `oauth-callback` can be asked for.
    CallbackOperation of OauthCallback {
        Callback {
            at: GET [CALLBACK, CALLBACK_ALIAS],
            by: Open,
            query: parameters::CALLBACK,
            contract: Some(Contract {
                id: "oauth_callback",
                tag: "Connecting",
                summary: "Where Pinterest sends the browser",
                body: RequestBody::None,
                answers: vec![
                    Answer {
                        status: 302,
                        meaning: "Back to the frontend, with `#connection=` or `#error=`.",
                        body: AnswerBody::None,
                    },
                    Answer {
                        status: 204,
                        meaning: "The request is a prefetch, as its `Sec-Purpose` says: nothing is used up.",
                        body: AnswerBody::None,
                    },
                ],
                problems: &[],
            }),
        }
    }

    /// What `channels` can be asked for.
    ChannelsOperation of Channels {
        Claim {
            at: POST ["/api/v1/connections/claim"],
            by: User,
            query: NONE,
            contract: Some(Contract {
                id: "claim_connection",
                tag: "Connecting",
                summary: "Turns a ticket into a channel of the caller's, once",
                body: RequestBody::Json(schema::<Claim>),
                answers: vec![
                    Answer::new(201, "A new channel.", schema::<ChannelView>),
                    Answer::new(
                        200,
                        "The account was a channel already: it keeps its board and its queue.",
                        schema::<ChannelView>,
                    ),
                ],
                problems: &[404],
            }),
        }
        ReadTenantLimits {
            at: GET ["/api/v1/admin/limits"],
            by: Admin,
            query: Query::only(&[TENANT]),
            contract: Some(Contract {
                id: "read_tenant_limits",
                tag: "Limits",
                summary: "Reads a tenant's limits and how much of them is used",
                body: RequestBody::None,
                answers: done(schema::<LimitsView>),
                problems: &[],
            }),
        }
        SaveTenantLimits {
            at: PUT ["/api/v1/admin/limits"],
            by: Admin,
            query: NONE,
            contract: Some(Contract {
                id: "save_tenant_limits",
                tag: "Limits",
                summary: "Gives a tenant limits of its own, in place of those that it had",
                body: RequestBody::Json(schema::<SaveLimits>),
                answers: done(schema::<LimitsView>),
                problems: &[],
            }),
        }
        ReadLimits {
            at: GET ["/api/v1/limits"],
            by: User,
            query: NONE,
            contract: Some(Contract {
                id: "read_limits",
                tag: "Limits",
                summary: "Reads the tenant's limits and how much of them is used",
                body: RequestBody::None,
                answers: done(schema::<LimitsView>),
                problems: &[],
            }),
        }
        List {
            at: GET ["/api/v1/channels"],
            by: User,
            query: Query::only(&[CURSOR, LIMIT]),
            contract: Some(Contract {
                id: "list_channels",
                tag: "Channels",
                summary: "Lists the tenant's channels",
                body: RequestBody::None,
                answers: done(schema::<Page<ChannelView>>),
                problems: &[],
            }),
        }
        Read {
            at: GET ["/api/v1/channels/{id}"],
            by: User,
            query: NONE,
            contract: Some(Contract {
                id: "read_channel",
                tag: "Channels",
                summary: "Reads a channel",
                body: RequestBody::None,
                answers: done(schema::<ChannelView>),
                problems: &[],
            }),
        }
        Change {
            at: PATCH ["/api/v1/channels/{id}"],
            by: User,
            query: NONE,
            contract: Some(Contract {
                id: "change_channel",
                tag: "Channels",
                summary: "Chooses the default board, which is checked at Pinterest",
                body: RequestBody::Json(schema::<ChangeChannel>),
                answers: done(schema::<ChannelView>),
                problems: &[409, 502],
            }),
        }
        Disconnect {
            at: DELETE ["/api/v1/channels/{id}"],
            by: User,
            query: NONE,
            contract: Some(Contract {
                id: "disconnect_channel",
                tag: "Channels",
                summary: "Deletes the tokens at once and cancels queued Pins",
                body: RequestBody::None,
                answers: done(schema::<Disconnected>),
                problems: &[],
            }),
        }
        ListBoards {
            at: GET ["/api/v1/channels/{id}/boards"],
            by: User,
            query: Query::only(&[SECTIONS]),
            contract: Some(Contract {
                id: "list_boards",
                tag: "Channels",
                summary: "Lists all boards of the account",
                body: RequestBody::None,
                answers: done(schema::<Page<BoardView>>),
                problems: &[409, 502],
            }),
        }
        CreateBoard {
            at: POST ["/api/v1/channels/{id}/boards"],
            by: User,
            query: NONE,
            contract: Some(Contract {
                id: "create_board",
                tag: "Channels",
                summary: "Creates a board",
                body: RequestBody::Json(schema::<CreateBoard>),
                answers: vec![
                    Answer::new(201, "A new board.", schema::<BoardView>),
                    Answer::new(200, "There is a board of this name already.", schema::<BoardView>),
                ],
                problems: &[409, 502],
            }),
        }
    }

    /// What `publish` can be asked for.
    PublishOperation of Publish {
        Create {
            at: POST ["/api/v1/pins"],
            by: User,
            query: NONE,
            max_body_bytes: MAX_BODY_BYTES,
            contract: Some(Contract {
                id: "create_pin",
                tag: "Pins",
                summary: "Publishes a Pin now, or at its time",
                body: RequestBody::Json(schema::<NewPin>),
                answers: vec![
                    Answer::new(201, "The Pin is at Pinterest.", schema::<PinView>),
                    Answer::new(202, "The Pin is scheduled, or waits; it is on its way.", schema::<PinView>),
                ],
                problems: &[404, 409],
            }),
        }
        Validate {
            at: POST ["/api/v1/pins/validate"],
            by: User,
            query: Query::only(&[FETCH_MEDIA]),
            max_body_bytes: MAX_BODY_BYTES,
            contract: Some(Contract {
                id: "validate_pin",
                tag: "Pins",
                summary: "Checks a Pin; nothing is stored or sent",
                body: RequestBody::Json(schema::<NewPin>),
                answers: done(schema::<Validated>),
                problems: &[404],
            }),
        }
        Bulk {
            at: POST ["/api/v1/pins/bulk"],
            by: User,
            query: Query::only(&[DRY_RUN, DEFAULT_CHANNEL]),
            max_body_bytes: MAX_BODY_BYTES,
            contract: Some(Contract {
                id: "bulk_pins",
                tag: "Pins",
                summary: "Takes up to 1,000 Pins as JSON lines or CSV; the next ticks send what is due",
                body: RequestBody::Rows,
                answers: done(schema::<BulkView>),
                problems: &[409, 415],
            }),
        }
        BulkTemplate {
            at: GET ["/api/v1/pins/bulk/template.csv"],
            by: User,
            query: NONE,
            contract: Some(Contract {
                id: "bulk_template",
                tag: "Pins",
                summary: "A template for bulk files",
                body: RequestBody::None,
                answers: vec![Answer {
                    status: 200,
                    meaning: "CSV with the columns of Pinterest's own bulk upload, an image and a video.",
                    body: AnswerBody::Csv,
                }],
                problems: &[],
            }),
        }
        Upload {
            at: POST ["/api/v1/media"],
            by: User,
            query: NONE,
            contract: Some(Contract {
                id: "upload_media",
                tag: "Media",
                summary: "Prepares the upload of a file, which goes straight to the stack's bucket",
                body: RequestBody::Json(schema::<NewUpload>),
                answers: vec![Answer::new(
                    201,
                    "Send the file there, with these headers, in time.",
                    schema::<UploadView>,
                )],
                problems: &[],
            }),
        }
        DeleteMedia {
            at: DELETE ["/api/v1/media/{id}"],
            by: User,
            query: NONE,
            contract: Some(Contract {
                id: "delete_media",
                tag: "Media",
                summary: "Deletes a file; a Pin that still names it fails when it is sent",
                body: RequestBody::None,
                answers: vec![Answer { status: 204, meaning: "The file is gone.", body: AnswerBody::None }],
                problems: &[],
            }),
        }
    }

    /// What `pins` can be asked for.
    PinsOperation of Pins {
        List {
            at: GET ["/api/v1/pins"],
            by: User,
            query: Query::only(&[CHANNEL, STATE, PINS_FROM, PINS_TO, SORT, CURSOR, LIMIT]),
            contract: Some(Contract {
                id: "list_pins",
                tag: "Pins",
                summary: "Lists the tenant's Pins by one of their times, newest first unless asked otherwise",
                body: RequestBody::None,
                answers: done(schema::<PinPageView>),
                problems: &[],
            }),
        }
        Move {
            at: POST ["/api/v1/pins/move"],
            by: User,
            query: NONE,
            contract: Some(Contract {
                id: "move_pins",
                tag: "Pins",
                summary: "Moves all Pins of a board that are not sent yet to another board",
                body: RequestBody::Json(schema::<MovePins>),
                answers: done(schema::<MovedPins>),
                problems: &[404],
            }),
        }
        Read {
            at: GET ["/api/v1/pins/{id}"],
            by: User,
            query: NONE,
            contract: Some(Contract {
                id: "read_pin",
                tag: "Pins",
                summary: "Reads a Pin with its timeline",
                body: RequestBody::None,
                answers: done(schema::<PinView>),
                problems: &[],
            }),
        }
        Change {
            at: PATCH ["/api/v1/pins/{id}"],
            by: User,
            query: NONE,
            contract: Some(Contract {
                id: "change_pin",
                tag: "Pins",
                summary: "Edits or reschedules a scheduled Pin",
                body: RequestBody::OptionalJson(schema::<ChangePin>),
                answers: done(schema::<PinView>),
                problems: &[409],
            }),
        }
        Cancel {
            at: DELETE ["/api/v1/pins/{id}"],
            by: User,
            query: NONE,
            contract: Some(Contract {
                id: "cancel_pin",
                tag: "Pins",
                summary: "Cancels a Pin that is not yet sent",
                body: RequestBody::None,
                answers: done(schema::<PinView>),
                problems: &[409],
            }),
        }
        Retry {
            at: POST ["/api/v1/pins/{id}/retry"],
            by: User,
            query: NONE,
            contract: Some(Contract {
                id: "retry_pin",
                tag: "Pins",
                summary: "Sends a failed Pin again",
                body: RequestBody::None,
                answers: vec![Answer::new(202, "The next tick sends it.", schema::<PinView>)],
                problems: &[409],
            }),
        }
        Resolve {
            at: POST ["/api/v1/pins/{id}/resolve"],
            by: User,
            query: NONE,
            contract: Some(Contract {
                id: "resolve_pin",
                tag: "Pins",
                summary: "Resolves a Pin that needs a review",
                body: RequestBody::Json(schema::<ResolvePin>),
                answers: done(schema::<PinView>),
                problems: &[409],
            }),
        }
    }

    /// What `analytics` can be asked for.
    AnalyticsOperation of Analytics {
        Channel {
            at: GET ["/api/v1/channels/{id}/analytics"],
            by: User,
            query: Query::only(&[FROM, TO, CHANNEL_METRICS]),
            contract: Some(Contract {
                id: "channel_analytics",
                tag: "Analytics",
                summary: "Reads an account's metrics, day by day",
                body: RequestBody::None,
                answers: done(schema::<ChannelAnalyticsView>),
                problems: &[409, 502],
            }),
        }
        TopPins {
            at: GET ["/api/v1/channels/{id}/top-pins"],
            by: User,
            query: Query::only(&[FROM, TO, CHANNEL_METRICS, SORT_BY, TOP_PINS_LIMIT]),
            contract: Some(Contract {
                id: "top_pins",
                tag: "Analytics",
                summary: "Lists the account's top Pins",
                body: RequestBody::None,
                answers: done(schema::<TopPinsView>),
                problems: &[409, 502],
            }),
        }
        PinMetrics {
            at: GET ["/api/v1/channels/{id}/pin-metrics"],
            by: User,
            query: Query::only(&[CURSOR, LIMIT]),
            contract: Some(Contract {
                id: "pin_metrics",
                tag: "Analytics",
                summary: "Lists the account's Pins with their totals",
                body: RequestBody::None,
                answers: done(schema::<PinMetricsView>),
                problems: &[409, 502],
            }),
        }
        Pin {
            at: GET ["/api/v1/pins/{id}/analytics"],
            by: User,
            query: Query::only(&[FROM, TO, METRICS_OF_PIN]),
            contract: Some(Contract {
                id: "pin_analytics",
                tag: "Analytics",
                summary: "Reads a published Pin's metrics, day by day",
                body: RequestBody::None,
                answers: done(schema::<PinAnalyticsView>),
                problems: &[409, 502],
            }),
        }
    }

    /// What `docs` can be asked for.
    DocsOperation of Docs {
        Health {
            at: GET ["/api/v1/health"],
            by: Open,
            query: NONE,
            contract: Some(Contract {
                id: "health",
                tag: "Service",
                summary: "Health check",
                body: RequestBody::None,
                answers: done(schema::<HealthView>),
                problems: &[],
            }),
        }
        OpenApi {
            at: GET ["/openapi.json"],
            by: Open,
            query: NONE,
            contract: Some(Contract {
                id: "openapi",
                tag: "Service",
                summary: "Reads this document",
                body: RequestBody::None,
                answers: done(any_object),
                problems: &[],
            }),
        }
        Problem {
            at: GET ["/problems/{id}"],
            by: Open,
            query: NONE,
            contract: Some(Contract {
                id: "read_problem",
                tag: "Service",
                summary: "Explains the code of a problem",
                body: RequestBody::None,
                answers: done(schema::<ProblemView>),
                problems: &[],
            }),
        }
    }

    /// What `console` can be asked for.
    ConsoleOperation of Console {
        Home {
            at: GET ["/"],
            by: Open,
            query: Query::open(&[]),
            contract: None,
        }
        Page {
            at: GET [
                "/app/channels",
                "/app/publishing",
                "/app/analytics",
                "/app/sign-in",
                "/admin/api-integration/pinterest",
                "/api-reference"
            ],
            by: Open,
            query: Query::open(&[]),
            contract: None,
        }
        File {
            at: GET ["/assets/{version}/{id}"],
            by: Open,
            query: Query::open(&[]),
            contract: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use edge::{RouteMatch, find};
    use http::Method;

    use super::*;

    #[test]
    fn a_request_finds_its_operation_and_its_id() {
        let address = |route: &Route<ChannelsOperation>| (route.method, route.path);
        let path = "/api/v1/channels/ch_1/boards";
        let RouteMatch::Found(route, id) = find(ChannelsOperation::ROUTES, address, &Method::GET, path)
        else {
            panic!()
        };
        assert_eq!((route.operation, id), (ChannelsOperation::ListBoards, Some("ch_1")));
        for path in ["/api/v1/channels/", "/api/v1/nothing"] {
            let matched = find(ChannelsOperation::ROUTES, address, &Method::GET, path);
            assert!(matches!(matched, RouteMatch::Nothing), "{path}");
        }
    }

    #[test]
    fn an_address_with_other_methods_names_those_of_all_functions() {
        let all = endpoints();
        let matched = find(&all, |endpoint| (endpoint.method, endpoint.path), &Method::PUT, "/api/v1/pins");
        let RouteMatch::OtherMethod(allowed) = matched else { panic!() };
        assert_eq!(allowed, ["POST", "GET"]);
        let matched =
            find(&all, |endpoint| (endpoint.method, endpoint.path), &Method::GET, "/assets/4f1c/app.js");
        let RouteMatch::Found(endpoint, id) = matched else { panic!() };
        assert_eq!((endpoint.function, id), (Function::Console, Some("app.js")));
    }

    #[test]
    fn no_two_routes_answer_the_same_request() {
        let all = endpoints();
        for (position, endpoint) in all.iter().enumerate() {
            for other in &all[position + 1..] {
                assert!(
                    (endpoint.method, endpoint.path) != (other.method, other.path),
                    "{} {}",
                    endpoint.method,
                    endpoint.path
                );
            }
        }
    }
}
