//! Fetches what strangers name: media at addresses that anybody who may use the API can give.
//!
//! Such an address could lead to what only this program can reach: the services of the machine, the network
//! around it, the metadata of the cloud
//! ([CWE-918](https://cwe.mitre.org/data/definitions/918.html), server-side request forgery). So a [`SafeClient`]
//!
//! - asks by `https` on port 443 only, and never sends a password, a cookie or where it comes from;
//! - looks names up itself, refuses a name if any of its addresses is not on the public internet, and connects
//!   to no address but those that it has just judged: a name that changes its mind later changes nothing;
//! - judges every redirect like the first address, and follows three at most;
//! - bounds everything: the time to connect, to answer, between two bytes and in all, and the size.
//!
//! [`Allowed`] names the hosts for which the first two rules do not hold.
//!
//! One thing it cannot know: which blocks of the public internet are private to its own network. Where a
//! network translates IPv6 to IPv4 with a prefix of its own
//! ([RFC 6052, section 2.2](https://www.rfc-editor.org/rfc/rfc6052#section-2.2)), that network has to filter.

#![warn(missing_docs)]

mod allowed;
mod check_url;
mod client;
mod download;
mod error;
mod file_info;
mod public;
mod resolve;

pub use allowed::{Allowed, BadEntry};
pub use client::{ANSWER_TIMEOUT, CONNECT_TIMEOUT, MAX_REDIRECTS, SafeClient};
pub use download::{Download, SILENCE_TIMEOUT};
pub use error::{Error, Fault, Forbidden};
pub use file_info::FileInfo;
pub use resolve::SystemResolver;
