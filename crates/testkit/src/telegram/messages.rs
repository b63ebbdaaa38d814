//! Posts of the world as messages, and `messages.getHistory`.
//!
//! Text, formatting, dates, counters, signatures, albums and service messages. Absent: files, polls
//! and what else hangs on a post.

use gleaner_domain::text::{Entity, EntityKind};
use grammers_tl_types as tl;
use tl::{Deserializable as _, Serializable as _, enums, functions, types};

use super::answer::{Answer, arguments, refuse, say};
use super::channels::{chat, named, peer};
use super::dispatch::Caller;
use crate::world::Channel;
use crate::world::post::{Body, Post, ReactionKind, Service};

/// Most messages of one page.
const PAGE: i32 = 100;

/// The highest id that exists; 0 for none.
pub(super) fn newest(channel: &Channel) -> i32 {
    channel.live_ids().next_back().unwrap_or(0) as i32
}

/// One post as a message; `None` when the id is free or deleted.
pub(super) fn message(channel: &Channel, id: u32) -> Option<enums::Message> {
    let post = channel.post(id)?;
    if let Body::Service(service) = &post.body {
        return Some(happening(channel, &post, service));
    }
    let entities: Vec<_> = post.text.entities().iter().map(entity).collect();
    let text = types::Message {
        post: true,
        id: id as i32,
        peer_id: peer(channel),
        date: post.date.timestamp() as i32,
        message: post.text.string(),
        entities: Some(entities).filter(|entities| !entities.is_empty()),
        views: post.views.map(|views| views as i32),
        forwards: post.views.map(|_| 0),
        edit_date: post.edited.then(|| post.date.timestamp() as i32 + 60),
        post_author: post.signature.clone(),
        grouped_id: post.album.map(|head| channel.id() * 1_000_000 + i64::from(head)),
        reactions: reactions(&post),
        ..blank_message(channel)
    };
    Some(text.into())
}

fn happening(channel: &Channel, post: &Post, service: &Service) -> enums::Message {
    let action = match service {
        Service::Created => types::MessageActionChannelCreate {
            title: channel.title().to_owned(),
        }
        .into(),
        Service::Renamed(title) => types::MessageActionChatEditTitle { title: title.clone() }.into(),
        Service::Pinned(_) => enums::MessageAction::PinMessage,
        Service::PhotoUpdated | Service::LiveStream(_) => enums::MessageAction::Empty,
    };
    types::MessageService {
        out: false,
        mentioned: false,
        media_unread: false,
        reactions_are_possible: false,
        silent: false,
        post: true,
        legacy: false,
        id: post.id as i32,
        from_id: None,
        peer_id: peer(channel),
        saved_peer_id: None,
        reply_to: None,
        date: post.date.timestamp() as i32,
        action,
        reactions: None,
        ttl_period: None,
    }
    .into()
}

fn reactions(post: &Post) -> Option<enums::MessageReactions> {
    let results = post.reactions.iter().map(|reaction| {
        let kind = match &reaction.kind {
            ReactionKind::Emoji(emoticon) => types::ReactionEmoji {
                emoticon: (*emoticon).to_owned(),
            }
            .into(),
            ReactionKind::Custom(id, _) => types::ReactionCustomEmoji {
                document_id: id.parse().unwrap_or_default(),
            }
            .into(),
            ReactionKind::Paid => enums::Reaction::Paid,
        };
        let count = types::ReactionCount {
            chosen_order: None,
            reaction: kind,
            count: reaction.count as i32,
        };
        count.into()
    });
    let results: Vec<_> = results.collect();
    (!results.is_empty()).then(|| {
        types::MessageReactions {
            min: false,
            can_see_list: false,
            reactions_as_tags: false,
            results,
            recent_reactions: None,
            top_reactors: None,
        }
        .into()
    })
}

fn entity(entity: &Entity) -> enums::MessageEntity {
    let (offset, length) = (entity.offset as i32, entity.length as i32);
    match &entity.kind {
        EntityKind::Bold => types::MessageEntityBold { offset, length }.into(),
        EntityKind::Italic => types::MessageEntityItalic { offset, length }.into(),
        EntityKind::Underline => types::MessageEntityUnderline { offset, length }.into(),
        EntityKind::Strikethrough => types::MessageEntityStrike { offset, length }.into(),
        EntityKind::Spoiler => types::MessageEntitySpoiler { offset, length }.into(),
        EntityKind::Code => types::MessageEntityCode { offset, length }.into(),
        EntityKind::Hashtag => types::MessageEntityHashtag { offset, length }.into(),
        EntityKind::Cashtag => types::MessageEntityCashtag { offset, length }.into(),
        EntityKind::Mention => types::MessageEntityMention { offset, length }.into(),
        EntityKind::Url => types::MessageEntityUrl { offset, length }.into(),
        EntityKind::Email => types::MessageEntityEmail { offset, length }.into(),
        EntityKind::Phone => types::MessageEntityPhone { offset, length }.into(),
        EntityKind::BotCommand => types::MessageEntityBotCommand { offset, length }.into(),
        EntityKind::Blockquote { collapsed } => types::MessageEntityBlockquote {
            collapsed: *collapsed,
            offset,
            length,
        }
        .into(),
        EntityKind::Pre { language } => types::MessageEntityPre {
            offset,
            length,
            language: language.clone().unwrap_or_default(),
        }
        .into(),
        EntityKind::TextLink { url } => types::MessageEntityTextUrl {
            offset,
            length,
            url: url.clone(),
        }
        .into(),
        EntityKind::CustomEmoji { emoji_id } => types::MessageEntityCustomEmoji {
            offset,
            length,
            document_id: emoji_id.parse().unwrap_or_default(),
        }
        .into(),
    }
}

pub(super) fn get_history(caller: &Caller<'_>, query: &[u8]) -> Answer {
    let request: functions::messages::GetHistory = arguments(query)?;
    let user = caller.user()?;
    let enums::InputPeer::Channel(input) = &request.peer else {
        return Err(refuse(400, "PEER_ID_INVALID"));
    };
    let world = caller.shared.world.read();
    let channel = named(&world, input.channel_id, input.access_hash, user)?;
    let ids = page(channel, &request);
    let messages: Vec<_> = ids.iter().filter_map(|id| message(channel, *id)).collect();
    let answer = types::messages::ChannelMessages {
        inexact: false,
        pts: 1,
        count: channel.live_ids().count() as i32,
        offset_id_offset: None,
        messages,
        topics: Vec::new(),
        chats: vec![chat(channel, user)],
        users: Vec::new(),
    };
    Ok(say(&enums::messages::Messages::from(answer)))
}

/// The ids a request asks for, descending (<https://core.telegram.org/api/offsets>).
fn page(channel: &Channel, request: &functions::messages::GetHistory) -> Vec<u32> {
    let limit = request.limit.clamp(1, PAGE) as usize;
    let is_within = |id: &u32| {
        let id = *id as i32;
        (request.max_id == 0 || id < request.max_id) && (request.min_id == 0 || id > request.min_id)
    };
    let all: Vec<u32> = channel.live_ids().rev().filter(is_within).collect();
    // Where the offset points: the first message older than it.
    let older_than = |id: u32| {
        let by_id = request.offset_id == 0 || (id as i32) < request.offset_id;
        let by_date = request.offset_date == 0
            || request.offset_id != 0
            || channel
                .post(id)
                .is_some_and(|post| post.date.timestamp() < i64::from(request.offset_date));
        by_id && by_date
    };
    let offset = all.partition_point(|id| !older_than(*id)) as i64;
    let begin = offset + i64::from(request.add_offset);
    let end = (begin + limit as i64).clamp(0, all.len() as i64) as usize;
    let begin = begin.clamp(0, end as i64) as usize;
    all[begin..end].to_vec()
}

fn blank_message(channel: &Channel) -> types::Message {
    // Two words of flags and the id; then whose it is, which must be there; then date and text.
    let mut bytes = vec![0; 4 + 4 + 4];
    peer(channel).serialize(&mut bytes);
    bytes.extend([0; 8]);
    types::Message::from_bytes(&bytes).expect("flags, id, peer, date, text")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ChannelSpec, World};

    fn asked(offset_id: i32, add_offset: i32, limit: i32) -> functions::messages::GetHistory {
        functions::messages::GetHistory {
            peer: enums::InputPeer::Empty,
            offset_id,
            offset_date: 0,
            add_offset,
            limit,
            max_id: 0,
            min_id: 0,
            hash: 0,
        }
    }

    #[test]
    fn pages_follow_telegrams_offsets() {
        let world = World::new().channel(ChannelSpec::new("ten", 1).posts(10).gap_percent(0));
        let channel = world.find("ten").unwrap();
        assert_eq!(page(channel, &asked(0, 0, 3)), [10, 9, 8]);
        assert_eq!(page(channel, &asked(8, 0, 3)), [7, 6, 5]);
        // Going up: three messages that are newer than 4, 4 included.
        assert_eq!(page(channel, &asked(4, -3, 3)), [6, 5, 4]);
        assert!(page(channel, &asked(1, 0, 3)).is_empty());
        let bounded = functions::messages::GetHistory {
            min_id: 2,
            max_id: 5,
            ..asked(0, 0, 100)
        };
        assert_eq!(page(channel, &bounded), [4, 3]);
    }
}
