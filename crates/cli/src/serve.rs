//! `gleaner serve`: the API, the pages, and the scheduler.

use std::io::{BufRead, IsTerminal, stdin};
use std::net::SocketAddr;

use gleaner_app::{ApiError, ApiResult, App};
use gleaner_domain::Code;
use gleaner_http::server::Links;
use gleaner_http::{ServeConfig, ServeError, Server, Token};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::args::ServeArgs;
use crate::exit::Exit;
use crate::out::{self, Out};

pub(crate) async fn perform(
    app: &App,
    out: Out,
    args: ServeArgs,
    stop: CancellationToken,
) -> ApiResult<Exit> {
    let data_dir = &app.config().data_dir;
    let token = Token::load_or_create(data_dir).map_err(|e| {
        let path = Token::path(data_dir);
        ApiError::new(
            Code::Internal,
            format!("the token {} cannot be used: {e}", path.display()),
        )
    })?;
    let mut config = ServeConfig::new(token);
    config.bind = SocketAddr::new(args.bind, args.port);
    config.dev = args.dev;
    config.hosts = args.hosts;
    let server = Server::bind(app.clone(), config).await.map_err(|e| refused(&e))?;
    app.start_scheduler();
    announce(out, &server.links(), args.dev, data_dir)?;
    server.run(stop).await;
    Ok(Exit::Ok)
}

fn announce(out: Out, links: &Links, dev: bool, data_dir: &std::path::Path) -> ApiResult<()> {
    let url = links.fresh();
    if dev {
        out::warn("Development mode: everybody on this computer may use it without a token.");
    }
    let line = json!({ "url": url, "address": links.base(), "dev": dev });
    out.show_line(&line, || url.clone())?;
    if dev {
        return Ok(());
    }
    out.note("Open this address within a minute; it signs in one browser, once.");
    out.note(&format!(
        "Scripts send: Authorization: Bearer $(cat {})",
        Token::path(data_dir).display()
    ));
    if stdin().is_terminal() {
        out.note("Press Enter for a fresh address, Ctrl-C to stop.");
        offer_fresh(out, links.clone());
    }
    Ok(())
}

/// A thread of its own: reading a terminal cannot be cancelled, and ends with the process.
fn offer_fresh(out: Out, links: Links) {
    std::thread::spawn(move || {
        for _ in stdin().lock().lines().map_while(Result::ok) {
            let url = links.fresh();
            if out.show_line(&json!({ "url": url }), || url.clone()).is_err() {
                return;
            }
        }
    });
}

fn refused(error: &ServeError) -> ApiError {
    let code = match error {
        ServeError::DevBeyondLoopback => Code::InvalidInput,
        ServeError::Bind { .. } => Code::Internal,
    };
    ApiError::new(code, error.to_string())
}
