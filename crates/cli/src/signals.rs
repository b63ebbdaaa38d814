//! Ctrl-C: the first asks to stop with the checkpoint kept, the second leaves at once.

use std::io;

use tokio_util::sync::CancellationToken;

/// What was asked for so far.
pub(crate) struct Stop {
    pub(crate) first: CancellationToken,
    pub(crate) second: CancellationToken,
}

/// Listens from now on. `kill` (SIGTERM) asks the same as Ctrl-C.
pub(crate) fn listen() -> io::Result<Stop> {
    let (first, second) = (CancellationToken::new(), CancellationToken::new());
    let stop = Stop {
        first: first.clone(),
        second: second.clone(),
    };
    let mut asked = Asked::listen()?;
    tokio::spawn(async move {
        asked.again().await;
        first.cancel();
        asked.again().await;
        second.cancel();
    });
    Ok(stop)
}

#[cfg(unix)]
struct Asked {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Asked {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn again(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Asked(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Asked {
    fn listen() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn again(&mut self) {
        self.0.recv().await;
    }
}
