//! A wire of bytes between a function and a server, whose connections die while the function is frozen.

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

/// How a connection ends that nobody is looking at.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Death {
    /// The other side says that it is over.
    Closed,
    /// The other side forgets it, and says so.
    Reset,
    /// Something on the way forgets it: bytes go nowhere, and nobody says anything.
    Dropped,
}

pub(crate) struct Line {
    address: SocketAddr,
    deaths: commands::UnboundedSender<(Death, mpsc::Sender<usize>)>,
}

impl Line {
    /// To the server at `url`.
    pub(crate) fn to(url: &str) -> Self {
        let server = url.split("://").nth(1).unwrap().split('/').next().unwrap().to_owned();
        let listener = Listener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (deaths, mut wanted) = commands::unbounded_channel::<(Death, mpsc::Sender<usize>)>();
        // A thread of its own: it goes on while the caller's is frozen.
        thread::spawn(move || {
            let carry = async {
                let listener = TcpListener::from_std(listener).unwrap();
                let (kill, _) = broadcast::channel::<Death>(1);
                let (dead, mut bodies) = commands::unbounded_channel();
                loop {
                    select! {
                        Ok((client, _)) = listener.accept() => {
                            tokio::task::spawn_local(carry(client, server.clone(), kill.subscribe(), dead.clone()));
                        }
                        command = wanted.recv() => {
                            let Some((death, done)) = command else { break };
                            let alive = kill.send(death).unwrap_or(0);
                            for _ in 0..alive {
                                bodies.recv().await;
                            }
                            done.send(alive).unwrap();
                        }
                    }
                }
            };
            Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(LocalSet::new().run_until(carry));
        });
        Self { address, deaths }
    }

    /// Where it begins.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends all connections: the calling thread does nothing meanwhile, and has not seen them end when this
    /// returns. Says how many there were.
    pub(crate) fn kill(&self, death: Death) -> usize {
        let (done, killed) = mpsc::channel();
        self.deaths.send((death, done)).unwrap();
        killed.recv().unwrap()
    }
}

/// Hands bytes on until one side ends the connection, or it is killed.
async fn carry(
    mut client: TcpStream,
    server: String,
    mut kill: broadcast::Receiver<Death>,
    dead: commands::UnboundedSender<()>,
) -> io::Result<()> {
    let mut server = TcpStream::connect(server).await?;
    let death = select! {
        biased; // whoever kills counts those that live
        death = kill.recv() => death.map_err(io::Error::other)?,
        ended = copy_bidirectional(&mut client, &mut server) => return ended.map(drop),
    };
    match death {
        Death::Closed => drop(client),
        Death::Reset => {
            client.set_zero_linger()?;
            drop(client);
        }
        Death::Dropped => {
            drop(kill);
            dead.send(()).map_err(io::Error::other)?;
            return std::future::pending().await; // holds both ends
        }
    }
    dead.send(()).map_err(io::Error::other)
}
