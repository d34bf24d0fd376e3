//! Every minute: renews tokens that are due. Every day: the roll-call.

use app::{
    Exit,
    functions::{Refresh, Tick},
    start, worker,
};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Exit {
    let setup = start()?;
    let refresh = Refresh::new(
        setup.settings_secret()?,
        setup.vault()?,
        setup.main_table()?,
        setup.tokens_table()?,
        setup.pinterest(),
        &setup,
    );
    worker::serve(refresh, |refresh, event: Value, deadline| async move {
        refresh.tick(Tick::of(&event), deadline).await
    })
    .await
}
