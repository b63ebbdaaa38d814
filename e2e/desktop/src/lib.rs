//! The real window, driven through WebKitWebDriver; everything lives in `tests/`.
