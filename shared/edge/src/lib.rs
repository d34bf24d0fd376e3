//! The HTTP edge: requests in, answers out.
//!
//! A function is a [`Handler`]. It declares its operations. It gets only requests that match one of them, from callers who
//! may use it, with checked query parameters. An error becomes a [`Problem`]. [`worker`] serves the events that are not
//! requests.

mod admin_rule;
mod body;
mod caller;
pub mod codes;
mod error;
mod event;
mod handler;
mod page;
mod problem;
pub mod query;
mod request;
mod route;
mod site;
pub mod worker;
mod wrong_body;

pub use admin_rule::AdminRule;
pub use body::{
    body_text, created, csv_file, json, located, no_content, object, ok, ok_text, parse, redirect,
    with_status,
};
pub use caller::Caller;
pub use error::{RequestError, not_found};
pub use event::Event;
pub use handler::{ApiError, Exit, Handler, Stopped, handle, serve};
pub use lambda_http::{Body, Request, Response};
pub use page::{DEFAULT_LIMIT, MAX_LIMIT, Page};
pub use problem::Problem;
pub use request::{ApiRequest, MAX_BODY_BYTES, MAX_JSON_BYTES};
pub use route::{Access, Operation, Route, RouteMatch, find};
pub use site::{CALLBACK, CALLBACK_ALIAS, SiteConfig};
