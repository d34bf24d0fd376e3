//! A large file goes through without being held.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use futures_util::StreamExt;
use tokio::{io::AsyncWriteExt, net::TcpListener, task, time::Instant};

use crate::harness::{FakeResolver, client, read_head, url};

const SIZE: usize = 256 * 1024 * 1024;
/// The client's own buffer takes less than half a megabyte; the rest is room for the sockets' in the kernel.
const WINDOW: usize = 24 * 1024 * 1024;
static PIECE: [u8; 64 * 1024] = [7; 64 * 1024];

/// A host that sends [`SIZE`] bytes, and counts those that it got rid of.
async fn endless_host() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    let bytes_sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&bytes_sent);
    tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        read_head(&mut connection).await;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {SIZE}\r\n\r\n");
        connection.write_all(head.as_bytes()).await.unwrap();
        while count.load(SeqCst) < SIZE {
            let chunk_length = PIECE.len().min(SIZE - count.load(SeqCst));
            let Ok(length) = connection.write(&PIECE[..chunk_length]).await else { return }; // the reader hung up
            count.fetch_add(length, SeqCst);
        }
    });
    (authority, bytes_sent)
}

/// Lets everybody else go on until nothing moves any more. All run on this thread, in turns.
async fn wait_for_standstill(bytes_sent: &AtomicUsize) -> usize {
    let (mut before, mut rounds) = (0, 0);
    while rounds < 1000 {
        task::yield_now().await;
        let now = bytes_sent.load(SeqCst);
        rounds = if now == before { rounds + 1 } else { 0 };
        before = now;
    }
    before
}

#[tokio::test]
async fn a_large_file_is_read_no_faster_than_it_is_taken() {
    let (authority, bytes_sent) = endless_host().await;
    let client = client(&authority, FakeResolver::default());
    let deadline = Instant::now() + Duration::from_mins(5);

    let download =
        client.download(&url(&format!("http://{authority}/")), SIZE as u64, deadline).await.unwrap();
    let (mut body, mut bytes_read, mut pauses) = (Box::pin(download.into_body()), 0, 0);
    while let Some(piece) = body.next().await {
        bytes_read += piece.unwrap().len();
        if bytes_read >= pauses * SIZE / 8 {
            pauses += 1;
            let unread = wait_for_standstill(&bytes_sent).await - bytes_read;
            assert!(unread <= WINDOW, "{unread} bytes wait after {bytes_read}");
        }
    }

    assert_eq!((bytes_read, pauses), (SIZE, 9));
}

#[tokio::test]
async fn a_dropped_download_stops_the_transfer() {
    let (authority, bytes_sent) = endless_host().await;
    let client = client(&authority, FakeResolver::default());
    let deadline = Instant::now() + Duration::from_mins(5);
    let download =
        client.download(&url(&format!("http://{authority}/")), SIZE as u64, deadline).await.unwrap();
    let mut body = Box::pin(download.into_body());
    body.next().await.unwrap().unwrap();

    drop(body);

    assert!(wait_for_standstill(&bytes_sent).await <= WINDOW);
}
