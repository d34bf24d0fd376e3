use crate::stage::{Stage, pin};
#[tokio::test]
async fn dump() {
    let (stage, channel) = Stage::connected().await;
    stage.event_kinds().await;
    stage.publish("ada", &channel, "Lemon salad").await.expect(201);
    let batch = stage.stack.aws().stream().next_batch().unwrap().unwrap();
    println!("BATCH {}", serde_json::to_string_pretty(&batch.event).unwrap());
}
