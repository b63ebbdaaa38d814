//! What the page in the window may not do, whoever wrote what it shows.

use anyhow::{Result, ensure};
use serde_json::json;

use crate::stage::in_window;

#[tokio::test]
async fn the_page_may_call_the_app_and_nothing_else() -> Result<()> {
    in_window(async |_, window| {
        window.reads("+ Add New Source").await?;

        let settings = window.invoke("get_settings", json!({})).await?;
        ensure!(settings["ok"]["version"].is_string(), "{settings}");

        for forbidden in [
            "plugin:window|destroy",
            "plugin:event|emit",
            "plugin:window-state|save_window_state",
        ] {
            let answer = window.invoke(forbidden, json!({})).await?;
            let refusal = answer["error"].to_string();
            ensure!(refusal.contains("not allowed"), "{forbidden}: {answer}");
        }
        let global = window
            .client
            .execute("return typeof window.__TAURI__", vec![])
            .await?;
        ensure!(global == "undefined", "the page can reach all of Tauri");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_error_arrives_whole() -> Result<()> {
    in_window(async |_, window| {
        window.reads("+ Add New Source").await?;

        let answer = window.invoke("get_source", json!({ "id": 404 })).await?;
        ensure!(answer["error"]["code"] == "SOURCE_NOT_FOUND", "{answer}");
        ensure!(answer["error"]["detail"] == "Source not found", "{answer}");

        let refused = window
            .invoke("host_open_url", json!({ "url": "file:///etc/passwd" }))
            .await?;
        ensure!(refused["error"]["code"] == "INVALID_INPUT", "{refused}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn hostile_script_finds_every_way_out_closed() -> Result<()> {
    in_window(async |stage, window| {
        window.reads("+ Add New Source").await?;

        let outside = stage.outside();
        let fetched = window.settle(FETCH, vec![json!(outside)]).await?;
        ensure!(
            fetched == "connect-src",
            "asked for {outside}, the page got {fetched}"
        );
        let ran = window.settle(INLINE, vec![]).await?;
        ensure!(ran == "script-src-elem", "an inline script got {ran}");

        let before = window.client.current_url().await?;
        window.client.execute(LEAVE, vec![json!(outside)]).await?;
        window.reads("+ Add New Source").await?;
        let after = window.client.current_url().await?;
        ensure!(
            after.scheme() == before.scheme() && after.host_str() == before.host_str(),
            "the window went to {after}"
        );
        ensure!(
            window.client.windows().await?.len() == 1,
            "a second window opened"
        );
        Ok(())
    })
    .await
}

/// Asks an address for something; tells which directive of the CSP refused, or what came.
const FETCH: &str = "
    const [url, done] = arguments;
    addEventListener('securitypolicyviolation', (refusal) => done(refusal.effectiveDirective), { once: true });
    fetch(url, { mode: 'no-cors' }).then(() => done('an answer'));
";

/// Adds a script to the page; tells which directive of the CSP refused, or that it ran.
const INLINE: &str = "
    const done = arguments[0];
    addEventListener('securitypolicyviolation', (refusal) => done(refusal.effectiveDirective), { once: true });
    window.ran = () => done('its turn');
    const script = document.createElement('script');
    script.textContent = 'window.ran()';
    document.head.append(script);
";

/// Leaves for another place, in this window and in a new one.
const LEAVE: &str = "
    window.open(arguments[0]);
    location.href = arguments[0];
";
