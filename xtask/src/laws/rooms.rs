//! Who may depend on whom: the rooms of the house, and the rooms of the heavy libraries.

use anyhow::{Result, anyhow};
use cargo_metadata::{DependencyKind, Package};

use super::Verdict;

/// A crate and what its manifest names.
#[derive(Debug, Default)]
pub(crate) struct Room {
    name: String,
    normal: Vec<String>,
    dev: Vec<String>,
}

impl From<&Package> for Room {
    fn from(package: &Package) -> Self {
        let named = |dev: bool| {
            let kept = move |kind| (kind == DependencyKind::Development) == dev;
            package
                .dependencies
                .iter()
                .filter(move |one| kept(one.kind))
                .map(|one| one.name.clone())
                .collect()
        };
        Self {
            name: package.name.to_string(),
            normal: named(false),
            dev: named(true),
        }
    }
}

/// Each crate of the house with the crates of the house it may use outside tests. Arrows point
/// inwards: the domain knows nobody, a shell knows the app and the nouns.
const ROOMS: &[(&str, &[&str])] = &[
    ("gleaner-domain", &[]),
    ("gleaner-scrape", &["gleaner-domain"]),
    ("gleaner-preview", &["gleaner-domain", "gleaner-scrape"]),
    ("gleaner-sinks", &["gleaner-domain", "gleaner-scrape"]),
    ("gleaner-store", &["gleaner-domain", "gleaner-scrape"]),
    ("gleaner-vault", &["gleaner-domain"]),
    ("gleaner-telegram", &["gleaner-domain", "gleaner-scrape"]),
    (
        "gleaner-app",
        &[
            "gleaner-domain",
            "gleaner-scrape",
            "gleaner-preview",
            "gleaner-sinks",
            "gleaner-store",
            "gleaner-telegram",
            "gleaner-vault",
        ],
    ),
    ("gleaner-http", &["gleaner-app", "gleaner-domain"]),
    ("gleaner-cli", &["gleaner-app", "gleaner-domain", "gleaner-http"]),
    ("gleaner-desktop", &["gleaner-app", "gleaner-domain"]),
    ("gleaner-testkit", &["gleaner-domain"]),
    ("gleaner-e2e-desktop", &[]),
    ("xtask", &[]),
];

/// A library that only some crates may name.
struct Heavy {
    /// Its name; one that ends with `*` is the beginning of several.
    library: &'static str,
    /// Who may use it.
    rooms: &'static [&'static str],
    /// Whether tests anywhere may.
    in_tests: bool,
}

const HEAVY: &[Heavy] = &[
    Heavy {
        library: "tauri*",
        rooms: &["gleaner-desktop"],
        in_tests: false,
    },
    Heavy {
        library: "rfd",
        rooms: &["gleaner-desktop"],
        in_tests: false,
    },
    Heavy {
        library: "axum*",
        rooms: &["gleaner-http", "gleaner-testkit"],
        in_tests: true,
    },
    Heavy {
        library: "opendal*",
        rooms: &["gleaner-sinks"],
        in_tests: false,
    },
    Heavy {
        library: "sqlx*",
        rooms: &["gleaner-store", "gleaner-telegram"],
        // Tests lay out the databases of other programs, and look into ours.
        in_tests: true,
    },
    Heavy {
        library: "scraper",
        rooms: &["gleaner-preview"],
        in_tests: true,
    },
    Heavy {
        library: "reqwest",
        rooms: &["gleaner-preview", "gleaner-sinks"],
        in_tests: true,
    },
    Heavy {
        library: "clap",
        rooms: &["gleaner-cli", "gleaner-testkit", "xtask"],
        in_tests: false,
    },
    Heavy {
        library: "grammers-*",
        rooms: &["gleaner-telegram", "gleaner-testkit"],
        in_tests: false,
    },
    Heavy {
        library: "fernet",
        rooms: &["gleaner-vault"],
        in_tests: false,
    },
    Heavy {
        library: "keyring*",
        rooms: &["gleaner-vault"],
        in_tests: false,
    },
    Heavy {
        library: "secret-service",
        rooms: &["gleaner-vault"],
        // Tests look into a real keyring.
        in_tests: true,
    },
    Heavy {
        library: "zbus-secret-service-keyring-store",
        rooms: &["gleaner-vault"],
        in_tests: false,
    },
    Heavy {
        library: "s3s*",
        rooms: &["gleaner-testkit"],
        in_tests: false,
    },
];

/// What the domain stays free of, so that its nouns can be used anywhere.
const NOT_IN_DOMAIN: &[&str] = &[
    "tokio",
    "futures",
    "async-trait",
    "reqwest",
    "sqlx",
    "axum",
    "tauri",
    "opendal",
];

type Law = fn(&[Room]) -> Vec<String>;

const LAWS: &[(&str, Law)] = &[
    (
        "a crate of the house uses only the crates its row in ROOMS names",
        arrows_point_inwards,
    ),
    (
        "a heavy library has its room (HEAVY)",
        heavy_libraries_stay_in_their_rooms,
    ),
    ("the domain does no IO and knows no runtime", domain_is_pure),
    (
        "the testkit is for tests: no crate needs it to run",
        testkit_is_for_tests,
    ),
];

/// Judges every law about manifests.
pub(crate) fn judge(house: &Result<Vec<Room>>) -> Vec<Verdict> {
    let verdict = |&(law, broken): &(&'static str, Law)| Verdict {
        law,
        broken: house
            .as_ref()
            .map(|rooms| broken(rooms))
            .map_err(|error| anyhow!("{error:#}")),
    };
    LAWS.iter().map(verdict).collect()
}

fn arrows_point_inwards(rooms: &[Room]) -> Vec<String> {
    let judged = |room: &Room| match ROOMS.iter().find(|(name, _)| *name == room.name) {
        None => vec![format!("{} has no row in ROOMS: say what it may use", room.name)],
        Some((_, allowed)) => {
            let wrong = room
                .normal
                .iter()
                .filter(|used| used.starts_with("gleaner-") && !allowed.contains(&used.as_str()));
            wrong.map(|used| format!("{} uses {used}", room.name)).collect()
        }
    };
    rooms.iter().flat_map(judged).collect()
}

fn heavy_libraries_stay_in_their_rooms(rooms: &[Room]) -> Vec<String> {
    let mut broken = Vec::new();
    for heavy in HEAVY {
        for room in rooms
            .iter()
            .filter(|room| !heavy.rooms.contains(&room.name.as_str()))
        {
            let tests = if heavy.in_tests { &[][..] } else { &room.dev };
            let used = room.normal.iter().chain(tests).filter(|used| heavy.is(used));
            broken.extend(used.map(|used| {
                format!(
                    "{} names {used}; its room is {}",
                    room.name,
                    heavy.rooms.join(", ")
                )
            }));
        }
    }
    broken
}

impl Heavy {
    fn is(&self, used: &str) -> bool {
        match self.library.strip_suffix('*') {
            Some(beginning) => used.starts_with(beginning),
            None => used == self.library,
        }
    }
}

fn domain_is_pure(rooms: &[Room]) -> Vec<String> {
    let domain = rooms.iter().filter(|room| room.name == "gleaner-domain");
    let wrong = domain
        .flat_map(|room| &room.normal)
        .filter(|used| NOT_IN_DOMAIN.contains(&used.as_str()));
    wrong.map(|used| format!("gleaner-domain names {used}")).collect()
}

fn testkit_is_for_tests(rooms: &[Room]) -> Vec<String> {
    let wrong = rooms
        .iter()
        .filter(|room| room.normal.iter().any(|used| used == "gleaner-testkit"));
    wrong
        .map(|room| format!("{} needs gleaner-testkit outside its tests", room.name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(name: &str, normal: &[&str], dev: &[&str]) -> Room {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Room {
            name: name.to_owned(),
            normal: owned(normal),
            dev: owned(dev),
        }
    }

    #[test]
    fn a_shell_that_reaches_under_the_app_is_found() {
        let broken = arrows_point_inwards(&[room("gleaner-http", &["gleaner-app", "gleaner-store"], &[])]);
        assert_eq!(broken, ["gleaner-http uses gleaner-store"]);
    }

    #[test]
    fn a_new_crate_must_say_what_it_may_use() {
        let broken = arrows_point_inwards(&[room("gleaner-novelty", &[], &[])]);
        assert_eq!(
            broken,
            ["gleaner-novelty has no row in ROOMS: say what it may use"]
        );
    }

    #[test]
    fn tauri_plugins_count_as_tauri() {
        let broken =
            heavy_libraries_stay_in_their_rooms(&[room("gleaner-app", &["tauri-plugin-opener"], &[])]);
        assert_eq!(
            broken,
            ["gleaner-app names tauri-plugin-opener; its room is gleaner-desktop"]
        );
    }

    #[test]
    fn tests_may_use_some_heavy_libraries_and_not_others() {
        assert!(heavy_libraries_stay_in_their_rooms(&[room("gleaner-cli", &[], &["reqwest"])]).is_empty());
        assert_eq!(
            heavy_libraries_stay_in_their_rooms(&[room("gleaner-cli", &[], &["opendal"])]).len(),
            1
        );
    }

    #[test]
    fn a_runtime_in_the_domain_is_found() {
        assert_eq!(
            domain_is_pure(&[room("gleaner-domain", &["tokio"], &[])]),
            ["gleaner-domain names tokio"]
        );
        assert!(domain_is_pure(&[room("gleaner-domain", &["serde"], &["tokio"])]).is_empty());
    }

    #[test]
    fn the_testkit_outside_tests_is_found() {
        assert_eq!(
            testkit_is_for_tests(&[room("gleaner-app", &["gleaner-testkit"], &[])]).len(),
            1
        );
        assert!(testkit_is_for_tests(&[room("gleaner-app", &[], &["gleaner-testkit"])]).is_empty());
    }

    #[test]
    fn a_house_that_cannot_be_read_breaks_every_law() {
        assert!(
            judge(&Err(anyhow!("no cargo")))
                .iter()
                .all(|verdict| verdict.broken.is_err())
        );
    }
}
