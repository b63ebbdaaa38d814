//! What a client asks about the network and about updates: `help.getConfig`, `help.getNearestDc`,
//! `updates.getState`, `updates.getDifference`.

use grammers_tl_types as tl;
use tl::{Deserializable as _, Serializable as _, enums, types};

use super::answer::{Answer, blank, say};
use super::dispatch::Caller;

pub(super) fn get_config(caller: &Caller<'_>) -> Vec<u8> {
    let now = caller.shared.now() as i32;
    let dc_options = caller.shared.addresses.iter().map(|(id, address)| {
        // Never `static`: clients would put these addresses in place of the ones they were given.
        types::DcOption {
            id: *id,
            ip_address: address.ip().to_string(),
            port: i32::from(address.port()),
            ..blank::<types::DcOption>()
        }
        .into()
    });
    let config = types::Config {
        date: now,
        expires: now + 3600,
        this_dc: caller.dc_id,
        dc_options: dc_options.collect(),
        me_url_prefix: "https://t.me/".into(),
        chat_size_max: 200,
        megagroup_size_max: 200_000,
        forwarded_count_max: 100,
        edit_time_limit: 172_800,
        caption_length_max: 1024,
        message_length_max: 4096,
        webfile_dc_id: 4,
        ..blank_config()
    };
    say(&enums::Config::from(config))
}

pub(super) fn get_nearest_dc(caller: &Caller<'_>) -> Vec<u8> {
    let nearest = types::NearestDc {
        country: "XX".into(),
        this_dc: caller.dc_id,
        nearest_dc: caller.shared.home_dc(),
    };
    say(&enums::NearestDc::from(nearest))
}

pub(super) fn get_state(caller: &Caller<'_>) -> Answer {
    caller.user()?;
    let state = types::updates::State {
        pts: 1,
        qts: 0,
        date: caller.shared.now() as i32,
        seq: 1,
        unread_count: 0,
    };
    Ok(say(&enums::updates::State::from(state)))
}

pub(super) fn get_difference(caller: &Caller<'_>) -> Answer {
    caller.user()?;
    let nothing = types::updates::DifferenceEmpty {
        date: caller.shared.now() as i32,
        seq: 1,
    };
    Ok(say(&enums::updates::Difference::from(nothing)))
}

/// A boolean and a vector must be there, so zeros alone do not describe it.
fn blank_config() -> types::Config {
    let mut bytes = vec![0; 4 + 4 + 4];
    false.serialize(&mut bytes);
    0_i32.serialize(&mut bytes);
    Vec::<enums::DcOption>::new().serialize(&mut bytes);
    bytes.extend([0; 256]);
    types::Config::from_bytes(&bytes).expect("flags, dates, test mode, data centres, figures")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_blank_config_is_no_test_network() {
        assert!(!super::blank_config().test_mode);
    }
}
