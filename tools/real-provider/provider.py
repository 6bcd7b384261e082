# SPDX-License-Identifier: Apache-2.0
"""What the scripts here share: a small HTTP client, and how an instance is found and stopped.
Python 3 standard library only."""
import html.parser
import http.client
import json
import os
import shutil
import signal
import ssl
import time
import urllib.parse

# By its configuration among the arguments of a process an instance is known.
CONFIGURATION = "provider.conf"
DESCRIPTION = "provider.json"


class Browser:
    """An HTTP client that keeps cookies and never follows a redirect by itself. `host` is the
    name that servers are asked under, if another than that of the URL."""

    def __init__(self, ca=None, host=None):
        self.cookies, self.host = {}, host
        self.context = ssl.create_default_context(cafile=ca) if ca else None

    def _connection(self, url):
        if url.scheme == "https":
            return http.client.HTTPSConnection(
                url.hostname, url.port or 443, timeout=30, context=self.context)
        return http.client.HTTPConnection(url.hostname, url.port or 80, timeout=30)

    def request(self, method, url, body=None, form=None, accept="application/json"):
        """Sends one request; a body is sent as JSON, a form is one that is encoded already."""
        parts = urllib.parse.urlsplit(url)
        target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
        headers = {"Accept": accept, "Connection": "close"}
        if self.host:
            headers["Host"] = self.host
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        payload = None
        if body is not None:
            payload = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        if form is not None:
            payload = form.encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
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

    def form(self):
        """The first form of a page, or nothing."""
        parser = _FormParser()
        parser.feed(self.text)
        return parser.form


class Form:
    """A form of a page: the fields that have a name."""

    def __init__(self, action):
        self.action, self.fields = action, []

    def encoded(self, typed={}):
        """What a browser sends when the user typed this, or nothing, and submits the form."""
        sent = [(name, typed.get(name, value)) for name, value in self.fields]
        # Of several buttons of one name the user chooses one.
        return urllib.parse.urlencode(list(dict.fromkeys(sent)))


class _FormParser(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.form = None

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form" and self.form is None:
            self.form = Form(attributes.get("action") or "")
        elif tag in ("input", "button") and self.form and attributes.get("name"):
            self.form.fields.append((attributes["name"], attributes.get("value") or ""))


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


def log_in(browser, description):
    """What Glewlwyd's login page does when the user typed name and password."""
    answer = browser.request("POST", description["public"] + "/api/auth/", description["user"])
    if answer.status != 200:
        raise SystemExit(f"the login has status {answer.status}")


def consent(browser, description, client, scope):
    """What Glewlwyd's login page does when the user granted a client these scopes."""
    url = f"{description['public']}/api/auth/grant/{urllib.parse.quote(client, safe='')}/"
    answer = browser.request("PUT", url, {"scope": scope})
    if answer.status != 200:
        raise SystemExit(f"the consent has status {answer.status}")


def describe(directory):
    """The description of a running instance."""
    with open(os.path.join(directory, DESCRIPTION)) as source:
        return json.load(source)


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
