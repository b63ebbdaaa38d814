//! Telegram through grammers: login, session files, the account behind a session.
