//! Two-step verification: the server's side of SRP (<https://core.telegram.org/api/srp>).

use std::sync::{LazyLock, OnceLock};

use grammers_tl_types as tl;
use hmac::{Hmac, KeyInit as _, Mac as _};
use num_bigint::BigUint;
use sha2::Sha512;
use tl::{enums, types};

use super::answer::{Answer, RpcError, arguments, refuse, say};
use super::dispatch::Caller;
use super::envelope::sha256;
use super::keys::Login;

/// The group all of Telegram uses: a safe prime of 2048 bits and its generator.
const G: i32 = 3;
static P: LazyLock<[u8; 256]> = LazyLock::new(|| {
    let digits: String = PRIME.split_whitespace().collect();
    padded(&BigUint::parse_bytes(digits.as_bytes(), 16).expect("hex digits"))
});
const PRIME: &str = "
    c71caeb9c6b1c9048e6c522f70f13f73980d40238e3e21c14934d037563d930f
    48198a0aa7c14058229493d22530f4dbfa336f6e0ac925139543aed44cce7c37
    20fd51f69458705ac68cd4fe6b6b13abdc9746512969328454f18faf8c595f64
    2477fe96bb2a941d5bcd1d4ac8cc49880708fa9b378e3c4f3a9060bee67cf9a4
    a4a695811051907e162753b56b0f6b410dba74d8a84b2a14b3144e0ef1284754
    fd17ed950d5965b4b9dd46582db1178d169c6bc465b0d6ff9ca3928fef5b9ae4
    e418fc15e83ebea0f87fa9ff5eed70050ded2849f47bf959d956850ce929851f
    0d8115f635b105ee2e4e15d04b2454bf6f4fadf034b10403119cd8e3b92fcc5b";

const ROUNDS: usize = 100_000;

/// A password as a server keeps it.
pub(super) struct Password {
    text: String,
    hint: String,
    salt1: [u8; 8],
    salt2: [u8; 16],
    verifier: OnceLock<BigUint>,
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Password")
            .field("hint", &self.hint)
            .finish_non_exhaustive()
    }
}

/// What the server remembers between showing the puzzle and checking its solution.
#[derive(Clone)]
pub(super) struct Puzzle {
    id: i64,
    secret: BigUint,
    public: [u8; 256],
}

impl Password {
    pub(super) fn new(text: &str, hint: &str) -> Self {
        Self {
            text: text.to_owned(),
            hint: hint.to_owned(),
            salt1: rand::random(),
            salt2: rand::random(),
            verifier: OnceLock::new(),
        }
    }

    /// `v = g^x`; slow, and done once.
    fn verifier(&self) -> &BigUint {
        self.verifier.get_or_init(|| {
            let x = BigUint::from_bytes_be(&slow_hash(self.text.as_bytes(), &self.salt1, &self.salt2));
            BigUint::from(G as u32).modpow(&x, &prime())
        })
    }

    fn puzzle(&self) -> Puzzle {
        let secret = BigUint::from_bytes_be(&rand::random::<[u8; 256]>());
        let p = prime();
        let multiplier = BigUint::from_bytes_be(&sha256(&[&*P, &padded(&BigUint::from(G as u32))]));
        let masked = multiplier * self.verifier() + BigUint::from(G as u32).modpow(&secret, &p);
        Puzzle {
            id: rand::random::<i64>() & i64::MAX,
            public: padded(&(masked % p)),
            secret,
        }
    }

    fn is_solved(&self, puzzle: &Puzzle, a: &[u8], proof: &[u8]) -> bool {
        let p = prime();
        let public_a = BigUint::from_bytes_be(a) % &p;
        if a.len() != 256 || public_a == BigUint::ZERO {
            return false;
        }
        let u = BigUint::from_bytes_be(&sha256(&[a, &puzzle.public]));
        let shared = (public_a * self.verifier().modpow(&u, &p)).modpow(&puzzle.secret, &p);
        let key = sha256(&[&padded(&shared)]);
        let of_p = sha256(&[&*P]);
        let of_g = sha256(&[&padded(&BigUint::from(G as u32))]);
        let mixed: [u8; 32] = std::array::from_fn(|index| of_p[index] ^ of_g[index]);
        let expected = sha256(&[
            &mixed,
            &sha256(&[&self.salt1]),
            &sha256(&[&self.salt2]),
            a,
            &puzzle.public,
            &key,
        ]);
        proof == expected
    }

    fn algorithm(&self) -> enums::PasswordKdfAlgo {
        algorithm(&self.salt1, &self.salt2)
    }
}

fn algorithm(salt1: &[u8], salt2: &[u8]) -> enums::PasswordKdfAlgo {
    types::PasswordKdfAlgoSha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow {
        salt1: salt1.to_vec(),
        salt2: salt2.to_vec(),
        g: G,
        p: P.to_vec(),
    }
    .into()
}

fn prime() -> BigUint {
    BigUint::from_bytes_be(&*P)
}

fn padded(number: &BigUint) -> [u8; 256] {
    let bytes = number.to_bytes_be();
    let mut padded = [0; 256];
    padded[256 - bytes.len()..].copy_from_slice(&bytes);
    padded
}

fn salted(data: &[u8], salt: &[u8]) -> [u8; 32] {
    sha256(&[salt, data, salt])
}

/// `PH2(password, salt1, salt2)`.
fn slow_hash(password: &[u8], salt1: &[u8], salt2: &[u8]) -> [u8; 32] {
    let first = salted(&salted(password, salt1), salt2);
    salted(&stretched(&first, salt1), salt2)
}

/// PBKDF2-HMAC-SHA512, whose first block is all that is asked for.
fn stretched(password: &[u8], salt: &[u8]) -> [u8; 64] {
    let keyed = Hmac::<Sha512>::new_from_slice(password).expect("keys of any length");
    let round = |data: &[&[u8]]| -> [u8; 64] {
        let mut mac = keyed.clone();
        for part in data {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    };
    let mut last = round(&[salt, &1_u32.to_be_bytes()]);
    let mut sum = last;
    for _ in 1..ROUNDS {
        last = round(&[&last]);
        for (byte, next) in sum.iter_mut().zip(last) {
            *byte ^= next;
        }
    }
    sum
}

/// `account.getPassword`: for those who owe the password and those who are logged in.
pub(super) async fn get_password(caller: &Caller<'_>) -> Answer {
    let password = {
        let state = caller.shared.state();
        let user = owner(caller.key(&state)?.login).ok_or_else(|| refuse(401, "AUTH_KEY_UNREGISTERED"))?;
        state
            .accounts
            .by_id(user)
            .and_then(|account| account.password.clone())
    };
    let mut answer = types::account::Password {
        has_recovery: false,
        has_secure_values: false,
        has_password: false,
        current_algo: None,
        srp_b: None,
        srp_id: None,
        hint: None,
        email_unconfirmed_pattern: None,
        new_algo: algorithm(&rand::random::<[u8; 8]>(), &rand::random::<[u8; 16]>()),
        new_secure_algo: types::SecurePasswordKdfAlgoPbkdf2Hmacsha512iter100000 {
            salt: rand::random::<[u8; 8]>().to_vec(),
        }
        .into(),
        secure_random: rand::random::<[u8; 256]>().to_vec(),
        pending_reset_date: None,
        login_email_pattern: None,
    };
    if let Some(password) = password {
        answer.has_password = true;
        answer.current_algo = Some(password.algorithm());
        answer.hint = Some(password.hint.clone()).filter(|hint| !hint.is_empty());
        let puzzle = slowly(move || password.puzzle()).await?;
        answer.srp_b = Some(puzzle.public.to_vec());
        answer.srp_id = Some(puzzle.id);
        caller.shared.state().puzzles.insert(caller.key_id, puzzle);
    }
    Ok(say(&enums::account::Password::from(answer)))
}

/// `auth.checkPassword`: a puzzle serves one try, and a newer one replaces it.
pub(super) async fn check_password(caller: &Caller<'_>, query: &[u8]) -> Answer {
    let request: tl::functions::auth::CheckPassword = arguments(query)?;
    let enums::InputCheckPasswordSrp::Srp(try_) = request.password else {
        return Err(refuse(400, "PASSWORD_HASH_INVALID"));
    };
    let (user, password, puzzle) = {
        let mut state = caller.shared.state();
        let user = owner(caller.key(&state)?.login).ok_or_else(|| refuse(401, "AUTH_KEY_UNREGISTERED"))?;
        let password = state
            .accounts
            .by_id(user)
            .and_then(|account| account.password.clone());
        let password = password.ok_or_else(|| refuse(400, "PASSWORD_HASH_INVALID"))?;
        let known = state
            .puzzles
            .get(&caller.key_id)
            .is_some_and(|puzzle| puzzle.id == try_.srp_id);
        let puzzle = if known {
            state.puzzles.remove(&caller.key_id)
        } else {
            None
        };
        (
            user,
            password,
            puzzle.ok_or_else(|| refuse(400, "SRP_ID_INVALID"))?,
        )
    };
    let solved = slowly(move || password.is_solved(&puzzle, &try_.a, &try_.m1)).await?;
    if !solved {
        return Err(refuse(400, "PASSWORD_HASH_INVALID"));
    }
    caller.log_in(user)
}

fn owner(login: Login) -> Option<i64> {
    match login {
        Login::Nobody => None,
        Login::PasswordOwed(user) | Login::User(user) => Some(user),
    }
}

/// Big numbers away from the event loop.
async fn slowly<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, RpcError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| refuse(500, "INTERNAL"))
}

#[cfg(test)]
mod tests {
    use grammers_crypto::two_factor_auth::{calculate_2fa, check_p_and_g};

    use super::*;

    #[test]
    fn the_right_password_solves_the_puzzle_and_no_other() {
        let password = Password::new("harbour lights", "");
        let puzzle = password.puzzle();
        let solve = |text: &str| {
            let random = rand::random::<[u8; 256]>().to_vec();
            calculate_2fa(
                &password.salt1,
                &password.salt2,
                &*P,
                &G,
                puzzle.public.to_vec(),
                random,
                text,
            )
        };
        let (proof, a) = solve("harbour lights");
        assert!(password.is_solved(&puzzle, &a, &proof));
        let (proof, a) = solve("harbour light");
        assert!(!password.is_solved(&puzzle, &a, &proof));
        assert!(!password.is_solved(&puzzle, &[0; 256], &proof));
    }

    #[test]
    fn clients_accept_the_group() {
        assert!(check_p_and_g(&*P, &G));
    }
}
