//! `/api/v1/channels/{id}/analytics`, `…/top-pins`, `…/pin-metrics` and `/api/v1/pins/{id}/analytics`: how they do.

use app::{Exit, functions::Analytics, http, start};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Exit {
    let setup = start()?;
    let analytics =
        Analytics::new(setup.vault()?, setup.main_table()?, setup.tokens_table()?, setup.pinterest(), &setup);
    http::serve(analytics).await
}
