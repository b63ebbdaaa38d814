//! An HTTP/1.1 server on loopback that can be stopped at once and can break its connections.
//!
//! Every simulated server runs on this loop: requests carry a [`Wire`], through which a handler
//! can order its own connection to be reset after so many more bytes.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tower::ServiceExt as _;

/// A running server. Dropping it ends it and all its connections.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    /// Listens on loopback; port 0 takes a free one. `router` learns the address it will answer at.
    pub(crate) async fn start(port: u16, router: impl FnOnce(SocketAddr) -> Router) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        Ok(Self {
            address,
            task: tokio::spawn(accept(listener, router(address))),
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it and waits until the port is free again.
    pub(crate) async fn stop(mut self) {
        self.task.abort();
        // The only possible error is the abort just asked for.
        let _ = (&mut self.task).await;
    }

    /// Serves until the process ends.
    pub(crate) async fn forever(mut self) {
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, router: Router) {
    // Connections live and die with this set.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, router.clone()));
                }
                // Out of file handles, or the client left before it was greeted: the next may do better.
                Err(error) => {
                    tracing::debug!(%error, "accept failed");
                    tokio::task::yield_now().await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, router: Router) {
    // Answers go out at once: a simulated latency should be the only one.
    let _ = stream.set_nodelay(true);
    let wire = Wire::default();
    let io = TokioIo::new(Tapped {
        stream,
        wire: wire.clone(),
    });
    let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(wire.clone());
        router.clone().oneshot(request.map(Body::new))
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(io, service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "connection ended early");
    }
}

/// The order a handler can give its connection.
#[derive(Debug, Clone)]
pub(crate) struct Wire(Arc<AtomicI64>);

const NO_ORDER: i64 = -1;

impl Default for Wire {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(NO_ORDER)))
    }
}

impl Wire {
    /// Lets `bytes` more through, then resets the connection.
    pub(crate) fn reset_after(&self, bytes: u16) {
        self.0.store(i64::from(bytes), Ordering::SeqCst);
    }
}

struct Tapped {
    stream: TcpStream,
    wire: Wire,
}

impl AsyncRead for Tapped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Tapped {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let left = self.wire.0.load(Ordering::SeqCst);
        if left == NO_ORDER {
            return Pin::new(&mut self.stream).poll_write(cx, buf);
        }
        if left == 0 {
            // Closing without lingering sends RST instead of FIN.
            let _ = self.stream.set_zero_linger();
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let part = &buf[..buf.len().min(left as usize)];
        let written = Pin::new(&mut self.stream).poll_write(cx, part);
        if let Poll::Ready(Ok(count)) = &written {
            self.wire.0.fetch_sub(*count as i64, Ordering::SeqCst);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
