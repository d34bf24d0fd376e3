//! Every minute: sends the Pins that are due, and checks the boards for those whose outcome is unknown.

use app::{
    handlers::{Deliver, DeliverJob},
    start,
};
use edge::{Exit, worker};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Exit {
    let setup = start()?;
    let sessions = setup.sessions(setup.main_table()?, setup.tokens_table()?, setup.vault()?);
    let publisher = setup.publisher(sessions, setup.media_bucket()?, setup.media_fetch()?);
    worker::serve(
        Deliver::new(publisher, setup.workers()?, &setup),
        |deliver, event: Value, deadline| async move {
            deliver.run(DeliverJob::from_event(&event), deadline).await
        },
    )
    .await
}
