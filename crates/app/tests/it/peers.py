"""Telethon and Kurigram, unmodified, at a simulated data centre: they log in, and open what is given out.

One argument: JSON with the scenario and what it needs. Every line on stdout is JSON; a program that
`stays` waits for a line on stdin, with its file open and changes in it that are not committed.
"""

import asyncio
import json
import sqlite3
import sys
from pathlib import Path

from pyrogram import Client
from pyrogram.storage import SQLiteStorage
from telethon import TelegramClient, types
from telethon.crypto import AuthKey
from telethon.sessions import SQLiteSession, StringSession

told = json.loads(sys.argv[1])


def say(**facts):
    print(json.dumps(facts), flush=True)


async def sign():
    await asyncio.to_thread(sys.stdin.readline)


def telethon(session):
    return TelegramClient(session, 1, "hash", connection_retries=1, request_retries=1, flood_sleep_threshold=0)


async def telethon_logs_in():
    session = SQLiteSession(told["path"])
    session.set_dc(told["dc_id"], told["host"], told["port"])
    session.auth_key = AuthKey(bytes.fromhex(told["auth_key"]))
    session.save()
    tg = telethon(session)
    await tg.connect()
    sent = await tg.send_code_request(told["phone"])
    await tg.sign_in(told["phone"], "12345", phone_code_hash=sent.phone_code_hash)
    me = await tg.get_me()
    if not told["stays"]:
        await tg.disconnect()
        say(me=me.id)
        return
    # More people than fit into the cache: SQLite must begin to write before anything is committed.
    session._conn.execute("pragma cache_size = 5")
    people = [types.User(id=9_000_000 + i, access_hash=i, first_name=f"Somebody {i}") for i in range(20_000)]
    session.process_entities(people)
    say(me=me.id)
    await sign()
    still = await tg.get_me()
    await tg.disconnect()
    say(me=still.id)


async def opened(session):
    tg = telethon(session)
    await tg.connect()
    me = await tg.get_me()
    authorised = await tg.is_user_authorized()
    await tg.disconnect()
    return {"me": me and me.id, "phone": me and me.phone, "authorised": authorised}


async def telethon_opens():
    file = await opened(SQLiteSession(told["path"]))
    string = await opened(StringSession(told["string"]))
    version = sqlite3.connect(told["path"]).execute("select version from version").fetchone()[0]
    again = StringSession.save(SQLiteSession(told["path"]))
    say(file=file, string=string, version=version, same=again == told["string"])


def storage():
    path = Path(told["path"])
    return SQLiteStorage(path.stem, path.parent, use_wal=told["stays"])


async def kurigram_logs_in():
    fresh = storage()
    await fresh.open()
    await fresh.dc_id(told["dc_id"])
    await fresh.server_address(told["host"])
    await fresh.port(told["port"])
    await fresh.api_id(1)
    await fresh.test_mode(False)
    await fresh.auth_key(bytes.fromhex(told["auth_key"]))
    await fresh.date(0)
    await fresh.user_id(0)
    await fresh.is_bot(False)
    await fresh.save()
    await fresh.close()
    tg = Client("kurigram", api_id=1, api_hash="hash", storage_engine=storage(), no_updates=True, sleep_threshold=0)
    await tg.connect()
    sent = await tg.send_code(told["phone"])
    await tg.sign_in(told["phone"], sent.phone_code_hash, "12345")
    me = await tg.get_me()
    if not told["stays"]:
        await tg.disconnect()
        say(me=me.id)
        return
    await tg.storage.save()
    say(me=me.id)
    await sign()
    still = await tg.get_me()
    await tg.disconnect()
    say(me=still.id)


asyncio.run(globals()[told["scenario"]]())
