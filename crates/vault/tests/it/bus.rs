//! A session bus and a gnome-keyring of the test's own, in a folder that goes with it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use secret_service::EncryptionType;
use secret_service::blocking::SecretService;
use tempfile::TempDir;
use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value};

const PASSWORD: &str = "the login password";
const PATIENCE: Duration = Duration::from_secs(20);

/// A bus without any service on it.
pub(crate) struct Bus {
    daemon: Child,
    keyring: Option<Child>,
    address: String,
    folder: TempDir,
}

/// How the keyring daemon starts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// The login keyring is made when there is none, and unlocked.
    Unlocked,
    /// As it is before anybody logged in.
    Locked,
}

impl Bus {
    /// `None` where dbus or gnome-keyring is not installed.
    pub(crate) fn start() -> Option<Self> {
        for program in ["dbus-daemon", "gnome-keyring-daemon"] {
            let found = Command::new(program).arg("--version").output();
            if !found.is_ok_and(|output| output.status.success()) {
                println!("SKIPPED: {program} is not installed");
                return None;
            }
        }
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("bus.conf");
        let place = folder.path().display();
        let text = format!(
            r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:dir={place}</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>"#
        );
        std::fs::write(&config, text).expect("it is written");
        let mut daemon = Command::new("dbus-daemon")
            .arg("--config-file")
            .arg(&config)
            .args(["--nofork", "--nopidfile", "--print-address=1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon starts");
        let mut address = String::new();
        BufReader::new(daemon.stdout.take().expect("it is piped"))
            .read_line(&mut address)
            .expect("it says its address");
        Some(Self {
            daemon,
            keyring: None,
            address: address.trim().to_owned(),
            folder,
        })
    }

    /// A program in this bus's world: nothing of the person's own is in its environment.
    pub(crate) fn command(&self, program: impl Into<PathBuf>) -> Command {
        let mut command = Command::new(program.into());
        command.env_clear();
        for (name, folder) in [
            ("HOME", "home"),
            ("XDG_RUNTIME_DIR", "runtime"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_CACHE_HOME", "cache"),
            ("TMPDIR", "tmp"),
        ] {
            let folder = self.folder().join(folder);
            std::fs::create_dir_all(&folder).expect("a folder");
            command.env(name, folder);
        }
        command
            .env("PATH", "/usr/bin:/bin")
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address);
        command
    }

    /// Starts the keyring daemon and waits until it answers.
    pub(crate) fn start_keyring(&mut self, start: Start) {
        assert!(self.keyring.is_none(), "it runs already");
        let mut command = self.keyring_command();
        command.arg("--foreground");
        if start == Start::Unlocked {
            command.arg("--unlock");
        }
        let mut keyring = command.spawn().expect("gnome-keyring-daemon starts");
        let mut input = keyring.stdin.take().expect("it is piped");
        input
            .write_all(PASSWORD.as_bytes())
            .expect("it reads its password");
        drop(input);
        self.keyring = Some(keyring);
        self.wait(start == Start::Unlocked);
    }

    /// Unlocks the login keyring, as its prompt would with the right password.
    pub(crate) fn unlock(&self) {
        const SECRETS: &str = "/org/freedesktop/secrets";
        let name = Some("org.freedesktop.secrets");
        let unlock = || -> zbus::Result<()> {
            let connection = self.connection()?;
            let opened = connection.call_method(
                name,
                SECRETS,
                Some("org.freedesktop.Secret.Service"),
                "OpenSession",
                &("plain", Value::from("")),
            )?;
            let (_, session): (OwnedValue, OwnedObjectPath) = opened.body().deserialize()?;
            let login = ObjectPath::try_from("/org/freedesktop/secrets/collection/login")?;
            let nothing: &[u8] = &[];
            let password = (session, nothing, PASSWORD.as_bytes(), "text/plain");
            connection.call_method(
                name,
                SECRETS,
                Some("org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface"),
                "UnlockWithMasterPassword",
                &(login, password),
            )?;
            Ok(())
        };
        unlock().expect("the keyring is unlocked");
        self.wait(true);
    }

    fn keyring_command(&self) -> Command {
        let mut command = self.command("gnome-keyring-daemon");
        command
            .arg("--components=secrets")
            .arg("--control-directory")
            .arg(self.folder().join("control"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// Ends the daemon at once.
    pub(crate) fn stop_keyring(&mut self) {
        end(&mut self.keyring.take().expect("it runs"));
        let end = Instant::now() + PATIENCE;
        while self.serves() {
            assert!(Instant::now() < end, "the bus still knows the daemon");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn wait(&self, unlocked: bool) {
        let end = Instant::now() + PATIENCE;
        loop {
            let ready = if unlocked {
                self.unlocked().unwrap_or(false)
            } else {
                self.serves()
            };
            if ready {
                return;
            }
            assert!(Instant::now() < end, "the keyring daemon does not answer");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn serves(&self) -> bool {
        let owned = || -> zbus::Result<bool> {
            let bus = zbus::blocking::fdo::DBusProxy::new(&self.connection()?)?;
            let name = zbus::names::BusName::try_from("org.freedesktop.secrets")?;
            Ok(bus.name_has_owner(name)?)
        };
        owned().unwrap_or(false)
    }

    fn unlocked(&self) -> Result<bool, secret_service::Error> {
        let service = SecretService::connect_with_existing(EncryptionType::Plain, self.connection()?)?;
        let default = service.get_default_collection()?;
        default.is_locked().map(|locked| !locked)
    }

    fn connection(&self) -> zbus::Result<zbus::blocking::Connection> {
        zbus::blocking::connection::Builder::address(self.address.as_str())?
            .method_timeout(Duration::from_secs(2))
            .build()
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        if let Some(keyring) = &mut self.keyring {
            end(keyring);
        }
        end(&mut self.daemon);
    }
}

fn end(process: &mut Child) {
    let _ = process.kill();
    let _ = process.wait();
}
