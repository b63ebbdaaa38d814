//! The key that sessions are sealed with: its state, its recovery file, its rotation.

use gleaner_domain::Code;
use gleaner_store::SealedStored;
use gleaner_vault::{
    Key, KeyError, KeyRowState, KeySource, KeyState as Found, Opened, RecoveryError, recovery, rotation,
    source,
};
use secrecy::SecretString;

use crate::safe::{self, kept, key_error, stored};
use crate::telegram::setting_binding;
use crate::view::{KeyState, KeyStatus, RotationReport, Tag};
use crate::{ApiError, ApiResult, App};

/// The id of the key that the last recovery file holds.
const RECOVERY_SAVED: &str = "recovery_saved";
/// Sessions sealed again in one transaction.
const BATCH: u32 = 100;

impl App {
    /// Whether the key is there, and what to do if not.
    pub async fn key_status(&self) -> ApiResult<KeyStatus> {
        let rows = self.key_rows().await?;
        let expected = rows.ledger().primary().map(|row| row.kid);
        let saved: Option<String> = self.0.store.setting(RECOVERY_SAVED).await?;
        let recovery_saved = expected.is_some_and(|kid| saved.as_deref() == Some(&*kid.to_string()));
        let kept_in = self.key_place().await.to_string();
        let status = |state, detail: String, hint: Option<String>| KeyStatus {
            state,
            kid: None,
            expected_kid: expected.map(|kid| kid.to_string()),
            kept_in: kept_in.clone(),
            detail,
            hint,
            recovery_saved,
        };
        let found = match self.0.safe.home.open(&rows.ledger()).await {
            Ok(opened) => {
                let mut status = status(
                    KeyState::Ready,
                    "The key is there, and it is the right one".to_owned(),
                    None,
                );
                status.kid = Some(opened.vault.kid().to_string());
                status.kept_in = opened.source.to_string();
                return Ok(status);
            }
            Err(error) => error,
        };
        let state = match found.state() {
            Found::FirstRun | Found::Ready => KeyState::None,
            Found::Locked => KeyState::Locked,
            Found::Absent | Found::Failed => KeyState::Absent,
            Found::Gone => KeyState::Gone,
            Found::Wrong => KeyState::Wrong,
            Found::Damaged => KeyState::Damaged,
        };
        let kid = match &found {
            KeyError::Wrong { found, .. } => Some(found.to_string()),
            _ => None,
        };
        let error = key_error(found);
        let hint = error.hint.filter(|_| state != KeyState::None);
        let mut status = status(state, error.detail, hint);
        status.kid = kid;
        Ok(status)
    }

    /// Where the key is, or will be.
    async fn key_place(&self) -> KeySource {
        let places = self.0.config.key_places.clone();
        let laid_out = tokio::task::spawn_blocking(move || source::read(&places)).await;
        match laid_out {
            Ok(Ok(Some((_, place)))) => place,
            // One that cannot be read is what the state of the key is about.
            _ => KeySource::Keyring,
        }
    }

    /// Looks for the key again, now that somebody unlocked or started the keyring.
    pub async fn retry_key(&self) -> ApiResult<KeyStatus> {
        self.close_vault().await;
        let status = self.key_status().await?;
        self.changed(Tag::Sessions, None, None).await;
        Ok(status)
    }

    /// The text of a recovery file: the keys, sealed with a passphrase.
    pub async fn export_key(&self, passphrase: SecretString) -> ApiResult<String> {
        let vault = self.vault_to_seal().await?;
        let (keys, now) = (vault.keys().clone(), self.0.clock.now());
        // Slow on purpose: a tenth of a second and 64 MiB, so not in a task of the runtime.
        let made = tokio::task::spawn_blocking(move || recovery::export(&keys, &passphrase, now)).await;
        made.map_err(|_| ApiError::new(Code::Internal, "The recovery file could not be made"))?
            .map_err(|e| recovery_error(&e))
    }

    /// Remembers that a recovery file was written: it need not be offered any more.
    pub async fn recovery_was_saved(&self) -> ApiResult<()> {
        let kid = self.vault().await?.kid().to_string();
        self.0.store.set_setting(RECOVERY_SAVED, &kid).await?;
        self.changed(Tag::Sessions, None, None).await;
        Ok(())
    }

    /// Puts the keys of a recovery file back into the keyring. A wrong key changes nothing.
    pub async fn import_key(&self, text: String, passphrase: SecretString) -> ApiResult<KeyStatus> {
        self.open_for_writing()?;
        let opened = tokio::task::spawn_blocking(move || recovery::import(&text, &passphrase)).await;
        let keys = opened
            .map_err(|_| ApiError::new(Code::Internal, "The recovery file could not be read"))?
            .map_err(|e| recovery_error(&e))?;
        let rows = self.key_rows().await?;
        let (_, new) = self
            .0
            .safe
            .home
            .restore(keys, &rows.ledger(), self.0.clock.now())
            .await
            .map_err(key_error)?;
        if !new.is_empty() {
            let new: Vec<_> = new.iter().map(stored).collect();
            self.0.store.add_first_keys(&new).await?;
        }
        self.retry_key().await
    }

    /// Makes a new key, seals everything with it, and keeps the old one for what is elsewhere. Goes on
    /// where an interrupted rotation stopped; everything can be opened at every moment of it.
    pub async fn rotate_key(&self) -> ApiResult<RotationReport> {
        self.retire_old_keys().await?;
        let rows = self.key_rows().await?;
        let unfinished = rows.rows.iter().any(|row| {
            row.state == KeyRowState::Decrypt
                && rows
                    .ledger()
                    .primary()
                    .is_some_and(|primary| row.created_at > primary.created_at)
        });
        if !unfinished && self.count_sealed_otherwise().await? == 0 {
            self.lay_out_new_key().await?;
        }
        let kid = self.promote_newest().await?;
        let resealed = self.reseal_everything().await?;
        self.retry_key().await?;
        Ok(RotationReport { kid, resealed })
    }

    /// Keys that have sealed nothing for long are of no use to anybody but a thief.
    async fn retire_old_keys(&self) -> ApiResult<()> {
        loop {
            let rows = self.key_rows().await?;
            let next = rotation::next(&rows.rows, &[], self.0.clock.now());
            let rotation::Step::Retire(kid) = next else {
                return Ok(());
            };
            // The database knows better: something is still sealed with it.
            if !self.0.store.retire_key(&kid.to_string()).await? {
                return Ok(());
            }
        }
    }

    /// The new key is where keys are kept, and in its row, before anything is sealed with it.
    async fn lay_out_new_key(&self) -> ApiResult<()> {
        self.vault_to_seal().await?;
        let opened = self.opened().await?;
        let rows = self.key_rows().await?;
        let has_row = |key: &&Key| rows.rows.iter().any(|row| row.kid == key.kid());
        // Laid out by hand, or by a rotation that got no further.
        let laid_out = opened.vault.keys().iter().find(|key| !has_row(key)).cloned();
        let new = match laid_out {
            Some(new) => new,
            None if opened.source == KeySource::Keyring => {
                let new = Key::generate();
                let keys = opened.vault.keys().clone().with(new.clone());
                self.0.safe.home.store(&keys).await.map_err(key_error)?;
                new
            }
            None => {
                return Err(ApiError::field(
                    "key",
                    format!(
                        "there is no new one in {}: put it in front of the others there",
                        opened.source
                    ),
                ));
            }
        };
        let row = opened.vault.row_of(&new, self.0.clock.now());
        self.0.store.add_key(&stored(&row)).await?;
        self.close_vault().await;
        Ok(())
    }

    async fn promote_newest(&self) -> ApiResult<String> {
        let rows = self.key_rows().await?;
        let Opened { vault, source } = self.opened().await?;
        let rotation::Step::Promote(kid) = rotation::next(&rows.rows, &[], self.0.clock.now()) else {
            return Ok(vault.kid().to_string());
        };
        // Never a key that is not here: nothing could be sealed any more.
        let keys = vault
            .keys()
            .led_by(kid)
            .ok_or_else(|| key_error(KeyError::UnknownKey { kid }))?;
        let promoted = rotation::promoted(&rows.rows, kid).map_err(key_error)?;
        if let Some(row) = promoted.iter().find(|row| row.kid == kid) {
            self.0.store.add_key(&stored(row)).await?;
        }
        // Which of them leads is the database's to say; the order here is for people.
        if source == KeySource::Keyring {
            self.0.safe.home.store(&keys).await.map_err(key_error)?;
        }
        self.close_vault().await;
        Ok(kid.to_string())
    }

    async fn reseal_everything(&self) -> ApiResult<u64> {
        let vault = self.vault().await?;
        let primary = vault.kid().to_string();
        let mut done = 0;
        loop {
            let some = self.0.store.sessions_sealed_otherwise(&primary, BATCH).await?;
            if some.is_empty() {
                break;
            }
            let mut changes = Vec::with_capacity(some.len());
            for (uid, seen) in some {
                let binding = crate::sessions::binding(uid);
                let new = reseal(&vault, &binding, &seen)?;
                changes.push((uid, seen, new));
            }
            done += changes.len() as u64;
            self.0.store.reseal_sessions(&changes).await?;
        }
        for name in self.0.store.settings_sealed_otherwise(&primary).await? {
            if let Some(seen) = self.0.store.sealed_setting(&name).await? {
                let new = reseal(&vault, &setting_binding(&name), &seen)?;
                self.0.store.set_sealed_setting(&name, Some(&new)).await?;
                done += 1;
            }
        }
        Ok(done)
    }

    async fn count_sealed_otherwise(&self) -> ApiResult<usize> {
        let Some(primary) = self.0.store.primary_key().await? else {
            return Ok(0);
        };
        let sessions = self.0.store.sessions_sealed_otherwise(&primary, 1).await?.len();
        Ok(sessions + self.0.store.settings_sealed_otherwise(&primary).await?.len())
    }
}

fn reseal(vault: &gleaner_vault::Vault, binding: &str, seen: &SealedStored) -> ApiResult<SealedStored> {
    let sealed = safe::parse(seen)?;
    let new = vault.reseal(binding, &sealed).map_err(|e| safe::open_error(&e))?;
    Ok(new.map_or_else(|| seen.clone(), kept))
}

fn recovery_error(error: &RecoveryError) -> ApiError {
    let field = match error {
        RecoveryError::PassphraseTooShort | RecoveryError::WrongPassphrase => "passphrase",
        _ => "file",
    };
    ApiError::field(field, error.to_string())
}
