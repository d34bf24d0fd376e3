//! `GET /api/v1/auth/pinterest/callback`: Pinterest sends the browser back here.

use app::{Exit, functions::OauthCallback, http, start};

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
    http::serve(oauth_callback).await
}
