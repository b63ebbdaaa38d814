//! A wrong key seals nothing and opens nothing; a right token in a wrong row neither.

use chrono::DateTime;
use gleaner_vault::check::Ledger;
use gleaner_vault::{Key, KeyError, Keys, OpenError, Vault};
use uuid::Uuid;

use crate::size::pick;

fn founded(workspace: Uuid) -> (Vault, Vec<gleaner_vault::KeyRow>) {
    let empty = Ledger {
        workspace,
        rows: &[],
        sealed: false,
    };
    Vault::found(Key::generate().into(), &empty, DateTime::UNIX_EPOCH).expect("nothing is there yet")
}

#[test]
fn with_a_wrong_key_there_is_no_vault_and_nothing_opens() {
    let workspace = Uuid::now_v7();
    let (vault, rows) = founded(workspace);
    let ledger = Ledger {
        workspace,
        rows: &rows,
        sealed: true,
    };
    let sealed = vault.seal("row", b"secret", DateTime::UNIX_EPOCH);
    for _ in 0..pick(200, 1_000) {
        let wrong = Keys::from(Key::generate());
        let refused = Vault::unlock(&wrong, &ledger).unwrap_err();
        assert_eq!(
            refused,
            KeyError::Wrong {
                found: wrong.primary().kid(),
                expected: vault.kid()
            }
        );
        assert_eq!(
            Vault::found(wrong.clone(), &ledger, DateTime::UNIX_EPOCH).unwrap_err(),
            KeyError::NotFirst
        );
        let kid = vault.kid();
        let closed = gleaner_vault::seal::open(&wrong, "row", &sealed).unwrap_err();
        assert_eq!(closed, OpenError::UnknownKey { kid });
        // Even when the row lies about its key.
        let lying = gleaner_vault::Sealed {
            kid: wrong.primary().kid(),
            ..sealed.clone()
        };
        let kid = lying.kid;
        let closed = gleaner_vault::seal::open(&wrong, "row", &lying).unwrap_err();
        assert_eq!(closed, OpenError::Damaged { kid });
    }
}

#[test]
fn swapped_rows_are_refused() {
    let (vault, _) = founded(Uuid::now_v7());
    let count = pick(200, 1_000);
    let name = |n: usize| format!("sessions/{n}/secret");
    let rows: Vec<_> = (0..count)
        .map(|n| vault.seal(&name(n), format!("auth key {n}").as_bytes(), DateTime::UNIX_EPOCH))
        .collect();
    for n in 0..count {
        let other = &rows[(n + 1) % count];
        let refused = vault.open(&name(n), other).unwrap_err();
        assert_eq!(refused, OpenError::Moved { binding: name(n) });
        // Nor does it help to take the token alone.
        let half = gleaner_vault::Sealed {
            token: other.token.clone(),
            ..rows[n].clone()
        };
        assert!(vault.open(&name(n), &half).is_err());
        assert!(vault.open(&name(n), &rows[n]).is_ok());
    }
}
