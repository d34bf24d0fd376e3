//! The stream of the main table: publishes changes as events on the bus.

use std::convert::Infallible;

use app::{
    handlers::{Events, StreamEvent},
    start,
};
use edge::{Exit, worker};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Exit {
    let setup = start()?;
    let events = Events::new(setup.event_bus()?);
    worker::serve(events, |events, changes: StreamEvent, _deadline| async move {
        Ok::<_, Infallible>(events.publish(changes).await)
    })
    .await
}
