//! The file dialogs of a desktop, answered by the test instead of a person: a portal on the stage's
//! bus, as <https://flatpak.github.io/xdg-desktop-portal/docs/doc-org.freedesktop.portal.FileChooser.html>
//! describes it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use tokio::sync::mpsc;
use tokio::time::timeout;
use zbus::connection::Builder;
use zbus::fdo::{self, DBusProxy};
use zbus::message::Header;
use zbus::names::{BusName, OwnedUniqueName};
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};
use zbus::{Connection, interface};

use crate::stage::{PATIENCE, Stage, eventually};

/// Where portals are.
const DESKTOP: &str = "/org/freedesktop/portal/desktop";
const CHOSEN: u32 = 0;
const CANCELLED: u32 = 1;

/// Options of a call, by name.
type Options = HashMap<String, OwnedValue>;

/// The portal of a desktop. Its dialogs are open until the test answers them.
pub(crate) struct Portal {
    bus: Connection,
    opened: mpsc::UnboundedReceiver<Request>,
}

/// A dialog that is open.
pub(crate) struct Dialog {
    bus: Connection,
    request: Request,
}

/// What was asked for.
struct Request {
    kind: Kind,
    parent: String,
    title: String,
    options: Options,
    handle: OwnedObjectPath,
    asker: OwnedUniqueName,
}

/// What a dialog is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Open,
    Save,
}

impl Portal {
    /// Puts it on the stage's bus.
    pub(crate) async fn on(stage: &Stage) -> Result<Self> {
        let (opens, opened) = mpsc::unbounded_channel();
        let bus = Builder::address(stage.bus())?
            .serve_at(DESKTOP, FileChooser { opens })?
            .name("org.freedesktop.portal.Desktop")?
            .build()
            .await
            .context("the portal cannot be put on the bus")?;
        Ok(Self { bus, opened })
    }

    /// The next dialog that the app opens.
    pub(crate) async fn dialog(&mut self) -> Result<Dialog> {
        let opened = timeout(PATIENCE, self.opened.recv()).await;
        let request = opened
            .context("no dialog was opened")?
            .context("the portal is there")?;
        Ok(Dialog {
            bus: self.bus.clone(),
            request,
        })
    }
}

impl Dialog {
    /// What it is for.
    pub(crate) fn kind(&self) -> Kind {
        self.request.kind
    }

    /// The words above it.
    pub(crate) fn title(&self) -> &str {
        &self.request.title
    }

    /// The window it belongs to, such as `x11:4200003`.
    pub(crate) fn parent(&self) -> &str {
        &self.request.parent
    }

    /// The file name it proposes.
    pub(crate) fn proposes(&self) -> Option<String> {
        let name = self.request.options.get("current_name")?;
        name.downcast_ref::<String>().ok()
    }

    /// The person chooses a file.
    pub(crate) async fn choose(self, file: &Path) -> Result<()> {
        let uris = HashMap::from([("uris", Value::from(vec![uri(file)]))]);
        self.answer(CHOSEN, uris).await
    }

    /// The person presses Cancel.
    pub(crate) async fn cancel(self) -> Result<()> {
        self.answer(CANCELLED, HashMap::new()).await
    }

    /// Tells it until the asker, who is on the bus for this one dialog, has gone: an answer that
    /// arrives together with the handle is overlooked by the app's library.
    async fn answer(self, code: u32, results: HashMap<&str, Value<'_>>) -> Result<()> {
        let Request { asker, handle, .. } = &self.request;
        let bus = DBusProxy::new(&self.bus).await?;
        let answer = (code, results);
        eventually("the app to hear what was chosen", || async {
            let request = "org.freedesktop.portal.Request";
            self.bus
                .emit_signal(
                    Some(asker.as_str()),
                    handle.as_ref(),
                    request,
                    "Response",
                    &answer,
                )
                .await?;
            let asks = bus.name_has_owner(BusName::from(asker.as_ref())).await?;
            Ok((!asks).then_some(()))
        })
        .await
    }
}

/// The part of the portal that the app calls.
struct FileChooser {
    opens: mpsc::UnboundedSender<Request>,
}

#[expect(clippy::needless_pass_by_value, reason = "zbus hands headers over")]
#[interface(name = "org.freedesktop.portal.FileChooser")]
impl FileChooser {
    fn open_file(
        &self,
        #[zbus(header)] header: Header<'_>,
        parent: String,
        title: String,
        options: Options,
    ) -> fdo::Result<OwnedObjectPath> {
        self.open(Kind::Open, &header, parent, title, options)
    }

    fn save_file(
        &self,
        #[zbus(header)] header: Header<'_>,
        parent: String,
        title: String,
        options: Options,
    ) -> fdo::Result<OwnedObjectPath> {
        self.open(Kind::Save, &header, parent, title, options)
    }
}

impl FileChooser {
    /// The handle stands under the asker's name and token, so that the answer cannot be missed.
    fn open(
        &self,
        kind: Kind,
        header: &Header<'_>,
        parent: String,
        title: String,
        options: Options,
    ) -> fdo::Result<OwnedObjectPath> {
        let wrong = |what: &str| fdo::Error::InvalidArgs(what.to_owned());
        let asker = header.sender().ok_or_else(|| wrong("who asks?"))?;
        let token = options.get("handle_token").ok_or_else(|| wrong("handle_token"))?;
        let token: &str = token.downcast_ref().map_err(|_| wrong("handle_token"))?;
        let name = asker.trim_start_matches(':').replace('.', "_");
        let handle = format!("{DESKTOP}/request/{name}/{token}");
        let handle = OwnedObjectPath::try_from(handle).map_err(|_| wrong("handle_token"))?;
        let request = Request {
            kind,
            parent,
            title,
            handle: handle.clone(),
            asker: asker.to_owned().into(),
            options,
        };
        let opened = self.opens.send(request);
        opened.map_err(|_| fdo::Error::Failed("nobody answers dialogs any more".to_owned()))?;
        Ok(handle)
    }
}

/// As portals write it: every byte that is not plain is escaped.
fn uri(file: &Path) -> String {
    let mut uri = "file://".to_owned();
    for byte in file.to_string_lossy().bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'~' => uri.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
            _ => write!(uri, "%{byte:02X}").expect("a string takes everything"),
        }
    }
    uri
}
