//! The account behind a login.

use std::fmt;

use grammers_tl_types as tl;

use crate::failure::{Dead, Failure};

/// Who is logged in. `Debug` shows the id alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// A bare positive number.
    pub user_id: i64,
    /// May be empty.
    pub first_name: String,
    /// Many have none.
    pub last_name: Option<String>,
    /// Without `@`; the one that is active where there are several.
    pub username: Option<String>,
    /// Digits, country code first, without `+`. Bots have none.
    pub phone: Option<String>,
    /// Logged in with a bot's token.
    pub is_bot: bool,
}

impl Account {
    /// What `users.getUsers` of `inputUserSelf` answers with.
    pub(crate) fn of_users(users: Vec<tl::enums::User>) -> Result<Self, Failure> {
        match users.into_iter().next() {
            Some(user) => Self::of_user(user),
            None => Err(Dead::Unauthorised.into()),
        }
    }

    /// What a login ends with.
    pub(crate) fn of_user(user: tl::enums::User) -> Result<Self, Failure> {
        let tl::enums::User::User(user) = user else {
            return Err(Dead::Unauthorised.into());
        };
        if user.deleted {
            return Err(Dead::Banned.into());
        }
        let several = user.usernames.unwrap_or_default().into_iter();
        let active = several
            .map(|tl::enums::Username::Username(name)| name)
            .find(|name| name.active);
        let present = |text: Option<String>| text.filter(|text| !text.is_empty());
        Ok(Self {
            user_id: user.id,
            first_name: user.first_name.unwrap_or_default(),
            last_name: present(user.last_name),
            username: present(user.username).or(active.map(|name| name.username)),
            phone: present(user.phone),
            is_bot: user.bot,
        })
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({})", self.user_id)
    }
}

/// Asks who is logged in.
pub(crate) fn who_am_i() -> tl::functions::users::GetUsers {
    tl::functions::users::GetUsers {
        id: vec![tl::enums::InputUser::UserSelf],
    }
}
