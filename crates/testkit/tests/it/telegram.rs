//! The simulated Telegram, seen by the smallest client: its protocol and its logins.

use std::sync::Arc;

use chrono::TimeDelta;
use gleaner_testkit::telegram::{
    AcceptError, CodeWay, KeyStanding, LoginKey, Mishap, TelegramFault, TelegramOptions,
};
use gleaner_testkit::{FixedClock, TelegramServer, World};
use grammers_crypto::two_factor_auth::calculate_2fa;
use grammers_tl_types::{Serializable as _, enums, functions, types};

use crate::mtproto::{CONTAINER, Client, NEW_SESSION, Transport};

async fn telegram() -> TelegramServer {
    TelegramServer::start(World::new().into_handle()).await
}

fn send_code(phone: &str) -> functions::auth::SendCode {
    functions::auth::SendCode {
        phone_number: phone.to_owned(),
        api_id: 1,
        api_hash: "hash".to_owned(),
        settings: types::CodeSettings {
            allow_flashcall: false,
            current_number: false,
            allow_app_hash: false,
            allow_missed_call: false,
            allow_firebase: false,
            unknown_number: false,
            logout_tokens: None,
            token: None,
            app_sandbox: None,
        }
        .into(),
    }
}

fn sign_in(phone: &str, hash: &str, code: &str) -> functions::auth::SignIn {
    functions::auth::SignIn {
        phone_number: phone.to_owned(),
        phone_code_hash: hash.to_owned(),
        phone_code: Some(code.to_owned()),
        email_verification: None,
    }
}

fn show_qr() -> functions::auth::ExportLoginToken {
    functions::auth::ExportLoginToken {
        api_id: 1,
        api_hash: "hash".to_owned(),
        except_ids: Vec::new(),
    }
}

const ME: functions::users::GetUsers = functions::users::GetUsers { id: Vec::new() };

fn me() -> functions::users::GetUsers {
    functions::users::GetUsers {
        id: vec![enums::InputUser::UserSelf],
    }
}

async fn code_hash(client: &mut Client, phone: &str) -> String {
    match client.call(&send_code(phone)).await.expect("a code is sent") {
        enums::auth::SentCode::Code(sent) => sent.phone_code_hash,
        other => panic!("{other:?}"),
    }
}

async fn password_try(
    client: &mut Client,
    password: &types::account::Password,
    text: &str,
) -> Result<enums::auth::Authorization, (i32, String)> {
    let Some(enums::PasswordKdfAlgo::Sha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow(algorithm)) =
        &password.current_algo
    else {
        panic!("{password:?}");
    };
    let (m1, a) = calculate_2fa(
        &algorithm.salt1,
        &algorithm.salt2,
        &algorithm.p,
        &algorithm.g,
        password.srp_b.clone().expect("a puzzle"),
        rand::random::<[u8; 256]>().to_vec(),
        text,
    );
    let check = functions::auth::CheckPassword {
        password: types::InputCheckPasswordSrp {
            srp_id: password.srp_id.expect("a puzzle"),
            a: a.to_vec(),
            m1: m1.to_vec(),
        }
        .into(),
    };
    client.call(&check).await
}

async fn puzzle(client: &mut Client) -> types::account::Password {
    let shown = client.call(&functions::account::GetPassword {}).await;
    let enums::account::Password::Password(password) = shown.expect("a password is asked for");
    password
}

#[tokio::test]
async fn every_transport_answers_and_config_names_loopback() {
    let server = telegram().await;
    for transport in [Transport::Full, Transport::Abridged, Transport::Intermediate] {
        let mut client = Client::connect_by(&server.new_key(2), transport).await;
        let enums::Config::Config(config) = client.call(&functions::help::GetConfig {}).await.unwrap();
        assert_eq!(config.this_dc, 2);
        let options: Vec<_> = config
            .dc_options
            .iter()
            .map(|enums::DcOption::Option(option)| (option.id, option.port as u16, option.r#static))
            .collect();
        let port = |dc| server.address(dc).port();
        assert_eq!(
            options,
            [(2, port(2), false), (4, port(4), false)],
            "{transport:?}"
        );
    }
}

#[tokio::test]
async fn a_wrong_salt_is_told_and_the_first_right_message_opens_a_session() {
    let server = telegram().await;
    let key = server.new_key(2);
    let mut client = Client::connect(&key).await;
    client.learn_salt().await;
    let msg_id = client.send(&functions::Ping { ping_id: 7 }.to_bytes()).await;
    let opened = client.receive().await.unwrap();
    assert_eq!((opened.constructor(), opened.msg_id % 4), (NEW_SESSION, 3));
    let pong = client.receive().await.unwrap();
    assert_eq!(pong.body[4..12], msg_id.to_le_bytes());
    assert_eq!(pong.msg_id % 4, 1);

    server.change_salt(&key);
    client.learn_salt().await;
    assert!(client.call(&functions::help::GetConfig {}).await.is_ok());
}

#[tokio::test]
async fn a_container_is_answered_call_by_call() {
    let server = telegram().await;
    let mut client = Client::connect(&server.new_key(2)).await;
    client.learn_salt().await;
    let calls = [
        functions::Ping { ping_id: 3 }.to_bytes(),
        functions::InvokeWithLayer {
            layer: 230,
            query: functions::help::GetNearestDc {},
        }
        .to_bytes(),
        functions::help::GetNearestDc {}.to_bytes(),
    ];
    let mut body = CONTAINER.to_le_bytes().to_vec();
    (calls.len() as i32).serialize(&mut body);
    let mut ids = Vec::new();
    for call in calls {
        ids.push(client.next_msg_id());
        ids[ids.len() - 1].serialize(&mut body);
        1_i32.serialize(&mut body);
        (call.len() as i32).serialize(&mut body);
        body.extend(call);
    }
    client.send(&body).await;
    let mut answered = Vec::new();
    for _ in 0..4 {
        let received = client.receive().await.unwrap();
        if received.constructor() != NEW_SESSION {
            // The id of what is answered follows the constructor, in a pong as in a result.
            answered.push(i64::from_le_bytes(received.body[4..12].try_into().unwrap()));
        }
    }
    assert_eq!(answered, ids);
}

#[tokio::test]
async fn a_key_the_data_centre_does_not_know_gets_a_bare_404() {
    let server = telegram().await;
    let forgotten = server.new_key(2);
    server.set_standing(&forgotten, KeyStanding::Unknown);
    let of_another_dc = LoginKey {
        address: server.address(2),
        ..server.new_key(4)
    };
    for key in [forgotten, of_another_dc] {
        let mut client = Client::connect(&key).await;
        client.send(&functions::Ping { ping_id: 1 }.to_bytes()).await;
        assert_eq!(client.read_raw(4).await, Some((-404_i32).to_le_bytes().to_vec()));
        assert_eq!(client.read_raw(1).await, None);
    }
}

#[tokio::test]
async fn a_key_exchange_is_hung_up_on() {
    let server = telegram().await;
    let mut client = Client::connect(&server.new_key(2)).await;
    let mut plain = vec![0; 8];
    plain.extend(4_i64.to_le_bytes());
    let request = functions::ReqPqMulti { nonce: [1; 16] }.to_bytes();
    plain.extend((request.len() as u32).to_le_bytes());
    plain.extend(request);
    client.send_raw(&plain).await;
    assert_eq!(client.read_raw(1).await, None);
}

#[tokio::test]
async fn an_account_elsewhere_sends_the_login_there() {
    let server = telegram().await;
    let mut here = Client::connect(&server.new_key(2)).await;
    assert_eq!(here.refusal(&send_code("+15550005")).await, "303 PHONE_MIGRATE_4");
    let key = server.new_key(4);
    let mut there = Client::connect(&key).await;
    assert_eq!(
        there.refusal(&send_code("+15550001")).await,
        "303 PHONE_MIGRATE_2"
    );
    let hash = code_hash(&mut there, "+15550005").await;
    there.call(&sign_in("+15550005", &hash, "12345")).await.unwrap();
    assert_eq!(server.user_of(&key), Some(5_000_005));
    assert_eq!(there.call(&me()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_code_is_good_for_one_login_on_its_own_key_until_it_expires() {
    let clock = FixedClock::default();
    let world = World::new().clock(Arc::new(clock.clone())).into_handle();
    let server = TelegramServer::start(world).await;
    let mut client = Client::connect(&server.new_key(2)).await;
    let phone = "+15550001";
    assert_eq!(client.refusal(&me()).await, "401 AUTH_KEY_UNREGISTERED");

    let hash = code_hash(&mut client, phone).await;
    let mut stranger = Client::connect(&server.new_key(2)).await;
    assert_eq!(
        stranger.refusal(&sign_in(phone, &hash, "12345")).await,
        "400 PHONE_CODE_EXPIRED"
    );
    assert_eq!(
        client.refusal(&sign_in(phone, &hash, "")).await,
        "400 PHONE_CODE_EMPTY"
    );
    assert_eq!(
        client.refusal(&sign_in(phone, &hash, "1")).await,
        "400 PHONE_CODE_INVALID"
    );
    clock.advance(TimeDelta::minutes(6));
    assert_eq!(
        client.refusal(&sign_in(phone, &hash, "12345")).await,
        "400 PHONE_CODE_EXPIRED"
    );

    let hash = code_hash(&mut client, phone).await;
    client.call(&sign_in(phone, &hash, "12345")).await.unwrap();
    assert_eq!(
        client.refusal(&sign_in(phone, &hash, "12345")).await,
        "400 PHONE_CODE_EXPIRED"
    );
    client.call(&functions::auth::LogOut {}).await.unwrap();
    assert_eq!(client.refusal(&ME).await, "401 AUTH_KEY_UNREGISTERED");
}

#[tokio::test]
async fn a_code_may_come_another_way() {
    let server = telegram().await;
    let mut client = Client::connect(&server.new_key(2)).await;
    let phone = "+15550001".to_owned();
    let again = |hash: &str| functions::auth::ResendCode {
        phone_number: phone.clone(),
        phone_code_hash: hash.to_owned(),
        reason: None,
    };
    let enums::auth::SentCode::Code(sent) = client.call(&send_code(&phone)).await.unwrap() else {
        panic!("a code is sent");
    };
    assert!(matches!(sent.r#type, enums::auth::SentCodeType::App(_)));
    assert_eq!(
        (sent.next_type, sent.timeout),
        (Some(enums::auth::CodeType::Sms), Some(60))
    );
    let hash = sent.phone_code_hash;
    for last in [false, true] {
        let enums::auth::SentCode::Code(sent) = client.call(&again(&hash)).await.unwrap() else {
            panic!("a code is sent");
        };
        assert_eq!(sent.next_type.is_none(), last);
    }
    assert_eq!(client.refusal(&again(&hash)).await, "400 SEND_CODE_UNAVAILABLE");
    let cancel = functions::auth::CancelCode {
        phone_number: phone.clone(),
        phone_code_hash: hash.clone(),
    };
    assert_eq!(client.call(&cancel).await, Ok(true));
    assert_eq!(
        client.refusal(&sign_in(&phone, &hash, "12345")).await,
        "400 PHONE_CODE_EXPIRED"
    );

    server.send_codes_by(CodeWay::Sms);
    let enums::auth::SentCode::Code(sent) = client.call(&send_code(&phone)).await.unwrap() else {
        panic!("a code is sent");
    };
    assert!(matches!(sent.r#type, enums::auth::SentCodeType::Sms(_)));
}

#[tokio::test]
async fn a_password_puzzle_serves_one_try() {
    let server = telegram().await;
    let key = server.new_key(2);
    let mut client = Client::connect(&key).await;
    let phone = "+15550002";
    let hash = code_hash(&mut client, phone).await;
    assert_eq!(
        client.refusal(&sign_in(phone, &hash, "12345")).await,
        "401 SESSION_PASSWORD_NEEDED"
    );
    assert_eq!(client.refusal(&me()).await, "401 AUTH_KEY_UNREGISTERED");
    assert_eq!(server.user_of(&key), None);

    let replaced = puzzle(&mut client).await;
    let shown = puzzle(&mut client).await;
    let refused = |name: &str| Err((400, name.to_owned()));
    let stale = password_try(&mut client, &replaced, "harbour lights").await;
    assert_eq!(stale, refused("SRP_ID_INVALID"));
    let wrong = password_try(&mut client, &shown, "harbor lights").await;
    assert_eq!(wrong, refused("PASSWORD_HASH_INVALID"));
    let used = password_try(&mut client, &shown, "harbour lights").await;
    assert_eq!(used, refused("SRP_ID_INVALID"));
    let fresh = puzzle(&mut client).await;
    password_try(&mut client, &fresh, "harbour lights").await.unwrap();
    assert_eq!(server.user_of(&key), Some(5_000_002));
}

#[tokio::test]
async fn a_number_without_an_account_is_told_to_sign_up() {
    let server = telegram().await;
    let mut client = Client::connect(&server.new_key(2)).await;
    let hash = code_hash(&mut client, "+15550999").await;
    let answer = client.call(&sign_in("+15550999", &hash, "12345")).await.unwrap();
    assert!(matches!(answer, enums::auth::Authorization::SignUpRequired(_)));
    assert_eq!(client.refusal(&send_code("+1")).await, "400 PHONE_NUMBER_INVALID");
    assert_eq!(
        client.refusal(&send_code("+15550003")).await,
        "400 PHONE_NUMBER_BANNED"
    );
    assert_eq!(client.refusal(&send_code("+15550004")).await, "420 FLOOD_WAIT_30");
}

#[tokio::test]
async fn only_the_known_application_may_log_in_when_one_is_named() {
    let options = TelegramOptions {
        api: Some((7, "secret".to_owned())),
        ..TelegramOptions::default()
    };
    let server = TelegramServer::start_with(World::new().into_handle(), options)
        .await
        .unwrap();
    let mut client = Client::connect(&server.new_key(2)).await;
    assert_eq!(
        client.refusal(&send_code("+15550001")).await,
        "400 API_ID_INVALID"
    );
    assert_eq!(client.refusal(&show_qr()).await, "400 API_ID_INVALID");
}

async fn shown_token(client: &mut Client) -> Vec<u8> {
    match client.call(&show_qr()).await.expect("a token is shown") {
        enums::auth::LoginToken::Token(token) => token.token,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_qr_code_expires_is_scanned_once_and_the_client_is_told() {
    let clock = FixedClock::default();
    let world = World::new().clock(Arc::new(clock.clone())).into_handle();
    let server = TelegramServer::start(world).await;
    let key = server.new_key(2);
    let mut client = Client::connect(&key).await;
    let old = shown_token(&mut client).await;
    clock.advance(TimeDelta::seconds(31));
    assert_eq!(server.accept_login(&old, "+15550001"), Err(AcceptError::Expired));
    let token = shown_token(&mut client).await;
    assert_ne!(token, old);
    assert_eq!(
        server.accept_login(b"another", "+15550001"),
        Err(AcceptError::Invalid)
    );
    assert_eq!(server.accept_login(&token, "+15550001"), Ok(()));
    assert_eq!(
        server.accept_login(&token, "+15550001"),
        Err(AcceptError::AlreadyAccepted)
    );

    let told = client.receive().await.unwrap();
    let update = types::UpdateShort {
        update: enums::Update::LoginToken,
        date: 0,
    };
    let expected = enums::Updates::from(update).to_bytes();
    assert_eq!(told.body[..8], expected[..8]);
    let done = client.call(&show_qr()).await.unwrap();
    assert!(matches!(done, enums::auth::LoginToken::Success(_)));
    assert_eq!(server.user_of(&key), Some(5_000_001));
}

#[tokio::test]
async fn a_qr_code_scanned_from_another_data_centre_moves_the_login() {
    let server = telegram().await;
    server.put_account(
        gleaner_testkit::telegram::Account::new("+15550006", 5_000_006, "Eve")
            .home_dc(4)
            .password("far lights", ""),
    );
    for (phone, user) in [("+15550005", 5_000_005), ("+15550006", 5_000_006)] {
        let mut here = Client::connect(&server.new_key(2)).await;
        let token = shown_token(&mut here).await;
        server.accept_login(&token, phone).unwrap();
        let moved = match here.call(&show_qr()).await.unwrap() {
            enums::auth::LoginToken::MigrateTo(moved) => moved,
            other => panic!("{other:?}"),
        };
        assert_eq!(moved.dc_id, 4);
        let key = server.new_key(4);
        let mut there = Client::connect(&key).await;
        let import = functions::auth::ImportLoginToken { token: moved.token };
        if user == 5_000_006 {
            assert_eq!(there.refusal(&import).await, "401 SESSION_PASSWORD_NEEDED");
            let shown = puzzle(&mut there).await;
            password_try(&mut there, &shown, "far lights").await.unwrap();
        } else {
            there.call(&import).await.unwrap();
        }
        assert_eq!(server.user_of(&key), Some(user));
        assert_eq!(there.refusal(&import).await, "400 AUTH_TOKEN_INVALID");
    }
}

#[tokio::test]
async fn a_login_is_carried_to_another_data_centre_once() {
    let server = telegram().await;
    let mut home = Client::connect(&server.logged_in_key("+15550001")).await;
    let export = functions::auth::ExportAuthorization { dc_id: 4 };
    let enums::auth::ExportedAuthorization::Authorization(exported) = home.call(&export).await.unwrap();
    let key = server.new_key(4);
    let mut files = Client::connect(&key).await;
    let import = functions::auth::ImportAuthorization {
        id: exported.id,
        bytes: exported.bytes,
    };
    files.call(&import).await.unwrap();
    assert_eq!(server.user_of(&key), Some(5_000_001));
    assert_eq!(files.refusal(&import).await, "400 AUTH_BYTES_INVALID");
}

#[tokio::test]
async fn faults_strike_when_they_should_and_the_journal_tells() {
    let server = telegram().await;
    let key = server.logged_in_key("+15550001");
    let mut client = Client::connect(&key).await;
    let nearest = functions::help::GetNearestDc {};
    client.call(&nearest).await.unwrap();
    server.faults().add(TelegramFault::flood("users.getUsers", 31));
    assert_eq!(client.refusal(&me()).await, "420 FLOOD_WAIT_31");
    assert!(client.call(&me()).await.is_ok());

    server.faults().add(TelegramFault::swallow("users.getUsers"));
    client.send(&me().to_bytes()).await;
    server.called("users.getUsers", 3).await;
    // The connection goes on, and what comes next is the answer to what was asked next.
    assert!(client.call(&nearest).await.is_ok());

    server.faults().add(TelegramFault::drop_at(2));
    assert!(client.call(&nearest).await.is_ok());
    assert_eq!(client.refusal(&nearest).await, "0 closed");
    let mut client = Client::connect(&key).await;
    server
        .faults()
        .add(TelegramFault::on("auth.logOut", Mishap::LoseAnswer));
    assert_eq!(client.refusal(&functions::auth::LogOut {}).await, "0 closed");
    assert_eq!(server.user_of(&key), None);
    assert_eq!(server.faults().struck(), 4);
    let last = server.calls().pop().unwrap();
    assert_eq!(
        (last.method.as_str(), last.key_id, last.dc_id),
        ("auth.logOut", key.id(), 2)
    );
}

#[tokio::test]
async fn connections_are_counted_by_key() {
    let server = telegram().await;
    let (one, two) = (server.new_key(2), server.new_key(2));
    let nearest = functions::help::GetNearestDc {};
    let mut first = Client::connect(&one).await;
    let mut other = Client::connect(&two).await;
    first.call(&nearest).await.unwrap();
    other.call(&nearest).await.unwrap();
    assert_eq!(server.most_connections_of(&one), 1);
    let mut second = Client::connect(&one).await;
    second.call(&nearest).await.unwrap();
    assert_eq!((server.connections_of(&one), server.connections_of(&two)), (2, 1));
    server.drop_connections();
    assert_eq!(first.refusal(&nearest).await, "0 closed");
    assert_eq!(second.refusal(&nearest).await, "0 closed");
    assert_eq!(other.refusal(&nearest).await, "0 closed");
    assert_eq!(
        (server.open_connections(), server.most_connections_of(&one)),
        (0, 2)
    );
}
