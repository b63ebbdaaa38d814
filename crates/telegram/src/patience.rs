//! How long to wait for Telegram, and how often to ask again. grammers itself waits for ever and,
//! told so, never repeats.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::failure::{Failure, Unreachable};

/// Bounds on every request. The defaults suit a person who looks at a spinner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// One try of one request, connecting and the first handshake included.
    pub attempt: Duration,
    /// Tries of one request, the first one included.
    pub tries: u32,
    /// Longest pause before the second try; doubles from there, drawn at random below it.
    pub pause: Duration,
    /// What a link gets to close by itself before it is cut.
    pub close: Duration,
    /// A farewell that nobody waits for: cancelling a code, logging out a login that is given up.
    pub farewell: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(15),
            tries: 4,
            pause: Duration::from_millis(500),
            close: Duration::from_secs(2),
            farewell: Duration::from_secs(5),
        }
    }
}

/// Whether a request may be sent again when it is unknown whether it arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Yes: twice is as good as once.
    Safe,
    /// No: the caller finds out first.
    Never,
}

/// No pause is longer than this.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// "Start again" and "not yet in step" are repeated this often, and at once.
const RESTARTS: u32 = 2;

impl Patience {
    /// Makes tries until one ends for good, `limit` has passed or they are used up.
    ///
    /// A try is told how long it may take, and leaves nothing behind that the next one could meet.
    pub(crate) async fn exhaust<T, F>(
        &self,
        repeat: Repeat,
        limit: Duration,
        mut attempt: impl FnMut(Duration) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let end = Instant::now() + limit;
        let mut restarts = 0;
        let mut tried = 0;
        loop {
            tried += 1;
            let left = end.saturating_duration_since(Instant::now());
            let failure = match attempt(self.attempt.min(left)).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let pause = match &failure {
                Failure::Refused(refusal)
                    if matches!(refusal.name.as_str(), "AUTH_RESTART" | "AUTH_KEY_UNSYNCHRONIZED") =>
                {
                    restarts += 1;
                    if restarts > RESTARTS {
                        return Err(failure);
                    }
                    Duration::ZERO
                }
                // Also negative: -503 is Telegram's "Timeout".
                Failure::Refused(refusal) if refusal.code.abs() >= 500 => self.pause(tried),
                Failure::Unreachable(Unreachable::Connection | Unreachable::Timeout)
                    if repeat == Repeat::Safe =>
                {
                    self.pause(tried)
                }
                _ => return Err(failure),
            };
            if tried >= self.tries || Instant::now() + pause >= end {
                return Err(failure);
            }
            tracing::info!(tried, %failure, "asking Telegram again");
            sleep(pause).await;
        }
    }

    /// What all the tries of one request may take together.
    pub fn total(&self) -> Duration {
        self.attempt
            .saturating_mul(self.tries.max(1))
            .min(self.attempt * 3)
    }

    fn pause(&self, tried: u32) -> Duration {
        let doubled = self.pause.saturating_mul(1 << (tried - 1).min(10));
        rand::random_range(Duration::ZERO..=doubled.min(LONGEST_PAUSE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::{Dead, Refusal};

    const QUICK: Patience = Patience {
        attempt: Duration::from_millis(20),
        tries: 4,
        pause: Duration::ZERO,
        close: Duration::ZERO,
        farewell: Duration::ZERO,
    };

    async fn run(repeat: Repeat, answers: Vec<Result<u8, Failure>>) -> (Result<u8, Failure>, usize) {
        let all = answers.len();
        let mut answers = answers.into_iter();
        let limit = Duration::from_secs(5);
        let got = QUICK
            .exhaust(repeat, limit, |_| {
                std::future::ready(answers.next().expect("no try beyond the bound"))
            })
            .await;
        (got, all - answers.len())
    }

    fn lost() -> Result<u8, Failure> {
        Err(Unreachable::Connection.into())
    }

    fn refused(code: i32, name: &str) -> Result<u8, Failure> {
        Err(Refusal {
            code,
            name: name.into(),
        }
        .into())
    }

    #[tokio::test]
    async fn what_was_lost_is_asked_again_within_bounds() {
        assert_eq!(run(Repeat::Safe, vec![lost(), lost(), Ok(7)]).await, (Ok(7), 3));
        assert_eq!(run(Repeat::Safe, vec![lost(); 9]).await, (lost(), 4));
    }

    #[tokio::test]
    async fn what_may_have_arrived_is_not_sent_twice() {
        assert_eq!(run(Repeat::Never, vec![lost(), Ok(7)]).await, (lost(), 1));
    }

    #[tokio::test]
    async fn trouble_of_telegrams_is_waited_out_and_restarts_twice() {
        let trouble = refused(500, "RPC_CALL_FAIL");
        assert_eq!(run(Repeat::Never, vec![trouble.clone(), Ok(7)]).await, (Ok(7), 2));
        let restart = refused(500, "AUTH_RESTART");
        assert_eq!(run(Repeat::Safe, vec![restart.clone(); 9]).await, (restart, 3));
    }

    #[tokio::test]
    async fn floods_refusals_and_dead_sessions_come_back_at_once() {
        for last in [
            Err(Failure::FloodWait { seconds: 3 }),
            Err(Dead::Duplicated.into()),
            refused(400, "PHONE_CODE_INVALID"),
        ] {
            assert_eq!(run(Repeat::Safe, vec![last.clone(), Ok(7)]).await, (last, 1));
        }
    }

    #[tokio::test]
    async fn silence_ends_in_time() {
        let start = Instant::now();
        let silent = QUICK
            .exhaust(Repeat::Safe, Duration::from_millis(50), |within| async move {
                sleep(within).await;
                Err::<u8, Failure>(Unreachable::Timeout.into())
            })
            .await;
        assert_eq!(silent, Err(Unreachable::Timeout.into()));
        assert!(start.elapsed() < Duration::from_secs(1));
    }
}
