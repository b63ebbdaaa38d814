//! Keeps a source's index in step with its archive, before a run begins.
//!
//! The target's files are the truth. A commit writes the manifest first and the database after it, so a
//! kill in between leaves the database one commit behind; a restored backup may be many behind.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::StreamExt;
use gleaner_domain::{Checkpoint, MessageId, RunUid, Source};
use gleaner_scrape::{Archive, Ledger, NoteLevel};

use crate::App;
use crate::runner::Refusal;

/// Ids that are read again one by one; beyond, the whole index is made anew.
const IDS_BEHIND: usize = 20_000;

impl App {
    /// Brings the index to what the archive says: what may differ is read again, or everything.
    pub(crate) async fn mend_index(
        &self,
        source: &Source,
        run: RunUid,
        fence: i64,
        archive: &dyn Archive,
    ) -> Result<(), Refusal> {
        let store = &self.0.store;
        let copy = store.checkpoint(source.id).await?.unwrap_or_default();
        let truth = archive.checkpoint();
        let whole = async || -> Result<bool, Refusal> {
            Ok(store.indexed_messages(source.id).await? == archive.messages())
        };
        if copy == *truth && whole().await? {
            return Ok(());
        }
        if let Some(ids) = in_doubt(&copy, truth) {
            let told = archive.read_about(&ids).await?;
            store.retell(source.id, &ids, &told).await?;
            if whole().await? {
                return Ok(store.set_checkpoint(source.id, truth).await?);
            }
        }
        if archive.messages() > 0 {
            let ledger = store.ledger(source.id, run, fence, Arc::clone(&self.0.clock));
            let text = format!("The index is made anew from {} kept messages", archive.messages());
            let _ = ledger.note(NoteLevel::Info, text).await;
        }
        store.clear_index(source.id).await?;
        let mut pieces = archive.read_all().await?;
        while let Some(piece) = pieces.next().await {
            store.put_batch(source.id, &piece?).await?;
        }
        store.set_checkpoint(source.id, truth).await?;
        Ok(())
    }
}

/// Ids of which the archive may tell something else than the index does; `None` when they are too many.
///
/// Between two checkpoints of one archive a commit can only have touched ids that were answered since, ids
/// of the recent window (edits, deletions, returns, counters), and ids with a file to try again. All of
/// them are taken, not only those whose entries differ: an edit may have been edited back.
fn in_doubt(copy: &Checkpoint, truth: &Checkpoint) -> Option<Vec<MessageId>> {
    let mut ids = BTreeSet::new();
    for (one, other) in [(copy, truth), (truth, copy)] {
        let unknown = one
            .seen
            .iter()
            .flat_map(|range| other.seen.missing(range).iter().collect::<Vec<_>>());
        ids.extend(unknown.flatten().take(IDS_BEHIND + 1).map(MessageId));
        ids.extend(one.recent.iter().map(|recent| recent.id));
        ids.extend(one.media_retry.iter().map(|retry| retry.id));
    }
    (ids.len() <= IDS_BEHIND).then(|| ids.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use gleaner_domain::checkpoint::MediaRetry;

    use super::*;

    fn seen(first: u32, last: u32) -> Checkpoint {
        Checkpoint {
            seen: vec![(first, last)].into(),
            ..Checkpoint::default()
        }
    }

    #[test]
    fn what_only_one_side_knows_of_is_in_doubt() {
        let truth = Checkpoint {
            media_retry: vec![MediaRetry {
                id: MessageId(2),
                attempts: 1,
                next_at: None,
            }],
            ..seen(1, 6)
        };
        let ids = |copy: &Checkpoint, truth: &Checkpoint| {
            in_doubt(copy, truth).map(|ids| ids.into_iter().map(|id| id.0).collect::<Vec<_>>())
        };
        assert_eq!(ids(&seen(1, 4), &truth), Some(vec![2, 5, 6]));
        assert_eq!(ids(&truth, &seen(1, 4)), Some(vec![2, 5, 6]), "whichever it is");
        assert_eq!(ids(&seen(1, 6), &seen(1, 6)), Some(vec![]));
    }

    #[test]
    fn too_much_doubt_is_no_list() {
        let most = IDS_BEHIND as u32;
        assert!(in_doubt(&Checkpoint::default(), &seen(1, most)).is_some());
        assert!(in_doubt(&Checkpoint::default(), &seen(1, most + 1)).is_none());
        assert!(in_doubt(&seen(1, u32::MAX), &Checkpoint::default()).is_none());
    }
}
