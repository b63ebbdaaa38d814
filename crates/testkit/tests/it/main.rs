//! The simulated worlds, seen from outside: over HTTP.

mod control;
mod faults;
mod kinds;
mod mtproto;
mod s3;
mod site;
mod telegram;
mod telegram_control;
mod telethon;
mod web;
