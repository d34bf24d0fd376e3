//! A typed client for [Pinterest's API v5](https://developers.pinterest.com/docs/api/v5/).
//!
//! Each module is for one resource, and Pinterest's JSON does not leave it. Two things are most important, because a Pin
//! must never be created twice and a refresh token never be lost:
//!
//! - An [`Error`] says if the call took effect: no, because nothing was [sent](Error::NotSent); no, because Pinterest
//!   [refused](Error::Refused); or [perhaps](Error::Unknown).
//! - The client never sends a call twice. Only the caller knows if a second call does harm.

#![warn(missing_docs)]

mod account;
mod analytics;
mod boards;
mod client;
mod decompress;
mod error;
mod error_body;
mod lenient;
mod media;
mod oauth;
mod page;
mod pins;
mod refusal;
mod response;
mod retry_after;
mod tokens;
mod transport;

pub use analytics::{
    CHANNEL_METRICS, Day, IMAGE_METRICS, Metrics, PIN_METRICS, Period, PinTotals, Report, SORTS, TopPin,
    TopPins, Total, VIDEO_METRICS, is_lifetime,
};
pub use boards::{Board, NewBoard, Owner, Section};
pub use client::{Addresses, Client};
pub use error::{Error, Fault};
pub use oauth::{App, GrantedTokens, RefreshedTokens};
pub use page::Page;
pub use pins::{ImageData, MediaUrl, PinMedia};
pub use transport::{ResponseFuture, Transport};
