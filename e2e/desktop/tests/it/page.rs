//! Finding things on the page by what a person reads there.

use anyhow::{Context, Result};
use fantoccini::Locator;
use fantoccini::elements::Element;
use serde_json::Value;

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
        let label = quoted(label);
        let path = format!(
            "//input[@id=//label[starts-with(normalize-space(.),{label})]/@for] | //label[starts-with(normalize-space(.),{label})]//input"
        );
        let field = eventually(&format!("the field {label}"), || self.visible(&path)).await?;
        field.clear().await?;
        Ok(field.send_keys(text).await?)
    }

    /// Waits until the page shows these words.
    pub(crate) async fn reads(&self, words: &str) -> Result<()> {
        eventually(&format!("the page to read “{words}”"), || async {
            Ok(self.text().await?.contains(words).then_some(()))
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

    /// Runs a script that calls its last argument when it is done.
    pub(crate) async fn settle(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        Ok(self.client.execute_async(script, arguments).await?)
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

/// A string of XPath. None of our labels holds a quote.
fn quoted(words: &str) -> String {
    format!("'{words}'")
}
