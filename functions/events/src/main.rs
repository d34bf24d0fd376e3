//! The stream of the main table: tells what has changed to the event bus.

use app::{Exit, events::Stream, start, worker};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Exit {
    let setup = start()?;
    worker::serve(setup.events()?, |events, changes: Stream, _deadline| async move {
        Ok(events.tell(changes).await)
    })
    .await
}
