//! The vault against the Fernet specification, Python and a real keyring.

#![expect(
    clippy::print_stdout,
    reason = "seeds, figures and what cannot run are told beside the results"
)]

#[cfg(target_os = "linux")]
mod bus;
mod fernet_spec;
#[cfg(target_os = "linux")]
mod gnome_keyring;
mod mutated;
#[cfg(target_os = "linux")]
mod probe;
mod python;
mod size;
mod wrong_key;
