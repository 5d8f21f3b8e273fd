"""An API that checks Grantor's access tokens offline: no call to Grantor but for its public keys.

pip install -r requirements.txt
ISSUER=http://127.0.0.1:8080 AUDIENCE=http://127.0.0.1:8080 PORT=9000 python3 server.py

With CLIENT_ID and CLIENT_SECRET of a client that may introspect, it also keeps a copy of what was revoked, two seconds
old at most, and refuses a revoked token before its time is over.
"""

import json
import os
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ISSUER, AUDIENCE, PORT = os.environ["ISSUER"], os.environ["AUDIENCE"], int(os.environ["PORT"])
ALGORITHMS = ["ES256", "RS256", "PS256", "EdDSA"]
RULES = jwt.JWTClaimsRegistry(
    leeway=5,  # seconds that the two clocks may differ
    iss={"essential": True, "value": ISSUER},
    aud={"essential": True, "value": AUDIENCE},
    exp={"essential": True},
    sub={"essential": True},
)


class Keys:
    """A copy of the public keys, at most a minute old. An unknown key id fetches it anew, but not for every bad token."""

    def __init__(self):
        self.lock, self.keys, self.read_at = threading.Lock(), {}, float("-inf")

    def find(self, kid):
        with self.lock:
            if time.monotonic() - self.read_at > (60 if kid in self.keys else 10):
                with urllib.request.urlopen(f"{ISSUER}/.well-known/jwks.json", timeout=5) as answer:
                    self.keys = {key.kid: key for key in KeySet.import_key_set(json.load(answer)).keys}
                self.read_at = time.monotonic()
            return self.keys.get(kid)


class Revocations:
    """A copy of what ended tokens early. Without it for half a minute nothing is taken: a token may have been revoked."""

    NOTHING = {"tokens": set(), "families": set(), "clients": {}, "users": {}, "organizations": {}}

    def __init__(self, client_id, client_secret):
        self.headers = {"Client-ID": client_id, "Client-Secret": client_secret}
        self.known, self.read_at = self.NOTHING, float("-inf")
        threading.Thread(target=self.follow, daemon=True).start()

    def follow(self):
        change, whole_at = None, float("-inf")
        while True:
            # No token lives longer than a day: what was told before may be forgotten.
            whole = change is None or time.monotonic() - whole_at > 86_400
            address = f"{ISSUER}/api/v1/revocations" + ("" if whole else f"?since={change}")
            try:
                with urllib.request.urlopen(urllib.request.Request(address, headers=self.headers), timeout=5) as answer:
                    told = json.load(answer)
                before = self.NOTHING if told["complete"] else self.known
                after = {name: before[name] | set(told[name]) for name in ("tokens", "families")}
                after |= {kind: before[kind] | raised for kind, raised in told["epochs"].items()}
                self.known, self.read_at, change = after, time.monotonic(), told["change"]
                whole_at = time.monotonic() if told["complete"] else whole_at
            except Exception as error:  # whatever it is, the next second may be better
                print(f"what was revoked is not known: {error!r}", flush=True)
            time.sleep(1)

    def refuse(self, claims):
        if time.monotonic() - self.read_at > 30:
            return True
        known = self.known
        client, user, organization = (int(number) for number in claims["epoch"].split("."))
        return (
            claims["jti"] in known["tokens"]
            or claims.get("sid") in known["families"]
            or client < known["clients"].get(claims["client_id"], 0)
            or user < known["users"].get(claims["sub"], 0)
            or organization < known["organizations"].get(claims.get("org"), 0)
        )


KEYS = Keys()
CLIENT = os.environ.get("CLIENT_ID"), os.environ.get("CLIENT_SECRET")
REVOCATIONS = Revocations(*CLIENT) if all(CLIENT) else None


def check(token):
    """The claims of a good token, or None."""
    try:
        header = jws.extract_compact(token.encode()).headers()
        # RFC 9068: an ID token is signed by the same keys, and must not open an API.
        if header.get("typ") != "at+jwt" or not (key := KEYS.find(header.get("kid"))):
            return None
        claims = jwt.decode(token, key, algorithms=ALGORITHMS).claims
        RULES.validate(claims)
        return None if REVOCATIONS and REVOCATIONS.refuse(claims) else claims
    except (JoseError, ValueError, OSError, KeyError) as error:
        print(f"refused: {error}", flush=True)
        return None


class Orders(BaseHTTPRequestHandler):
    def do_GET(self):
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        claims = check(token) if scheme.lower() == "bearer" else None
        if self.path != "/orders":
            self.answer(404)
        elif claims is None:
            self.answer(401, {"WWW-Authenticate": "Bearer"})
        else:
            body = json.dumps({"sub": claims["sub"], "scope": claims.get("scope", "")}).encode()
            self.answer(200, {"Content-Type": "application/json"}, body)

    def answer(self, status, headers=(), body=b""):
        self.send_response(status)
        for name, value in {**dict(headers), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", PORT), Orders).serve_forever()
