#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Reads a ledger as a stranger would: by Schemas/event-log.md and nothing else.

usage: read_ledger.py LEDGER KEYS             restores, checks and opens everything
       read_ledger.py LEDGER KEYS POSITION    shows the parts of one event

LEDGER is the ledger directory, KEYS the directory with its root key. For each event a line of
JSON is printed, {"position", "leafHash", "leaf", "sealed"}: the leaf and what was sealed in it in
base64, "sealed" null where nothing was. A last line sums up. What is not as the document has it
ends the program with exit status 1. The numbers in comments are those of the document's sections.

Needs the Debian packages python3-lmdb and python3-cryptography.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import struct
import sys
import uuid
import zlib

import lmdb
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey, Ed25519PublicKey)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

LEAF_MAX = 61_440
BLOB_MAX = 16_777_216
SUBJECT_MAX = 400
DOCUMENTS = "discoveryDigest", "documentDigest", "keySetDigest", "policyDigest", "profileDigest"
HEADER = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0"


class Damaged(Exception):
    """Something is not as the document has it."""


def require(condition, *what):
    if not condition:
        raise Damaged(" ".join(str(part) for part in what))


# Text forms (1)


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text):
    require(re.fullmatch(r"[A-Za-z0-9_-]*", text) and len(text) % 4 != 1, "no base64url:", text)
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    require(base64url(data) == text, "spare bits in", text)
    return data


def uuid_text(data):
    digits = data.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def uuid_bytes(text):
    """The 16 bytes of a lower-case UUID; None for any other text."""
    form = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    return bytes.fromhex(text.replace("-", "")) if re.fullmatch(form, text) else None


def days_to_date(days):
    """Year, month and day of a count of days since 1970 (proleptic Gregorian calendar)."""
    era, day = divmod(days + 719_468, 146_097)
    year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5
    month += 3 if month < 10 else -9
    return era * 400 + year + (month <= 2), month, day + 1


def instant_text(milliseconds):
    days, rest = divmod(milliseconds, 86_400_000)
    seconds, milliseconds = divmod(rest, 1000)
    clock = seconds // 3600, seconds // 60 % 60, seconds % 60, milliseconds
    return "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ" % (days_to_date(days) + clock)


# Leaves (2)


def no_repeated_names(pairs):
    require(len({name for name, _ in pairs}) == len(pairs), "a member stands twice")
    return dict(pairs)


def whole_number(text):
    require(abs(int(text)) < 1 << 53 and text != "-0", "no whole number:", text)
    return int(text)


def no_number(text):
    raise Damaged("no whole number: " + text)


def canonical(value):
    def ordered(value):
        if isinstance(value, dict):
            names = sorted(value, key=lambda name: name.encode("utf-16-be"))
            return {name: ordered(value[name]) for name in names}
        return [ordered(item) for item in value] if isinstance(value, list) else value

    text = json.dumps(ordered(value), ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8")


def read_canonical(data):
    value = json.loads(
        data.decode("utf-8"),
        object_pairs_hook=no_repeated_names,
        parse_int=whole_number,
        parse_float=no_number,
        parse_constant=no_number,
    )
    require(canonical(value) == data, "not canonical JSON")
    return value


def leaf_hash(leaf):
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def subtree_root(hashes):
    """MTH of RFC 6962, section 2.1."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    half = 1 << (len(hashes) - 1).bit_length() - 1
    return node_hash(subtree_root(hashes[:half]), subtree_root(hashes[half:]))


# Sealing and keys (3, 4)


def hkdf(key, info):
    """32 bytes by RFC 5869 with SHA-256 and without salt: one block is all that is needed."""
    extracted = hmac.digest(bytes(32), key, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")


def decrypt(key, nonce, sealed, associated_data, what):
    try:
        return AESGCM(key).decrypt(nonce, sealed, associated_data)
    except InvalidTag:
        raise Damaged(what + " cannot be opened") from None


def open_box(key, box, what):
    parts = box.split(".")
    require(len(parts) == 5 and parts[0] == HEADER and parts[1] == "", what, "is no box")
    nonce, ciphertext, tag = (from_base64url(part) for part in parts[2:])
    require(len(nonce) == 12 and len(tag) == 16, what, "is no box")
    return decrypt(key, nonce, ciphertext + tag, HEADER.encode(), what)


def unwrap(key, wrapped, owner, what):
    require(len(wrapped) == 61 and wrapped[0] == 1, what, "is no wrapped key")
    return decrypt(key, wrapped[1:13], wrapped[13:], owner, what)


class Keys:
    def __init__(self, environment, directory, ledger):
        self.transaction = environment.begin()
        self.ledger_id = uuid_bytes(ledger["ledgerID"])
        with open(os.path.join(directory, "root.key"), "rb") as file:
            self.root = base64.b64decode(file.read().removesuffix(b"\n"), validate=True)
        require(len(self.root) == 32, "the root key has not 32 bytes")
        self.databases = {
            name: environment.open_db(name, self.transaction, create=False)
            for name in (b"data-keys", b"bucket-keys", b"lookups", b"meta")
        }
        require(self.get(b"meta", b"format") == b"\x01", "the format of keys/ is not 1")
        check = hmac.digest(self.root, b"authledger/root-check/v1", "sha256")
        require(self.get(b"meta", b"root-check") == check, "this is another ledger's root key")
        self.check_signing_key(directory, ledger)
        self.check_lookups()

    def get(self, database, key):
        return self.transaction.get(key, db=self.databases[database])

    def check_signing_key(self, directory, ledger):
        with open(os.path.join(directory, "signing.key"), encoding="ascii") as file:
            box = file.read().removesuffix("\n")
        seed = open_box(hkdf(self.root, b"authledger/signing-file/v1"), box, "the signing key")
        public = Ed25519PrivateKey.from_private_bytes(seed).public_key()
        public = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        name, _, key = ledger["verifierKey"].split("+", 2)
        require(name == ledger["origin"], "the verifier key has another name")
        require(base64.b64decode(key) == b"\x01" + public, "the signing key is another")

    def bucket_key(self, month):
        owner = b"authledger/bucket/v1" + self.ledger_id + month
        wrapped = self.get(b"bucket-keys", month)
        require(wrapped, "a bucket key is missing")
        return unwrap(hkdf(self.root, b"authledger/bucket-wrap/v1"), wrapped, owner, "a bucket key")

    def record_key(self, subject):
        own = subject == str(uuid.UUID(bytes=self.ledger_id))
        return b"\0" if own else stream_key(subject)

    def data_key(self, subject):
        """The data key of a stream; None when it has none."""
        record = self.get(b"data-keys", self.record_key(subject))
        if record is None:
            return None
        what = "the data key of " + subject
        return unwrap(self.bucket_key(record[:2]), record[2:], subject.encode(), what)


    def lookup_key(self, purpose):
        """The key of a purpose: the one that is kept, else the one that the root key makes."""
        wrapped = self.get(b"meta", b"lookup-key" + bytes([purpose]))
        if wrapped is None:
            return hkdf(self.root, b"authledger/lookup/v1/%d" % purpose)
        owner = b"authledger/lookup/v1" + self.ledger_id + bytes([purpose])
        return unwrap(hkdf(self.root, b"authledger/lookup-wrap/v1"), wrapped, owner, "a lookup key")

    def subject_of_state(self, state):
        """The stream that a state parameter leads to; None when it was never entered."""
        key = self.lookup_key(1)
        name = self.get(b"lookups", b"\x01" + hmac.digest(key, state.encode(), "sha256"))
        return name and name.decode("utf-8")

    def check_lookups(self):
        with self.transaction.cursor(self.databases[b"lookups"]) as cursor:
            for key, name in cursor:
                if key[0] in (2, 3):
                    require(key[17:] == stream_key(name.decode("utf-8")), "a lookup is malformed")
                    continue
                require(len(key) == 33 and key[0] == 1, "a lookup entry is malformed")
                require(1 <= len(name.decode("utf-8").encode()) <= SUBJECT_MAX, "no subject")


def key_commitment(data_key):
    return base64url(hashlib.sha256(b"authledger/key/v1" + data_key).digest())


def event_key(data_key, subject, revision):
    info = b"authledger/sealed/v1" + subject.encode() + struct.pack(">Q", revision)
    return hkdf(data_key, info)


def blob_key(data_key, event_id, number):
    info = b"authledger/blob/v1" + uuid_bytes(event_id) + struct.pack(">Q", number)
    return hkdf(data_key, info)


# Frames (6)


class Bytes:
    """Bytes that are read from the front."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        require(self.at + count <= len(self.data), "the bytes end too early")
        self.at += count
        return self.data[self.at - count : self.at]

    def varint(self):
        value = shift = 0
        while shift < 63:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                require(byte or not shift, "a number has more bytes than it needs")
                return value
            shift += 7
        raise Damaged("a number has more than 63 bits")

    def rest(self):
        return self.take(len(self.data) - self.at)


def stream_key(subject):
    return uuid_bytes(subject) or hashlib.sha256(subject.encode()).digest()


def subject_of(reader):
    length = reader.varint()
    require(length <= SUBJECT_MAX, "a subject is too long")
    name = reader.take(length or 16)
    return name.decode("utf-8") if length else uuid_text(name)


class Frame:
    """The stored form of an event."""

    def __init__(self, data):
        reader = Bytes(data)
        self.fields = []

        def field(name, read):
            start = reader.at
            value = read()
            self.fields.append((name, data[start : reader.at]))
            return value

        require(field("version", lambda: reader.take(1)) == b"\x01", "another frame version")
        self.leaf_hash = field("leaf hash", lambda: reader.take(32))
        self.revision = field("revision", reader.varint)
        require(1 <= self.revision < 1 << 31, "a revision is out of range")
        if self.revision == 1:
            self.subject = field("subject", lambda: subject_of(reader))
        else:
            self.first_distance = field("distance to the first event", reader.varint)
            self.previous_distance = field("distance to the previous one", reader.varint)
        self.packing = field("packing", lambda: reader.take(1)[0])
        self.dictionary = field("dictionary", reader.varint)
        self.leaf_length = field("leaf length", reader.varint)
        self.text_length = field("text length", reader.varint)
        require(max(self.leaf_length, self.text_length) <= LEAF_MAX, "a leaf is too long")
        length = field("literals length", reader.varint)
        self.literals = field("literals", lambda: reader.take(length))
        self.deflated = field("deflated text", reader.rest)

    def text(self, dictionaries):
        require(self.dictionary in dictionaries, "there is no dictionary", self.dictionary)
        inflater = zlib.decompressobj(-14, zdict=dictionaries[self.dictionary])
        text = inflater.decompress(self.deflated, self.text_length + 1)
        whole = inflater.eof and not inflater.unused_data and len(text) == self.text_length
        require(whole, "the deflate stream is damaged")
        return text

    def leaf(self, dictionaries, subject, previous):
        text = self.text(dictionaries)
        if self.packing == 1:
            text = unpack(text, Bytes(self.literals), subject, self.revision, previous)
        else:
            require(self.packing == 0 and not self.literals, "the packing is unknown")
        require(len(text) == self.leaf_length, "a leaf has not its length")
        return text


def unpack(text, literals, subject, revision, previous):
    """Puts values back in place of their markers."""
    leaf = bytearray()
    for byte in text:
        if byte >= 0x20:
            leaf.append(byte)
        elif byte == 0x01:
            leaf += subject.encode()
        elif byte == 0x02:
            leaf += str(revision).encode()
        elif byte == 0x03:
            require(previous, "the first event of a stream names a previous one")
            leaf += base64url(previous).encode()
        else:
            leaf += literal(byte, literals).encode()
    require(not literals.rest(), "literals are left over")
    return bytes(leaf)


def literal(marker, literals):
    """The text of a value that waits among the literals."""
    if marker == 0x04:
        return uuid_text(literals.take(16))
    if marker == 0x05:
        return instant_text(int.from_bytes(literals.take(6), "big"))
    if marker == 0x06:
        return base64url(literals.take(32))
    if marker == 0x07:
        return literals.take(literals.take(1)[0]).hex()
    if marker == 0x08:
        length = literals.varint()
        parts = literals.take(12), literals.take(length), literals.take(16)
        return HEADER + ".." + ".".join(base64url(part) for part in parts)
    raise Damaged("no marker: %02x" % marker)


# The log (5)


class Head:
    def __init__(self, data):
        require(data and len(data) >= 49 and data[0] == 1, "the head is malformed")
        names = "size", "bytes_raw", "bytes_stored", "sessions", "blobs", "blob_bytes"
        for name, value in zip(names, struct.unpack(">6Q", data[1:49])):
            setattr(self, name, value)
        self.subtree_roots = [data[at : at + 32] for at in range(49, len(data), 32)]
        require(len(self.subtree_roots) == bin(self.size).count("1"), "the head is malformed")


class Ledger:
    NAMES = b"events", b"streams", b"tree", b"blobs", b"dictionaries", b"checkpoints", b"meta"

    def __init__(self, directory, key_directory):
        def environment(name):
            path = os.path.join(directory, name)
            return lmdb.open(path, readonly=True, max_dbs=8, map_size=1 << 40)

        log = environment("log")
        self.transaction = log.begin()
        self.databases = {
            name: log.open_db(name, self.transaction, create=False)
            for name in self.NAMES
        }
        form = self.record(b"format")
        require(form["version"] == 1 and not form["readFeatures"], "the format is not known")
        self.info = self.record(b"ledger")
        self.head = Head(self.get(b"meta", b"head"))
        self.keys = Keys(environment("keys"), key_directory, self.info)
        self.dictionaries = {
            struct.unpack(">Q", key)[0]: value for key, value in self.items(b"dictionaries")
        }
        self.frames = []
        self.data_keys = {}

    def get(self, database, key):
        return self.transaction.get(key, db=self.databases[database])

    def items(self, database):
        with self.transaction.cursor(self.databases[database]) as cursor:
            yield from cursor

    def record(self, name):
        value = self.get(b"meta", name)
        require(value, "the record", name.decode(), "is missing")
        return read_canonical(value)

    def blob(self, name):
        stored = self.get(b"blobs", name)
        require(stored, "the blob", base64url(name), "is missing")
        reader = Bytes(stored)
        form, length = reader.take(1)[0], reader.varint()
        require(form in (0, 1) and length <= BLOB_MAX, "a blob is malformed")
        content = reader.rest()
        if form == 1:
            inflater = zlib.decompressobj(-15)
            content = inflater.decompress(content, length + 1)
            require(inflater.eof and not inflater.unused_data, "a blob is malformed")
        require(len(content) == length, "a blob is malformed")
        require(hashlib.sha256(content).digest() == name, "a blob is not what its name says")
        return content

    def link(self, position, frame):
        """Subject and previous leaf hash of an event, and the positions of its stream's first
        and previous events."""
        if frame.revision == 1:
            return frame.subject, None, position, None
        first, previous = position - frame.first_distance, position - frame.previous_distance
        require(0 <= first <= previous < position, "a link leads out of the log")
        require(self.frames[first].revision == 1, "a link leads to another stream")
        return self.frames[first].subject, self.frames[previous].leaf_hash, first, previous

    def events(self):
        """Every event in order: position, leaf, the event itself, first and previous position."""
        for key, value in self.items(b"events"):
            position = len(self.frames)
            require(key == struct.pack(">Q", position), "a position is missing:", position)
            frame = Frame(value)
            self.frames.append(frame)
            subject, previous, first, before = self.link(position, frame)
            leaf = frame.leaf(self.dictionaries, subject, previous)
            require(leaf_hash(leaf) == frame.leaf_hash, "the hash of", position, "is another")
            event = read_canonical(leaf)
            require(event["subject"] == subject, "the subject of", position, "is another")
            require(event["revision"] == frame.revision, "the revision is another:", position)
            require(
                event.get("previous") == (previous and base64url(previous)),
                "the previous event is another:", position,
            )
            for name in DOCUMENTS:
                if name in event["data"]:
                    self.blob(from_base64url(event["data"][name]))
            yield position, leaf, event, first, before

    def sealed(self, event):
        """What was sealed with an event; None when there is nothing."""
        data, subject = event["data"], event["subject"]
        if event["revision"] == 1:
            key = self.keys.data_key(subject)
            if "keyCommitment" in data:
                require(key, "the data key is missing:", subject)
                commitment = key_commitment(key)
                require(commitment == data["keyCommitment"], "the data key is another:", subject)
                self.data_keys[subject] = key
        require(not {"sealed", "sealedBlob"} <= set(data), "sealed in two places:", subject)
        if not {"sealed", "sealedBlob"} & set(data):
            return None
        require(subject in self.data_keys, "no commitment to the key of", subject)
        if "sealed" in data:
            key = event_key(self.data_keys[subject], subject, event["revision"])
            plaintext = open_box(key, data["sealed"], "the box of " + event["id"])
            require(len(plaintext) % 32 == 0, "a box is not padded")
            return plaintext.rstrip(b" ")
        box = self.blob(from_base64url(data["sealedBlob"])).decode("ascii")
        key = blob_key(self.data_keys[subject], event["id"], 0)
        return open_box(key, box, "the blob of " + event["id"])


class Check:
    """Sums and indexes of the events read so far, to compare with what is stored."""

    def __init__(self, ledger):
        self.ledger = ledger
        self.streams = {}
        self.raw = self.sessions = 0

    def add(self, position, leaf, event, first, before):
        stream = self.streams.setdefault(stream_key(event["subject"]), [])
        require(event["revision"] == len(stream) + 1, "a revision is missing before", position)
        require(before == (stream[-1] if stream else None), "a link is wrong at", position)
        stream.append(position)
        require(first == stream[0], "a link is wrong at", position)
        self.raw += len(leaf)
        if len(stream) == 1 and event["type"].startswith("authledger.session."):
            self.sessions += 1

    def finish(self):
        ledger, head = self.ledger, self.ledger.head
        hashes = [frame.leaf_hash for frame in ledger.frames]
        require(head.size == len(hashes), "the size is not the number of events")
        roots, start = [], 0
        for level in reversed(range(head.size.bit_length())):
            if head.size >> level & 1:
                roots.append(subtree_root(hashes[start : start + (1 << level)]))
                start += 1 << level
        require(roots == head.subtree_roots, "the subtree roots are others")
        self.check_nodes(hashes)
        index = [
            (key, struct.pack(">Q", self.streams[key][-1])) for key in sorted(self.streams)
        ]
        require(list(ledger.items(b"streams")) == index, "the stream index is another")
        self.check_checkpoints(hashes)
        self.check_totals()
        return subtree_root(hashes)

    def check_checkpoints(self, hashes):
        """Each is a signed note about the tree over the first events (5.9)."""
        origin = self.ledger.info["origin"]
        key = base64.b64decode(self.ledger.info["verifierKey"].split("+", 2)[2])
        key_hash = hashlib.sha256(origin.encode() + b"\n" + key).digest()[:4]
        for name, note in self.ledger.items(b"checkpoints"):
            size = struct.unpack(">Q", name)[0]
            text, lines = note.decode().split("\n\n")
            root = base64.b64encode(subtree_root(hashes[:size])).decode()
            require(text == "%s\n%d\n%s" % (origin, size, root), "a checkpoint is another", size)
            mine = ("\u2014 " + origin, key_hash)
            for line in lines.splitlines():
                signer, signature = line.rsplit(" ", 1)
                signature = base64.b64decode(signature)
                if (signer, signature[:4]) == mine:
                    Ed25519PublicKey.from_public_bytes(key[1:]).verify(
                        signature[4:], text.encode() + b"\n")
                    break
            else:
                raise Damaged("nobody signed the checkpoint of %d" % size)

    def check_nodes(self, hashes):
        expected = []
        for level in range(8, len(hashes).bit_length(), 8):
            for number in range(len(hashes) >> level):
                root = subtree_root(hashes[number << level : number + 1 << level])
                expected.append((struct.pack(">BQ", level, number), root))
        require(list(self.ledger.items(b"tree")) == expected, "the tree nodes are others")

    def check_totals(self):
        ledger, head = self.ledger, self.ledger.head
        stored = sum(len(value) for _, value in ledger.items(b"events"))
        blobs = [(name, len(value)) for name, value in ledger.items(b"blobs")]
        for name, _ in blobs:
            ledger.blob(name)
        sums = self.raw, stored, self.sessions, len(blobs), sum(size for _, size in blobs)
        totals = head.bytes_raw, head.bytes_stored, head.sessions, head.blobs, head.blob_bytes
        require(sums == totals, "the totals are others:", sums, totals)


def read(ledger):
    check, boxes, lookups = Check(ledger), 0, 0
    for position, leaf, event, first, before in ledger.events():
        check.add(position, leaf, event, first, before)
        sealed = ledger.sealed(event)
        boxes += sealed is not None
        lookups += check_lookup(ledger, event, sealed)
        line = {
            "position": position,
            "leafHash": base64url(leaf_hash(leaf)),
            "leaf": base64.b64encode(leaf).decode(),
            "sealed": sealed if sealed is None else base64.b64encode(sealed).decode(),
        }
        print(json.dumps(line))
    root = base64.b64encode(check.finish()).decode()
    totals = {"streams": len(check.streams), "boxes": boxes, "blobs": ledger.head.blobs}
    totals["lookups"] = lookups
    print(json.dumps({"events": ledger.head.size, "root": root, **totals}))


def check_lookup(ledger, event, sealed):
    """Whether the session of a first event can be found by its state, and rightly so."""
    if event["revision"] > 1 or sealed is None or event["source"] != ledger.info["origin"]:
        return False
    state = json.loads(sealed).get("state")
    subject = ledger.keys.subject_of_state(state) if isinstance(state, str) else None
    require(subject in (None, event["subject"]), "a state leads to another session")
    return subject is not None


# The worked example (8)


def show(name, value):
    """Prints a value under its name, bytes in hexadecimal, lines broken at 88 characters."""
    text = value.hex() if isinstance(value, bytes) else value
    print(name)
    for at in range(0, len(text), 88):
        print("    " + text[at : at + 88])


def show_ledger(ledger):
    for name in b"format", b"ledger", b"head":
        value = ledger.get(b"meta", name)
        show("meta: " + name.decode(), value if name == b"head" else value.decode())
    for number, dictionary in ledger.dictionaries.items():
        digest = hashlib.sha256(dictionary).hexdigest()
        show(f"dictionary {number}: {len(dictionary)} bytes with this SHA-256", digest)
    root = ledger.keys.root
    show("root key", root)
    show("root check", ledger.keys.get(b"meta", b"root-check"))
    show("key that wraps bucket keys", hkdf(root, b"authledger/bucket-wrap/v1"))
    show("key of signing.key", hkdf(root, b"authledger/signing-file/v1"))


def show_event(ledger, position, leaf, event, sealed):
    frame, subject = ledger.frames[position], event["subject"]
    text = frame.text(ledger.dictionaries).decode()
    show("leaf", leaf.decode())
    show("leaf hash", frame.leaf_hash)
    show("key in events", struct.pack(">Q", position))
    show("frame", ledger.get(b"events", struct.pack(">Q", position)))
    text = re.sub(r"[\0-\x1f]", lambda found: f"<{ord(found[0]):02x}>", text)
    show("text, markers in angle brackets", text)
    show("stream key", stream_key(subject))
    print("frame, field by field")
    for name, data in frame.fields:
        for at in range(0, len(data) or 1, 32):
            print("    " + (name if at == 0 else "").ljust(30) + data[at : at + 32].hex())
    if sealed is None:
        return
    record = ledger.keys.get(b"data-keys", ledger.keys.record_key(subject))
    show("data key record", record)
    show("wrapped bucket key", ledger.keys.get(b"bucket-keys", record[:2]))
    show("bucket key", ledger.keys.bucket_key(record[:2]))
    show("data key", ledger.data_keys[subject])
    show("key commitment", key_commitment(ledger.data_keys[subject]))
    show("key of the box", event_key(ledger.data_keys[subject], subject, event["revision"]))
    show("sealed, without padding", sealed.decode())


def explain(ledger, wanted):
    for position, leaf, event, _, _ in ledger.events():
        sealed = ledger.sealed(event)
        if position == wanted:
            show_ledger(ledger)
            show_event(ledger, position, leaf, event, sealed)
            return
    raise Damaged("there is no such position")


def main():
    try:
        ledger = Ledger(*sys.argv[1:3])
        if len(sys.argv) > 3:
            explain(ledger, int(sys.argv[3]))
        else:
            read(ledger)
    except (Damaged, OSError, ValueError, KeyError, zlib.error, lmdb.Error) as error:
        sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
