//! A TCP relay between a function and a server. Its connections can be ended while the function is frozen.

use std::{
    io,
    net::{SocketAddr, TcpListener as Listener},
    sync::mpsc,
    thread,
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    runtime::Builder,
    select,
    sync::{broadcast, mpsc as commands},
    task::LocalSet,
};

/// How a connection ends while the function is frozen.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ConnectionEnd {
    /// The other side closes it (FIN).
    Closed,
    /// The other side resets it (RST).
    Reset,
    /// Something on the way drops it: bytes get lost, and neither side is informed.
    Dropped,
}

pub(crate) struct Relay {
    address: SocketAddr,
    kill_requests: commands::UnboundedSender<(ConnectionEnd, mpsc::Sender<usize>)>,
}

impl Relay {
    /// A relay to the server at `url`.
    pub(crate) fn to(url: &str) -> Self {
        let server = url.split("://").nth(1).unwrap().split('/').next().unwrap().to_owned();
        let listener = Listener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (kill_requests, mut kill_commands) =
            commands::unbounded_channel::<(ConnectionEnd, mpsc::Sender<usize>)>();
        // A thread of its own, which goes on while the caller's thread is frozen.
        thread::spawn(move || {
            let relay = async {
                let listener = TcpListener::from_std(listener).unwrap();
                let (kill, _) = broadcast::channel::<ConnectionEnd>(1);
                let (body_dropped, mut bodies) = commands::unbounded_channel();
                loop {
                    select! {
                        Ok((client, _)) = listener.accept() => {
                            tokio::task::spawn_local(carry(client, server.clone(), kill.subscribe(), body_dropped.clone()));
                        }
                        command = kill_commands.recv() => {
                            let Some((end, reply)) = command else { break };
                            let open_connections = kill.send(end).unwrap_or(0);
                            for _ in 0..open_connections {
                                bodies.recv().await;
                            }
                            reply.send(open_connections).unwrap();
                        }
                    }
                }
            };
            Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(LocalSet::new().run_until(relay));
        });
        Self { address, kill_requests }
    }

    /// The address that the function connects to.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends all connections, and returns how many there were. The calling thread does nothing meanwhile, and has not
    /// noticed the end when this returns.
    pub(crate) fn kill(&self, end: ConnectionEnd) -> usize {
        let (reply, count) = mpsc::channel();
        self.kill_requests.send((end, reply)).unwrap();
        count.recv().unwrap()
    }
}

/// Forwards bytes until one side closes the connection, or the relay ends it.
async fn carry(
    mut client: TcpStream,
    server: String,
    mut kill: broadcast::Receiver<ConnectionEnd>,
    body_dropped: commands::UnboundedSender<()>,
) -> io::Result<()> {
    let mut server = TcpStream::connect(server).await?;
    let end = select! {
        biased; // the side that ends connections counts the open ones
        end = kill.recv() => end.map_err(io::Error::other)?,
        copied = copy_bidirectional(&mut client, &mut server) => return copied.map(drop),
    };
    match end {
        ConnectionEnd::Closed => drop(client),
        ConnectionEnd::Reset => {
            client.set_zero_linger()?;
            drop(client);
        }
        ConnectionEnd::Dropped => {
            drop(kill);
            body_dropped.send(()).map_err(io::Error::other)?;
            return std::future::pending().await; // holds both ends
        }
    }
    body_dropped.send(()).map_err(io::Error::other)
}
