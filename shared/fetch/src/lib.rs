//! Fetches media from untrusted addresses, which any user of the API can give.
//!
//! Such an address could point to something that only this program can reach: services of the machine, the network around
//! it, the metadata of the cloud ([CWE-918](https://cwe.mitre.org/data/definitions/918.html), server-side request forgery).
//! So a [`SafeClient`]
//!
//! - uses only `https` on port 443, and never sends a password, a cookie or a referrer;
//! - looks names up itself, refuses a name if any of its addresses is not public, and connects only to the addresses that
//!   it has just checked, so that a later change of the name has no effect;
//! - checks every redirect like the first address, and follows three at most;
//! - limits the time to connect, to answer, between two bytes and in total, and the size.
//!
//! [`Allowed`] lists the hosts for which the first two rules do not apply.
//!
//! It cannot know which blocks of the public internet are private in its own network. If a network translates IPv6 to IPv4
//! with a prefix of its own ([RFC 6052, section 2.2](https://www.rfc-editor.org/rfc/rfc6052#section-2.2)), that network has
//! to filter.

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
