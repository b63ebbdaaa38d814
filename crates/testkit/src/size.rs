//! How much a test does: the quick size on every change, the soak size before a step is closed.
//!
//! The only place that reads `GLEANER_TEST_SIZE`.

/// The two sizes every heavy test knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// What `cargo xtask test` runs.
    Quick,
    /// What `cargo xtask soak` runs.
    Soak,
}

/// The size asked for; quick unless `GLEANER_TEST_SIZE=soak`.
///
/// # Panics
/// On any other word: a misspelt soak must not pass as a quick run.
#[expect(
    clippy::disallowed_methods,
    reason = "the one seam through which tests learn their size"
)]
pub fn size() -> Size {
    match std::env::var("GLEANER_TEST_SIZE").as_deref() {
        Err(_) | Ok("" | "quick") => Size::Quick,
        Ok("soak") => Size::Soak,
        Ok(other) => panic!("GLEANER_TEST_SIZE is {other:?}; it may be quick or soak"),
    }
}

/// The figure that fits the size asked for: `pick(20, 200)` kills.
pub fn pick<T>(quick: T, soak: T) -> T {
    match size() {
        Size::Quick => quick,
        Size::Soak => soak,
    }
}
