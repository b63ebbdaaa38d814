//! How much a test does, as `gleaner_testkit::size` says it: that crate is too heavy for this one.

/// The quick figure, or the one of `GLEANER_TEST_SIZE=soak`.
#[expect(clippy::disallowed_methods, reason = "how tests learn their size")]
pub(crate) fn pick<T>(quick: T, soak: T) -> T {
    match std::env::var("GLEANER_TEST_SIZE").as_deref() {
        Err(_) | Ok("" | "quick") => quick,
        Ok("soak") => soak,
        Ok(other) => panic!("GLEANER_TEST_SIZE is {other:?}; it may be quick or soak"),
    }
}
