//! `GET /api/v1/auth/pinterest/callback`: Pinterest sends the browser back here.

use app::{handlers::OauthCallback, start};
use edge::{Exit, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Exit {
    let setup = start()?;
    let oauth_callback = OauthCallback::new(
        setup.settings_secret()?,
        setup.vault()?,
        setup.main_table()?,
        setup.tokens_table()?,
        setup.pinterest(),
        &setup,
    );
    serve(oauth_callback).await
}
