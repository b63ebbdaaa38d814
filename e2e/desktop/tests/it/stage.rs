//! Where a window can open: a display, a session bus, a home, a simulated Telegram. All of it ends
//! with the test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use fantoccini::{Client, ClientBuilder};
use gleaner_testkit::{ChannelSpec, ControlPort, PreviewSite, TelegramServer, World, WorldHandle};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

/// Longer than anything here takes, shorter than anybody's patience.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
/// The channel every stage shows.
pub(crate) const CHANNEL: &str = "harbour_observatory";
/// How many posts it has at first.
const POSTS: u32 = 60;

/// The key that seals sessions here: 32 bytes as they stand in the variable. There is no keyring.
pub(crate) const KEY: &str = "dGVzdC10ZXN0LXRlc3QtdGVzdC10ZXN0LXRlc3QtMTI=";

/// A bus that starts no service by itself: no portal, no keyring, nothing that asks questions.
const BARE_BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

/// Everything the app stands on.
pub(crate) struct Stage {
    app: PathBuf,
    home: TempDir,
    site: PreviewSite,
    telegram: TelegramServer,
    control: ControlPort,
    display: String,
    bus_address: String,
    _display: Child,
    _bus: Child,
}

impl Stage {
    /// Sets the stage; `None`, having said SKIPPED and why, where it cannot be set.
    pub(crate) async fn set() -> Result<Option<Self>> {
        let app = match missing() {
            Ok(app) => app,
            Err(why) => {
                println!("SKIPPED: {why}");
                return Ok(None);
            }
        };
        let home = TempDir::new()?;
        private_folder(&home.path().join("run"))?;
        let bus_config = home.path().join("bus.conf");
        fs::write(&bus_config, BARE_BUS)?;

        let mut display = Command::new("Xvfb");
        display.args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            "1280x860x24",
            "-nolisten",
            "tcp",
        ]);
        let (display, number) = start(&mut display).await?;
        let mut bus = Command::new("dbus-daemon");
        bus.arg("--config-file")
            .arg(&bus_config)
            .args(["--nofork", "--print-address=1"]);
        let (bus, bus_address) = start(&mut bus).await?;

        let world = World::new().channel(
            ChannelSpec::new(CHANNEL, 1_200_000_001)
                .title("Harbour Observatory")
                .posts(POSTS),
        );
        let world = world.into_handle();
        let site = PreviewSite::start(world.clone()).await;
        let telegram = TelegramServer::start(world).await;
        let control = ControlPort::of_telegram(&telegram, 0).await?;
        let display_name = format!(":{number}");
        Ok(Some(Self {
            app,
            home,
            site,
            telegram,
            control,
            display: display_name,
            bus_address,
            _display: display,
            _bus: bus,
        }))
    }

    /// The simulated Telegram's facts.
    pub(crate) fn world(&self) -> &WorldHandle {
        self.site.world()
    }

    /// The simulated Telegram that those who log in meet.
    pub(crate) fn telegram(&self) -> &TelegramServer {
        &self.telegram
    }

    /// Where the session bus listens.
    pub(crate) fn bus(&self) -> &str {
        &self.bus_address
    }

    /// A folder of the person's, for files of theirs.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// An address that answers and that the page must not reach.
    pub(crate) fn outside(&self) -> String {
        format!("{}/s/{CHANNEL}", self.site.base_url())
    }

    /// The app's data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// The app itself, without anybody driving it.
    pub(crate) fn app(&self) -> Command {
        let mut app = Command::new(&self.app);
        self.dress(&mut app);
        app.stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        app
    }

    /// The app with its window open, driven.
    pub(crate) async fn window(&self) -> Result<Window> {
        let port = free_port()?;
        let mut driver = Command::new("WebKitWebDriver");
        self.dress(&mut driver);
        driver.args([format!("--port={port}"), "--host=127.0.0.1".to_owned()]);
        // The variable is what tells the web view that it may be driven.
        driver
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let driver = driver.spawn().context("WebKitWebDriver does not start")?;
        reachable(port).await?;

        let wish = json!({ "webkitgtk:browserOptions": { "binary": self.app, "args": [] } });
        let capabilities = wish.as_object().cloned().context("an object")?;
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let session = builder
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await;
        let client = session.context("the window did not open")?;
        Ok(Window {
            client,
            _driver: driver,
        })
    }

    /// The environment of a person at this display, with nothing of the machine's own person in it.
    fn dress(&self, command: &mut Command) {
        let home = self.home.path();
        for name in [
            "WAYLAND_DISPLAY",
            "XDG_CONFIG_HOME",
            "XDG_DATA_HOME",
            "XDG_STATE_HOME",
            "XDG_CACHE_HOME",
            "CREDENTIALS_DIRECTORY",
            "GLEANER_ENCRYPTION_KEY_FILE",
        ] {
            command.env_remove(name);
        }
        command
            .env("HOME", home)
            .env("XDG_RUNTIME_DIR", home.join("run"))
            .env("DISPLAY", &self.display)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus_address)
            .env("NO_AT_BRIDGE", "1")
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env("GLEANER_DATA_DIR", self.data())
            .env("GLEANER_PREVIEW_URL", self.site.base_url())
            .env("GLEANER_PREVIEW_RATE", "0")
            .env(
                "GLEANER_DEMO_TELEGRAM",
                self.control.base_url().trim_start_matches("http://"),
            )
            .env("GLEANER_DEMO_API", "1")
            .env("GLEANER_ENCRYPTION_KEY", KEY);
    }
}

/// The open window and what drives it.
pub(crate) struct Window {
    /// Speaks WebDriver to it.
    pub(crate) client: Client,
    _driver: Child,
}

/// Tells a story on a stage of its own with the window open. One that fails leaves a picture.
pub(crate) async fn in_window(story: impl AsyncFnOnce(&Stage, &Window) -> Result<()>) -> Result<()> {
    let Some(stage) = Stage::set().await? else {
        return Ok(());
    };
    let window = stage.window().await?;
    let told = story(&stage, &window).await;
    if told.is_err()
        && let Ok(picture) = window.client.screenshot().await
    {
        let (_, path) = tempfile::Builder::new()
            .prefix("gleaner-window-")
            .suffix(".png")
            .tempfile()?
            .keep()?;
        fs::write(&path, picture)?;
        println!("the window when it failed: {}", path.display());
    }
    window.client.close().await?;
    told
}

/// Asks again until something is there. Says what it waited for when it never came.
pub(crate) async fn eventually<T, F>(what: &str, mut look: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<Option<T>>>,
{
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look()
            .await
            .with_context(|| format!("while waiting for {what}"))?
        {
            return Ok(found);
        }
        if Instant::now() > deadline {
            bail!("waited {} s for {what}", PATIENCE.as_secs());
        }
        // Nobody tells us: the other side is another program's screen.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The built app, or what is missing to run it here.
fn missing() -> Result<PathBuf, String> {
    if !cfg!(target_os = "linux") {
        return Err("the window is driven through WebKitWebDriver, which is Linux only".to_owned());
    }
    for program in ["WebKitWebDriver", "Xvfb", "dbus-daemon"] {
        if !on_path(program) {
            return Err(format!("{program} is not installed"));
        }
    }
    let app = built_app().ok_or("the target folder was not found")?;
    if app.is_file() {
        Ok(app)
    } else {
        Err(format!("{} is not built", app.display()))
    }
}

#[expect(clippy::disallowed_methods, reason = "a test may look where programs are")]
pub(crate) fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Beside this test: `target/debug/deps/it-…` and `target/debug/gleaner-desktop`.
fn built_app() -> Option<PathBuf> {
    let test = std::env::current_exe().ok()?;
    Some(test.parent()?.parent()?.join("gleaner-desktop"))
}

/// Starts a program that prints one line once it is ready.
async fn start(command: &mut Command) -> Result<(Child, String)> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start {}", command.as_std().get_program().display()))?;
    let stdout = child.stdout.take().context("stdout is piped")?;
    let line = timeout(PATIENCE, BufReader::new(stdout).lines().next_line()).await??;
    Ok((child, line.context("it ended before it was ready")?))
}

async fn reachable(port: u16) -> Result<()> {
    eventually("WebKitWebDriver to listen", || async move {
        Ok(tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .ok()
            .map(drop))
    })
    .await
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?
        .local_addr()?
        .port())
}

fn private_folder(path: &Path) -> Result<()> {
    fs::create_dir(path)?;
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(())
}
