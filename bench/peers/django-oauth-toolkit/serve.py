#!/usr/bin/env python3
"""django-oauth-toolkit on loopback with SQLite in a folder of its own, served by gunicorn.

    .venv/bin/python serve.py --port PORT [--folder FOLDER] [--keep | --set-up-only] [--hash-client-secret] [--slow-passwords]

Prints one line of JSON when everything is set up (the process id of gunicorn among it), then waits; SIGTERM or SIGINT ends both.
With --set-up-only it ends there and keeps the folder; `command` and `environment` of that line start the server on what it made.
Client secrets are kept as they are, unlike the toolkit's default, which checks one as slowly as a password at every request; and the
user's password, a generated one, is kept as a plain digest. The database is in WAL mode and synced at checkpoints only. All of that
helps it.
"""
import argparse, json, os, pathlib, shutil, signal, subprocess, sys, tempfile

HERE = pathlib.Path(__file__).resolve().parent
SECRET = "a-secret-of-the-benchmark-0123456789abcdef"
USERNAME, PASSWORD = "bench-user", "a-generated-password-of-the-benchmark-0123456789abcdef"


def set_up(hash_client_secret):
    """The tables, a client for each of the two grants (an application has one), and a user."""
    sys.path.insert(0, str(HERE))
    import bench_site  # noqa: F401  configures Django
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from oauth2_provider.models import get_application_model

    call_command("migrate", verbosity=0)
    kinds = get_application_model()
    for client_id, grant in (("bench", kinds.GRANT_CLIENT_CREDENTIALS), ("bench-users", kinds.GRANT_PASSWORD)):
        kinds.objects.create(client_id=client_id, client_secret=SECRET, hash_client_secret=hash_client_secret, client_type=kinds.CLIENT_CONFIDENTIAL,
                             authorization_grant_type=grant, name=client_id)
    get_user_model().objects.create_user(USERNAME, password=PASSWORD)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=pathlib.Path, help="default: a temporary one")
    parser.add_argument("--keep", action="store_true", help="leave the folder when it ends")
    parser.add_argument("--set-up-only", action="store_true", help="end when everything is set up, and leave the folder")
    parser.add_argument("--hash-client-secret", action="store_true", help="as the toolkit does by itself: a few answers per second")
    parser.add_argument("--slow-passwords", action="store_true", help="as Django does by itself: PBKDF2, for a person's password")
    options = parser.parse_args()

    # A signal must end gunicorn too, so it becomes an exit that unwinds.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    folder = (options.folder or pathlib.Path(tempfile.mkdtemp(prefix="bench-django-"))).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    environment = {"DATABASE": str(folder / "django.db")} | ({"SLOW_PASSWORDS": "1"} if options.slow_passwords or options.hash_client_secret else {})
    # Nothing else was quicker on one core; the sync worker closes every connection, and more threads only wait for each other.
    command = [sys.executable, "-m", "gunicorn", "--chdir", str(HERE), "--bind", f"127.0.0.1:{options.port}", "--workers", "1", "--worker-class", "gthread", "--threads", "2",
               "--keep-alive", "120", "--graceful-timeout", "2", "--no-control-socket", "--log-level", "error", "bench_site:application"]
    server = None
    try:
        os.environ.update(environment)
        set_up(options.hash_client_secret)
        made = {"client": f"bench:{SECRET}", "client_for_users": f"bench-users:{SECRET}", "username": USERNAME, "password": PASSWORD,
                "environment": environment, "command": command}
        if options.set_up_only:
            print(json.dumps(made))
            return
        server = subprocess.Popen(command)
        print(json.dumps({"pid": server.pid, "port": options.port} | made), flush=True)
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
