//! The keyring of the operating system: Secret Service, Keychain or Credential Manager.
//!
//! Its calls block, and a prompt may hang behind them, so each runs on a thread of its own with a
//! deadline: a thread of the runtime's pool would keep the program from ending. A store that failed
//! is thrown away and made anew: after the service was restarted an old one fails for ever.

mod error;
mod native;
#[cfg(target_os = "linux")]
mod secret_service;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use tokio::sync::oneshot;

use crate::keys::Keys;

pub use error::KeyringError;

/// The name under which entries are kept.
pub const SERVICE: &str = "app.gleaner";

/// How long a call may take: a person may be looking for a password.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Entries of this app in some keyring. Calls block, and may show a prompt.
pub trait Entries: Send + Sync {
    /// The value under this name; `None` when there is none.
    fn get(&self, user: &str) -> Result<Option<SecretSlice<u8>>, KeyringError>;
    /// Sets the value under this name.
    fn set(&self, user: &str, value: &[u8]) -> Result<(), KeyringError>;
    /// Removes the entry of this name, if there is one.
    fn remove(&self, user: &str) -> Result<(), KeyringError>;
}

/// Makes a store, and makes it again after it failed.
type Connect = dyn Fn() -> Result<Arc<dyn Entries>, KeyringError> + Send + Sync;

/// A keyring. Clones share its store.
#[derive(Clone)]
pub struct Keyring {
    line: Arc<Line>,
    patience: Duration,
}

struct Line {
    connect: Box<Connect>,
    store: Mutex<Option<Arc<dyn Entries>>>,
}

impl Keyring {
    /// The keyring of this operating system: never a file of ours, never one that forgets.
    pub fn of_this_system() -> Self {
        Self::over(native::connect)
    }

    /// A keyring over any entries.
    pub fn over(
        connect: impl Fn() -> Result<Arc<dyn Entries>, KeyringError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            line: Arc::new(Line {
                connect: Box::new(connect),
                store: Mutex::new(None),
            }),
            patience: PATIENCE,
        }
    }

    /// The same keyring with another deadline.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The keys under this name; `None` when there is no entry. Dropping the future gives up.
    pub async fn read(&self, user: &str) -> Result<Option<Keys>, KeyringError> {
        let user = user.to_owned();
        let value = self.call(move |entries| entries.get(&user)).await?;
        value.map(|value| parse(&value)).transpose()
    }

    /// Stores the keys and reads them again: what is not kept must not be used.
    pub async fn write(&self, user: &str, keys: &Keys) -> Result<(), KeyringError> {
        let line = keys.to_line();
        let name = user.to_owned();
        self.call(move |entries| entries.set(&name, line.expose_secret().as_bytes()))
            .await?;
        let kept = self.read(user).await?;
        if kept.is_some_and(|kept| kept.kids() == keys.kids()) {
            Ok(())
        } else {
            Err(KeyringError::Failed("it did not keep what was stored".to_owned()))
        }
    }

    /// Removes the entry of this name, if there is one.
    pub async fn remove(&self, user: &str) -> Result<(), KeyringError> {
        let user = user.to_owned();
        self.call(move |entries| entries.remove(&user)).await
    }

    async fn call<T: Send + 'static>(
        &self,
        job: impl Fn(&dyn Entries) -> Result<T, KeyringError> + Send + 'static,
    ) -> Result<T, KeyringError> {
        let line = Arc::clone(&self.line);
        let (tell, told) = oneshot::channel();
        std::thread::Builder::new()
            .name("keyring".to_owned())
            .spawn(move || {
                // Nobody may be waiting any more.
                let _ = tell.send(line.attempt(&job));
            })
            .map_err(|error| KeyringError::Failed(error.to_string()))?;
        match tokio::time::timeout(self.patience, told).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(KeyringError::Failed("the call did not end well".to_owned())),
            Err(_) => {
                self.line.forget();
                let patience = self.patience;
                Err(KeyringError::NoAnswer { patience })
            }
        }
    }
}

impl Line {
    fn attempt<T>(&self, job: &impl Fn(&dyn Entries) -> Result<T, KeyringError>) -> Result<T, KeyringError> {
        let once = || {
            let answer = self.store().and_then(|store| job(&*store));
            if answer.is_err() {
                self.forget();
            }
            answer
        };
        match once() {
            Err(error) if error.is_worth_another_try() => {
                tracing::debug!(%error, "asking the keyring once more");
                once()
            }
            answer => answer,
        }
    }

    /// The store that is there, or a new one; connecting happens outside the lock.
    fn store(&self) -> Result<Arc<dyn Entries>, KeyringError> {
        let kept = self.kept().clone();
        if let Some(store) = kept {
            return Ok(store);
        }
        let store = (self.connect)()?;
        *self.kept() = Some(Arc::clone(&store));
        Ok(store)
    }

    fn forget(&self) {
        *self.kept() = None;
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Option<Arc<dyn Entries>>> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn parse(value: &SecretSlice<u8>) -> Result<Keys, KeyringError> {
    let text = std::str::from_utf8(value.expose_secret())
        .map_err(|_| KeyringError::Damaged("the entry is not text".to_owned()))?;
    let text = SecretString::from(Box::<str>::from(text));
    Keys::parse(text.expose_secret())
        .map_err(|error| KeyringError::Damaged(format!("the entry is not a key: {error}")))
}

impl fmt::Debug for Keyring {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Keyring")
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;
    use crate::testing::MemoryKeyring;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    #[tokio::test]
    async fn what_is_written_is_read() {
        let keyring = MemoryKeyring::new().keyring();
        assert!(keyring.read("default").await.unwrap().is_none());
        let keys = Keys::new(Key::generate(), [Key::generate()]);
        keyring.write("default", &keys).await.unwrap();
        let read = keyring.read("default").await.unwrap().unwrap();
        assert_eq!(read.kids(), keys.kids());
        assert!(keyring.read("other").await.unwrap().is_none());
        keyring.remove("default").await.unwrap();
        assert!(keyring.read("default").await.unwrap().is_none());
    }

    #[tokio::test]
    async fn an_entry_that_is_no_key_is_damaged_and_not_shown() {
        let memory = MemoryKeyring::new();
        memory.put("default", b"hunter2hunter2");
        let error = memory.keyring().read("default").await.unwrap_err();
        assert!(matches!(error, KeyringError::Damaged(_)));
        assert!(!error.to_string().contains("hunter2"));
        memory.put("default", b"\xff\xfe");
        let error = memory.keyring().read("default").await.unwrap_err();
        assert!(matches!(error, KeyringError::Damaged(_)));
    }

    /// Answers once it may: as a prompt that nobody has answered yet.
    struct Waits(Mutex<mpsc::Receiver<()>>);

    impl Entries for Waits {
        fn get(&self, _: &str) -> Result<Option<SecretSlice<u8>>, KeyringError> {
            // The other end goes when the test does.
            let _ = self.0.lock().unwrap().recv();
            Ok(None)
        }
        fn set(&self, _: &str, _: &[u8]) -> Result<(), KeyringError> {
            Ok(())
        }
        fn remove(&self, _: &str) -> Result<(), KeyringError> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_call_without_an_answer_ends_at_its_deadline_and_the_next_one_is_fresh() {
        let (answer, wait) = mpsc::channel();
        let waits: Mutex<Option<Arc<dyn Entries>>> = Mutex::new(Some(Arc::new(Waits(Mutex::new(wait)))));
        let memory = MemoryKeyring::new();
        let keyring = Keyring::over(move || {
            let hung = waits.lock().unwrap().take();
            hung.map_or_else(|| memory.entries(), Ok)
        });
        let patience = Duration::from_millis(50);
        let hasty = keyring.clone().with_patience(patience);
        assert_eq!(
            hasty.read("default").await.unwrap_err(),
            KeyringError::NoAnswer { patience }
        );
        assert!(keyring.read("default").await.unwrap().is_none());
        drop(answer);
    }

    #[tokio::test]
    async fn a_store_that_went_stale_is_made_anew() {
        struct Stale;
        impl Entries for Stale {
            fn get(&self, _: &str) -> Result<Option<SecretSlice<u8>>, KeyringError> {
                Err(KeyringError::Failed("NoSession".to_owned()))
            }
            fn set(&self, _: &str, _: &[u8]) -> Result<(), KeyringError> {
                Ok(())
            }
            fn remove(&self, _: &str) -> Result<(), KeyringError> {
                Ok(())
            }
        }
        let made = Arc::new(AtomicUsize::new(0));
        let memory = MemoryKeyring::new();
        let counted = Arc::clone(&made);
        let keyring = Keyring::over(move || match counted.fetch_add(1, Ordering::SeqCst) {
            0 => Ok(Arc::new(Stale) as Arc<dyn Entries>),
            _ => memory.entries(),
        });
        assert!(keyring.read("default").await.unwrap().is_none());
        assert_eq!(made.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_locked_keyring_is_not_asked_twice() {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let keyring = Keyring::over(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            Err(KeyringError::Locked)
        });
        assert_eq!(keyring.read("default").await.unwrap_err(), KeyringError::Locked);
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }
}
