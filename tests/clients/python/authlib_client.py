"""What a program with Authlib does with a Grantor: tokens, refresh, introspection, revocation."""

import os

from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session

ISSUER, LOGIN_NAME, LOGIN_PASSWORD = (os.environ[name] for name in ("ISSUER", "LOGIN_NAME", "LOGIN_PASSWORD"))
TOKEN, INTROSPECT, REVOKE = (f"{ISSUER}/oauth/{path}" for path in ("token", "introspect", "revoke"))


def refused(expected, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except OAuthError as error:
        assert error.error == expected, error
    else:
        raise AssertionError(f"not refused: {expected}")


for method in ("client_secret_basic", "client_secret_post"):
    client = (os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
    session = OAuth2Session(*client, token_endpoint_auth_method=method)

    def active(token):
        return session.introspect_token(INTROSPECT, token=token).json()["active"]

    own = session.fetch_token(TOKEN, grant_type="client_credentials", scope="orders:read")
    assert own["token_type"] == "Bearer" and own["scope"] == "orders:read" and "refresh_token" not in own

    tokens = session.fetch_token(TOKEN, grant_type="password", username=LOGIN_NAME, password=LOGIN_PASSWORD)
    refused("invalid_grant", session.fetch_token, TOKEN, grant_type="password", username=LOGIN_NAME, password="no")

    successor = session.refresh_token(TOKEN, refresh_token=tokens["refresh_token"])
    assert successor["refresh_token"] != tokens["refresh_token"]
    assert session.get(f"{ISSUER}/api/v1/me", withhold_token=False).json()["username"] == LOGIN_NAME

    assert active(successor["access_token"]) and active(own["access_token"])
    for dying in (successor["refresh_token"], own["access_token"]):
        assert session.revoke_token(REVOKE, token=dying).status_code == 200
    assert not active(successor["access_token"]) and not active(own["access_token"])
    refused("invalid_grant", session.refresh_token, TOKEN, refresh_token=successor["refresh_token"])

print("all good")
