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

/// Starts the simulated pages, then the app on them, with an empty data folder under the target
/// folder. Nothing of the user's own is touched.
pub(crate) fn demo() -> Result<ExitCode> {
    tools::ensure(Need::Build)?;
    ui::build()?;
    build::programs(&["gleaner-testkit"])?;
    let data = target_dir()?.join("demo");
    if data.exists() {
        fs::remove_dir_all(&data).with_context(|| format!("cannot empty {}", data.display()))?;
    }
    let mut site = command(built("debug", "gleaner-testkit")?);
    let (_site, url) = Beside::start(site.args(["site", "--port", "0"]))?;
    ensure!(
        url.starts_with("http://"),
        "the simulated pages printed no address, but {url:?}"
    );
    println!("simulated t.me pages: {url}\nchannels to add: {CHANNELS}");
    println!("data of this demo: {}", data.display());
    let data = data.to_string_lossy().into_owned();
    // Any free port: the real server may be running too.
    let variables = [("GLEANER_PREVIEW_URL", url.as_str()), ("GLEANER_DATA_DIR", &data)];
    run::start(&variables, "0")
}
