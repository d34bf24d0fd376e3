//! The functions of the stack: each type holds what that function may use, and nothing else.
//!
//! Read one from its `handle` or `tick` down: that is the whole job.

mod admin_save;
mod analytics;
mod channels;
mod closed_channel;
mod compressed;
mod console;
mod deliver;
mod docs;
mod due;
mod events;
mod oauth_callback;
mod oauth_start;
mod pins;
mod publish;
mod readable;
mod recent_answers;
mod refresh;
mod requests;
mod views;

pub use admin_save::{AdminSave, CredentialsTest, SaveSettings, SettingsView};
pub use analytics::{Analytics, ChannelAnalyticsView, PinAnalyticsView, PinMetricsView, TopPinsView};
pub(crate) use analytics::{DEFAULT_TOP_PINS, MAX_TOP_PINS};
pub use channels::{BoardView, ChangeChannel, ChannelView, Channels, Claim, CreateBoard, Disconnected};
pub use console::Console;
pub use deliver::{Deliver, DeliverJob};
pub use docs::{Docs, HealthView, ProblemView};
pub use events::{Events, StreamEvent, UnhandledRecords};
pub use oauth_callback::OauthCallback;
pub use oauth_start::{OauthStart, StartOAuth, StartedOAuth};
pub use pins::{MovePins, MovedPins, PinPageView, Pins, ResolvePin};
pub use publish::{BulkView, NewUpload, Publish, UploadView, Validated};
pub use refresh::{Refresh, RefreshJob};
pub use requests::{ChangePin, NewPin};
pub use views::PinView;
