# SPDX-License-Identifier: Apache-2.0
"""Runs Canaille as `canaille-up` configured it, by the Python of the environment that it is
installed in, until a signal ends it.

    canaille_server.py CONFIGURATION
"""
import datetime
import json
import os
import sys

from canaille import create_app
from canaille.app import models
from werkzeug.serving import WSGIRequestHandler, make_server


class SilentHandler(WSGIRequestHandler):
    """Writes no requests down."""

    def log(self, *_):
        pass


def add_user(backend, user):
    backend.save(models.User(
        user_name=user["username"], password=user["password"], formatted_name="Alice Archer",
        given_name="Alice", family_name="Archer", emails=["alice@example.com"]))


def add_client(backend, client, key):
    entry = models.Client(
        client_id=client["clientID"], client_name=client["clientID"],
        client_secret=client.get("secret"), redirect_uris=client["redirectURIs"],
        client_id_issued_at=datetime.datetime.now(datetime.timezone.utc),
        token_endpoint_auth_method=client["method"], grant_types=["authorization_code"],
        response_types=["code"], scope=["openid"],
        id_token_signed_response_alg=client.get("idTokenAlgorithm", "RS256"),
        jwks=json.dumps({"keys": [key]}) if key else None)
    # Its tokens have no audience unless the client is one.
    entry.audience = [entry]
    backend.save(entry)


def main():
    with open(sys.argv[1]) as source:
        settings = json.load(source)
    os.umask(0o077)
    app = create_app(settings["application"], init_backend=True)
    with app.app_context(), app.backend.session():
        add_user(app.backend, settings["user"])
        for name, client in settings["clients"].items():
            add_client(app.backend, client, settings["clientKeys"].get(name))
    make_server(
        "127.0.0.1", settings["port"], app, threaded=True, request_handler=SilentHandler,
    ).serve_forever()


main()
