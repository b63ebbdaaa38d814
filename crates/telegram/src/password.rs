//! Two-step verification: proving a password without sending it
//! (SRP, <https://core.telegram.org/api/srp>).

use grammers_crypto::two_factor_auth::{calculate_2fa, check_p_and_g};
use grammers_tl_types::{self as tl, enums::PasswordKdfAlgo};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::login_error::{LoginError, NotSupported};

/// What Telegram wants proved, good for one answer.
pub(crate) struct Challenge {
    srp_id: i64,
    g_b: Vec<u8>,
    salt1: Vec<u8>,
    salt2: Vec<u8>,
    g: i32,
    p: Vec<u8>,
}

impl Challenge {
    /// Reads `account.getPassword`'s answer.
    pub(crate) fn of(asked: tl::types::account::Password) -> Result<Self, LoginError> {
        let (Some(algorithm), Some(srp_id), Some(g_b)) = (asked.current_algo, asked.srp_id, asked.srp_b)
        else {
            // The password was taken off meanwhile.
            return Err(LoginError::Forgotten);
        };
        let PasswordKdfAlgo::Sha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow(algorithm) = algorithm else {
            return Err(LoginError::NotSupported(NotSupported::Password));
        };
        Ok(Self {
            srp_id,
            g_b,
            salt1: algorithm.salt1,
            salt2: algorithm.salt2,
            g: algorithm.g,
            p: algorithm.p,
        })
    }

    /// The proof. Takes a good second of one core, off the async threads.
    pub(crate) async fn answer(
        self,
        password: &SecretString,
    ) -> Result<tl::enums::InputCheckPasswordSrp, LoginError> {
        let password = password.clone();
        tokio::task::spawn_blocking(move || self.prove(&password))
            .await
            .unwrap_or(Err(LoginError::NotUnderstood))
    }

    fn prove(self, password: &SecretString) -> Result<tl::enums::InputCheckPasswordSrp, LoginError> {
        // Weak figures would let whoever sent them compute the password; some also make grammers panic.
        if !self.is_sound() || !check_p_and_g(&self.p, &self.g) {
            return Err(LoginError::NotUnderstood);
        }
        // Our own randomness, where grammers-client would take the server's.
        let a = Zeroizing::new(rand::random::<[u8; 256]>());
        let (m1, g_a) = calculate_2fa(
            &self.salt1,
            &self.salt2,
            &self.p,
            &self.g,
            self.g_b,
            a.to_vec(),
            password.expose_secret().as_bytes(),
        );
        Ok(tl::types::InputCheckPasswordSrp {
            srp_id: self.srp_id,
            a: g_a.to_vec(),
            m1: m1.to_vec(),
        }
        .into())
    }

    /// `g` from 2 to 7, `p` of 2048 bits, and `g_b` between 0 and `p`.
    fn is_sound(&self) -> bool {
        let leading = self.g_b.iter().take_while(|byte| **byte == 0).count();
        let g_b = &self.g_b[leading..];
        (2..=7).contains(&self.g)
            && self.p.len() == 256
            && self.g_b.len() <= 256
            && !g_b.is_empty()
            && (g_b.len() < 256 || *g_b < *self.p)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(g: i32, p: Vec<u8>, g_b: Vec<u8>) -> Challenge {
        let (salt1, salt2) = (vec![1], vec![2]);
        Challenge {
            srp_id: 1,
            g_b,
            salt1,
            salt2,
            g,
            p,
        }
    }

    #[test]
    fn unsound_figures_are_refused_before_any_computing() {
        let p = vec![0xff; 256];
        let refused = |g, p: &Vec<u8>, g_b: Vec<u8>| {
            let proof = challenge(g, p.clone(), g_b).prove(&SecretString::from("x"));
            assert_eq!(proof.unwrap_err(), LoginError::NotUnderstood);
        };
        refused(8, &p, vec![1]);
        refused(3, &vec![0xff; 255], vec![1]);
        refused(3, &p, vec![]);
        refused(3, &p, vec![0; 256]);
        refused(3, &p, p.clone());
        refused(3, &p, vec![1; 257]);
        // Sound in size, but 2^2048 - 1 is no prime.
        refused(3, &p, vec![1]);
    }
}
