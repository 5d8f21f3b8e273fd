"""A Django site that is nothing but django-oauth-toolkit: its settings, its addresses and its WSGI application.

DATABASE names the SQLite file; SLOW_PASSWORDS=1 hashes passwords (and client secrets that are to be hashed) as Django does by itself.
There are no sessions, there is hardly any middleware and no log of requests, and a thread keeps its connection to the database:
nothing is slowed down on purpose.
"""
import hashlib
import logging
import os

import django
from django.conf import settings
from django.contrib.auth.hashers import BasePasswordHasher
from django.utils.crypto import constant_time_compare


class DigestHasher(BasePasswordHasher):
    """A salted SHA-256: enough for a generated password, and what Grantor does for an API user's."""

    algorithm = "digest"

    def encode(self, password, salt):
        return f"{self.algorithm}${salt}${hashlib.sha256((salt + password).encode()).hexdigest()}"

    def verify(self, password, encoded):
        return constant_time_compare(encoded, self.encode(password, encoded.split("$")[1]))

    def harden_runtime(self, password, encoded):
        pass


def with_length(get_response):
    """All that is wanted of Django's CommonMiddleware: without a Content-Length gunicorn sends chunks."""

    def middleware(request):
        response = get_response(request)
        response.headers["Content-Length"] = str(len(response.content))
        return response

    return middleware


# A line for each use of the password grant, to say that it is discouraged.
logging.disable(logging.WARNING)
settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    # Signs nothing here: there are no sessions and no forms.
    SECRET_KEY="a-secret-of-the-benchmark-0123456789abcdef-0123456789abcdef",
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "oauth2_provider"],
    MIDDLEWARE=[f"{__name__}.with_length"],
    LOGGING_CONFIG=None,
    USE_TZ=True,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ["DATABASE"],
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL",
                # Without it two threads that read before they write can only fail.
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
            },
        }
    },
    PASSWORD_HASHERS=["django.contrib.auth.hashers.PBKDF2PasswordHasher" if os.environ.get("SLOW_PASSWORDS") else f"{__name__}.DigestHasher"],
    OAUTH2_PROVIDER={"SCOPES": {"api": "api"}, "ACCESS_TOKEN_EXPIRE_SECONDS": 3600, "REFRESH_TOKEN_EXPIRE_SECONDS": 14 * 86400},
)
django.setup()

# What follows may only be imported now.
from django.core.wsgi import get_wsgi_application  # noqa: E402
from oauth2_provider.urls import base_urlpatterns, metadata_urlpatterns  # noqa: E402
from django.urls import include, path  # noqa: E402

urlpatterns = [path("", include((metadata_urlpatterns + base_urlpatterns, "oauth2_provider")))]
application = get_wsgi_application()
