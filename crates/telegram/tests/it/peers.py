"""Session files and strings by the programs themselves: `peers.py make FOLDER KEY` and `peers.py open FOLDER`."""

import asyncio
import json
import os
import sqlite3
import sys
from pathlib import Path

from pyrogram.storage.sqlite_storage import SQLiteStorage
from telethon.crypto import AuthKey
from telethon.sessions import SQLiteSession, StringSession


def telethon(session, address, port, key):
    session.set_dc(2, address, port)
    session.auth_key = AuthKey(key)
    session.save()
    return session


async def kurigram(folder, name, key, **options):
    storage = SQLiteStorage(name, folder, **options)
    await storage.open()
    await storage.dc_id(2)
    await storage.server_address("127.0.0.1")
    await storage.port(4430)
    await storage.api_id(12345)
    await storage.test_mode(False)
    await storage.auth_key(key)
    await storage.user_id(6_000_000_000)
    await storage.is_bot(False)
    await storage.update_peers([(-1001234567890, 42, "channel", None)])
    await storage.save()
    return storage


async def make(folder, key):
    telethon(SQLiteSession(str(folder / "telethon")), "127.0.0.1", 4430, key).close()
    telethon(SQLiteSession(str(folder / "telethon6")), "2001:67c:4e8:f002::a", 443, key).close()
    SQLiteSession(str(folder / "fresh")).close()
    closed = await kurigram(folder, "kurigram", key)
    strings = {
        "telethon": telethon(StringSession(), "127.0.0.1", 4430, key).save(),
        "telethon6": telethon(StringSession(), "2001:67c:4e8:f002::a", 443, key).save(),
        "kurigram": await closed.export_session_string(),
    }
    await closed.close()
    await SQLiteStorage("kurigram-fresh", folder).open()
    (folder / "strings.json").write_text(json.dumps(strings))
    # Two programs that are killed: one with everything in its log, one half way through a change.
    still_open = await kurigram(folder, "kurigram-wal", key, use_wal=True)
    killed = telethon(SQLiteSession(str(folder / "killed")), "127.0.0.1", 4430, key)
    killed._conn.execute("pragma cache_size = 5")
    killed.auth_key = AuthKey(os.urandom(256))
    rows = [(i, i, f"user{i}", None, "Somebody", None) for i in range(20_000)]
    killed._conn.executemany("insert into entities values (?, ?, ?, ?, ?, ?)", rows)
    assert still_open
    os._exit(0)


def open_exported(folder):
    found = {"string": StringSession((folder / "exported.txt").read_text())}
    found["file"] = SQLiteSession(str(folder / "exported"))
    found["version"] = sqlite3.connect(folder / "exported.session").execute("select version from version").fetchone()[0]
    for name in ("string", "file"):
        session = found[name]
        found[name] = [session.dc_id, session.server_address, session.port, session.auth_key.key.hex()]
    print(json.dumps(found))


if __name__ == "__main__":
    what, folder = sys.argv[1], Path(sys.argv[2])
    if what == "make":
        asyncio.run(make(folder, bytes.fromhex(sys.argv[3])))
    else:
        open_exported(folder)
