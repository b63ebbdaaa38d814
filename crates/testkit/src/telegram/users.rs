//! Accounts as users: `users.getUsers` and `users.getFullUser`.

use grammers_tl_types as tl;
use tl::{enums, functions, types};

use super::accounts::Account;
use super::answer::{Answer, arguments, blank, refuse, say};
use super::dispatch::Caller;

/// What others must show to name a user.
pub(super) fn access_hash(user_id: i64) -> i64 {
    user_id.wrapping_mul(0x2545_f491_4f6c_dd1d)
}

/// An account as it sees itself, or as others see it.
pub(super) fn user(account: &Account, is_self: bool) -> enums::User {
    types::User {
        is_self,
        id: account.user_id,
        access_hash: Some(access_hash(account.user_id)),
        first_name: Some(account.first_name.clone()),
        last_name: account.last_name.clone(),
        username: account.username.clone(),
        phone: is_self.then(|| account.phone.clone()),
        ..blank::<types::User>()
    }
    .into()
}

pub(super) fn get_users(caller: &Caller<'_>, query: &[u8]) -> Answer {
    let request: functions::users::GetUsers = arguments(query)?;
    let me = caller.user()?;
    let state = caller.shared.state();
    let users: Vec<enums::User> = request
        .id
        .iter()
        .filter_map(|id| state.accounts.by_id(named(id, me)?))
        .map(|account| user(account, account.user_id() == me))
        .collect();
    Ok(say(&users))
}

pub(super) fn get_full_user(caller: &Caller<'_>, query: &[u8]) -> Answer {
    let request: functions::users::GetFullUser = arguments(query)?;
    let me = caller.user()?;
    let state = caller.shared.state();
    let account = named(&request.id, me).and_then(|id| state.accounts.by_id(id));
    let account = account.ok_or_else(|| refuse(400, "USER_ID_INVALID"))?;
    let full = types::UserFull {
        id: account.user_id,
        about: None,
        settings: blank::<types::PeerSettings>().into(),
        notify_settings: blank::<types::PeerNotifySettings>().into(),
        ..blank_full()
    };
    let answer = types::users::UserFull {
        full_user: full.into(),
        chats: Vec::new(),
        users: vec![user(account, account.user_id == me)],
    };
    Ok(say(&enums::users::UserFull::from(answer)))
}

fn named(id: &enums::InputUser, me: i64) -> Option<i64> {
    match id {
        enums::InputUser::UserSelf => Some(me),
        enums::InputUser::User(user) if user.access_hash == access_hash(user.user_id) => Some(user.user_id),
        _ => None,
    }
}

/// Two boxed fields must be there, so zeros alone do not describe it.
fn blank_full() -> types::UserFull {
    use tl::{Deserializable as _, Serializable as _};
    let mut bytes = vec![0; 4 + 4 + 8];
    enums::PeerSettings::from(blank::<types::PeerSettings>()).serialize(&mut bytes);
    enums::PeerNotifySettings::from(blank::<types::PeerNotifySettings>()).serialize(&mut bytes);
    bytes.extend([0; 4]);
    types::UserFull::from_bytes(&bytes).expect("flags, id, settings, notify settings, common chats")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_oneself_sees_the_phone() {
        let account = Account::new("+15550001", 7, "Ada");
        let phone = |is_self| match user(&account, is_self) {
            enums::User::User(user) => user.phone,
            enums::User::Empty(_) => None,
        };
        assert_eq!(phone(true), Some("15550001".to_owned()));
        assert_eq!(phone(false), None);
        assert_eq!(blank_full().common_chats_count, 0);
    }
}
