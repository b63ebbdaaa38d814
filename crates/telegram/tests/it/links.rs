//! The link under a session that is kept.

use std::time::Duration;

use futures::future::join_all;
use gleaner_telegram::{Dead, Failure, Link, Proxy, Unreachable};
use gleaner_testkit::telegram::{KeyStanding, TelegramFault};
use grammers_tl_types as tl;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::desk::{ADA, Desk, in_time, keys_of};

const LIMIT: Duration = Duration::from_mins(1);

async fn me(link: &Link) -> Result<usize, Failure> {
    let id = vec![tl::enums::InputUser::UserSelf];
    let users = link.invoke(&tl::functions::users::GetUsers { id }, LIMIT).await?;
    Ok(users.len())
}

#[tokio::test]
async fn requests_side_by_side_survive_broken_connections_on_one_at_a_time() {
    in_time(async {
        let desk = Desk::open().await;
        let key = desk.server.logged_in_key(ADA);
        let link = desk.connector.link(&keys_of(&key));
        for round in 0..10 {
            desk.server.faults().add(TelegramFault::drop_at(3 + round));
            let answers = join_all((0..16).map(|_| me(&link))).await;
            assert!(answers.iter().all(|answer| *answer == Ok(1)), "{answers:?}");
        }
        link.disconnect().await;
        desk.server.gone(&key).await;
        assert_eq!(desk.server.most_connections_of(&key), 1);
        assert_eq!(me(&link).await, Err(Failure::Closed));
    })
    .await;
}

#[tokio::test]
async fn what_is_swallowed_is_asked_again_on_a_new_connection() {
    in_time(async {
        let desk = Desk::open().await;
        let key = desk.server.logged_in_key(ADA);
        let link = desk.hasty().link(&keys_of(&key));
        me(&link).await.unwrap();
        desk.server.faults().add(TelegramFault::swallow("users.getUsers"));
        me(&link).await.unwrap();
        // The greeting too.
        desk.server.drop_connections();
        desk.server.faults().add(TelegramFault::swallow("help.getConfig"));
        me(&link).await.unwrap();
        link.disconnect().await;
        desk.server.gone(&key).await;
    })
    .await;
}

#[tokio::test]
async fn a_session_that_dies_under_way_is_dead_and_a_flood_is_told_at_once() {
    in_time(async {
        let desk = Desk::open().await;
        let key = desk.server.logged_in_key(ADA);
        let link = desk.connector.link(&keys_of(&key));
        me(&link).await.unwrap();
        desk.server
            .faults()
            .add(TelegramFault::flood("users.getUsers", 7));
        assert_eq!(me(&link).await, Err(Failure::FloodWait { seconds: 7 }));
        desk.server.set_standing(&key, KeyStanding::Duplicated);
        assert_eq!(me(&link).await, Err(Failure::Dead(Dead::Duplicated)));
        assert_eq!(desk.server.count("users.getUsers"), 3);
    })
    .await;
}

#[tokio::test]
async fn a_proxy_is_gone_through() {
    in_time(async {
        let desk = Desk::open().await;
        let key = desk.server.logged_in_key(ADA);
        let (url, mut asked) = socks(key.address).await;
        let mut connector = desk.connector.clone();
        connector.proxy = Some(Proxy::parse(&url.into()).unwrap());
        gleaner_telegram::check(&connector, &keys_of(&key)).await.unwrap();
        let link = connector.link(&keys_of(&key));
        me(&link).await.unwrap();
        link.disconnect().await;
        for _ in 0..2 {
            let greeting = asked.recv().await.unwrap();
            assert_eq!(greeting, b"\x01\x02me\x06secret");
        }
    })
    .await;
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_unreachable() {
    in_time(async {
        let desk = Desk::open().await;
        let keys = keys_of(&desk.server.logged_in_key(ADA));
        let mut connector = desk.hasty();
        connector.proxy = Some(Proxy::parse(&"socks5://127.0.0.1:9".into()).unwrap());
        let link = connector.link(&keys);
        assert_eq!(me(&link).await, Err(Unreachable::Connection.into()));
        assert_eq!(desk.server.calls().len(), 0);
    })
    .await;
}

/// A SOCKS5 proxy (RFC 1928, 1929) that leads to one address and tells how it was greeted.
async fn socks(to: std::net::SocketAddr) -> (String, tokio::sync::mpsc::Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("socks5://me:secret@{}", listener.local_addr().expect("bound"));
    let (tell, told) = tokio::sync::mpsc::channel(8);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let tell = tell.clone();
            tokio::spawn(async move {
                let mut head = [0; 2];
                client.read_exact(&mut head).await?;
                let mut methods = vec![0; usize::from(head[1])];
                client.read_exact(&mut methods).await?;
                client.write_all(&[5, 2]).await?;
                let mut greeting = vec![0; 11];
                client.read_exact(&mut greeting).await?;
                client.write_all(&[1, 0]).await?;
                let mut request = [0; 10];
                client.read_exact(&mut request).await?;
                client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
                let _ = tell.send(greeting).await;
                let mut server = TcpStream::connect(to).await?;
                tokio::io::copy_bidirectional(&mut client, &mut server).await
            });
        }
    });
    (url, told)
}
