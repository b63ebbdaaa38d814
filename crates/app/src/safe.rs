//! The vault of this data folder: opened when first needed, and again when something changed.
//!
//! Nothing sealed is ever kept with another key than the database's primary one: a [`Vault`] cannot be
//! had with a wrong key, and the tables refuse what a late process still seals with an old one.

use std::time::Duration;

use gleaner_domain::Code;
use gleaner_store::{KeyStored, SealedStored};
use gleaner_vault::{KeyError, KeyHome, KeyRow, KeyState, Keyring, Ledger, OpenError, Opened, Sealed, Vault};
use secrecy::SecretSlice;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::login::sentence;
use crate::{ApiError, ApiResult, App, Config, lease, places};

/// How long another process that makes the first key is waited for: its keyring may be asking a person.
const FOUNDING_TRIES: u32 = 300;
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

/// Where the workspace's identity is remembered.
const WORKSPACE: &str = "workspace";

/// Where the key is, and the vault once it was opened.
pub(crate) struct Safe {
    pub(crate) home: KeyHome,
    opened: Mutex<Option<Opened>>,
}

/// What the database says about keys.
pub(crate) struct KnownKeys {
    pub(crate) workspace: Uuid,
    pub(crate) rows: Vec<KeyRow>,
    sealed: bool,
}

impl KnownKeys {
    pub(crate) fn ledger(&self) -> Ledger<'_> {
        Ledger {
            workspace: self.workspace,
            rows: &self.rows,
            sealed: self.sealed,
        }
    }
}

impl Safe {
    pub(crate) fn new(config: &Config, workspace: Uuid) -> Self {
        let keyring = config.keyring.clone().unwrap_or_else(Keyring::of_this_system);
        Self {
            // An entry a data folder: a demo must not meet the key of the real app.
            home: KeyHome::new(config.key_places.clone(), keyring, workspace.to_string()),
            opened: Mutex::new(None),
        }
    }
}

impl App {
    /// The vault, to open what is sealed. An error where nothing ever was.
    pub(crate) async fn vault(&self) -> ApiResult<Vault> {
        Ok(self.opened().await?.vault)
    }

    pub(crate) async fn opened(&self) -> ApiResult<Opened> {
        let mut opened = self.0.safe.opened.lock().await;
        if let Some(opened) = &*opened {
            return Ok(opened.clone());
        }
        let rows = self.key_rows().await?;
        let found = self.0.safe.home.open(&rows.ledger()).await.map_err(key_error)?;
        *opened = Some(found.clone());
        Ok(found)
    }

    /// The vault, to seal with: the first time of all this makes the key.
    pub(crate) async fn vault_to_seal(&self) -> ApiResult<Vault> {
        self.open_for_writing()?;
        let rows = self.key_rows().await?;
        if !rows.ledger().is_empty() {
            return self.vault().await;
        }
        let mut opened = self.0.safe.opened.lock().await;
        // One founder at a time: of two, the later would overwrite in the keyring what the first seals with.
        let _founding = self.hold_founding().await?;
        let rows = self.key_rows().await?;
        if !rows.ledger().is_empty() {
            drop(opened);
            return self.vault().await;
        }
        let now = self.0.clock.now();
        let (found, new) = self
            .0
            .safe
            .home
            .found(&rows.ledger(), now)
            .await
            .map_err(key_error)?;
        let new: Vec<KeyStored> = new.iter().map(stored).collect();
        if self.0.store.add_first_keys(&new).await? {
            *opened = Some(found.clone());
            return Ok(found.vault);
        }
        // Another process was first all the same; what it made is in the keyring.
        drop(opened);
        self.vault().await
    }

    async fn hold_founding(&self) -> ApiResult<std::fs::File> {
        let path = places::key_lock(&self.0.config);
        let held = lease::lock_soon(&path, FOUNDING_TRIES, BETWEEN_TRIES).await?;
        held.ok_or_else(|| {
            ApiError::new(
                Code::AlreadyRunning,
                "Another Gleaner makes the key at this moment: is its keyring waiting for a password?",
            )
        })
    }

    /// Forgets the opened vault: something about the keys changed.
    pub(crate) async fn close_vault(&self) {
        *self.0.safe.opened.lock().await = None;
    }

    pub(crate) async fn key_rows(&self) -> ApiResult<KnownKeys> {
        let rows = self.0.store.keys().await?;
        Ok(KnownKeys {
            workspace: self.0.workspace,
            sealed: self.0.store.anything_sealed().await?,
            rows: rows.into_iter().map(row).collect::<ApiResult<_>>()?,
        })
    }

    /// Opens one sealed thing. Should another process have changed keys meanwhile, reads them anew, once.
    pub(crate) async fn open_sealed(
        &self,
        binding: &str,
        sealed: &SealedStored,
    ) -> ApiResult<SecretSlice<u8>> {
        let sealed = parse(sealed)?;
        match self.vault().await?.open(binding, &sealed) {
            Err(OpenError::UnknownKey { .. }) => {
                self.close_vault().await;
                Ok(self
                    .vault()
                    .await?
                    .open(binding, &sealed)
                    .map_err(|e| open_error(&e))?)
            }
            opened => opened.map_err(|e| open_error(&e)),
        }
    }

    /// Seals for one row. The row is to be kept at once.
    pub(crate) async fn seal(&self, binding: &str, plaintext: &[u8]) -> ApiResult<SealedStored> {
        // Another process may have promoted another key: the rows of now count.
        let primary = self.0.store.primary_key().await?;
        let mut vault = self.vault_to_seal().await?;
        if primary.is_some_and(|kid| kid != vault.kid().to_string()) {
            self.close_vault().await;
            vault = self.vault_to_seal().await?;
        }
        Ok(kept(vault.seal(binding, plaintext, self.0.clock.now())))
    }
}

/// The identity of what this data folder holds; made once.
pub(crate) async fn workspace(store: &gleaner_store::Store) -> ApiResult<Uuid> {
    Ok(store.setting_or_insert(WORKSPACE, &Uuid::now_v7()).await?)
}

pub(crate) fn kept(sealed: Sealed) -> SealedStored {
    SealedStored {
        token: sealed.token,
        kid: sealed.kid.to_string(),
        mac: sealed.mac,
    }
}

pub(crate) fn parse(stored: &SealedStored) -> ApiResult<Sealed> {
    Ok(Sealed {
        token: stored.token.clone(),
        kid: stored.kid.parse().map_err(|_| damaged())?,
        mac: stored.mac.clone(),
    })
}

pub(crate) fn stored(row: &KeyRow) -> KeyStored {
    KeyStored {
        kid: row.kid.to_string(),
        state: row.state.as_str().to_owned(),
        kcv: row.kcv.clone(),
        created_at: row.created_at,
    }
}

fn row(stored: KeyStored) -> ApiResult<KeyRow> {
    Ok(KeyRow {
        kid: stored.kid.parse().map_err(|_| damaged())?,
        state: stored.state.parse().map_err(|_| damaged())?,
        created_at: stored.created_at,
        kcv: stored.kcv,
    })
}

fn damaged() -> ApiError {
    ApiError::new(
        Code::Database,
        "The local database holds a key row that cannot be read",
    )
}

pub(crate) fn open_error(error: &OpenError) -> ApiError {
    match error {
        OpenError::UnknownKey { .. } | OpenError::NoKeyFits => {
            ApiError::new(Code::KeyWrong, format!("The session cannot be opened: {error}"))
        }
        OpenError::Damaged { .. } | OpenError::Moved { .. } => {
            ApiError::new(Code::Database, format!("The session cannot be opened: {error}"))
        }
    }
}

/// The sentence and the next step of each state of the keyring.
#[expect(clippy::needless_pass_by_value, reason = "maps errors by its bare name")]
pub(crate) fn key_error(error: KeyError) -> ApiError {
    let code = match error.state() {
        KeyState::Locked => Code::KeyringLocked,
        KeyState::Gone => Code::KeyGone,
        KeyState::Wrong | KeyState::Damaged => Code::KeyWrong,
        KeyState::Absent | KeyState::Ready | KeyState::FirstRun | KeyState::Failed => Code::KeyringAbsent,
    };
    let mut told = ApiError::new(code, sentence(&error));
    if matches!(error, KeyError::ReadOnly(_)) {
        // The sentence says where; there is no keyring to start.
        told.code = Code::KeyWrong;
        told.hint = None;
    }
    told
}
