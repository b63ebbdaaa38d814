"""Kurigram, unmodified, against the simulated data centre: its key and address come from its file.

One argument: JSON with the scenario, the data centre, its address, the auth key and a folder.
"""

import asyncio
import base64
import json
import sqlite3
import sys
from pathlib import Path

from pyrogram import Client, errors
from pyrogram.storage import SQLiteStorage

told = json.loads(sys.argv[1])


def say(**facts):
    print(json.dumps(facts), flush=True)


async def written(user_id):
    """A session file as Kurigram itself writes it."""
    storage = SQLiteStorage("made", workdir=Path(told["folder"]))
    await storage.open()
    await storage.dc_id(told["dc_id"])
    await storage.server_address(told["host"])
    await storage.port(told["port"])
    await storage.api_id(1)
    await storage.test_mode(False)
    await storage.auth_key(base64.b64decode(told["auth_key"]))
    await storage.date(0)
    await storage.user_id(user_id)
    await storage.is_bot(False)
    await storage.save()
    await storage.close()


def client():
    return Client("made", api_id=1, api_hash="hash", workdir=told["folder"], no_updates=True, sleep_threshold=0)


async def code():
    await written(0)
    tg = client()
    await tg.connect()
    sent = await tg.send_code(told["phone"])
    try:
        await tg.sign_in(told["phone"], sent.phone_code_hash, "54321")
        wrong = None
    except errors.PhoneCodeInvalid as error:
        wrong = error.ID
    try:
        user = await tg.sign_in(told["phone"], sent.phone_code_hash, "12345")
        needed = None
    except errors.SessionPasswordNeeded as error:
        needed = error.ID
        user = await tg.check_password(told["password"])
    me = await tg.get_me()
    await tg.disconnect()
    row = sqlite3.connect(Path(told["folder"], "made.session")).execute(
        "select dc_id, server_address, port, length(auth_key), user_id from sessions"
    )
    say(wrong=wrong, needed=needed, user=user.id, me=me.first_name, row=row.fetchone())


async def file():
    await written(told["user_id"])
    async with client() as tg:
        me = await tg.get_me()
        say(me=me.id, phone=me.phone_number)


asyncio.run(globals()[told["scenario"]]())
