//! Finding things on the page by what a person reads there.

use anyhow::{Context, Result};
use fantoccini::Locator;
use fantoccini::elements::Element;
use serde_json::{Value, json};

use crate::stage::{Window, eventually};

impl Window {
    /// Presses the button, link or tab with these words.
    pub(crate) async fn press(&self, words: &str) -> Result<()> {
        let path = format!(
            "//*[(self::button or self::a or @role='tab' or @role='button') and normalize-space(.)={0}] | //*[@aria-label={0}]",
            quoted(words)
        );
        eventually(&format!("“{words}” to press"), || async {
            for button in self.client.find_all(Locator::XPath(&path)).await? {
                // It may be gone, hidden, or still move under something else.
                if button.click().await.is_ok() {
                    return Ok(Some(()));
                }
            }
            Ok(None)
        })
        .await
    }

    /// Writes into the field with this label.
    pub(crate) async fn fill(&self, label: &str, text: &str) -> Result<()> {
        let field = self.field(label).await?;
        field.clear().await?;
        Ok(field.send_keys(text).await?)
    }

    /// Makes the tick in the box with this label.
    pub(crate) async fn tick(&self, label: &str) -> Result<()> {
        Ok(self.field(label).await?.click().await?)
    }

    /// What stands in the field with this label.
    pub(crate) async fn value(&self, label: &str) -> Result<String> {
        let value = self.field(label).await?.prop("value").await?;
        value.with_context(|| format!("{label} has a value"))
    }

    /// Waits until the field with this label is marked as wrong, and the page says why.
    pub(crate) async fn marked(&self, label: &str, why: &str) -> Result<()> {
        self.reads(why).await?;
        eventually(&format!("{label} to be marked"), || async {
            let mark = self.field(label).await?.attr("aria-invalid").await?;
            Ok((mark.as_deref() == Some("true")).then_some(()))
        })
        .await
    }

    /// Waits until the entry of a list with this name shows these words.
    pub(crate) async fn lists(&self, name: &str, words: &str) -> Result<()> {
        eventually(&format!("the entry “{name}” to show “{words}”"), || async {
            let entry = self.entry(name).await?;
            Ok(entry.is_some_and(|text| text.contains(words)).then_some(()))
        })
        .await
    }

    /// Waits until no list has an entry with this name.
    pub(crate) async fn lists_no_more(&self, name: &str) -> Result<()> {
        eventually(&format!("the entry “{name}” to go"), || async {
            Ok(self.entry(name).await?.is_none().then_some(()))
        })
        .await
    }

    /// Waits until the page shows these words.
    pub(crate) async fn reads(&self, words: &str) -> Result<()> {
        eventually(&format!("the page to read “{words}”"), || async {
            Ok(self.text().await?.contains(words).then_some(()))
        })
        .await
    }

    /// Waits until the page shows these words no more.
    pub(crate) async fn reads_no_more(&self, words: &str) -> Result<()> {
        eventually(&format!("“{words}” to leave the page"), || async {
            Ok((!self.text().await?.contains(words)).then_some(()))
        })
        .await
    }

    /// Everything the page shows as text.
    pub(crate) async fn text(&self) -> Result<String> {
        let text = self
            .client
            .execute("return document.body.innerText", vec![])
            .await?;
        Ok(text.as_str().context("the page has a text")?.to_owned())
    }

    /// Calls a command as the page would: `{"ok": …}` or `{"error": …}`.
    pub(crate) async fn invoke(&self, command: &str, arguments: Value) -> Result<Value> {
        self.settle(INVOKE, vec![json!(command), arguments])
            .await
            .with_context(|| command.to_owned())
    }

    /// Runs a script that calls its last argument when it is done.
    pub(crate) async fn settle(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        Ok(self.client.execute_async(script, arguments).await?)
    }

    async fn field(&self, label: &str) -> Result<Element> {
        let label = quoted(label);
        let path = format!(
            "//input[@id=//label[starts-with(normalize-space(.),{label})]/@for] | //label[starts-with(normalize-space(.),{label})]//input"
        );
        eventually(&format!("the field {label}"), || self.visible(&path)).await
    }

    async fn entry(&self, name: &str) -> Result<Option<String>> {
        let text = self.client.execute(ENTRY, vec![json!(name)]).await?;
        Ok(text.as_str().map(str::to_owned))
    }

    async fn visible(&self, path: &str) -> Result<Option<Element>> {
        for element in self.client.find_all(Locator::XPath(path)).await? {
            // It may have gone since it was found.
            if element.is_displayed().await.unwrap_or(false) {
                return Ok(Some(element));
            }
        }
        Ok(None)
    }
}

/// The text of a list's entry with this name, or nothing.
const ENTRY: &str = "
    const [name] = arguments;
    const entries = [...document.querySelectorAll('main li')];
    return entries.find((entry) => entry.ariaLabel === name)?.innerText ?? null;
";

/// Calls a command; tells `{ ok }` or `{ error }`.
const INVOKE: &str = "
    const [command, input, done] = arguments;
    const call = window.__TAURI_INTERNALS__.invoke(command, input);
    call.then((ok) => done({ ok }), (error) => done({ error }));
";

/// A string of XPath. None of our labels holds a quote.
fn quoted(words: &str) -> String {
    format!("'{words}'")
}
