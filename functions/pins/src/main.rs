//! `/api/v1/pins`: lists, reads, edits, moves, cancels and retries Pins.

use app::{Exit, functions::Pins, http, start};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Exit {
    let setup = start()?;
    let pins = Pins::new(setup.main_table()?, &setup);
    http::serve(pins).await
}
