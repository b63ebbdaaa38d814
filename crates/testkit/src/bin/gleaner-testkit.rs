//! The simulated worlds as a program: for the demo, for tests that kill processes, and by hand.
//!
//! The first line on stdout is the address; then it serves until it is killed. `site` prints the
//! control port's address next, if there is one, and then a line `telegram 2 127.0.0.1:PORT` for
//! every data centre, if there are any.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use gleaner_testkit::preview::SiteOptions;
use gleaner_testkit::telegram::TelegramOptions;
use gleaner_testkit::world::demo;
use gleaner_testkit::{ControlPort, Faults, PreviewSite, S3Faults, S3Server, TelegramServer, World};

/// A simulated Telegram and an S3-protocol server, on loopback.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Public channels as t.me/s pages.
    Site(Site),
    /// An S3-protocol server over a folder, with signature check.
    S3(S3),
}

#[derive(Debug, Args)]
struct Site {
    /// Port of the pages; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Messages of every channel.
    #[arg(long, default_value_t = 400)]
    posts: u32,
    /// Public channels; one without preview and one group come on top.
    #[arg(long, default_value_t = 8)]
    channels: u32,
    /// Another seed, another content.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Waits so many milliseconds before every answer.
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
    /// Leaves out what makes real pages heavy.
    #[arg(long)]
    light: bool,
    /// Opens the control port here (0 takes a free one) and prints its address as the second line.
    #[arg(long)]
    control_port: Option<u16>,
    /// Also starts the MTProto data centres; the port is that of the first, 0 takes a free one.
    #[arg(long)]
    telegram_port: Option<u16>,
}

#[derive(Debug, Args)]
struct S3 {
    /// Folder with the buckets; made when missing.
    #[arg(long)]
    dir: PathBuf,
    /// Port; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// A bucket to make.
    #[arg(long)]
    bucket: String,
    /// Key that clients name.
    #[arg(long)]
    access_key: String,
    /// Key that clients sign with.
    #[arg(long)]
    secret_key: String,
    /// Every nth request answers 503.
    #[arg(long)]
    refuse_every: Option<u32>,
    /// Every nth request is reset before anything is done.
    #[arg(long)]
    reset_every: Option<u32>,
    /// Every nth request is carried out and its answer lost.
    #[arg(long)]
    lose_answer_every: Option<u32>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Site(site) => serve_site(site).await,
        Command::S3(s3) => serve_s3(s3).await,
    }
}

async fn serve_site(args: Site) -> anyhow::Result<()> {
    let world = demo::furnish(World::new().seed(args.seed), args.channels, args.posts).into_handle();
    let options = SiteOptions {
        port: args.port,
        realistic_weight: !args.light,
    };
    let site = PreviewSite::start_with(world, options).await?;
    site.faults().set(Faults {
        latency: Duration::from_millis(args.latency_ms),
        ..Faults::default()
    });
    let telegram = match args.telegram_port {
        Some(port) => {
            let options = TelegramOptions {
                port,
                ..TelegramOptions::default()
            };
            Some(TelegramServer::start_with(site.world().clone(), options).await?)
        }
        None => None,
    };
    let control = match (args.control_port, &telegram) {
        (Some(port), Some(telegram)) => Some(ControlPort::with_telegram(&site, telegram, port).await?),
        (Some(port), None) => Some(ControlPort::start(&site, port).await?),
        (None, _) => None,
    };
    say(&site.base_url())?;
    if let Some(control) = &control {
        say(&control.base_url())?;
    }
    for (dc_id, address) in telegram.iter().flat_map(TelegramServer::addresses) {
        say(&format!("telegram {dc_id} {address}"))?;
    }
    site.forever().await;
    Ok(())
}

async fn serve_s3(args: S3) -> anyhow::Result<()> {
    let server = S3Server::start_on(args.port, &args.dir, &args.access_key, &args.secret_key).await?;
    server.create_bucket(&args.bucket)?;
    server.set_faults(S3Faults {
        refuse_every: args.refuse_every,
        reset_every: args.reset_every,
        lose_answer_every: args.lose_answer_every,
        ..S3Faults::default()
    });
    say(&server.endpoint())?;
    server.forever().await;
    Ok(())
}

/// A line for whoever started this; at once, for it may be a pipe.
fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
