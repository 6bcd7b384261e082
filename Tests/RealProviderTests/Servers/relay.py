# SPDX-License-Identifier: Apache-2.0
"""Stands between the program and the provider: passes every request on, writes each down in
`requests.jsonl`, and holds or alters what files in its directory say.

    relay.py DIR

Prints its port; the first line of standard input is the provider's; ends when standard input does.

`hold` says which request waits: the end of its path, and `before` it goes to the provider or
`after` the provider answered. It waits until the file is gone or says something else; `held`
names it meanwhile, or the last one of several.
While `tamper` is there, code verifiers arrive altered.
A request and its answer are written down with the same number, and with when they came by.
"""
import http.client
import http.server
import itertools
import json
import os
import re
import sys
import threading
import time

directory = sys.argv[1]
lock = threading.Lock()
numbers = itertools.count()
provider_port = 0
held_count = 0


def at(name):
    return os.path.join(directory, name)


def note(**members):
    members["milliseconds"] = int(time.monotonic() * 1000)
    with lock, open(at("requests.jsonl"), "a") as log:
        log.write(json.dumps(members) + "\n")


def is_held(path, moment):
    try:
        with open(at("hold")) as source:
            end, when = source.read().split()
    except (OSError, ValueError):
        return False
    return when == moment and path.endswith(end)


def wait_if_held(path, moment):
    global held_count
    if not is_held(path, moment):
        return
    with lock:
        held_count += 1
        with open(at("held"), "w") as out:
            out.write(path)
    while is_held(path, moment):
        time.sleep(0.005)
    with lock:
        held_count -= 1
        if held_count == 0:
            os.remove(at("held"))


class Relay(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def relay(self):
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        is_token = path.endswith("/token")
        is_backchannel = path.endswith(("/token", "/par", "/ciba"))
        secret = {"body": body.decode(), "authorization": self.headers.get("Authorization")}
        number = next(numbers)
        note(at="arrived", number=number, method=self.command, path=path, query=query,
             **(secret if is_backchannel else {}))
        wait_if_held(path, "before")
        if is_token and os.path.exists(at("tamper")):
            body = re.sub(rb"(code_verifier=)[^&]*", rb"\1" + b"tampered-" * 5, body)
        answer, content = self.ask(body)
        note(at="answered", number=number, method=self.command, path=path, status=answer.status,
             location=answer.headers.get("Location"),
             **({"answer": content.decode()} if is_backchannel else {}))
        wait_if_held(path, "after")
        self.answer(answer, content)

    def ask(self, body):
        connection = http.client.HTTPConnection("127.0.0.1", provider_port, timeout=30)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in ("connection", "content-length"):
                connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connection.putheader("Connection", "close")
        connection.endheaders(body)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer, content

    def answer(self, answer, content):
        self.close_connection = True
        try:
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            pass  # whoever asked is gone

    do_GET = do_POST = do_PUT = do_DELETE = relay

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Relay)
server.daemon_threads = True
print(server.server_address[1], flush=True)
provider_port = int(sys.stdin.readline() or 0)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
