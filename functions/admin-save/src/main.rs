//! `GET`, `PUT /api/v1/admin/integrations/pinterest` and `POST …/test`: the integration's settings.

use app::{handlers::AdminSave, start};
use edge::{Exit, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Exit {
    let setup = start()?;
    let admin_save = AdminSave::new(setup.settings_secret()?, setup.main_table()?, setup.pinterest(), &setup);
    serve(admin_save).await
}
