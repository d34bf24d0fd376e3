//! `/api/v1/channels/{id}/analytics`, `…/top-pins`, `…/pin-metrics` and `/api/v1/pins/{id}/analytics`: the numbers of
//! channels and Pins.

use app::{handlers::Analytics, start};
use edge::{Exit, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Exit {
    let setup = start()?;
    let sessions = setup.sessions(setup.main_table()?, setup.tokens_table()?, setup.vault()?);
    serve(Analytics::new(sessions, &setup)).await
}
