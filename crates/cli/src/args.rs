//! What can be typed.

use std::net::IpAddr;
use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand};
use gleaner_domain::{HistoryStart, RunUid, Schedule, ScrapePolicy, TargetKind};

use crate::exit::MEANINGS;
use crate::parse;
use crate::place::Place;

/// Turns Telegram channels into archives.
#[derive(Debug, Parser)]
#[command(name = "gleaner", version, after_help = MEANINGS, propagate_version = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Print JSON: one document, or one line a result where several come; errors too, on stderr
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Folder of the database [default: $GLEANER_DATA_DIR, or the system's own place]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// No progress and no notes, only results and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Write more into the log file; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// One thing to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Channels to scrape
    Source(SourceArgs),
    /// Scrape now, here, and wait for the end
    Run(RunArgs),
    /// What was scraped when
    Runs(RunsArgs),
    /// Places where archives are kept
    Target(TargetArgs),
    /// Logins at Telegram, for private channels
    Session(SessionArgs),
    /// The key that sessions are sealed with
    Key(KeyArgs),
    /// Serve the API and the web UI, and run what is due
    Serve(ServeArgs),
    /// Print the OpenAPI document
    Openapi,
}

/// `gleaner session …`
#[derive(Debug, Args)]
pub(crate) struct SessionArgs {
    #[command(subcommand)]
    pub(crate) command: SessionCommand,
}

/// What to do with sessions. Codes, passwords and session strings are asked for, or read as lines of stdin.
#[derive(Debug, Subcommand)]
pub(crate) enum SessionCommand {
    /// List all sessions
    List,
    /// Log in with a code, and the password if the account has one
    Login {
        /// Your name for the session
        #[arg(long)]
        name: String,
        /// Number of the account, such as +1234567890 [default: asked for]
        #[arg(long)]
        phone: Option<String>,
        /// Log in by scanning a QR code with another device
        #[arg(long)]
        qr: bool,
    },
    /// Keep the session of a Telethon, Pyrogram or Kurigram file, or of a session string
    Import {
        /// The .session file [default: a session string is asked for]
        file: Option<PathBuf>,
        /// Your name for the session [default: as the account is called]
        #[arg(long)]
        name: Option<String>,
        /// Number of the account [default: as Telegram tells it]
        #[arg(long)]
        phone: Option<String>,
    },
    /// Ask Telegram whether a session works
    Check {
        /// Number or name of the session
        session: String,
    },
    /// Give a session another name
    Rename {
        /// Number or name of the session
        session: String,
        /// The new name
        name: String,
    },
    /// Write a session for Telethon: as secret as a password
    Export {
        /// Number or name of the session
        session: String,
        /// A .session file, or Telethon's session string
        #[arg(long, value_enum, default_value_t = ExportForm::File)]
        form: ExportForm,
        /// The file to write; never over another one
        file: PathBuf,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
    /// Remove a session that no source uses
    Rm {
        /// Number or name of the session
        session: String,
        /// Also log it out at Telegram
        #[arg(long)]
        log_out: bool,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
    /// Set the API id and hash of my.telegram.org; the hash is asked for
    Api {
        /// The API id
        id: i32,
    },
}

/// How a session is written.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum ExportForm {
    /// A Telethon .session file
    File,
    /// Telethon's session string
    String,
}

/// `gleaner key …`
#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    #[command(subcommand)]
    pub(crate) command: KeyCommand,
}

/// What to do with the key.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Print the first digits of its fingerprint
    ShowId,
    /// Say whether it is there, and what to do if not
    Check,
    /// Write a recovery file, protected by a passphrase
    Export {
        /// The file to write; never over another one
        file: PathBuf,
    },
    /// Put the key of a recovery file back
    Import {
        /// The recovery file
        file: PathBuf,
    },
    /// Make a new key and seal everything with it
    Rotate,
}

/// `gleaner source …`
#[derive(Debug, Args)]
pub(crate) struct SourceArgs {
    #[command(subcommand)]
    pub(crate) command: SourceCommand,
}

/// What to do with sources.
#[derive(Debug, Subcommand)]
pub(crate) enum SourceCommand {
    /// Add a channel
    Add(Box<AddSource>),
    /// List all sources
    List,
    /// Show one source
    Show(OneSource),
    /// Change a source; what is not said stays
    Edit(Box<EditSourceArgs>),
    /// Remove a source; its files stay unless --files is given
    Rm(RemoveSource),
    /// Stop a source's schedule
    Pause(OneSource),
    /// Start a paused source's schedule again
    Resume(OneSource),
    /// Add many channels from a list
    Import(Box<ImportArgs>),
}

/// Which source.
#[derive(Debug, Args)]
pub(crate) struct OneSource {
    /// Number, @name, link or name of the source
    pub(crate) source: String,
}

/// `gleaner source add`
#[derive(Debug, Args)]
pub(crate) struct AddSource {
    /// @name, a t.me link or a numeric id
    pub(crate) identifier: String,
    /// Your name for it [default: as the channel is called]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The channel's title [default: read by the first run]
    #[arg(long, default_value = "")]
    pub(crate) title: String,
    /// Kind of storage: LOCAL, NAS or S3
    #[arg(long, value_parser = parse::target_kind, default_value = "LOCAL", value_name = "KIND")]
    pub(crate) target: TargetKind,
    /// Read it with a session instead of its public page
    #[arg(long, requires = "session")]
    pub(crate) private: bool,
    /// Number of that session
    #[arg(long, requires = "private", value_name = "N")]
    pub(crate) session: Option<i64>,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) schedule: ScheduleArgs,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
}

/// `gleaner source edit`
#[derive(Debug, Args)]
pub(crate) struct EditSourceArgs {
    #[command(flatten)]
    pub(crate) which: OneSource,
    /// Your name for it
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The channel's title
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// Start a new archive in this kind of storage; the old one stays
    #[arg(long, value_parser = parse::target_kind, value_name = "KIND")]
    pub(crate) target: Option<TargetKind>,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) schedule: ScheduleArgs,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
}

/// `gleaner source rm`
#[derive(Debug, Args)]
pub(crate) struct RemoveSource {
    #[command(flatten)]
    pub(crate) which: OneSource,
    /// Also delete its files
    #[arg(long)]
    pub(crate) files: bool,
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
}

/// `gleaner source import`
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// A text file, or - for what is piped in: one channel a line, # starts a comment
    pub(crate) file: PathBuf,
    /// Kind of storage: LOCAL, NAS or S3
    #[arg(long, value_parser = parse::target_kind, default_value = "LOCAL", value_name = "KIND")]
    pub(crate) target: TargetKind,
    /// Only say what would happen
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) schedule: ScheduleArgs,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
}

/// When a source is due.
#[derive(Debug, Args)]
pub(crate) struct ScheduleArgs {
    /// Every so often: 15m, 2h, 1d
    #[arg(long, value_parser = parse::minutes, value_name = "TIME", group = "when")]
    every: Option<u32>,
    /// A cron pattern: minute hour day month weekday
    #[arg(long, value_name = "PATTERN", group = "when")]
    cron: Option<String>,
    /// Time zone of the pattern, such as Europe/Berlin [default: this computer's]
    #[arg(long, requires = "cron")]
    zone: Option<String>,
    /// Only when asked
    #[arg(long, group = "when")]
    manual: bool,
}

impl ScheduleArgs {
    /// `None` when nothing was said.
    pub(crate) fn schedule(&self) -> Option<Schedule> {
        if let Some(minutes) = self.every {
            return Some(Schedule::Interval { minutes });
        }
        if let Some(pattern) = self.cron.clone() {
            let zone = self.zone.clone().or_else(|| iana_time_zone::get_timezone().ok());
            return Some(Schedule::Cron {
                pattern,
                zone: zone.unwrap_or_else(|| "UTC".to_owned()),
            });
        }
        self.manual.then_some(Schedule::Manual)
    }
}

/// What of a channel is kept.
#[derive(Debug, Args)]
pub(crate) struct PolicyArgs {
    /// How far back: all, now, or a day such as 2025-01-31
    #[arg(long, value_parser = parse::history, value_name = "SINCE")]
    history: Option<HistoryStart>,
    /// Fetch photos, videos and other files
    #[arg(long, conflicts_with = "no_media")]
    media: bool,
    /// Fetch text and figures only
    #[arg(long)]
    no_media: bool,
    /// How many of the newest messages are read again for edits and deletions (0 to 1000)
    #[arg(long, value_name = "N")]
    recent: Option<u16>,
    /// Most bytes of files a day, such as 500MB or 2GB; none lifts the cap
    #[arg(long, value_parser = parse::cap, value_name = "SIZE")]
    daily_cap: Option<parse::Cap>,
}

impl PolicyArgs {
    /// `before` with what was said; `None` when nothing was.
    pub(crate) fn change(&self, before: &ScrapePolicy) -> Option<ScrapePolicy> {
        let after = ScrapePolicy {
            media: self.media || (before.media && !self.no_media),
            history: self.history.unwrap_or(before.history),
            recent_window: self.recent.unwrap_or(before.recent_window),
            daily_bytes: self.daily_cap.map_or(before.daily_bytes, |cap| cap.0),
        };
        (after != *before).then_some(after)
    }
}

/// `gleaner run`
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Numbers, @names, links or names of sources
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub(crate) sources: Vec<String>,
    /// Every source that is not paused
    #[arg(long)]
    pub(crate) all: bool,
}

/// `gleaner runs`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct RunsArgs {
    #[command(subcommand)]
    pub(crate) command: Option<RunsCommand>,
    /// Only of this source: number, @name, link or name
    pub(crate) source: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) limit: u32,
}

/// What to do with runs.
#[derive(Debug, Subcommand)]
pub(crate) enum RunsCommand {
    /// Show one run and its log
    Log {
        /// The run's uid
        uid: RunUid,
    },
}

/// `gleaner target …`
#[derive(Debug, Args)]
pub(crate) struct TargetArgs {
    #[command(subcommand)]
    pub(crate) command: TargetCommand,
}

/// What to do with targets.
#[derive(Debug, Subcommand)]
pub(crate) enum TargetCommand {
    /// List all targets
    List,
    /// Add a target
    Add {
        /// Your name for it
        name: String,
        /// LOCAL, NAS or S3
        #[arg(value_parser = parse::target_kind)]
        kind: TargetKind,
        #[command(flatten)]
        place: Place,
        /// Make it what LOCAL, NAS or S3 means when no place is given
        #[arg(long)]
        default: bool,
    },
    /// Write, read and delete in a target, and explain
    Test {
        /// Name or uid of the target, or LOCAL, NAS, S3 for the default one
        target: String,
    },
    /// Remove a target that no source uses; what is in it stays
    Rm {
        /// Name or uid of the target
        target: String,
    },
}

/// `gleaner serve`
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Port; 0 takes a free one
    #[arg(long, default_value_t = 8000)]
    pub(crate) port: u16,
    /// Address to listen on; beyond this computer everybody needs the token
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub(crate) bind: IpAddr,
    /// Development mode: this computer only, no token, pages from other local ports may ask
    #[arg(long)]
    pub(crate) dev: bool,
    /// Another name under which browsers reach this server, such as that of a proxy
    #[arg(long = "host", value_name = "HOST[:PORT]")]
    pub(crate) hosts: Vec<String>,
}

/// A day as people type it.
pub(crate) fn day(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use rstest::rstest;

    use super::*;

    #[test]
    fn the_grammar_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_is_not_said_stays() {
        let quiet = policy("");
        assert_eq!(quiet.change(&ScrapePolicy::default()), None);
        let said = policy("--no-media --recent 5");
        let after = said.change(&ScrapePolicy::default()).expect("a change");
        assert_eq!((after.media, after.recent_window), (false, 5));
        assert_eq!(after.history, HistoryStart::All);
    }

    #[rstest]
    #[case("--every 2h", Some(Schedule::Interval { minutes: 120 }))]
    #[case("--manual", Some(Schedule::Manual))]
    #[case("", None)]
    fn a_schedule_is_what_was_said(#[case] said: &str, #[case] schedule: Option<Schedule>) {
        assert_eq!(add(said).schedule.schedule(), schedule);
    }

    #[rstest]
    #[case("source add @a --every 2h --manual")]
    #[case("source add @a --zone UTC")]
    #[case("source add @a --target FTP")]
    #[case("source add @a --private")]
    #[case("source add @a --media --no-media")]
    #[case("run")]
    #[case("run @a --all")]
    #[case("runs --limit 0")]
    #[case("runs log x")]
    #[case("-q -v openapi")]
    fn what_makes_no_sense_is_refused(#[case] line: &str) {
        let words = std::iter::once("gleaner").chain(line.split(' '));
        let error = Cli::try_parse_from(words).expect_err(line);
        assert_eq!(error.exit_code(), 2);
    }

    fn add(said: &str) -> Box<AddSource> {
        let words = ["gleaner", "source", "add", "@a"]
            .into_iter()
            .chain(said.split_whitespace());
        match Cli::try_parse_from(words).expect("sound").command {
            Command::Source(SourceArgs {
                command: SourceCommand::Add(add),
            }) => add,
            other => panic!("{other:?}"),
        }
    }

    fn policy(said: &str) -> PolicyArgs {
        add(said).policy
    }
}
