//! `POST /api/v1/auth/pinterest/start`: returns the address at which an owner connects an account.

use app::{handlers::OauthStart, start};
use edge::{Exit, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Exit {
    let setup = start()?;
    serve(OauthStart::new(setup.main_table()?, setup.pinterest(), &setup)).await
}
