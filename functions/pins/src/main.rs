//! `/api/v1/pins`: lists, reads, edits, moves, cancels and retries Pins.

use app::{handlers::Pins, start};
use edge::{Exit, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Exit {
    let setup = start()?;
    serve(Pins::new(setup.main_table()?, setup.media_bucket()?, setup.media_fetch()?, &setup)).await
}
