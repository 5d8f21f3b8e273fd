"""What a program with bandwidth-sdk does: a username and a password with each request, or tokens by OAuth 2.0."""

import json
import os

from bandwidth import ApiClient, Configuration

BASE = os.environ["ISSUER"]


def call(scheme, **credentials):
    configuration = Configuration(host=BASE, access_token_url=f"{BASE}/api/v1/oauth2/token", **credentials)
    with ApiClient(configuration) as client:
        request = client.param_serialize("GET", "/api/v1/me", auth_settings=[scheme], _host=BASE)
        response = client.call_api(*request)
        response.read()
        return response.status, json.loads(response.data)


name, password = os.environ["LOGIN_NAME"], os.environ["LOGIN_PASSWORD"]
status, who = call("Basic", username=name, password=password)
assert (status, who.get("username")) == (200, name), (status, who)
assert call("Basic", username=name, password="wrong")[0] == 401
assert call("Basic", username=name.upper(), password=password)[0] == 401

client_id, secret = os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"]
status, who = call("OAuth2", client_id=client_id, client_secret=secret)
assert (status, who.get("client_id")) == (200, client_id), (status, who)

print("all good")
