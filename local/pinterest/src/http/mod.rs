//! What all operations share: the request, the operation that it names, and the answer or the refusal.

mod answer;
mod environment;
mod id;
mod operation;
mod paging;
mod parameters;
mod refusal;
mod request;

pub(crate) use self::{
    answer::{Answer, RateLimit, format_date_time},
    id::Id,
    operation::Target,
    paging::page,
    parameters::Parameters,
    refusal::Refusal,
    request::Request,
};
pub use self::{environment::Environment, operation::Operation};
