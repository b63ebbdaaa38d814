//! Settings of the app on this machine, and its state at a glance.

use serde::{Deserialize, Serialize};

use crate::view::{EditSettings, Overview, Settings, Tag};
use crate::{ApiResult, App, data};

pub(crate) const CAPS: &str = "caps";

/// Bounds over all sources.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Caps {
    pub(crate) scheduler: bool,
    pub(crate) daily_bytes: Option<u64>,
    pub(crate) free_space_floor: u64,
}

impl Default for Caps {
    fn default() -> Self {
        // One gibibyte: a desktop with less free space misbehaves in other ways already.
        Self {
            scheduler: true,
            daily_bytes: None,
            free_space_floor: 1_000_000_000,
        }
    }
}

impl App {
    /// What is set.
    pub async fn get_settings(&self) -> ApiResult<Settings> {
        let caps = self.caps().await?;
        let config = &self.0.config;
        let dir = config.data_dir.clone();
        let data_bytes = tokio::task::spawn_blocking(move || data::own_bytes(&dir))
            .await
            .unwrap_or(0);
        Ok(Settings {
            data_dir: config.data_dir.display().to_string(),
            log_dir: config.log_dir.display().to_string(),
            data_bytes,
            preview_url: config.preview_url.to_string(),
            scheduler: caps.scheduler,
            scheduler_here: self.runs_what_is_due(),
            daily_bytes: caps.daily_bytes,
            free_space_floor: caps.free_space_floor,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        })
    }

    /// Whether scheduled scrapes run on this computer: cheaper than all settings.
    pub async fn scheduler_is_on(&self) -> ApiResult<bool> {
        Ok(self.caps().await?.scheduler)
    }

    /// Changes settings; what is absent stays.
    pub async fn edit_settings(&self, edit: EditSettings) -> ApiResult<Settings> {
        self.open_for_writing()?;
        let mut caps = self.caps().await?;
        caps.scheduler = edit.scheduler.unwrap_or(caps.scheduler);
        caps.daily_bytes = edit
            .daily_bytes
            .map_or(caps.daily_bytes, |bytes| (bytes > 0).then_some(bytes));
        caps.free_space_floor = edit.free_space_floor.unwrap_or(caps.free_space_floor);
        self.0.store.set_setting(CAPS, &caps).await?;
        self.changed(Tag::Settings, None, None).await;
        self.get_settings().await
    }

    /// State at a glance.
    pub async fn overview(&self) -> ApiResult<Overview> {
        let o = self.0.store.overview().await?;
        Ok(Overview {
            sources: o.sources,
            paused: o.paused,
            failing: o.failing,
            running: o.running,
            queued: o.queued,
            messages: o.messages,
            next_run_at: o.next_run_at,
        })
    }
}
