"""What a program with python-keycloak does, unmodified: the grants at Keycloak's path of the token endpoint."""

import os

from keycloak import KeycloakOpenID
from keycloak.exceptions import KeycloakAuthenticationError, KeycloakError

BASE, USERNAME, PASSWORD = (os.environ[name] for name in ("ISSUER", "LOGIN_NAME", "LOGIN_PASSWORD"))

client = KeycloakOpenID(
    server_url=BASE,
    realm_name="any",
    client_id=os.environ["CLIENT_ID"],
    client_secret_key=os.environ["CLIENT_SECRET"],
)
first = client.token(USERNAME, PASSWORD)
assert first["token_type"] == "Bearer" and first["expires_in"] == 3600 and first["id_token"], first.keys()
second = client.refresh_token(first["refresh_token"])
assert second["refresh_token"] != first["refresh_token"] and second["access_token"] != first["access_token"]
own = client.token(grant_type="client_credentials")
assert "refresh_token" not in own
for arguments in ((USERNAME, "wrong"), ("nobody", PASSWORD)):
    try:
        client.token(*arguments)
    except (KeycloakAuthenticationError, KeycloakError) as error:
        assert b"invalid_grant" in error.response_body, error
    else:
        raise AssertionError("not refused")

print("all good")
