//! A simulated Pinterest: the v5 API, the consent page and the media upload, over real HTTP on
//! loopback.
//!
//! It refuses what Pinterest's contract refuses, rotates tokens as Pinterest does, keeps production
//! and sandbox apart, and fails on request: before the effect, after it, or with no answer at all.
//! Its clock and its randomness belong to the caller, so that a test can let a month pass in no time.
//!
//! ```no_run
//! # async fn example(options: simulated_pinterest::Options) -> std::io::Result<()> {
//! use simulated_pinterest::{Fault, FaultKind, Operation, SimulatedPinterest};
//!
//! let pinterest = SimulatedPinterest::start(options).await?;
//! pinterest.inject(Fault::once(Operation::CreatePin, FaultKind::CutAfter));
//! println!("production: {}", pinterest.api_url());
//! # Ok(())
//! # }
//! ```
//!
//! Other processes reach the same switches over HTTP, without any token:
//!
//! | route | body | answer |
//! | --- | --- | --- |
//! | `POST /sim/faults` | a [`Fault`]: `{"operation":"create_pin","kind":"cut_after","times":1}` | `{"items":[…]}`, all that wait; also `GET`, and `DELETE` to forget them |
//! | `POST /sim/policy` | what is to change in the [`Policy`]: `{"access_tier":"trial"}` | the whole policy; also `GET` |
//! | `GET /sim/pins?environment=sandbox` | | `{"items":[…]}` of [`PinView`], the newest first; of both hosts if none is named |
//! | `GET /sim/calls` | | `{"items":[…]}` of [`Call`], the oldest first |
//! | `POST /sim/revoke` | `{"account":"demo_account"}` | `{"revoked":2}`: its tokens are dead |
//! | `POST /sim/boards` | `{"account":"demo_account","environment":"sandbox","count":300}` | `{"items":[…]}` of [`BoardView`], the new ones |
//! | `POST /sim/accounts` | `{"account":"third_account"}` | 204 |
//! | `GET /` and `GET /pin/{id}/` | | pages for people |
//!
//! | module | holds |
//! | --- | --- |
//! | `server`, `api`, `delivery` | connections, and the way of one call from arrival to answer |
//! | `operation`, `refusal`, `answer`, `paging`, `pairs` | what all operations share |
//! | `oauth`, `authorize`, `tokens`, `scopes` | codes, tokens and what they allow |
//! | `boards`, `pins`, `new_pin`, `media`, `upload`, `account`, `analytics` | one resource each |
//! | `state`, `storage`, `policy`, `faults`, `calls`, `meter` | what is kept, and what can be switched |
//! | `simulated`, `simulation`, `control`, `view` | how tests and other processes see it |
//! | `consent`, `gallery`, `html` | how people see it |

mod account;
mod analytics;
mod answer;
mod api;
mod authorize;
mod boards;
mod calls;
mod consent;
mod control;
mod delivery;
mod environment;
mod faults;
mod gallery;
mod html;
mod media;
mod meter;
mod new_pin;
mod oauth;
mod operation;
mod paging;
mod pairs;
mod pins;
mod policy;
mod random;
mod refusal;
mod scopes;
mod server;
mod simulated;
mod simulation;
mod state;
mod storage;
mod tokens;
mod upload;
mod view;

pub use calls::Call;
pub use environment::Environment;
pub use faults::{Fault, FaultKind};
pub use oauth::{APP_ID, APP_SECRET};
pub use operation::Operation;
pub use policy::{AccessTier, DeadRefreshToken, PinOrder, Policy, Quota, Rotation};
pub use random::RandomBytes;
pub use simulated::{Options, SimulatedPinterest};
pub use simulation::Clock;
pub use view::{BoardView, PinView, SectionView};
