//! The simulated worlds, seen from outside: over HTTP.

mod control;
mod faults;
mod kinds;
mod kurigram;
mod mtproto;
mod peers;
mod s3;
mod site;
mod telegram;
mod telegram_control;
mod telethon;
mod web;
