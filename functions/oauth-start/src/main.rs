//! `POST /api/v1/auth/pinterest/start`: where to send the browser to connect an account.

use app::{Exit, functions::OauthStart, http, start};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Exit {
    let setup = start()?;
    let oauth_start = OauthStart::new(setup.main_table()?, setup.pinterest(), &setup);
    http::serve(oauth_start).await
}
