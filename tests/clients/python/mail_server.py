"""A real SMTP server (aiosmtpd) that writes each message it takes as a line of JSON.

PORT and FOLDER come from the environment. FOLDER/messages gets the lines, FOLDER/begun one line as each message arrives.
While FOLDER/answer is there, its text is the answer instead; FOLDER/delay holds seconds to wait before the answer. With CERTIFICATE and
KEY it offers STARTTLS, and takes mail only after it and after LOGIN_NAME has given LOGIN_PASSWORD.
"""

import asyncio
import email
import email.policy
import json
import os
import pathlib
import ssl
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

folder = pathlib.Path(os.environ["FOLDER"])


def append(name, text):
    with open(folder / name, "a", encoding="utf-8") as file:
        file.write(text + "\n")


class Handler:
    async def handle_DATA(self, server, session, envelope):
        append("begun", "1")
        if (folder / "delay").exists():
            await asyncio.sleep(float((folder / "delay").read_text()))
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        text = message.get_body(("plain",)).get_content().replace("\r\n", "\n")
        if (folder / "answer").exists():
            return (folder / "answer").read_text().replace("LINK", text.split("    ")[-1].split()[0])
        append("messages", json.dumps({
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "headers": [[name.lower(), str(value)] for name, value in message.items()],
            "text": text,
            "tls": session.ssl is not None,
            "authenticated": bool(session.authenticated),
        }))
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    wanted = (os.environ["LOGIN_NAME"].encode(), os.environ["LOGIN_PASSWORD"].encode())
    return AuthResult(success=(data.login, data.password) == wanted)


further = {}
if "CERTIFICATE" in os.environ:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.environ["CERTIFICATE"], os.environ["KEY"])
    further = {
        "tls_context": context,
        "require_starttls": True,
        "auth_required": True,
        "authenticator": authenticate,
    }

Controller(Handler(), hostname="127.0.0.1", port=int(os.environ["PORT"]), **further).start()
append("ready", "1")
threading.Event().wait()
