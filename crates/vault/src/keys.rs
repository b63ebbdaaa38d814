//! The keys of a workspace: one primary that seals, and others that only open.

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::key::{Key, KeyParseError, Kid};

/// Keys of one workspace; never empty, each once.
#[derive(Debug, Clone)]
pub struct Keys {
    primary: Key,
    others: Vec<Key>,
}

impl Keys {
    /// The keys with their primary; one named twice counts once.
    pub fn new(primary: Key, others: impl IntoIterator<Item = Key>) -> Self {
        let mut keys = Self {
            primary,
            others: Vec::new(),
        };
        for key in others {
            keys = keys.with(key);
        }
        keys
    }

    /// Reads comma-separated keys, the primary first: the order of Python's `MultiFernet`.
    pub fn parse(text: &str) -> Result<Self, KeyParseError> {
        let mut parts = text.split(',');
        let primary = Key::parse(parts.next().unwrap_or_default())?;
        let others: Vec<Key> = parts.map(Key::parse).collect::<Result<_, _>>()?;
        Ok(Self::new(primary, others))
    }

    /// One line: the keys separated by commas, the primary first, no line end.
    pub fn to_line(&self) -> SecretString {
        let lines: Vec<SecretString> = self.iter().map(Key::to_line).collect();
        let parts: Vec<&str> = lines.iter().map(ExposeSecret::expose_secret).collect();
        let line = Zeroizing::new(parts.join(","));
        SecretString::from(Box::<str>::from(line.as_str()))
    }

    /// The key that seals.
    pub fn primary(&self) -> &Key {
        &self.primary
    }

    /// Every key, the primary first.
    pub fn iter(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.primary).chain(&self.others)
    }

    /// The ids of every key, the primary's first.
    pub fn kids(&self) -> Vec<Kid> {
        self.iter().map(Key::kid).collect()
    }

    /// The key of this id.
    pub fn get(&self, kid: Kid) -> Option<&Key> {
        self.iter().find(|key| key.kid() == kid)
    }

    /// These keys and one more that opens.
    #[must_use]
    pub fn with(mut self, key: Key) -> Self {
        if self.get(key.kid()).is_none() {
            self.others.push(key);
        }
        self
    }

    /// The same keys with another primary; `None` when it is not among them.
    pub fn led_by(&self, kid: Kid) -> Option<Self> {
        let primary = self.get(kid)?.clone();
        Some(Self::new(primary, self.iter().cloned()))
    }

    /// The keys without one that only opens; the primary stays whatever is asked.
    #[must_use]
    pub fn without(mut self, kid: Kid) -> Self {
        self.others.retain(|key| key.kid() != kid);
        self
    }
}

impl From<Key> for Keys {
    fn from(primary: Key) -> Self {
        Self::new(primary, [])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_one_line_with_the_primary_first() {
        let (first, second) = (Key::generate(), Key::generate());
        let keys = Keys::new(first.clone(), [second.clone(), first.clone()]);
        assert_eq!(keys.kids(), [first.kid(), second.kid()]);
        let line = keys.to_line();
        assert_eq!(line.expose_secret().len(), 2 * 44 + 1);
        let read = Keys::parse(&format!("{}\n", line.expose_secret())).unwrap();
        assert_eq!(read.kids(), keys.kids());
    }

    #[test]
    fn another_primary_keeps_every_key() {
        let (first, second) = (Key::generate(), Key::generate());
        let keys = Keys::new(first.clone(), [second.clone()]);
        let led = keys.led_by(second.kid()).unwrap();
        assert_eq!(led.kids(), [second.kid(), first.kid()]);
        assert!(keys.led_by(Key::generate().kid()).is_none());
    }

    #[test]
    fn the_primary_cannot_be_left_out() {
        let (first, second) = (Key::generate(), Key::generate());
        let keys = Keys::new(first.clone(), [second.clone()]);
        assert_eq!(keys.clone().without(first.kid()).kids().len(), 2);
        assert_eq!(keys.without(second.kid()).kids(), [first.kid()]);
    }

    #[test]
    fn a_bad_key_among_good_ones_is_no_set() {
        let line = format!("{},garbage", Key::generate().to_line().expose_secret());
        assert!(Keys::parse(&line).is_err());
        assert!(matches!(Keys::parse("").unwrap_err(), KeyParseError::Empty));
    }
}
