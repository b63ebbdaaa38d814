//! `cargo xtask demo`: the app against a simulated Telegram, with data of its own.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};

use crate::process::{Beside, built, command, target_dir};
use crate::tools::{self, Need};
use crate::{build, run, ui};

/// Channels there are in the simulated Telegram; two of them cannot be read, and say why.
const CHANNELS: &str = "@harbour_observatory @night_ferry @marsad_almina @severny_mayak @minato_tenmon \
     @moss_and_meadow @city_archive_letters @mitzpe_hanamal, and for an error @quiet_harbour @harbour_talk";

/// Accounts of the simulated Telegram. The code is 12345 for each.
const PHONES: &str = "+15550001 (no password), +15550002 (password: harbour lights), +15550003 (banned), \
     +15550004 (asked to wait), +15550005 (on another data centre)";

/// What the demo's sessions are sealed with: they are nobody's, and a demo must not touch the keyring.
const KEY: &str = "ZGVtby1kZW1vLWRlbW8tZGVtby1kZW1vLWRlbW8tMTI=";

/// Starts the simulated pages, then the app on them, with an empty data folder under the target
/// folder. Nothing of the user's own is touched.
pub(crate) fn demo() -> Result<ExitCode> {
    tools::ensure(Need::Build)?;
    ui::build()?;
    build::demo_programs()?;
    let data = target_dir()?.join("demo");
    if data.exists() {
        fs::remove_dir_all(&data).with_context(|| format!("cannot empty {}", data.display()))?;
    }
    let mut site = command(built("debug", "gleaner-testkit")?);
    let (_site, lines) = Beside::start(
        site.args([
            "site",
            "--port",
            "0",
            "--control-port",
            "0",
            "--telegram-port",
            "0",
        ]),
        2,
    )?;
    let (url, control) = (&lines[0], &lines[1]);
    ensure!(
        url.starts_with("http://") && control.starts_with("http://"),
        "the simulated Telegram printed no addresses, but {lines:?}"
    );
    println!("simulated t.me pages: {url}\nchannels to add: {CHANNELS}");
    println!("phone numbers to log in with: {PHONES}");
    println!("data of this demo: {}", data.display());
    let data = data.to_string_lossy().into_owned();
    // Any free port: the real server may be running too.
    let variables = [
        ("GLEANER_PREVIEW_URL", url.as_str()),
        ("GLEANER_DATA_DIR", &data),
        ("GLEANER_DEMO_TELEGRAM", control.trim_start_matches("http://")),
        ("GLEANER_DEMO_API", "1"),
        ("GLEANER_ENCRYPTION_KEY", KEY),
    ];
    run::start_built(&variables, "0")
}
