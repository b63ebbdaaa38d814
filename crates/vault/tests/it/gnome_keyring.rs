//! A real gnome-keyring on a private bus, in every state a person's may be in.

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use gleaner_vault::{Key, KeyRow, KeyState};
use secrecy::ExposeSecret as _;

use crate::bus::{Bus, Start};
use crate::probe::{Answer, Ask, Probe};

/// No state may keep a person waiting, except for a prompt that shows.
const SOON: Duration = Duration::from_secs(5);

#[track_caller]
fn expect(answer: &Answer, state: KeyState) {
    println!("{:?} after {:?}: {}", answer.state, answer.took, answer.detail);
    assert_eq!(answer.state, state, "{}", answer.detail);
    assert!(answer.took < SOON, "{:?}", answer.took);
}

/// A bus with an unlocked keyring, and a workspace whose key is in it.
fn founded() -> Option<(Bus, Probe, Vec<KeyRow>, String)> {
    let mut bus = Bus::start()?;
    bus.start_keyring(Start::Unlocked);
    let mut probe = Probe::start(&bus);
    expect(&probe.ask(&Ask::Open(vec![])), KeyState::FirstRun);
    let answer = probe.ask(&Ask::Found(vec![]));
    expect(&answer, KeyState::Ready);
    Some((bus, probe, answer.rows, answer.keys.expect("the keys")))
}

#[test]
fn unlocked_it_keeps_the_key_for_every_process() {
    let Some((bus, mut probe, rows, keys)) = founded() else {
        return;
    };
    expect(&probe.ask(&Ask::Open(rows.clone())), KeyState::Ready);
    let other = Probe::start(&bus).ask(&Ask::Open(rows.clone()));
    expect(&other, KeyState::Ready);
    assert_eq!(other.keys.as_deref(), Some(keys.as_str()));
    let refused = probe.ask(&Ask::Found(rows));
    expect(&refused, KeyState::Failed);
    assert_eq!(hits(bus.folder(), &keys), Vec::<String>::new());
    // And the search does find what is there.
    std::fs::write(bus.folder().join("leak"), format!("key={keys}\n")).unwrap();
    assert!(!hits(bus.folder(), &keys).is_empty());
}

#[test]
fn locked_it_says_so_and_opens_once_it_is_unlocked() {
    let Some((mut bus, mut probe, rows, keys)) = founded() else {
        return;
    };
    bus.stop_keyring();
    bus.start_keyring(Start::Locked);
    expect(&probe.ask(&Ask::Open(rows.clone())), KeyState::Locked);
    expect(
        &Probe::start(&bus).ask(&Ask::Open(rows.clone())),
        KeyState::Locked,
    );
    expect(&probe.ask(&Ask::Found(vec![])), KeyState::Locked);
    expect(
        &probe.ask(&Ask::Restore(rows.clone(), keys.clone())),
        KeyState::Locked,
    );
    bus.unlock();
    expect(&probe.ask(&Ask::Open(rows)), KeyState::Ready);
    assert_eq!(hits(bus.folder(), &keys), Vec::<String>::new());
}

#[test]
fn absent_it_says_so_and_is_found_once_it_appears() {
    let Some(mut bus) = Bus::start() else {
        return;
    };
    let mut probe = Probe::start(&bus);
    expect(&probe.ask(&Ask::Open(vec![])), KeyState::Absent);
    expect(&probe.ask(&Ask::Found(vec![])), KeyState::Absent);
    bus.start_keyring(Start::Unlocked);
    expect(&probe.ask(&Ask::Open(vec![])), KeyState::FirstRun);
    let founded = probe.ask(&Ask::Found(vec![]));
    expect(&founded, KeyState::Ready);
    let keys = founded.keys.expect("the keys");
    bus.stop_keyring();
    expect(&probe.ask(&Ask::Open(founded.rows)), KeyState::Absent);
    assert_eq!(hits(bus.folder(), &keys), Vec::<String>::new());
}

#[test]
fn without_a_bus_it_is_absent() {
    let Some(bus) = Bus::start() else {
        return;
    };
    let mut probe = Probe::start(&bus);
    drop(bus);
    expect(&probe.ask(&Ask::Open(vec![])), KeyState::Absent);
}

#[test]
fn restarted_while_we_run_it_answers_again() {
    let Some((mut bus, mut probe, rows, keys)) = founded() else {
        return;
    };
    for _ in 0..3 {
        bus.stop_keyring();
        bus.start_keyring(Start::Unlocked);
        expect(&probe.ask(&Ask::Open(rows.clone())), KeyState::Ready);
    }
    assert_eq!(hits(bus.folder(), &keys), Vec::<String>::new());
}

#[test]
fn a_deleted_entry_is_gone_until_it_is_restored() {
    let Some((bus, mut probe, rows, keys)) = founded() else {
        return;
    };
    expect(&Probe::start(&bus).ask(&Ask::Remove), KeyState::Ready);
    expect(&probe.ask(&Ask::Open(rows.clone())), KeyState::Gone);
    expect(&probe.ask(&Ask::Found(rows.clone())), KeyState::Failed);
    let foreign = Key::generate().to_line().expose_secret().to_owned();
    let refused = probe.ask(&Ask::Restore(rows.clone(), foreign));
    expect(&refused, KeyState::Wrong);
    expect(&probe.ask(&Ask::Open(rows.clone())), KeyState::Gone);
    expect(
        &probe.ask(&Ask::Restore(rows.clone(), keys.clone())),
        KeyState::Ready,
    );
    expect(&probe.ask(&Ask::Open(rows)), KeyState::Ready);
    assert_eq!(hits(bus.folder(), &keys), Vec::<String>::new());
}

#[test]
fn another_key_nonsense_and_two_entries_are_told_apart() {
    let Some((bus, mut probe, rows, keys)) = founded() else {
        return;
    };
    let foreign = Key::generate().to_line().expose_secret().to_owned();
    expect(&probe.ask(&Ask::Put(foreign.clone())), KeyState::Ready);
    let wrong = probe.ask(&Ask::Open(rows.clone()));
    expect(&wrong, KeyState::Wrong);
    assert!(wrong.detail.contains(&rows[0].kid.to_string()));
    expect(&probe.ask(&Ask::Put("nonsense".to_owned())), KeyState::Ready);
    expect(&probe.ask(&Ask::Open(rows.clone())), KeyState::Damaged);
    expect(&probe.ask(&Ask::Put(keys.clone())), KeyState::Ready);
    expect(&probe.ask(&Ask::Open(rows.clone())), KeyState::Ready);
    expect(&probe.ask(&Ask::PutBeside(foreign)), KeyState::Ready);
    expect(&probe.ask(&Ask::Open(rows)), KeyState::Damaged);
    assert_eq!(hits(bus.folder(), &keys), Vec::<String>::new());
}

#[test]
fn where_no_keyring_was_ever_made_nothing_is_kept_in_clear() {
    let Some(mut bus) = Bus::start() else {
        return;
    };
    bus.start_keyring(Start::Locked);
    let mut probe = Probe::start(&bus);
    expect(&probe.ask(&Ask::Open(vec![])), KeyState::FirstRun);
    // Making one asks for its password, and nobody is there to ask.
    expect(&probe.ask(&Ask::Found(vec![])), KeyState::Locked);
    expect(&probe.ask(&Ask::Open(vec![])), KeyState::FirstRun);
}

/// Files under the folder that hold any of the keys: raw, in hexadecimal digits or in base64.
fn hits(folder: &Path, keys: &str) -> Vec<String> {
    let needles: Vec<Vec<u8>> = keys.split(',').flat_map(spellings).collect();
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let kind = std::fs::symlink_metadata(&path).expect("it is there").file_type();
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                files += 1;
                let text = std::fs::read(&path).expect("it is read");
                let holds = |needle: &Vec<u8>| text.windows(needle.len()).any(|part| part == needle);
                if needles.iter().any(holds) {
                    found.push(path.display().to_string());
                }
            }
        }
    }
    assert!(files > 0, "there is something to search");
    found
}

fn spellings(key: &str) -> Vec<Vec<u8>> {
    let raw = URL_SAFE.decode(key).expect("a key");
    let digits: Vec<String> = raw.iter().map(|byte| format!("{byte:02x}")).collect();
    let hex = digits.concat();
    vec![
        STANDARD_NO_PAD.encode(&raw).into_bytes(),
        URL_SAFE_NO_PAD.encode(&raw).into_bytes(),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
        raw,
    ]
}
