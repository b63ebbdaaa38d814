//! Changing the key without a moment in which anything is unreadable.
//!
//! 1. *Add*: make a key, store it beside the old ones ([`Keys::with`](crate::Keys::with)), then
//!    insert its row ([`Vault::row_of`](crate::Vault::row_of)).
//! 2. *Promote*: store the rows of [`promoted`] in one transaction. The database decides which key
//!    is primary, so the order in the keyring may follow later.
//! 3. *Seal again*: batches of rows through [`Vault::reseal`](crate::Vault::reseal), each replaced
//!    only where key and token are still the ones read.
//! 4. *Retire*, after a month: the row first, then the key.
//!
//! Every key is stored before a row names it, and leaves after no row does, so whatever step is cut
//! short, the next start opens everything and [`next`] says how to go on.

use chrono::{DateTime, TimeDelta, Utc};

use crate::check::{KeyRow, KeyRowState};
use crate::error::KeyError;
use crate::key::Kid;

/// How long a key that nothing needs is still kept: copies of the database may need it.
pub const KEPT: TimeDelta = TimeDelta::days(30);

/// What is left to do of a rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A newer key waits to become primary.
    Promote(Kid),
    /// Things are still sealed with other keys than the primary.
    Reseal {
        /// Those keys, with how many things each.
        from: Vec<(Kid, u64)>,
    },
    /// Nothing has been sealed with this key for long.
    Retire(Kid),
    /// Nothing.
    Done,
}

/// The next step, from the rows and from how many things are sealed with which key.
pub fn next(rows: &[KeyRow], sealed_with: &[(Kid, u64)], now: DateTime<Utc>) -> Step {
    let Some(primary) = rows.iter().find(|row| row.state == KeyRowState::Primary) else {
        return Step::Done;
    };
    let waiting = || rows.iter().filter(|row| row.state == KeyRowState::Decrypt);
    if let Some(newer) = waiting()
        .filter(|row| row.created_at > primary.created_at)
        .max_by_key(|row| row.created_at)
    {
        return Step::Promote(newer.kid);
    }
    let from: Vec<(Kid, u64)> = sealed_with
        .iter()
        .copied()
        .filter(|&(kid, count)| kid != primary.kid && count > 0)
        .collect();
    if !from.is_empty() {
        return Step::Reseal { from };
    }
    if now - primary.created_at < KEPT {
        return Step::Done;
    }
    waiting().next().map_or(Step::Done, |row| Step::Retire(row.kid))
}

/// The rows with this key as primary; the former one only opens from now on.
pub fn promoted(rows: &[KeyRow], kid: Kid) -> Result<Vec<KeyRow>, KeyError> {
    let able =
        |row: &&KeyRow| row.kid == kid && matches!(row.state, KeyRowState::Decrypt | KeyRowState::Primary);
    rows.iter().find(able).ok_or(KeyError::UnknownKey { kid })?;
    let changed = |row: &KeyRow| KeyRow {
        state: match row.state {
            _ if row.kid == kid => KeyRowState::Primary,
            KeyRowState::Primary => KeyRowState::Decrypt,
            other => other,
        },
        ..row.clone()
    };
    Ok(rows.iter().map(changed).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Ledger;
    use crate::key::Key;
    use crate::keys::Keys;
    use crate::vault::Vault;
    use secrecy::ExposeSecret as _;
    use uuid::Uuid;

    fn at(days: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_760_000_000, 0).unwrap() + TimeDelta::days(days)
    }

    #[test]
    fn a_rotation_goes_through_its_steps_and_everything_opens_at_each() {
        let workspace = Uuid::now_v7();
        let old = Key::generate();
        let empty = Ledger {
            workspace,
            rows: &[],
            sealed: false,
        };
        let (vault, mut rows) = Vault::found(old.clone().into(), &empty, at(0)).unwrap();
        let mut sealed: Vec<_> = (0..10)
            .map(|n| vault.seal(&format!("row/{n}"), b"x", at(0)))
            .collect();
        let new = Key::generate();
        // What the keyring holds in the meantime: the order lags behind.
        let keys = Keys::from(old.clone()).with(new.clone());
        rows.push(vault.row_of(&new, at(40)));

        let mut steps = 0;
        loop {
            let ledger = Ledger {
                workspace,
                rows: &rows,
                sealed: true,
            };
            let vault = Vault::unlock(&keys, &ledger).unwrap();
            for (n, sealed) in sealed.iter().enumerate() {
                let opened = vault.open(&format!("row/{n}"), sealed).unwrap();
                assert_eq!(opened.expose_secret(), b"x");
            }
            let count = |kid| sealed.iter().filter(|sealed| sealed.kid == kid).count() as u64;
            let counts = [(old.kid(), count(old.kid())), (new.kid(), count(new.kid()))];
            steps += 1;
            match next(&rows, &counts, at(40)) {
                Step::Promote(kid) => rows = promoted(&rows, kid).unwrap(),
                Step::Reseal { from } => {
                    assert_eq!(from, [(old.kid(), count(old.kid()))]);
                    // One at a time: a batch may end anywhere.
                    let at = sealed.iter().position(|one| one.kid == old.kid()).unwrap();
                    sealed[at] = vault.reseal(&format!("row/{at}"), &sealed[at]).unwrap().unwrap();
                }
                Step::Retire(_) => panic!("too soon"),
                Step::Done => break,
            }
        }
        assert_eq!(steps, 1 + 10 + 1);
        assert_eq!(next(&rows, &[(new.kid(), 10)], at(69)), Step::Done);
        assert_eq!(next(&rows, &[(new.kid(), 10)], at(70)), Step::Retire(old.kid()));
    }

    #[test]
    fn only_a_key_with_a_row_that_opens_is_promoted() {
        let workspace = Uuid::now_v7();
        let key = Key::generate();
        let mut row = KeyRow::of(&key, KeyRowState::Retired, workspace, at(0));
        assert!(promoted(&[row.clone()], key.kid()).is_err());
        row.state = KeyRowState::Compromised;
        assert!(promoted(&[row], key.kid()).is_err());
        assert!(promoted(&[], key.kid()).is_err());
    }
}
