# Answers, one JSON line each, what the vault asks Python's cryptography.
import base64, hashlib, hmac, json, sys
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id


def multi(line):
    return MultiFernet([Fernet(key) for key in line.split(",")])


def seal(ask):
    token = Fernet(ask["key"]).encrypt_at_time(base64.b64decode(ask["data"]), ask["time"])
    return {"token": token.decode()}


def open_(ask):
    data = multi(ask["key"]).decrypt(ask["token"])
    raw = base64.urlsafe_b64decode(ask["key"].split(",")[0])
    mac_key = hmac.digest(raw, b"gleaner-mac:v1", "sha256")
    return {
        "data": base64.b64encode(data).decode(),
        "time": Fernet(ask["key"].split(",")[0]).extract_timestamp(ask["token"]),
        "kid": hashlib.sha256(b"gleaner-kid\0" + raw).hexdigest()[:8],
        "mac": hmac.digest(mac_key, ask["binding"].encode() + b"\0" + data, "sha256").hex(),
    }


def rotate(ask):
    return {"token": multi(ask["key"]).rotate(ask["token"]).decode()}


def recover(ask):
    file = json.loads(ask["file"])
    kdf = file["kdf"]
    key = Argon2id(salt=base64.urlsafe_b64decode(kdf["salt"]), length=32, iterations=kdf["passes"],
                   lanes=kdf["lanes"], memory_cost=kdf["memory_kib"]).derive(ask["passphrase"].encode())
    return {"keys": Fernet(base64.urlsafe_b64encode(key)).decrypt(file["token"]).decode()}


DOES = {"seal": seal, "open": open_, "rotate": rotate, "recover": recover}
for line in sys.stdin:
    ask = json.loads(line)
    try:
        answer = DOES[ask["do"]](ask)
    except InvalidToken:
        answer = {"error": "InvalidToken"}
    print(json.dumps(answer), flush=True)
