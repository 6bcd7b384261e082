# SPDX-License-Identifier: Apache-2.0
"""A server on 127.0.0.1 that behaves as the path says, well or badly.

Speaks HTTP/1.1 in the clear and over TLS, a little HTTP/2 over TLS, and CONNECT. Its certificates,
and those of its clients, come from throwaway authorities made in a directory of its own. Prints one
line of JSON with the directory, its ports and the hashes of all certificates; ends, and removes the
directory, when standard input does.
"""
import collections
import gzip
import hashlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import zlib

directory = tempfile.mkdtemp(prefix="authledger-test-")
lock = threading.Lock()
counts = collections.Counter()
ports = {}


def count(what):
    with lock:
        counts[what] += 1


class Input:
    """Reads lines and blocks from a socket."""

    def __init__(self, connection):
        self.connection, self.buffer = connection, b""

    def fill(self):
        more = self.connection.recv(65536)
        if not more:
            raise ConnectionError
        self.buffer += more

    def until(self, mark):
        while mark not in self.buffer:
            self.fill()
        head, _, self.buffer = self.buffer.partition(mark)
        return head

    def exactly(self, size):
        while len(self.buffer) < size:
            self.fill()
        block, self.buffer = self.buffer[:size], self.buffer[size:]
        return block


def answer(connection, body=b"", status=200, fields=()):
    lines = [f"HTTP/1.1 {status} Reason", f"Content-Length: {len(body)}", *fields]
    connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def chunks(connection, blocks, fields=()):
    lines = ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", *fields]
    connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
    for block in blocks:
        connection.sendall(b"%x\r\n%s\r\n" % (len(block), block))
    connection.sendall(b"0\r\n\r\n")


def zeros_in_gzip():
    """Expands to a gigabyte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    for _ in range(1024):
        block = packer.compress(bytes(1 << 20))
        if block:
            yield block
    yield packer.flush()


def sha256(der):
    return hashlib.sha256(der).hexdigest()


def peer(connection):
    """The hash of the certificate that the client showed."""
    shown = isinstance(connection, ssl.SSLSocket) and connection.getpeercert(binary_form=True)
    return sha256(shown).encode() if shown else b"none"


def ask_late(connection):
    """Asks for the client's certificate now that its request is here."""
    connection.verify_client_post_handshake()
    connection.do_handshake()
    connection.settimeout(0.3)
    try:
        connection.recv(1)
    except TimeoutError:
        pass
    connection.settimeout(None)


def endless(block, pause=0.0):
    while True:
        yield block
        time.sleep(pause)


def respond(connection, method, target, head, body, number):
    """Answers one request, the number-th of its connection; false ends the connection."""
    path, *words = target.split("?")[0].strip("/").split("/")
    if path == "hello":
        answer(connection, b"hello", fields=["Content-Type: text/plain; charset=utf-8"])
    elif path == "echo":
        answer(connection, head + b"\r\n\r\n" + body)
    elif path == "status":
        answer(connection, b"" if words[0] in ("204", "304") else b"body", status=words[0])
    elif path == "redirect":
        answer(connection, b"elsewhere", status=words[0], fields=["Location: /hello?redirected"])
    elif path == "fields":
        answer(connection, fields=["X-A: one", "Set-Cookie: a=b", "x-a:  two ", "X-Empty:"])
    elif path == "hints":
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n")
        answer(connection, b"final", fields=["X-Final: yes"])
    elif path == "endlesshints":
        for block in endless(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"):
            connection.sendall(block)
    elif path == "endlesstrailers":
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
        for line in endless(b"X-More: " + b"v" * 1000 + b"\r\n"):
            connection.sendall(line)
    elif path == "peer":
        answer(connection, peer(connection))
    elif path == "late":
        ask_late(connection)
        answer(connection, peer(connection))
    elif path == "hold":
        time.sleep(int(words[0]) / 1000)
        answer(connection, b"held")
    elif path == "size":
        answer(connection, bytes(int(words[0])))
    elif path == "endless":
        chunks(connection, endless(bytes(10_000)))
    elif path == "drip":
        chunks(connection, endless(b".", 0.05))
    elif path == "gzip":
        answer(connection, gzip.compress(bytes(200_000)), fields=["Content-Encoding: gzip"])
    elif path == "deflate":
        answer(connection, zlib.compress(b"deflated"), fields=["Content-Encoding: deflate"])
    elif path == "bomb":
        chunks(connection, zeros_in_gzip(), fields=["Content-Encoding: gzip"])
    elif path == "badgzip":
        answer(connection, b"not gzip at all", fields=["Content-Encoding: gzip"])
    elif path == "manyfields":
        answer(connection, fields=[f"X-{i}: {'v' * 1000}" for i in range(int(words[0]))])
    elif path == "longfield":
        answer(connection, fields=["X-Long: " + "v" * int(words[0])])
    elif path == "endlessfields":
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for line in endless(b"X-More: " + b"v" * 1000 + b"\r\n"):
            connection.sendall(line)
    elif path == "cut":
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
        return False
    elif path == "cutchunk":
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nonly")
        return False
    elif path == "nothing":
        return False
    elif path == "garbage":
        connection.sendall(b"this is no HTTP at all\r\n\r\n")
        return False
    elif path == "fragile":
        # The first request of a connection is answered; a later one is taken and dropped.
        if number > 1:
            return False
        answer(connection, b"fragile")
    elif path == "counts":
        with lock:
            answer(connection, json.dumps(counts).encode())
    else:
        answer(connection, b"no such path", status=404)
    return True


def tunnel(connection, head, source):
    """Whatever host CONNECT asks for, one is led to its port here; for 443 to the TLS port."""
    line = head.decode().split("\r\n")[0].rsplit(" ", 1)[0]
    count(line)
    port = int(line.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", ports["tls"] if port == 443 else port)) as peer:
        connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        if source.buffer:
            peer.sendall(source.buffer)

        def pump(a, b):
            try:
                while block := a.recv(65536):
                    b.sendall(block)
                b.shutdown(socket.SHUT_WR)
            except OSError:
                pass

        back = threading.Thread(target=pump, args=(peer, connection), daemon=True)
        back.start()
        pump(connection, peer)
        back.join()


def serve_http1(connection):
    source, number = Input(connection), 0
    source.fill()
    if source.buffer[0] == 0x16:
        return answer(connection, b"this is no TLS", status=400)
    while True:
        head = source.until(b"\r\n\r\n")
        number += 1
        lines = head.decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ")
        if method == "CONNECT":
            return tunnel(connection, head, source)
        count(f"{method} {target}")
        length = [int(l[15:]) for l in lines if l.lower().startswith("content-length:")]
        body = source.exactly(length[0]) if length else b""
        if not respond(connection, method, target, head, body, number):
            return


def serve_http2(connection, fields=b"", answer=lambda connection: b"h2"):
    """Answers every stream with 200, these fields as they stand compressed, and what answer says;
    does not read the request's."""

    def frame(kind, flags, stream, payload=b""):
        size = len(payload).to_bytes(3, "big")
        connection.sendall(size + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload)

    source = Input(connection)
    source.exactly(24)
    frame(4, 0, 0)
    while True:
        head = source.exactly(9)
        payload = source.exactly(int.from_bytes(head[:3], "big"))
        kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], "big")
        if kind == 4 and not flags & 1:
            frame(4, 1, 0)
        elif kind == 6 and not flags & 1:
            frame(6, 1, 0, payload)
        elif kind in (0, 1) and flags & 1:
            count("streams")
            frame(1, 4, stream, b"\x88" + fields)
            for block in answer(connection), b"":
                frame(0, not block, stream, block)


def field(name, value):
    """A field that the peer's table keeps (RFC 7541, 6.2.1); its name and value are short."""
    return bytes([0x40, len(name)]) + name + bytes([len(value)]) + value


def repeated(times):
    """One field so often, 136 bytes each, in little more than a byte for each."""
    return field(b"x-bomb", b"v" * 126) + b"\xbe" * (times - 1)


def shake_hands(connection):
    try:
        connection.do_handshake()
    except ssl.SSLError:
        # What is sent to a closed socket comes back as a reset, and may overtake the alert.
        time.sleep(0.3)
        raise


def handle(name, serve, connection, context):
    try:
        count("connections")
        count("connections " + name)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context:
            connection = context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False)
            shake_hands(connection)
        serve(connection)
        connection.shutdown(socket.SHUT_RDWR)
    except (OSError, ConnectionError, ValueError):
        pass
    finally:
        connection.close()


def listen(name, serve, context=None):
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    ports[name] = listener.getsockname()[1]

    def accept():
        while True:
            connection, _ = listener.accept()
            threading.Thread(
                target=handle, args=(name, serve, connection, context), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def path(name):
    return os.path.join(directory, name)


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, stderr=subprocess.DEVNULL)


def make(name, *arguments):
    """Makes a certificate and its key, to itself or with -CA and -CAkey."""
    openssl(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
        "2", "-keyout", path(name + ".key"), "-out", path(name + ".pem"), "-subj", "/CN=" + name,
        *arguments)


def signed(authority):
    return (
        "-CA", path(authority + ".pem"), "-CAkey", path(authority + ".key"), "-addext",
        "basicConstraints=critical,CA:FALSE")


def make_clients():
    for name in "client-a", "client-b":
        make(name, *signed("clients"))
    make("client-stranger", *signed("stranger"))
    make("client-expired")
    openssl(
        "x509", "-x509toreq", "-in", path("client-expired.pem"), "-signkey",
        path("client-expired.key"), "-out", path("request"))
    openssl(
        "x509", "-req", "-in", path("request"), "-days", "-1", "-CA", path("clients.pem"),
        "-CAkey", path("clients.key"), "-CAcreateserial", "-out", path("client-expired.pem"))
    openssl(
        "pkey", "-in", path("client-a.key"), "-aes128", "-passout", "pass:word", "-out",
        path("locked.key"))


def context(protocols=None, oldest=None, newest=None, clients=None):
    result = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    result.load_cert_chain(path("chain.pem"), path("leaf.key"))
    if protocols:
        result.set_alpn_protocols(protocols)
    if oldest:
        result.set_ciphers("ALL:@SECLEVEL=0")
        result.minimum_version = oldest
    if newest:
        result.maximum_version = newest
    if clients:
        result.load_verify_locations(path("clients.pem"))
        result.verify_mode = clients
    return result


def late_context():
    result = context(clients=ssl.CERT_REQUIRED)
    result.post_handshake_auth = True
    return result


def shows_peer(connection):
    serve_http2(connection, answer=peer)


for name in "authority", "stranger", "clients":
    make(name)
make(
    "leaf", *signed("authority"), "-addext",
    "subjectAltName=DNS:login.example,DNS:localhost,IP:127.0.0.1")
with open(path("chain.pem"), "w") as chain:
    chain.write(open(path("leaf.pem")).read() + open(path("authority.pem")).read())
make_clients()
TLS11, TLS12 = ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2
listen("plain", serve_http1)
listen("tls", serve_http1, context())
listen("h2", serve_http2, context(["h2"]))
for times in 400, 600, 10_000:
    listen(
        f"h2fields{times}", lambda connection, fields=repeated(times): serve_http2(
            connection, fields), context(["h2"]))
listen("silent", lambda connection: time.sleep(60))
listen("tls11", serve_http1, context(oldest=ssl.TLSVersion.TLSv1, newest=TLS11))
listen("mutual", serve_http1, context(clients=ssl.CERT_REQUIRED))
listen("mutual12", serve_http1, context(newest=TLS12, clients=ssl.CERT_REQUIRED))
listen("mutualh2", shows_peer, context(["h2"], clients=ssl.CERT_REQUIRED))
listen("optional", serve_http1, context(clients=ssl.CERT_OPTIONAL))
listen("optionalh2", shows_peer, context(["h2"], clients=ssl.CERT_OPTIONAL))
listen("late", serve_http1, late_context())
hashes = {
    name[:-4]: sha256(ssl.PEM_cert_to_DER_cert(open(path(name)).read()))
    for name in os.listdir(directory) if name.endswith(".pem") and name != "chain.pem"}
print(json.dumps({"directory": directory, "ports": ports, "hashes": hashes}), flush=True)
sys.stdin.read()
shutil.rmtree(directory)
os._exit(0)
