//! Prepares the window: permissions for exactly the commands there are, and a page to embed.

use std::fs;
use std::path::Path;

#[path = "src/command_names.rs"]
mod command_names;

/// Shown instead of the UI until `npm run build` has made it, so that Rust builds on its own.
const PLACEHOLDER: &str =
    "<!doctype html><title>Gleaner</title><p>The UI is not built: run cargo xtask run.</p>";

fn main() {
    for watched in [
        "src-tauri/capabilities",
        "src-tauri/src/command_names.rs",
        "ui/build",
    ] {
        println!("cargo:rerun-if-changed={watched}");
    }
    let index = Path::new("ui/build/index.html");
    if !index.exists() {
        fs::create_dir_all("ui/build").expect("the UI's folder can be made");
        fs::write(index, PLACEHOLDER).expect("the placeholder can be written");
    }
    let commands: Vec<&str> = command_names::all().collect();
    let attributes = tauri_build::Attributes::new()
        .capabilities_path_pattern("./src-tauri/capabilities/**/*")
        .app_manifest(tauri_build::AppManifest::new().commands(commands.leak()));
    tauri_build::try_build(attributes).expect("tauri.conf.json and the capabilities are sound");
}
