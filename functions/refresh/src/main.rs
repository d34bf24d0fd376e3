//! Every minute: refreshes the tokens that are due. Every day: checks those that are about to expire.

use app::{
    handlers::{Refresh, RefreshJob},
    start,
};
use edge::{Exit, worker};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Exit {
    let setup = start()?;
    let refresh = Refresh::new(
        setup.settings_secret()?,
        setup.vault()?,
        setup.main_table()?,
        setup.tokens_table()?,
        setup.workers()?,
        setup.pinterest(),
        &setup,
    );
    worker::serve(refresh, |refresh, event: Value, deadline| async move {
        refresh.run(RefreshJob::from_event(&event), deadline).await
    })
    .await
}
