#!/usr/bin/env python3
"""Debian's glewlwyd on loopback with SQLite in a folder of its own, configured through its admin API.

    serve.py --port PORT [--folder FOLDER] [--keep | --set-up-only]

Prints one line of JSON when it is ready (the process id of glewlwyd among it), then waits; SIGTERM or SIGINT ends both. With
--set-up-only it ends there and keeps the folder, and `glewlwyd -c FOLDER/glewlwyd.conf` starts the server on what it made.
Needs the packages glewlwyd, openssl and sqlite3. Two OpenID Connect plugins sign with ES256 (/api/es256) and RS256 (/api/rs256);
refresh tokens are for one use. The database file is put into WAL mode, which its own set-up does not do and which helps it.
"""
import argparse, gzip, json, pathlib, shutil, signal, subprocess, sys, tempfile, time, urllib.error, urllib.request

SCHEMA = pathlib.Path("/usr/share/doc/glewlwyd/database/init.sqlite3.sql.gz")
SECRET = "a-secret-of-the-benchmark-0123456789abcdef"
CONFIGURATION = """
port={port}
bind_address="127.0.0.1"
external_url="http://127.0.0.1:{port}"
login_url="login.html"
api_prefix="api"
static_files_path="{folder}/none"
log_mode="console"
log_level="ERROR"
cookie_domain="127.0.0.1"
cookie_secure=0
session_key="GLEWLWYD2_SESSION_ID"
admin_scope="g_admin"
profile_scope="g_profile"
user_module_path="/usr/lib/glewlwyd/user"
user_middleware_module_path="{folder}/none"
client_module_path="/usr/lib/glewlwyd/client"
user_auth_scheme_module_path="/usr/lib/glewlwyd/scheme"
plugin_module_path="/usr/lib/glewlwyd/plugin"
use_secure_connection=false
secure_connection_key_file="{folder}/none"
secure_connection_pem_file="{folder}/none"
secure_connection_ca_file="{folder}/none"
hash_algorithm="SHA512"
database = {{ type = "sqlite3"; path = "{folder}/glewlwyd.db"; }};
"""


def run(*command, stdin=None):
    return subprocess.run([str(part) for part in command], input=stdin, text=True, check=True, capture_output=True).stdout


class Admin:
    """A session of the built-in administrator."""

    def __init__(self, base):
        self.base, self.cookie = base, None

    def sign_in(self, wait=15):
        deadline = time.monotonic() + wait
        while True:
            try:
                answer = self.send("POST", "/auth/", {"username": "admin", "password": "password"})
                break
            except (urllib.error.URLError, ConnectionError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        self.cookie = answer.headers["Set-Cookie"].split(";")[0]

    def send(self, method, path, body=None):
        headers = {"Content-Type": "application/json"} | ({"Cookie": self.cookie} if self.cookie else {})
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, headers, method=method)
        try:
            return urllib.request.urlopen(request, timeout=20)
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read()[:500]!r}") from error


def keys(folder, algorithm):
    """A key pair in PEM: what one single signing key is given as."""
    private = folder / f"{algorithm}.pem"
    if algorithm == "es256":
        run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", private)
    else:
        run("openssl", "genrsa", "-out", private, "2048")
    return private.read_text(), run("openssl", "pkey", "-in", private, "-pubout")


def plugin(folder, port, algorithm):
    private, public = keys(folder, algorithm)
    return {
        "module": "oidc",
        "name": algorithm,
        "display_name": algorithm,
        "parameters": {
            "iss": f"http://127.0.0.1:{port}/api/{algorithm}",
            "jwt-type": "ecdsa" if algorithm == "es256" else "rsa",
            "jwt-key-size": "256",
            "key": private,
            "cert": public,
            "access-token-duration": 3600,
            "refresh-token-duration": 1209600,
            "code-duration": 600,
            "refresh-token-rolling": True,
            "refresh-token-one-use": "always",
            "allow-non-oidc": True,
            "auth-type-code-enabled": False,
            "auth-type-token-enabled": False,
            "auth-type-none-enabled": False,
            "auth-type-password-enabled": True,
            "auth-type-client-enabled": True,
            "auth-type-device-enabled": False,
            "auth-type-refresh-enabled": True,
            "subject-type": "public",
            "jwks-show": True,
            "introspection-revocation-allowed": True,
            "introspection-revocation-allow-target-client": True,
        },
    }


def configure(admin, folder, port):
    admin.sign_in()
    admin.send("POST", "/scope/", {"name": "api", "display_name": "api", "password_required": True, "password_max_age": 0, "scheme": {}})
    for algorithm in ("es256", "rs256"):
        admin.send("POST", "/mod/plugin/", plugin(folder, port, algorithm))
    admin.send("POST", "/client/", {
        "client_id": "bench",
        "name": "bench",
        "enabled": True,
        "confidential": True,
        # Kept as it is; a `password` would be hashed slowly and checked at every request.
        "client_secret": SECRET,
        "token_endpoint_auth_method": ["client_secret_basic"],
        "authorization_type": ["client_credentials", "password", "refresh_token"],
        "redirect_uri": [],
        "scope": ["api"],
    })
    admin.send("POST", "/user/", {"username": "bench-user", "name": "bench", "password": SECRET, "enabled": True, "scope": ["api"]})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=pathlib.Path, help="default: a temporary one")
    parser.add_argument("--keep", action="store_true", help="leave the folder when it ends")
    parser.add_argument("--set-up-only", action="store_true", help="end when everything is configured, and leave the folder")
    options = parser.parse_args()
    missing = [what for what in ("glewlwyd", "openssl", "sqlite3") if not shutil.which(what)]
    if missing or not SCHEMA.exists():
        sys.exit(f"not installed: {', '.join(missing) or SCHEMA}")

    # A signal must end glewlwyd too, so it becomes an exit that unwinds.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    folder = options.folder or pathlib.Path(tempfile.mkdtemp(prefix="bench-glewlwyd-"))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "none").mkdir(exist_ok=True)
    server = None
    try:
        with gzip.open(SCHEMA, "rt") as schema:
            run("sqlite3", folder / "glewlwyd.db", stdin="PRAGMA journal_mode=WAL;\n" + schema.read())
        (folder / "glewlwyd.conf").write_text(CONFIGURATION.format(port=options.port, folder=folder))
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(["glewlwyd", "-c", folder / "glewlwyd.conf"], stdout=log, stderr=log)
        configure(Admin(f"http://127.0.0.1:{options.port}/api"), folder, options.port)
        made = {"client_id": "bench", "secret": SECRET, "username": "bench-user", "password": SECRET, "scope": "api"}
        print(json.dumps({"pid": server.pid, "port": options.port} | made), flush=True)
        if not options.set_up_only:
            sys.exit(server.wait())
    finally:
        if server and server.poll() is None:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
        if not (options.keep or options.set_up_only):
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
