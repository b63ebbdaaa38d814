//! Who has an account in the simulated Telegram.

use std::sync::Arc;

use super::password::Password;

/// An account, and what happens to those who log in to it.
#[derive(Debug, Clone)]
pub struct Account {
    pub(super) phone: String,
    pub(super) user_id: i64,
    pub(super) first_name: String,
    pub(super) last_name: Option<String>,
    pub(super) username: Option<String>,
    pub(super) code: String,
    pub(super) password: Option<Arc<Password>>,
    pub(super) home_dc: i32,
    pub(super) banned: bool,
    pub(super) flood_s: Option<u32>,
}

impl Account {
    /// An account on data centre 2 with login code 12345 and no password. A phone is written
    /// `+15550001`; a user id is a positive number.
    pub fn new(phone: &str, user_id: i64, first_name: &str) -> Self {
        assert!(user_id > 0, "a user id is a positive number");
        Self {
            phone: digits(phone).expect("a phone number with seven to fifteen digits"),
            user_id,
            first_name: first_name.to_owned(),
            last_name: None,
            username: None,
            code: "12345".to_owned(),
            password: None,
            home_dc: 2,
            banned: false,
            flood_s: None,
        }
    }

    /// The family name.
    #[must_use]
    pub fn last_name(mut self, name: &str) -> Self {
        self.last_name = Some(name.to_owned());
        self
    }

    /// The public name, without `@`.
    #[must_use]
    pub fn username(mut self, name: &str) -> Self {
        self.username = Some(name.to_owned());
        self
    }

    /// The login code that is always sent.
    #[must_use]
    pub fn code(mut self, code: &str) -> Self {
        code.clone_into(&mut self.code);
        self
    }

    /// Two-step verification with this password and hint.
    #[must_use]
    pub fn password(mut self, password: &str, hint: &str) -> Self {
        self.password = Some(Arc::new(Password::new(password, hint)));
        self
    }

    /// The data centre it lives on; others send it there.
    #[must_use]
    pub fn home_dc(mut self, dc_id: i32) -> Self {
        self.home_dc = dc_id;
        self
    }

    /// Asking for a code answers PHONE_NUMBER_BANNED.
    #[must_use]
    pub fn banned(mut self) -> Self {
        self.banned = true;
        self
    }

    /// Asking for a code answers FLOOD_WAIT of so many seconds.
    #[must_use]
    pub fn flooded(mut self, seconds: u32) -> Self {
        self.flood_s = Some(seconds);
        self
    }

    /// Its phone, digits only.
    pub fn phone(&self) -> &str {
        &self.phone
    }

    /// Its number.
    pub fn user_id(&self) -> i64 {
        self.user_id
    }
}

/// The accounts of the demo: one plain, one with a password ("harbour lights"), one banned, one
/// that must wait 30 seconds, one on data centre 4. The code is 12345 everywhere.
pub fn demo_accounts() -> Vec<Account> {
    vec![
        Account::new("+15550001", 5_000_001, "Ada")
            .last_name("Keeper")
            .username("ada_keeper"),
        Account::new("+15550002", 5_000_002, "Boris")
            .last_name("Lamplighter")
            .username("boris_lamps")
            .password("harbour lights", "what the pier shows"),
        Account::new("+15550003", 5_000_003, "Banned").banned(),
        Account::new("+15550004", 5_000_004, "Patience").flooded(30),
        Account::new("+15550005", 5_000_005, "Dana")
            .last_name("Farshore")
            .username("dana_farshore")
            .home_dc(4),
    ]
}

/// The digits of a phone number; `None` when it is none.
pub(super) fn digits(phone: &str) -> Option<String> {
    let bare: String = phone
        .chars()
        .filter(|letter| !matches!(letter, '+' | ' ' | '-' | '(' | ')'))
        .collect();
    let is_phone = (7..=15).contains(&bare.len()) && bare.bytes().all(|digit| digit.is_ascii_digit());
    is_phone.then_some(bare)
}

/// All accounts.
#[derive(Default)]
pub(super) struct Accounts(Vec<Account>);

impl Accounts {
    pub(super) fn new(accounts: Vec<Account>) -> Self {
        Self(accounts)
    }

    pub(super) fn all(&self) -> &[Account] {
        &self.0
    }

    /// By digits.
    pub(super) fn by_phone(&self, phone: &str) -> Option<&Account> {
        self.0.iter().find(|account| account.phone == phone)
    }

    pub(super) fn by_id(&self, user_id: i64) -> Option<&Account> {
        self.0.iter().find(|account| account.user_id == user_id)
    }

    /// Adds an account, in place of one with the same phone.
    pub(super) fn put(&mut self, account: Account) {
        self.0.retain(|known| known.phone != account.phone);
        self.0.push(account);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_are_read_as_people_write_them() {
        assert_eq!(digits("+1 (555) 00-01"), Some("15550001".to_owned()));
        assert_eq!(digits("+12"), None);
        assert_eq!(digits("five five five"), None);
        assert_eq!(digits("+1234567890123456"), None);
    }
}
