//! A simulated Pinterest: the v5 API, the consent page and the media upload, over real HTTP on
//! loopback.
//!
//! It refuses what Pinterest's contract refuses, rotates tokens as Pinterest does, separates production and sandbox, and
//! fails on request: before the effect, after it, or without any answer. The caller supplies its clock and its random
//! bytes, so that a test can let a month pass at once.
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
//! Other processes control it over HTTP, without a token:
//!
//! | route | body | answer |
//! | --- | --- | --- |
//! | `POST /sim/faults` | a [`Fault`]: `{"operation":"create_pin","kind":"cut_after","times":1}` | `{"items":[…]}`, all that wait; also `GET`, and `DELETE` to remove them |
//! | `POST /sim/policy` | the changes of the [`Policy`]: `{"access_tier":"trial"}`, `{"listing":{"title":"page","escape":true}}` | the whole policy; also `GET` |
//! | `GET /sim/pins?environment=sandbox` | | `{"items":[…]}` of [`PinView`], the newest first; of both hosts without `environment` |
//! | `GET /sim/calls` | | `{"items":[…]}` of [`Call`], the oldest first |
//! | `POST /sim/revoke` | `{"account":"demo_account"}` | `{"revoked":2}`: the number of its tokens, which are invalid now |
//! | `POST /sim/boards` | `{"account":"demo_account","environment":"sandbox","count":300}` | `{"items":[…]}` of [`BoardView`], the new ones |
//! | `POST /sim/group-boards` | `{"owner":"second_account","member":"demo_account","environment":"sandbox","name":"Recipes","may_pin":false}` | `{"id":"…"}` |
//! | `POST /sim/accounts` | `{"account":"third_account"}` | 204 |
//! | `GET /` and `GET /pin/{id}/` | | pages for people |
//!
//! | folder | holds |
//! | --- | --- |
//! | `contract` | Pinterest's official description, to which requests and answers are held |
//! | `http` | the request, the operation that it names, the answer or refusal |
//! | `state` | what is known and saved: accounts, boards, Pins, tokens, policy |
//! | `simulation` | what all requests share: the state, the faults, the list of calls, the quotas |
//! | `oauth` | consent, codes and tokens |
//! | `resources` | the operations on boards, Pins, media, the account and analytics |
//! | `control` | what tests and other processes switch and see |
//! | `pages` | what people see |
//! | `server` | connections, and the way of a call to its operation |

mod app;
mod contract;
mod control;
mod handle;
mod http;
mod oauth;
mod pages;
mod random;
mod resources;
mod server;
mod simulation;
mod state;

pub use app::{APP_ID, APP_SECRET};
pub use control::view::{BoardView, PinView, SectionView};
pub use handle::{Options, SimulatedPinterest};
pub use http::{Environment, Operation};
pub use random::RandomBytes;
pub use simulation::{
    Clock,
    calls::Call,
    faults::{Fault, FaultKind},
};
pub use state::{
    listing::{ListedAltText, ListedDescription, ListedLink, ListedTime, ListedTitle, Listing},
    policy::{AccessTier, DeadRefreshToken, ImageAddresses, PinOrder, Policy, Quota, Rotation, TokenAnswer},
};
