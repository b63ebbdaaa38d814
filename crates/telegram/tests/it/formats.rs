//! Every version of every program's file reads, from a disk and from bytes.

use gleaner_telegram::{Imported, Origin, session_file};
use rstest::rstest;

use crate::made;

async fn both_ways(sql: &str) -> Imported {
    let folder = tempfile::tempdir().unwrap();
    let path = made::file(folder.path(), sql).await;
    let before = made::everything(folder.path());
    let on_disk = session_file::read(&path).await.unwrap();
    assert!(
        made::everything(folder.path()) == before,
        "reading wrote something"
    );
    let bytes = std::fs::read(&path).unwrap();
    let in_memory = session_file::read_bytes(&bytes).await.unwrap();
    assert_eq!(format!("{on_disk:?}"), format!("{in_memory:?}"));
    assert_eq!(on_disk.keys.auth_key.bytes(), &made::key());
    on_disk
}

#[rstest]
#[tokio::test]
async fn every_schema_of_telethon_reads(#[values(1, 2, 3, 4, 5, 6, 7, 8, 9)] version: u32) {
    let imported = both_ways(&made::telethon(version)).await;
    let version = version.into();
    assert_eq!(imported.origin, Origin::Telethon { version });
    assert_eq!(imported.keys.dc_id, 2);
    assert_eq!(imported.keys.address, "127.0.0.1:4430".parse().unwrap());
    assert!(imported.address_stated && imported.keys.is_foreign_address());
    assert_eq!(
        (imported.keys.user_id, imported.api_id, imported.is_bot),
        (None, None, None)
    );
}

#[rstest]
#[tokio::test]
async fn every_schema_of_pyrogram_and_kurigram_reads(#[values(1, 2, 3, 4, 5, 6, 7)] version: u32) {
    let imported = both_ways(&made::pyrogram(version)).await;
    let origin = match version {
        ..4 => Origin::Pyrogram {
            version: version.into(),
        },
        _ => Origin::Kurigram {
            version: version.into(),
        },
    };
    assert_eq!(imported.origin, origin);
    assert_eq!(imported.keys.dc_id, 4);
    assert_eq!(imported.keys.user_id, Some(6_000_000_000));
    assert_eq!(imported.is_bot, Some(false));
    assert_eq!(imported.api_id, (version >= 3).then_some(12345));
    let address = if version >= 7 {
        "127.0.0.1:4430"
    } else {
        "149.154.167.91:443"
    };
    assert_eq!(imported.keys.address, address.parse().unwrap());
    assert_eq!(imported.address_stated, version >= 7);
}

#[tokio::test]
async fn a_test_account_of_pyrogram_gets_a_test_server() {
    let sql = made::pyrogram(3) + "UPDATE sessions SET dc_id = 2, test_mode = 1, is_bot = 1;";
    let imported = both_ways(&sql).await;
    assert_eq!(imported.keys.address, "149.154.167.40:80".parse().unwrap());
    assert_eq!(imported.is_bot, Some(true));
}

#[tokio::test]
async fn telethon_without_an_address_gets_that_of_its_data_centre() {
    let sql = made::telethon(8) + "UPDATE sessions SET dc_id = 5, server_address = NULL, port = NULL;";
    let imported = both_ways(&sql).await;
    assert_eq!(imported.keys.address, "91.108.56.130:443".parse().unwrap());
    assert!(!imported.address_stated && !imported.keys.is_foreign_address());
}

#[tokio::test]
async fn an_ipv6_address_is_kept() {
    let sql = made::telethon(8) + "UPDATE sessions SET server_address = '2001:67c:4e8:f002::a', port = 443;";
    let imported = both_ways(&sql).await;
    assert_eq!(
        imported.keys.address,
        "[2001:67c:4e8:f002::a]:443".parse().unwrap()
    );
    assert!(!imported.keys.is_foreign_address());
}

#[tokio::test]
async fn a_file_with_a_hundred_thousand_peers_reads() {
    let sql = made::telethon(8)
        + "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
           INSERT INTO entities SELECT i, i * 7919, 'user' || i, NULL, 'Somebody ' || i, 1700000000 FROM n;";
    both_ways(&sql).await;
}
