//! Trying again: bounded, with exponential pauses and full jitter, or as long as the server asks.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// How often and how slowly to try again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// Requests in all, the first one included.
    pub(crate) attempts: u32,
    /// Longest pause before the second one; doubles from there.
    pub(crate) base_delay: Duration,
}

/// No pause of our own is longer than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Why one attempt failed.
#[derive(Debug)]
pub(crate) enum Setback<E> {
    /// Trying again cannot help.
    Final(E),
    /// Trying again may help; `error` is what to say when there is no attempt left.
    Again {
        /// What to say.
        error: E,
        /// How long the server asked to wait.
        after: Option<Duration>,
    },
}

impl<E> Setback<E> {
    /// Trying again may help, after a pause of our own.
    pub(crate) fn again(error: E) -> Self {
        Self::Again { error, after: None }
    }

    /// The same setback, told in other terms.
    pub(crate) fn map<F>(self, tell: impl FnOnce(E) -> F) -> Setback<F> {
        match self {
            Self::Final(error) => Setback::Final(tell(error)),
            Self::Again { error, after } => Setback::Again {
                error: tell(error),
                after,
            },
        }
    }
}

impl Patience {
    /// Runs `attempt` until it succeeds, fails for good or has been tried often enough.
    /// Says how often it was repeated.
    pub(crate) async fn repeat<T, E, F>(self, mut attempt: impl FnMut() -> F) -> (Result<T, E>, u32)
    where
        F: Future<Output = Result<T, Setback<E>>>,
    {
        let mut repeated = 0;
        loop {
            let (error, after) = match attempt().await {
                Ok(value) => return (Ok(value), repeated),
                Err(Setback::Final(error)) => return (Err(error), repeated),
                Err(Setback::Again { error, after }) => (error, after),
            };
            if repeated + 1 >= self.attempts {
                return (Err(error), repeated);
            }
            tokio::time::sleep(after.unwrap_or_else(|| self.pause(repeated))).await;
            repeated += 1;
        }
    }

    fn pause(self, repeated: u32) -> Duration {
        let longest = self
            .base_delay
            .saturating_mul(1 << repeated.min(16))
            .min(LONGEST_PAUSE);
        rand::random_range(Duration::ZERO..=longest)
    }
}

/// No server's wish is followed for longer; it also keeps sums with the time in range.
const LONGEST_WISH: Duration = Duration::from_hours(24);

/// What a `Retry-After` header asks for: seconds or a date, at most a day ahead.
pub(crate) fn retry_after(value: &str, now: DateTime<Utc>) -> Option<Duration> {
    let value = value.trim();
    let wish = if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than a number holds still mean "long".
        value.parse().map_or(Duration::MAX, Duration::from_secs)
    } else {
        let date = DateTime::parse_from_rfc2822(value).ok()?.to_utc();
        (date - now).to_std().unwrap_or_default()
    };
    Some(wish.min(LONGEST_WISH))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const QUICK: Patience = Patience {
        attempts: 3,
        base_delay: Duration::ZERO,
    };

    async fn run(answers: Vec<Result<u8, Setback<&'static str>>>) -> (Result<u8, &'static str>, u32) {
        let mut answers = answers.into_iter();
        QUICK
            .repeat(|| std::future::ready(answers.next().expect("no attempt beyond the bound")))
            .await
    }

    #[tokio::test]
    async fn a_passing_fault_is_repeated_and_counted() {
        let answers = vec![Err(Setback::again("a")), Err(Setback::again("b")), Ok(7)];
        assert_eq!(run(answers).await, (Ok(7), 2));
    }

    #[tokio::test]
    async fn the_last_fault_is_told_when_no_attempt_is_left() {
        let answers = vec![
            Err(Setback::again("a")),
            Err(Setback::again("b")),
            Err(Setback::again("c")),
        ];
        assert_eq!(run(answers).await, (Err("c"), 2));
    }

    #[tokio::test]
    async fn a_final_fault_is_not_repeated() {
        assert_eq!(run(vec![Err(Setback::Final("no"))]).await, (Err("no"), 0));
    }

    #[tokio::test(start_paused = true)]
    async fn the_server_s_own_wait_is_kept_to_the_letter() {
        let start = tokio::time::Instant::now();
        let mut answers = [
            Err(Setback::Again {
                error: "slow",
                after: Some(Duration::from_secs(40)),
            }),
            Ok(1),
        ]
        .into_iter();
        let _ = QUICK
            .repeat(|| std::future::ready(answers.next().expect("two attempts")))
            .await;
        assert_eq!(start.elapsed(), Duration::from_secs(40));
    }

    #[test]
    fn pauses_grow_and_stay_bounded() {
        const DRAWN: u32 = 200;
        let patience = Patience {
            attempts: 99,
            base_delay: Duration::from_secs(1),
        };
        for repeated in 0..99 {
            let longest = Duration::from_secs(1 << repeated.min(5)).min(LONGEST_PAUSE);
            let drawn: Vec<_> = (0..DRAWN).map(|_| patience.pause(repeated)).collect();
            assert!(drawn.iter().all(|pause| *pause <= longest), "pause {repeated}");
            // Full jitter: two hundred draws from the whole span reach its upper half, and their mean lies about its middle.
            assert!(
                drawn.iter().any(|pause| *pause > longest / 2),
                "pause {repeated} is short"
            );
            let mean = drawn.iter().sum::<Duration>() / DRAWN;
            assert!(
                mean > longest / 4 && mean < longest * 3 / 4,
                "pause {repeated}: {mean:?}"
            );
        }
    }

    #[rstest]
    #[case("7", Some(7))]
    #[case("Thu, 09 Apr 2026 07:02:44 GMT", Some(60))]
    #[case("Thu, 09 Apr 2020 07:02:44 GMT", Some(0))]
    #[case("18446744073709551615", Some(86_400))]
    #[case("99999999999999999999999", Some(86_400))]
    #[case("9 Apr 9026 07:02:44 GMT", Some(86_400))]
    #[case("soon", None)]
    #[case("", None)]
    #[case("-1", None)]
    fn retry_after_is_seconds_or_a_date(#[case] value: &str, #[case] seconds: Option<u64>) {
        let now = "2026-04-09T07:01:44Z".parse().expect("a date");
        assert_eq!(retry_after(value, now), seconds.map(Duration::from_secs));
    }
}
