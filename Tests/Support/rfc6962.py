# SPDX-License-Identifier: Apache-2.0
"""Reads leaves, one a line, as `authledger log --raw` prints them, and checks them by themselves:

- every line is canonical JSON (RFC 8785, whole numbers only),
- `revision` counts 1, 2, 3 ... within each `subject`, and `previous` is the leaf hash of the
  subject's event before,
- no id stands twice in a stream, and nothing follows `verified` or `failed`.

Prints {"root", "size", "subjects"} with the Merkle tree hash of RFC 6962, section 2.1, over the
lines. The first thing that is wrong goes to standard error, and the exit status is 1. Shares no
code with the program it checks.

usage: rfc6962.py < leaves.jsonl
"""
import base64
import hashlib
import json
import re
import sys

UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
TERMINAL = ("authledger.session.verified", "authledger.session.failed")


def sha256(data):
    return hashlib.sha256(data).digest()


def tree_hash(leaf_hashes):
    """MTH of RFC 6962, section 2.1, over leaves that are hashed already."""
    count = len(leaf_hashes)
    if count == 0:
        return sha256(b"")
    if count == 1:
        return leaf_hashes[0]
    split = 1
    while split * 2 < count:
        split *= 2
    return sha256(b"\x01" + tree_hash(leaf_hashes[:split]) + tree_hash(leaf_hashes[split:]))


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def no_duplicates(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members


def no_fraction(text):
    raise ValueError("a number is not a whole one: " + text)


def parse(line):
    event = json.loads(
        line.decode("utf-8"), object_pairs_hook=no_duplicates, parse_float=no_fraction,
        parse_constant=no_fraction)
    canonical = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if canonical.encode("utf-8") != line:
        raise ValueError("the line is not canonical JSON")
    return event


class Stream:
    def __init__(self):
        self.count, self.last, self.ids, self.ended = 0, None, set(), False

    def add(self, event, leaf_hash):
        if self.ended:
            raise ValueError("the event follows the end of its session")
        if event["revision"] != self.count + 1:
            raise ValueError("revision %r follows %d" % (event["revision"], self.count))
        if event.get("previous") != self.last:
            raise ValueError("previous is not the hash of the event before")
        if event["id"] in self.ids:
            raise ValueError("the id is in the stream already")
        self.count += 1
        self.last = base64url(leaf_hash)
        self.ids.add(event["id"])
        self.ended = event["type"] in TERMINAL


def check_form(event):
    if event["specversion"] != "1.0":
        raise ValueError("specversion is not 1.0")
    # Only sessions are named so; an issuer's stream, or that of an access, has another name.
    is_session = event["type"].startswith("authledger.session.")
    for name in ("id", "subject") if is_session else ("id",):
        if not UUID7.fullmatch(event[name]):
            raise ValueError(name + " is not a UUID of version 7")
    # What the ledger saw itself has no time of its own for that.
    for name in ("time", "recordedtime") if is_session else ("time",):
        if not TIME.fullmatch(event[name]):
            raise ValueError(name + " is not in UTC with milliseconds")


def main():
    hashes, streams = [], {}
    for number, line in enumerate(sys.stdin.buffer, 1):
        try:
            if not line.endswith(b"\n"):
                raise ValueError("the line does not end")
            leaf = line[:-1]
            event = parse(leaf)
            check_form(event)
            leaf_hash = sha256(b"\x00" + leaf)
            streams.setdefault(event["subject"], Stream()).add(event, leaf_hash)
            hashes.append(leaf_hash)
        except (KeyError, ValueError) as error:
            sys.exit("line %d: %s" % (number, error))
    root = base64.b64encode(tree_hash(hashes)).decode()
    print(json.dumps({"root": root, "size": len(hashes), "subjects": len(streams)}))


main()
