# SPDX-License-Identifier: Apache-2.0
"""The clients of a provider: what they are told in its description, and the entries by which the
provider knows them."""
import os

from keys import certificate_body, make_key, public_key, subject_of

# Names that the packaged client module does not know by itself; it drops what it does not know.
PROPERTIES = (
    "authorization_encrypted_response_alg", "authorization_encrypted_response_enc",
    "authorization_signed_response_alg", "encrypt_id_token", "id_token_encryption_alg",
    "id_token_encryption_enc", "id_token_signing_alg", "sign_kid", "tls_client_auth_subject_dn")

_CODE = ["code", "refresh_token"]
_IMPLICIT = ["id_token", "token"]
_BACKCHANNEL = ["urn:openid:params:grant-type:ciba"]
_ENCRYPTION = {"alg": "RSA-OAEP", "enc": "A256CBC-HS512"}


class Clients:
    """Collects the clients: `told` for the description, `entries` for the provider."""

    def __init__(self, directory, redirect_uris):
        self.directory, self.redirect_uris = directory, redirect_uris
        self.told, self.entries = {}, []

    def add(self, name, method, kinds=_CODE, told=None, **properties):
        """Adds a client; one that authenticates with a secret gets it."""
        known = {"clientID": name, "method": method, "redirectURIs": self.redirect_uris}
        entry = {
            "client_id": name, "name": name, "enabled": True, "confidential": method != "none",
            "redirect_uri": self.redirect_uris, "authorization_type": kinds,
            "token_endpoint_auth_method": [method],
        }
        if method.startswith("client_secret_"):
            # Letters, digits and `-` only: Glewlwyd does not decode what Basic has to encode.
            known["secret"] = entry["client_secret"] = f"{name}-{os.urandom(16).hex()}"
        self.told[name] = dict(known, **(told or {}))
        self.entries.append(dict(entry, **properties))

    def add_secret_and_public(self):
        self.add("basic", "client_secret_basic")
        self.add("post", "client_secret_post")
        self.add("secret-jwt", "client_secret_jwt")
        self.add("public", "none")
        self.add("implicit", "none", _IMPLICIT)
        self.add("hybrid", "client_secret_basic", _CODE + _IMPLICIT)

    def add_algorithms(self, other_key):
        """Clients whose tokens or authorization responses have an algorithm of their own."""
        def add(name, **properties):
            self.add(name, "client_secret_basic", **properties)

        add("es256", id_token_signing_alg="ES256")
        add("ps256", sign_kid=other_key)
        # Signed with the key that is published for RS256.
        add("ps256-mislabelled", id_token_signing_alg="PS256")
        add("jarm-rs256", authorization_signed_response_alg="RS256")
        add("jarm-es256", authorization_signed_response_alg="ES256")
        add("jarm-ps256", sign_kid=other_key)
        add("jarm-ps256-mislabelled", authorization_signed_response_alg="PS256")

    def add_private_keys(self):
        for algorithm in ("RS256", "ES256"):
            name = "private-key-jwt-" + algorithm.lower()
            key, told = self._key(name, algorithm)
            self.add(name, "private_key_jwt", told=told, jwks={"keys": [public_key(key)]})

    def add_backchannel(self):
        """Clients that ask for logins without a redirect (CIBA) and poll for the tokens."""
        def add(name, method, **properties):
            self.add(name, method, _BACKCHANNEL, backchannel_token_delivery_mode="poll",
                     **properties)

        add("ciba", "client_secret_basic")
        name = "ciba-private-key-jwt"
        key, told = self._key(name, "ES256")
        add(name, "private_key_jwt", told=told, jwks={"keys": [public_key(key)]})

    def add_encrypted(self):
        """A client whose ID tokens and JARM responses are nested in JWE for its key."""
        key, told = self._key("encrypted", _ENCRYPTION["alg"])
        told = {"decryption": dict(told, encryption=_ENCRYPTION["enc"])}
        wanted = {
            f"{what}_{part}": value for part, value in _ENCRYPTION.items()
            for what in ("authorization_encrypted_response", "id_token_encryption")}
        self.add("encrypted", "client_secret_basic", told=told, encrypt_id_token="1",
                 jwks={"keys": [public_key(key)]}, **wanted)

    def add_certificates(self, authority):
        """Clients of mutual TLS: one known by its subject, one by its certificate."""
        told, _ = authority.issue(
            "tls", "/O=AuthLedger tests/CN=tls", "extendedKeyUsage=clientAuth")
        self.add("tls", "tls_client_auth", told=told,
                 tls_client_auth_subject_dn=subject_of(told["certificateFile"]))
        told, key = authority.self_signed(
            "tls-self-signed", "/O=AuthLedger tests/CN=tls-self-signed",
            "basicConstraints=critical,CA:FALSE", "extendedKeyUsage=clientAuth")
        key = dict(public_key(key), x5c=[certificate_body(told["certificateFile"])])
        self.add("tls-self-signed", "self_signed_tls_client_auth", told=told,
                 jwks={"keys": [key]})

    def _key(self, name, algorithm):
        path = os.path.join(self.directory, name + ".key")
        key = make_key(algorithm, name, path)
        return key, {"privateKeyFile": path, "keyID": name, "algorithm": algorithm}


def make_strangers(authority):
    """Certificates of nobody: one that the authority signed, one that is self-signed."""
    signed, _ = authority.issue(
        "stranger", "/O=AuthLedger tests/CN=stranger", "extendedKeyUsage=clientAuth")
    own, _ = authority.self_signed(
        "stranger-self-signed", "/O=AuthLedger tests/CN=tls-self-signed",
        "basicConstraints=critical,CA:FALSE", "extendedKeyUsage=clientAuth")
    return {"stranger": signed, "selfSignedStranger": own}
