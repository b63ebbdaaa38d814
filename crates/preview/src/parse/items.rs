//! From posts to items: one record per message id, albums taken apart.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use gleaner_domain::record::RECORD_VERSION;
use gleaner_domain::{ChannelId, Media, MediaKind, MediaStatus, MessageId, Origin, Record, RecordKind};
use gleaner_scrape::{FileRef, Item};

use super::measure::extension;
use super::media::Found;
use super::message::Post;

/// Telegram groups ten messages at most; a member's number further away is a broken link.
const ALBUM_REACH: u32 = 100;

/// All messages of a page by ascending id, each once.
pub(super) fn assemble(posts: Vec<Post>, channel: ChannelId, now: DateTime<Utc>) -> Vec<Item> {
    let mut items = BTreeMap::new();
    for item in posts.into_iter().flat_map(|post| split(post, channel, now)) {
        items.entry(item.record.id).or_insert(item);
    }
    items.into_values().collect()
}

/// The messages of one post. The first carries everything that is said once for all.
fn split(mut post: Post, channel: ChannelId, now: DateTime<Utc>) -> Vec<Item> {
    let first = post.id;
    let of_album = |id: u32| (first..=first.saturating_add(ALBUM_REACH)).contains(&id);
    for file in &mut post.files {
        file.member = file.member.filter(|id| of_album(*id));
    }
    let files = std::mem::take(&mut post.files);
    let members: BTreeSet<u32> = files
        .iter()
        .filter_map(|file| file.member)
        .chain(std::iter::once(first))
        .collect();
    let album_id = (post.view.is_album || members.len() > 1).then_some(MessageId(first));
    let bare = Record {
        v: RECORD_VERSION,
        channel_id: post.view.channel.unwrap_or(channel),
        id: MessageId(first),
        kind: if post.is_service {
            RecordKind::Service
        } else {
            RecordKind::Message
        },
        date: post.date,
        source: Origin::Preview,
        observed_at: post.view.rendered.unwrap_or(now),
        content_hash: String::new(),
        link: None,
        edited: false,
        edit_date: None,
        author: None,
        via_bot: None,
        text: String::new(),
        entities: Vec::new(),
        media: Vec::new(),
        album_id,
        grouped_id: None,
        reply_to: None,
        forward: None,
        views: None,
        views_rounded: false,
        reactions: Vec::new(),
        poll: None,
        location: None,
        contact: None,
        link_preview: None,
        buttons: Vec::new(),
    };
    let unsupported = post.unsupported.take().filter(|_| !post.has_supported_part);
    let slug = std::mem::take(&mut post.slug);
    let more_texts = std::mem::take(&mut post.more_texts);
    let mut items: Vec<Item> = members
        .iter()
        .map(|&id| Item {
            record: Record {
                id: MessageId(id),
                link: Some(format!("https://t.me/{slug}/{id}")),
                ..bare.clone()
            },
            files: Vec::new(),
        })
        .collect();
    for file in files {
        let id = MessageId(file.member.unwrap_or(first));
        if let Some(item) = items.iter_mut().find(|item| item.record.id == id) {
            add_file(item, file);
        }
    }
    let mut texts = BTreeMap::from([(first, std::mem::take(&mut post.text))]);
    for (member, text) in more_texts {
        // A member whose number was not believed: its words stay with the post.
        let member = if members.contains(&member) { member } else { first };
        texts.entry(member).or_default().append(text);
    }
    for item in &mut items {
        let text = texts.remove(&item.record.id.0).unwrap_or_default();
        (item.record.text, item.record.entities) = (text.text, text.entities);
    }
    if let Some(item) = items.first_mut() {
        say_once(&mut item.record, post);
        if let Some(label) = unsupported {
            keep_trace(&mut item.record, label);
        }
    }
    for item in &mut items {
        item.record.content_hash = item.record.compute_content_hash();
    }
    items
}

fn add_file(item: &mut Item, file: Found) {
    if let Some(locator) = file.address {
        let extension = extension(&locator);
        item.files.push(FileRef {
            media_index: item.record.media.len(),
            locator,
            extension,
        });
    }
    item.record.media.push(file.media);
}

/// A caption without its media would look complete: what the page says in place of the media
/// is kept as the reason why there is none.
fn keep_trace(record: &mut Record, label: String) {
    let has_other = record.poll.is_some() || record.location.is_some() || record.contact.is_some();
    if record.kind == RecordKind::Message && record.media.is_empty() && !has_other {
        record.media.push(Media {
            status: MediaStatus::NotInPreview,
            reason: Some(label),
            ..Media::new(MediaKind::Document)
        });
    }
}

/// What a post says once, however many messages it is.
fn say_once(record: &mut Record, post: Post) {
    record.edited = post.edited;
    record.author = post.author;
    record.via_bot = post.via_bot;
    record.reply_to = post.reply;
    record.forward = post.forward;
    record.views = post.views.map(|views| views.value);
    record.views_rounded = post.views.is_some_and(|views| views.rounded);
    record.reactions = post.reactions;
    record.poll = post.poll;
    record.location = post.location;
    record.contact = post.contact;
    record.link_preview = post.link_preview;
    record.buttons = post.buttons;
    // Games and invoices have no page of their own but the post.
    if let (Some(card), Some(link)) = (&mut record.link_preview, &record.link)
        && card.url.is_empty()
    {
        card.url.clone_from(link);
    }
    let is_blank = record.text.is_empty()
        && record.media.is_empty()
        && record.poll.is_none()
        && record.location.is_none()
        && record.contact.is_none()
        && record.link_preview.is_none();
    // Only a label ("Please open Telegram to view this post") or nothing we know.
    if is_blank && record.kind == RecordKind::Message {
        record.kind = RecordKind::Unsupported;
    }
}
