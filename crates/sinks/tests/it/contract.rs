//! `contract/record.schema.json` is what the code writes, and `docs/DATA-LAYOUT.md` explains all of it.

use std::path::Path;

use gleaner_domain::Record;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    std::fs::read_to_string(path)
        .unwrap_or_default()
        .replace("\r\n", "\n")
}

/// As records are written: what is always there is required, though readers would do without.
fn schema() -> schemars::Schema {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<Record>()
}

#[test]
fn the_schema_of_a_record_is_up_to_date() {
    let now = serde_json::to_string_pretty(&schema()).expect("JSON") + "\n";
    #[expect(
        clippy::disallowed_methods,
        reason = "the switch of a test, not a setting of the app"
    )]
    let rewrite = std::env::var_os("UPDATE_CONTRACT").is_some();
    if rewrite {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contract/record.schema.json");
        std::fs::write(path, &now).expect("writes");
    }
    let kept = read("contract/record.schema.json");
    assert!(
        kept == now,
        "contract/record.schema.json is stale: run this test with UPDATE_CONTRACT=1"
    );
}

#[test]
fn every_field_and_every_word_of_a_record_is_explained() {
    let page = read("docs/DATA-LAYOUT.md");
    let schema = serde_json::to_value(schema()).expect("JSON");
    let mut names = Vec::new();
    collect(&schema, &mut names);
    assert!(names.len() > 60, "{names:?}");
    names.retain(|name| !page.contains(&format!("`{name}`")));
    assert!(
        names.is_empty(),
        "not explained in docs/DATA-LAYOUT.md: {names:?}"
    );
}

/// Names of properties, and the fixed words that are their values.
fn collect(schema: &serde_json::Value, names: &mut Vec<String>) {
    use serde_json::Value;
    match schema {
        Value::Object(object) => {
            for (key, value) in object {
                if key == "properties"
                    && let Some(properties) = value.as_object()
                {
                    names.extend(properties.keys().cloned());
                }
                if key == "const"
                    && let Some(word) = value.as_str()
                {
                    names.push(word.to_owned());
                }
                collect(value, names);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, names)),
        _ => {}
    }
}
