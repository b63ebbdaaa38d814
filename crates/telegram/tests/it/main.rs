//! Session files and strings, from the outside.

mod bad_files;
mod export;
mod formats;
mod hostile;
mod journals;
mod made;
mod mutations;
mod peers;
mod strings;
