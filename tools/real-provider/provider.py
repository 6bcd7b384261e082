# SPDX-License-Identifier: Apache-2.0
"""What the scripts here share: a small HTTP client, keys by openssl, and how an instance is found
and stopped. Python 3 standard library only."""
import base64
import http.client
import json
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import time
import urllib.parse

CONFIGURATION = "glewlwyd.conf"
DESCRIPTION = "provider.json"


class Browser:
    """An HTTP client that keeps cookies and never follows a redirect by itself."""

    def __init__(self, ca=None):
        self.cookies = {}
        self.context = ssl.create_default_context(cafile=ca) if ca else None

    def _connection(self, url):
        if url.scheme == "https":
            return http.client.HTTPSConnection(
                url.hostname, url.port or 443, timeout=30, context=self.context)
        return http.client.HTTPConnection(url.hostname, url.port or 80, timeout=30)

    def request(self, method, url, body=None, accept="application/json"):
        """Sends one request; a body is sent as JSON."""
        parts = urllib.parse.urlsplit(url)
        target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
        headers = {"Accept": accept, "Connection": "close"}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        payload = None
        if body is not None:
            payload = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        connection = self._connection(parts)
        try:
            connection.request(method, target, payload, headers)
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
        finally:
            connection.close()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, separator, value = cookie.split(";", 1)[0].partition("=")
            if separator:
                self.cookies[name.strip()] = value.strip()
        return Response(answer.status, answer.headers, text)


class Response:
    def __init__(self, status, headers, text):
        self.status, self.headers, self.text = status, headers, text

    def json(self):
        return json.loads(self.text)


class Administrator:
    """Speaks the administration API of an instance."""

    def __init__(self, description):
        self.base = description["address"] + "/api/"
        self.browser = Browser(description["ca"])
        self.call("POST", "auth/", description["administrator"])

    def call(self, method, path, body=None):
        answer = self.browser.request(method, self.base + path, body)
        if answer.status != 200:
            raise SystemExit(f"{method} /api/{path}: status {answer.status}: {answer.text}")
        return answer


def describe(directory):
    """The description of a running instance."""
    with open(os.path.join(directory, DESCRIPTION)) as source:
        return json.load(source)


def write_private(path, text):
    """Writes a file that only its owner can read."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)


def free_port(asked=0):
    """The port that was asked for, or a random one below those of outgoing connections; refused
    when something listens there already."""
    for port in [asked] if asked else random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
    raise SystemExit(f"port {asked or 'after port'} is taken")


def stop(directory, remove=False):
    """Stops the instance in a directory, if it runs, and waits for its end."""
    directory = os.path.abspath(directory)
    path = os.path.join(directory, "pid")
    try:
        with open(path) as source:
            pid = int(source.read())
        with open(f"/proc/{pid}/cmdline") as source:
            # The number may belong to another process by now; ours names our configuration.
            ours = os.path.join(directory, CONFIGURATION) in source.read()
    except (OSError, ValueError):
        ours = False
    if ours:
        os.kill(pid, signal.SIGTERM)
        if not _ended(pid, seconds=5):
            os.kill(pid, signal.SIGKILL)
            _ended(pid, seconds=5)
    if os.path.exists(path):
        os.remove(path)
    if remove:
        shutil.rmtree(directory, ignore_errors=True)


def _ended(pid, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            pass
        try:
            with open(f"/proc/{pid}/stat") as source:
                if source.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


# Keys


def openssl(*arguments):
    done = subprocess.run(["openssl", *arguments], capture_output=True)
    if done.returncode:
        raise SystemExit(f"openssl {arguments[0]}: {done.stderr.decode()}")
    return done.stdout


def make_signing_key(key_id):
    """A new RSA key of 2048 bits as a private JSON Web Key."""
    pem = openssl("genrsa", "-traditional", "2048").decode()
    body = "".join(line for line in pem.splitlines() if not line.startswith("-"))
    numbers = _integers(base64.b64decode(body))[1:]  # behind the version
    names = ("n", "e", "d", "p", "q", "dp", "dq", "qi")
    key = {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": key_id}
    key.update((name, _base64url(number)) for name, number in zip(names, numbers))
    return key


def _integers(der):
    """The integers of one DER sequence, as bytes."""
    _, start, end = _element(der, 0)
    found = []
    while start < end:
        _, first, start = _element(der, start)
        found.append(der[first:start])
    return found


def _element(der, at):
    """Tag, start and end of the content of the element that begins there."""
    tag, length, at = der[at], der[at + 1], at + 2
    if length & 0x80:
        size = length & 0x7F
        length, at = int.from_bytes(der[at:at + size], "big"), at + size
    return tag, at, at + length


def _base64url(number):
    return base64.urlsafe_b64encode(number.lstrip(b"\0")).rstrip(b"=").decode()
