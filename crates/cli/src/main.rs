//! The command `gleaner`: every use case for a terminal and for scripts.
//!
//! One file a noun; each command is parse, call, print. What is printed goes through [`out`],
//! what it means to the caller's shell is in [`exit`]. Absent on purpose: use cases (`app`).

mod args;
mod exit;
mod import;
mod key;
mod out;
mod parse;
mod place;
mod progress;
mod prompt;
mod run;
mod runs;
mod serve;
mod session;
mod signals;
mod source;
mod table;
mod target;
mod words;

use std::process::ExitCode;

use clap::Parser;
use gleaner_app::{ApiError, ApiResult, App, Config, logs};
use gleaner_domain::Code;
use tokio_util::sync::CancellationToken;

use crate::args::{Cli, Command, Global};
use crate::exit::Exit;
use crate::out::Out;

fn main() -> ExitCode {
    gleaner_app::memory::give_back_large_pieces();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return out::usage(&error),
    };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return Out::new(&cli.global).refuse(&internal(&error)).into(),
    };
    let exit = runtime.block_on(guarded(cli));
    // A second Ctrl-C leaves tasks behind; they must not hold the door.
    runtime.shutdown_background();
    exit.into()
}

/// Runs a command until its end or the second Ctrl-C.
async fn guarded(cli: Cli) -> Exit {
    let out = Out::new(&cli.global);
    let stop = match signals::listen() {
        Ok(stop) => stop,
        Err(error) => return out.refuse(&internal(&error)),
    };
    tokio::select! {
        result = perform(cli, out, stop.first) => match result {
            Ok(exit) => exit,
            Err(error) => out.refuse(&error),
        },
        () = stop.second.cancelled() => Exit::Cancelled,
    }
}

async fn perform(cli: Cli, out: Out, stop: CancellationToken) -> ApiResult<Exit> {
    let Cli { global, command } = cli;
    match command {
        Command::Openapi => out::document(&gleaner_http::document()).map(|()| Exit::Ok),
        Command::Run(args) => {
            with_app(&global, "info", async |app| {
                run::perform(app, out, args, stop).await
            })
            .await
        }
        Command::Serve(args) => {
            with_app(&global, "info", async |app| {
                serve::perform(app, out, args, stop).await
            })
            .await
        }
        Command::Source(args) => {
            with_app(&global, "warn", async |app| {
                source::perform(app, out, args.command, stop).await
            })
            .await
        }
        Command::Runs(args) => {
            let work = async |app: &App| runs::perform(app, out, args).await;
            with_app(&global, "warn", async |app| unless(stop, work(app)).await).await
        }
        Command::Target(args) => {
            let work = async |app: &App| target::perform(app, out, args.command).await;
            with_app(&global, "warn", async |app| unless(stop, work(app)).await).await
        }
        Command::Session(args) => {
            let work = async |app: &App| session::perform(app, out, args.command).await;
            with_app(&global, "warn", async |app| unless(stop, work(app)).await).await
        }
        Command::Key(args) => {
            let work = async |app: &App| key::perform(app, out, args.command).await;
            with_app(&global, "warn", async |app| unless(stop, work(app)).await).await
        }
    }
}

/// Opens the data folder for one command and closes it properly.
async fn with_app<F>(global: &Global, filter: &str, work: F) -> ApiResult<Exit>
where
    F: AsyncFnOnce(&App) -> ApiResult<Exit>,
{
    let config = Config::from_env(global.data_dir.clone())?;
    let filter = match global.verbose {
        0 => filter,
        1 => "debug",
        _ => "trace",
    };
    let _writes_the_rest_when_dropped = logs::start(&config, filter)?;
    let app = App::start(config).await?;
    let result = work(&app).await;
    app.shutdown().await;
    result
}

/// Work that can be left anywhere: Ctrl-C leaves it at once.
async fn unless(stop: CancellationToken, work: impl Future<Output = ApiResult<Exit>>) -> ApiResult<Exit> {
    tokio::select! {
        result = work => result,
        () = stop.cancelled() => Ok(Exit::Cancelled),
    }
}

fn internal(error: &dyn std::fmt::Display) -> ApiError {
    ApiError::new(Code::Internal, error.to_string())
}
