//! Every minute: sends Pins whose time has come, and finds out about those in doubt.

use app::{
    Exit,
    functions::{Deliver, Sender},
    start, worker,
};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Exit {
    let setup = start()?;
    let (main, tokens, bucket) = (setup.main_table()?, setup.tokens_table()?, setup.media_bucket()?);
    let sender = Sender::new(setup.vault()?, main, tokens, setup.pinterest(), setup.fetch()?, bucket, &setup);
    worker::serve(Deliver::new(sender), |deliver, _event: Value, deadline| async move {
        deliver.tick(deadline).await
    })
    .await
}
