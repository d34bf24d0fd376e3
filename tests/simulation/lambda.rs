//! Lambda: environments that serve one event at a time, and may be killed or frozen at every await.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use app::Setup;
use tokio::time::{Duration, Instant, Sleep, sleep};

use crate::world::World;

/// Where in a call something may happen to the process that makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Before the request leaves.
    Before,
    /// The request is on its way, and nothing of its answer has come.
    Under,
    /// The answer is here, and nothing was done about it.
    After,
}

/// A call that matters to a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// `POST /pins`.
    Send,
    /// A page of a board.
    Look,
    /// A refresh token is exchanged.
    Renew,
    /// A new pair is saved.
    SavePair,
    /// Any other write of a row of tokens.
    Tokens,
    /// `sending` is written.
    Begin,
    /// `published` is written.
    Publish,
    /// Any other write of a Pin.
    Pin,
    /// Everything else.
    Other,
}

/// What is to happen to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blow {
    /// It ends without a word.
    Kill,
    /// It stands still for so long.
    Freeze(Duration),
}

/// When a blow falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// After so many steps of the program: every await is one or more.
    Step(u32),
    /// At this moment of this deed.
    At(Deed, Moment),
}

/// One invocation, as the wires see it.
#[derive(Clone)]
pub(crate) struct Invocation(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    id: u64,
    steps: u32,
    fate: Option<(When, Blow)>,
    /// Fallen, and not carried out yet.
    blow: Option<Blow>,
    frozen: Duration,
}

impl Invocation {
    /// Of a process that serves nobody.
    pub(crate) fn idle() -> Self {
        Self(Arc::default())
    }

    pub(crate) fn id(&self) -> u64 {
        self.0.lock().unwrap().id
    }

    /// For how long it has stood still in all.
    pub(crate) fn frozen(&self) -> Duration {
        self.0.lock().unwrap().frozen
    }

    /// Lets a blow fall that was to fall here. What follows is not run before it is carried out.
    pub(crate) async fn reach(&self, deed: Deed, moment: Moment) {
        {
            let mut inside = self.0.lock().unwrap();
            match inside.fate {
                Some((When::At(at, when), blow)) if (at, when) == (deed, moment) => {
                    (inside.fate, inside.blow) = (None, Some(blow));
                }
                _ => return,
            }
        }
        let mut given_up = false;
        poll_fn(|context| {
            if std::mem::replace(&mut given_up, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// Counts a step, and says what has fallen.
    fn step(&self) -> Option<Blow> {
        let mut inside = self.0.lock().unwrap();
        inside.steps += 1;
        if let Some((When::Step(last), blow)) = inside.fate
            && inside.steps >= last
        {
            (inside.fate, inside.blow) = (None, Some(blow));
        }
        inside.blow.take()
    }

    fn fallen(&self) -> Option<Blow> {
        self.0.lock().unwrap().blow.take()
    }
}

/// The environments of one function.
pub(crate) struct Lambda<T> {
    world: Arc<World>,
    name: &'static str,
    limit: Duration,
    build: fn(&World, &Setup) -> T,
    idle: Mutex<Vec<Environment<T>>>,
}

struct Environment<T> {
    function: T,
    invocation: Invocation,
    /// What it was started with stays as it is: with other variables, Lambda starts another.
    configured: bool,
}

impl<T> Lambda<T> {
    pub(crate) fn new(
        world: &Arc<World>,
        name: &'static str,
        limit: Duration,
        build: fn(&World, &Setup) -> T,
    ) -> Self {
        Self { world: world.clone(), name, limit, build, idle: Mutex::default() }
    }

    /// Runs `work` in an environment of its own, until the deadline that it is told and not for long after.
    /// `None`: the process was killed, and its environment is gone.
    pub(crate) async fn invoke<A>(&self, work: impl AsyncFnOnce(&T, Instant) -> A) -> Option<A> {
        let configured = self.world.is_configured();
        let idle = {
            let mut idle = self.idle.lock().unwrap();
            idle.retain(|environment| environment.configured == configured);
            idle.pop()
        };
        let environment = idle.unwrap_or_else(|| {
            let invocation = Invocation::idle();
            let function = (self.build)(&self.world, &self.world.setup(&invocation));
            Environment { function, invocation, configured }
        });
        let id = self.world.next_invocation();
        let fate = self.world.fate();
        *environment.invocation.0.lock().unwrap() = Inside { id, fate, ..Inside::default() };
        self.world.note(|| {
            format!("#{id} {} begins {}", self.name, fate.map_or(String::new(), |f| format!("{f:?}")))
        });

        let end = Instant::now() + self.limit;
        let run = Run {
            inner: Box::pin(work(
                &environment.function,
                end.checked_sub(Duration::from_secs(2)).unwrap_or(end),
            )),
            invocation: environment.invocation.clone(),
            frozen: None,
        };
        let answer = tokio::time::timeout_at(end, run).await.ok().flatten();
        self.world
            .note(|| format!("#{id} {} {}", self.name, if answer.is_some() { "ends" } else { "is killed" }));
        if answer.is_some() {
            self.world.rules.lock().unwrap().ended(&self.world, id);
            self.idle.lock().unwrap().push(environment);
        }
        answer
    }
}

/// A program that runs until something falls on it.
struct Run<F> {
    inner: Pin<Box<F>>,
    invocation: Invocation,
    frozen: Option<Pin<Box<Sleep>>>,
}

impl<F: Future> Future for Run<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut blow = None;
        loop {
            if let Some(frozen) = &mut self.frozen {
                if frozen.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                self.frozen = None;
            }
            match blow {
                Some(Blow::Kill) => return Poll::Ready(None),
                Some(Blow::Freeze(span)) => {
                    self.invocation.0.lock().unwrap().frozen += span;
                    self.frozen = Some(Box::pin(sleep(span)));
                    blow = None;
                    continue;
                }
                None => {}
            }
            blow = self.invocation.step();
            if blow.is_some() {
                continue;
            }
            if let Poll::Ready(answer) = self.inner.as_mut().poll(context) {
                return Poll::Ready(Some(answer));
            }
            blow = self.invocation.fallen();
            if blow.is_none() {
                return Poll::Pending;
            }
        }
    }
}
