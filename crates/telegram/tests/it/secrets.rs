//! What is written down along the way: nothing that logs in.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use gleaner_domain::SystemClock;
use gleaner_telegram::{Login, QrLogin, QrStep, check, log_out};
use gleaner_testkit::telegram::{Mishap, TelegramFault};
use secrecy::ExposeSecret as _;
use tracing_subscriber::fmt::MakeWriter;

use crate::desk::{BORIS, BORIS_PASSWORD, Desk, in_time};

/// Everything that is logged, down to the last detail.
#[derive(Clone, Default)]
struct Book(Arc<Mutex<Vec<u8>>>);

impl io::Write for Book {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        book.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Book {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Book {
    fn read(&self) -> String {
        let book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&book).into_owned()
    }
}

// One thread, so that the subscriber of this test sees all of it.
#[tokio::test(flavor = "current_thread")]
async fn logs_hold_no_phone_code_password_key_or_token() {
    let book = Book::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(book.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let code = "739164";
    let (keys, token) = in_time(async {
        let desk = Desk::open().await;
        let account = gleaner_testkit::telegram::Account::new(BORIS, 5_000_002, "Boris");
        desk.server
            .put_account(account.code(code).password(BORIS_PASSWORD, "pier"));
        let (mut login, sent) = Login::start(desk.connector.clone(), BORIS).await.unwrap();
        assert!(!format!("{sent:?}").contains(code));
        login.sign_in("000000").await.unwrap_err();
        desk.server
            .faults()
            .add(TelegramFault::on("auth.signIn", Mishap::Drop));
        login.sign_in(code).await.unwrap();
        login
            .check_password(&"a wrong password".into())
            .await
            .unwrap_err();
        let account = login.check_password(&BORIS_PASSWORD.into()).await.unwrap();
        let keys = login.finish().await.unwrap();
        let again = check(&desk.connector, &keys).await.unwrap();
        assert_eq!(format!("{account:?}"), format!("{again:?}"));
        log_out(&desk.connector, &keys).await.unwrap();

        let mut qr = QrLogin::start(desk.connector.clone(), Arc::new(SystemClock))
            .await
            .unwrap();
        let step = qr.next().await.unwrap();
        assert!(!format!("{step:?}").contains("token="), "{step:?}");
        let QrStep::Show { url, .. } = step else {
            panic!("a code is shown first");
        };
        qr.cancel().await;
        tracing::info!("{:?} {keys:?} {account:?}", desk.connector);
        (keys, url.expose_secret().to_owned())
    })
    .await;

    let book = book.read();
    assert!(book.contains("serialized request"), "grammers is heard too");
    let key = keys.auth_key.bytes();
    let hex = format!("{:016x}", u64::from_be_bytes(key[..8].try_into().unwrap()));
    let decimal = format!("{:?}", &key[..4]);
    let token = token.strip_prefix("tg://login?token=").unwrap();
    for secret in [
        "15550002",
        code,
        "000000\"",
        BORIS_PASSWORD,
        "a wrong password",
        "not-a-real-hash",
        &hex,
        decimal.trim_matches(['[', ']']),
        token,
    ] {
        assert!(!book.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn logins_may_move_between_threads() {
    fn may_move<T: Send>(_: impl FnOnce() -> T) {}
    may_move(|| -> Login { unreachable!() });
    may_move(|| -> QrLogin { unreachable!() });
    may_move(|| async {
        let desk = Desk::open().await;
        let mut login = desk.login(BORIS).await;
        login.sign_in("").await.ok();
        login.check_password(&"".into()).await.ok();
        login.resend().await.ok();
        login.cancel().await;
        let mut qr = QrLogin::start(desk.connector.clone(), Arc::new(SystemClock)).await?;
        qr.next().await?;
        let keys = qr.finish().await.expect("never run");
        check(&desk.connector, &keys).await.ok();
        log_out(&desk.connector, &keys).await.ok();
        desk.connector.link(&keys).disconnect().await;
        Ok::<_, gleaner_telegram::LoginError>(())
    });
}
