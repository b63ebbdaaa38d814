"""Telethon, unmodified, against the simulated data centre.

One argument: JSON with the scenario, the data centre, its port, the auth key and, for some, more.
Every line on stdout is JSON; a scenario waits for lines on stdin where it says so.
"""

import asyncio
import base64
import json
import sqlite3
import sys

from telethon import TelegramClient, errors, functions, types
from telethon.crypto import AuthKey
from telethon.sessions import MemorySession, SQLiteSession

told = json.loads(sys.argv[1])


def say(**facts):
    print(json.dumps(facts), flush=True)


def client(session=None):
    session = session or MemorySession()
    session.set_dc(told["dc_id"], told["host"], told["port"])
    session.auth_key = AuthKey(base64.b64decode(told["auth_key"]))
    session.save()
    return TelegramClient(
        session, 1, "hash", connection_retries=1, request_retries=1, flood_sleep_threshold=0
    )


async def connected(session=None):
    made = client(session)
    await made.connect()
    return made


async def refused(call):
    """The name of the error a call ends with."""
    try:
        await call
    except errors.RPCError as error:
        return type(error).__name__
    return None


def person(user):
    return {"id": user.id, "first_name": user.first_name, "username": user.username, "phone": user.phone}


async def code():
    tg = await connected()
    before = await tg.is_user_authorized()
    sent = await tg.send_code_request(told["phone"])
    wrong = await refused(tg.sign_in(told["phone"], "54321", phone_code_hash=sent.phone_code_hash))
    await tg.sign_in(told["phone"], "12345", phone_code_hash=sent.phone_code_hash)
    me = await tg.get_me()
    full = await tg(functions.users.GetFullUserRequest("me"))
    after = await tg.is_user_authorized()
    out = await tg.log_out()
    say(
        before=before,
        sent=type(sent.type).__name__,
        wrong=wrong,
        me=person(me),
        full=full.full_user.id,
        after=after,
        out=out,
    )


async def password():
    tg = await connected()
    sent = await tg.send_code_request(told["phone"])
    needed = await refused(tg.sign_in(told["phone"], "12345", phone_code_hash=sent.phone_code_hash))
    hint = (await tg(functions.account.GetPasswordRequest())).hint
    wrong = await refused(tg.sign_in(password="pier lights"))
    await tg.sign_in(password=told["password"])
    say(needed=needed, hint=hint, wrong=wrong, me=person(await tg.get_me()))
    await tg.disconnect()


async def qr():
    tg = await connected()
    login = await tg.qr_login()
    say(url=login.url)
    try:
        user = await login.wait(30)
        say(me=person(user))
    except errors.SessionPasswordNeededError:
        await tg.sign_in(password=told["password"])
        say(me=person(await tg.get_me()), password=True)
    await tg.disconnect()


async def file():
    tg = await connected(SQLiteSession(told["path"]))
    me = await tg.get_me()
    await tg.disconnect()
    rows = sqlite3.connect(told["path"]).execute(
        "select dc_id, server_address, port, length(auth_key) from sessions"
    )
    say(me=person(me), rows=rows.fetchall())


async def refusals():
    tg = await connected()
    found = {}
    for phone in told["phones"]:
        try:
            sent = await tg.send_code_request(phone)
            await tg.sign_in(phone, "12345", phone_code_hash=sent.phone_code_hash)
            found[phone] = None
        except errors.FloodWaitError as error:
            found[phone] = f"{type(error).__name__} {error.seconds}"
        except errors.RPCError as error:
            found[phone] = type(error).__name__
    say(found=found)
    await tg.disconnect()


async def channels():
    tg = await connected()
    dialogs = [
        [dialog.entity.id, dialog.entity.title, dialog.entity.username, dialog.entity.megagroup]
        async for dialog in tg.iter_dialogs()
    ]
    channel = await tg.get_entity(told["channel"])
    full = await tg(functions.channels.GetFullChannelRequest(channel))
    messages = [message async for message in tg.iter_messages(channel)]
    say(
        dialogs=dialogs,
        about=full.full_chat.about,
        descending=[message.id for message in messages],
        ascending=[message.id async for message in tg.iter_messages(channel, reverse=True)],
        texts={message.id: message.raw_text for message in messages if message.raw_text},
    )
    await tg.disconnect()


async def whoami():
    try:
        tg = await connected()
        users = await tg(functions.users.GetUsersRequest([types.InputUserSelf()]))
        say(me=len(users) == 1)
    except errors.RPCError as error:
        say(error=type(error).__name__)
    except (ConnectionError, errors.AuthKeyNotFound) as error:
        say(error=type(error).__name__)


asyncio.run(globals()[told["scenario"]]())
