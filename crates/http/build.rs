//! Rebuilds this crate when the web UI was built anew, since its files are embedded.

use std::fs;

fn main() -> std::io::Result<()> {
    const UI: &str = "../../ui/build";
    // A clone that never built the UI still compiles; the server then says how to build it.
    fs::create_dir_all(UI)?;
    println!("cargo:rerun-if-changed={UI}");
    Ok(())
}
