"""What programs with pyakeneo and akeneo-api-client do, unmodified: they sign in, call, and renew their tokens."""

import os

import requests
from akeneo_api_client.client.akeneo_api_error import AkeneoApiError
from akeneo_api_client.client_builder import ClientBuilder
from pyakeneo.client import Client

BASE = os.environ["ISSUER"]
CLIENT_ID, SECRET, USERNAME, PASSWORD = (
    os.environ[name] for name in ("CLIENT_ID", "CLIENT_SECRET", "LOGIN_NAME", "LOGIN_PASSWORD")
)

# pyakeneo
client = Client(BASE, CLIENT_ID, SECRET, USERNAME, PASSWORD)
session = client._session
assert session.get(f"{BASE}/api/v1/me").json()["username"] == USERNAME
before = session.auth._refresh_token
# As if an hour had passed: the client renews its tokens by itself.
session.auth._expiry_date = 1
assert session.get(f"{BASE}/api/v1/me").json()["username"] == USERNAME
assert session.auth._refresh_token not in (None, before)
try:
    Client(BASE, CLIENT_ID, SECRET, USERNAME, "wrong")._session.get(f"{BASE}/api/v1/me")
except requests.HTTPError as error:
    assert error.response.status_code == 422 and error.response.json()["code"] == 422, error.response.text
else:
    raise AssertionError("a wrong password is not refused")

# akeneo-api-client
client = ClientBuilder(BASE).build_authenticated_by_password(USERNAME, PASSWORD, CLIENT_ID, SECRET)


def me():
    return client.channel_api.resource_client.get_resource("api/v1/me", []).json()


assert me()["username"] == USERNAME
before = client.authentication.refresh_token
# A token that is refused makes it renew its tokens and ask again.
client.authentication.access_token = "expired"
assert me()["username"] == USERNAME
assert client.authentication.refresh_token != before
try:
    ClientBuilder(BASE).build_authenticated_by_password(USERNAME, "wrong", CLIENT_ID, SECRET).channel_api.get("x")
except AkeneoApiError as error:
    assert error.response.status_code == 422, error.response.text
else:
    raise AssertionError("a wrong password is not refused")

print("all good")
