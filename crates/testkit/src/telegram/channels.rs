//! Channels of the world as an account sees them: dialogs, names, full descriptions.
//!
//! Every account is a member of all channels and groups that are not banned or gone.

use grammers_tl_types as tl;
use tl::{Deserializable as _, Serializable as _, enums, functions, types};

use super::answer::{Answer, RpcError, arguments, blank, refuse, say};
use super::dispatch::Caller;
use super::messages;
use crate::world::Channel;
use crate::{Standing, World};

/// What an account must show to name a channel; another one for every account.
fn access_hash(channel_id: i64, user: i64) -> i64 {
    channel_id.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ user.wrapping_mul(0x9e37_79b9)
}

/// Channels and groups an account is in, the newest post first, with their place in the world.
fn joined(world: &World) -> Vec<&Channel> {
    let mut joined: Vec<_> = world
        .channels()
        .iter()
        .filter(|channel| is_open(channel))
        .collect();
    joined.sort_by_key(|channel| std::cmp::Reverse(channel.last_date()));
    joined
}

fn is_open(channel: &Channel) -> bool {
    matches!(
        channel.standing(),
        Standing::Public | Standing::NoPreview | Standing::Private | Standing::Group
    )
}

/// The channel a client names by id and access hash.
pub(super) fn named(world: &World, id: i64, hash: i64, user: i64) -> Result<&Channel, RpcError> {
    let channel = world.channels().iter().find(|channel| channel.id() == id);
    let channel = channel.filter(|_| hash == access_hash(id, user));
    let channel = channel.ok_or_else(|| refuse(400, "CHANNEL_INVALID"))?;
    if is_open(channel) {
        Ok(channel)
    } else {
        Err(refuse(400, "CHANNEL_PRIVATE"))
    }
}

fn of_input<'w>(world: &'w World, input: &enums::InputChannel, user: i64) -> Result<&'w Channel, RpcError> {
    match input {
        enums::InputChannel::Channel(channel) => named(world, channel.channel_id, channel.access_hash, user),
        _ => Err(refuse(400, "CHANNEL_INVALID")),
    }
}

/// A channel as a chat.
pub(super) fn chat(channel: &Channel, user: i64) -> enums::Chat {
    let is_group = channel.standing() == Standing::Group;
    let spec = &channel.spec;
    types::Channel {
        broadcast: !is_group,
        megagroup: is_group,
        verified: spec.verified,
        id: spec.id,
        access_hash: Some(access_hash(spec.id, user)),
        title: spec.title.clone(),
        username: (spec.standing != Standing::Private).then(|| spec.name.clone()),
        participants_count: Some(spec.subscribers as i32),
        ..blank_channel()
    }
    .into()
}

pub(super) fn peer(channel: &Channel) -> enums::Peer {
    types::PeerChannel {
        channel_id: channel.id(),
    }
    .into()
}

pub(super) fn get_dialogs(caller: &Caller<'_>, query: &[u8]) -> Answer {
    let request: functions::messages::GetDialogs = arguments(query)?;
    let user = caller.user()?;
    let world = caller.shared.world.read();
    // Nobody archived anything.
    let all = if request.folder_id.unwrap_or(0) == 0 {
        joined(&world)
    } else {
        Vec::new()
    };
    let start = match &request.offset_peer {
        enums::InputPeer::Channel(last) => all
            .iter()
            .position(|channel| channel.id() == last.channel_id)
            .map_or(0, |index| index + 1),
        _ => 0,
    };
    let limit = usize::try_from(request.limit).unwrap_or(0).clamp(1, 100);
    let page: Vec<_> = all.iter().skip(start).take(limit).copied().collect();
    let dialogs = page.iter().map(|channel| {
        let dialog = types::Dialog {
            pinned: false,
            unread_mark: false,
            view_forum_as_messages: false,
            peer: peer(channel),
            top_message: messages::newest(channel),
            read_inbox_max_id: messages::newest(channel),
            read_outbox_max_id: 0,
            unread_count: 0,
            unread_mentions_count: 0,
            unread_reactions_count: 0,
            unread_poll_votes_count: 0,
            notify_settings: blank::<types::PeerNotifySettings>().into(),
            pts: Some(1),
            draft: None,
            folder_id: None,
            ttl_period: None,
        };
        dialog.into()
    });
    let dialogs: Vec<enums::Dialog> = dialogs.collect();
    let top = page
        .iter()
        .filter_map(|channel| messages::message(channel, messages::newest(channel) as u32));
    let top: Vec<_> = top.collect();
    let chats: Vec<_> = page.iter().map(|channel| chat(channel, user)).collect();
    let answer: enums::messages::Dialogs = if page.len() == all.len() {
        types::messages::Dialogs {
            dialogs,
            messages: top,
            chats,
            users: Vec::new(),
        }
        .into()
    } else {
        types::messages::DialogsSlice {
            count: all.len() as i32,
            dialogs,
            messages: top,
            chats,
            users: Vec::new(),
        }
        .into()
    };
    Ok(say(&answer))
}

pub(super) fn get_channels(caller: &Caller<'_>, query: &[u8]) -> Answer {
    let request: functions::channels::GetChannels = arguments(query)?;
    let user = caller.user()?;
    let world = caller.shared.world.read();
    let mut chats = Vec::new();
    for input in &request.id {
        chats.push(chat(of_input(&world, input, user)?, user));
    }
    Ok(say(&enums::messages::Chats::from(types::messages::Chats {
        chats,
    })))
}

pub(super) fn get_full_channel(caller: &Caller<'_>, query: &[u8]) -> Answer {
    let request: functions::channels::GetFullChannel = arguments(query)?;
    let user = caller.user()?;
    let world = caller.shared.world.read();
    let channel = of_input(&world, &request.channel, user)?;
    let full = types::ChannelFull {
        id: channel.id(),
        about: channel.spec.description.clone(),
        participants_count: Some(channel.spec.subscribers as i32),
        ..blank_full()
    };
    let answer = types::messages::ChatFull {
        full_chat: full.into(),
        chats: vec![chat(channel, user)],
        users: Vec::new(),
    };
    Ok(say(&enums::messages::ChatFull::from(answer)))
}

pub(super) fn resolve_username(caller: &Caller<'_>, query: &[u8]) -> Answer {
    let request: functions::contacts::ResolveUsername = arguments(query)?;
    let user = caller.user()?;
    let world = caller.shared.world.read();
    let found = world.find(&request.username);
    let found = found.filter(|channel| is_open(channel) && channel.standing() != Standing::Private);
    let channel = found.ok_or_else(|| refuse(400, "USERNAME_NOT_OCCUPIED"))?;
    let resolved = types::contacts::ResolvedPeer {
        peer: peer(channel),
        chats: vec![chat(channel, user)],
        users: Vec::new(),
    };
    Ok(say(&enums::contacts::ResolvedPeer::from(resolved)))
}

fn blank_channel() -> types::Channel {
    // Two words of flags, id, title; then the picture, which must be there, and the date.
    let mut bytes = vec![0; 4 + 4 + 8 + 4];
    enums::ChatPhoto::Empty.serialize(&mut bytes);
    bytes.extend([0; 4]);
    types::Channel::from_bytes(&bytes).expect("flags, id, title, picture, date")
}

fn blank_full() -> types::ChannelFull {
    // Two words of flags, id, description, three counters; then what must be there; then the state.
    let mut bytes = vec![0; 4 + 4 + 8 + 4 + 12];
    enums::Photo::from(types::PhotoEmpty { id: 0 }).serialize(&mut bytes);
    enums::PeerNotifySettings::from(blank::<types::PeerNotifySettings>()).serialize(&mut bytes);
    Vec::<enums::BotInfo>::new().serialize(&mut bytes);
    bytes.extend([0; 4]);
    types::ChannelFull::from_bytes(&bytes).expect("flags, counters, picture, settings, bots, state")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ChannelSpec;

    #[test]
    fn a_channel_is_named_by_its_hash_and_only_while_it_is_open() {
        let world = World::new()
            .channel(ChannelSpec::new("open", 11))
            .channel(ChannelSpec::new("closed", 12).standing(Standing::Banned));
        let refusal = |id, hash| named(&world, id, hash, 5).unwrap_err().name;
        assert!(named(&world, 11, access_hash(11, 5), 5).is_ok());
        assert_eq!(refusal(11, access_hash(11, 6)), "CHANNEL_INVALID");
        assert_eq!(refusal(12, access_hash(12, 5)), "CHANNEL_PRIVATE");
        assert_eq!(blank_channel().title, "");
        assert_eq!(blank_full().about, "");
    }
}
