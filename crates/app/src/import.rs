//! Many channels at once, pasted or read from a list.

use std::collections::HashSet;

use gleaner_domain::PeerAddress;
use gleaner_store::StoreError;

use crate::view::{CreateSource, ImportLine, ImportReport, ImportSources, ImportState, Tag};
use crate::{ApiError, ApiResult, App};

/// Channels one import may name.
const MOST: usize = 20_000;

impl App {
    /// Adds every channel of a list once; says of each line what became of it.
    pub async fn import_sources(&self, wish: ImportSources) -> ApiResult<ImportReport> {
        self.open_for_writing()?;
        let words = channels_of(&wish.text);
        if words.len() > MOST {
            return Err(ApiError::field(
                "text",
                format!("at most {MOST} channels at once"),
            ));
        }
        let target = self.check_import(&wish).await?;
        let mut taken: HashSet<String> = self
            .0
            .store
            .sources()
            .await?
            .into_iter()
            .filter(|s| s.target == target)
            .map(|s| s.identifier.key())
            .collect();

        let mut lines = Vec::with_capacity(words.len());
        let mut planned = Vec::new();
        for input in words {
            let line = understand(&input, &mut taken);
            if line.state == ImportState::Added {
                planned.push(lines.len());
            }
            lines.push(line);
        }
        if !wish.dry_run {
            self.add_planned(&wish, &mut lines, &planned).await?;
        }
        let added = lines
            .iter()
            .filter(|line| line.state == ImportState::Added)
            .count() as u32;
        Ok(ImportReport { lines, added })
    }

    /// Checks what all lines share, on a channel that is certainly legal.
    async fn check_import(&self, wish: &ImportSources) -> ApiResult<gleaner_domain::TargetUid> {
        Ok(self.plan_source(create(wish, "@telegram")).await?.target.uid)
    }

    async fn add_planned(
        &self,
        wish: &ImportSources,
        lines: &mut [ImportLine],
        planned: &[usize],
    ) -> ApiResult<()> {
        let mut sources = Vec::with_capacity(planned.len());
        let shared = self.plan_source(create(wish, "@telegram")).await?.source;
        for &at in planned {
            let identifier: PeerAddress = lines[at]
                .identifier
                .as_deref()
                .unwrap_or_default()
                .parse()
                .map_err(|e: gleaner_domain::peer::PeerAddressError| {
                    ApiError::field("text", e.to_string())
                })?;
            sources.push(gleaner_store::NewSource {
                uid: gleaner_domain::SourceUid::new(),
                name: name_of(&identifier),
                channel_title: identifier.to_string(),
                // Due at once: the scheduler takes them in turn, so thousands need no thousand queued rows.
                next_run_at: Some(self.0.clock.now()),
                identifier,
                ..shared.clone()
            });
        }
        let results = self.0.store.insert_sources(&sources).await?;
        for (&at, result) in planned.iter().zip(results) {
            match result {
                Ok(source) => lines[at].id = Some(source.id),
                Err(StoreError::DuplicateSource { existing }) => {
                    lines[at].state = ImportState::Duplicate;
                    lines[at].detail = Some(format!("{existing} already scrapes this channel"));
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.changed(Tag::Sources, None, None).await;
        Ok(())
    }
}

fn create(wish: &ImportSources, identifier: &str) -> CreateSource {
    CreateSource {
        name: "import".to_owned(),
        identifier: identifier.to_owned(),
        access_level: "public".to_owned(),
        target: wish.target.clone(),
        target_uid: wish.target_uid,
        schedule: wish.schedule.clone(),
        policy: wish.policy.clone(),
        ..CreateSource::default()
    }
}

fn understand(input: &str, taken: &mut HashSet<String>) -> ImportLine {
    let line = |identifier, state, detail: Option<String>| ImportLine {
        input: input.to_owned(),
        identifier,
        state,
        detail,
        id: None,
    };
    match input.parse::<PeerAddress>() {
        Ok(address) if address.name().is_none() => line(
            Some(address.to_string()),
            ImportState::Refused,
            Some("needs a session: numeric ids and invite links are private".to_owned()),
        ),
        Ok(address) if taken.insert(address.key()) => {
            line(Some(address.to_string()), ImportState::Added, None)
        }
        Ok(address) => line(
            Some(address.to_string()),
            ImportState::Duplicate,
            Some("there is such a source already".to_owned()),
        ),
        Err(error) => line(None, ImportState::Refused, Some(error.to_string())),
    }
}

/// The words of a list; `#` starts a comment, commas, semicolons and spaces divide.
fn channels_of(text: &str) -> Vec<String> {
    text.lines()
        .map(|line| line.split('#').next().unwrap_or_default())
        .flat_map(|line| line.split([',', ';', ' ', '\t']))
        .map(|word| word.trim().trim_matches('"'))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn name_of(address: &PeerAddress) -> String {
    address.name().map_or_else(|| address.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_may_be_lines_commas_or_a_column_of_a_table() {
        let text = "# news\n@euronews_eng\nhttps://t.me/durov, telegram\r\n\"bbcnews\"\n\n";
        assert_eq!(
            channels_of(text),
            ["@euronews_eng", "https://t.me/durov", "telegram", "bbcnews"]
        );
    }

    #[test]
    fn each_channel_is_taken_once_however_it_is_spelt() {
        let mut taken = HashSet::new();
        assert_eq!(understand("@Durov", &mut taken).state, ImportState::Added);
        assert_eq!(understand("t.me/durov", &mut taken).state, ImportState::Duplicate);
        assert_eq!(
            understand("-1001591537674", &mut taken).state,
            ImportState::Refused
        );
        assert_eq!(understand("no/such", &mut taken).state, ImportState::Refused);
    }
}
