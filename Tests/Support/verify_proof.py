# SPDX-License-Identifier: Apache-2.0
"""Verifies checkpoints and proofs as Schemas/checkpoints-and-proofs.md says, and nothing else; the
signatures by the `openssl` command. Shares no code with the program that made them.

usage: verify_proof.py VKEY checkpoint             a signed checkpoint
       verify_proof.py VKEY event LEAF             a tlog-proof; LEAF is a file with the leaf
       verify_proof.py VKEY growth OLD-CHECKPOINT  a proof of consistency
       verify_proof.py VKEY session                a proof of a session

What is verified comes on standard input. Prints the size of the tree; exit status 1 where
something is not as it should be. The numbers in comments are those of the document's rules.
"""
import base64
import hashlib
import json
import re
import subprocess
import sys
import tempfile


class Refused(Exception):
    pass


def require(condition, what):
    if not condition:
        raise Refused(what)


def from_base64(text):
    data = base64.b64decode(text, validate=True)
    require(base64.b64encode(data).decode() == text, "base64 with spare bits")
    return data


def number(text):
    require(re.fullmatch(r"0|[1-9][0-9]*", text), "a number")
    return int(text)


def digest(text):
    data = from_base64(text)
    require(len(data) == 32, "a hash")
    return data


# Signed notes (2)


class Key:
    def __init__(self, text):
        self.name, self.id, encoded = text.split("+", 2)
        typed = from_base64(encoded)
        require(typed[:1] == b"\x01" and len(typed) == 33, "the verifier key")
        self.public = typed[1:]
        computed = hashlib.sha256(self.name.encode() + b"\n" + typed).hexdigest()[:8]
        require(computed == self.id, "the hash in the verifier key")

    def verify(self, message, signature):
        der = bytes.fromhex("302a300506032b6570032100") + self.public
        with tempfile.TemporaryDirectory() as directory:
            def put(name, data):
                path = directory + "/" + name
                with open(path, "wb") as file:
                    file.write(data)
                return path
            command = [
                "openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-keyform", "DER",
                "-inkey", put("key", der), "-in", put("text", message),
                "-sigfile", put("signature", signature)]
            run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        require(run.returncode == 0, "the signature")


def open_note(note, key):
    require(not re.search(rb"[\x00-\x09\x0b-\x1f]", note), "control characters")
    text, separator, lines = note.rpartition(b"\n\n")
    require(separator and lines.endswith(b"\n"), "the form of the note")
    text, found = text + b"\n", False
    for line in lines.decode()[:-1].split("\n"):
        match = re.fullmatch("\u2014 ([^ +]+) ([A-Za-z0-9+/]+=*)", line)
        require(match, "a signature line")
        signature = from_base64(match.group(2))
        require(len(signature) > 4, "a signature line")
        if match.group(1) == key.name and signature[:4].hex() == key.id:
            key.verify(text, signature[4:])
            found = True
    require(found, "the key signed nothing")
    return text.decode()


# Checkpoints (3)


class Checkpoint:
    def __init__(self, note, key):
        text = open_note(note, key)
        lines = text[:-1].split("\n")
        require(len(lines) >= 3 and all(lines), "the form of the checkpoint")
        require(lines[0] == key.name, "the origin")
        self.size, self.root = number(lines[1]), digest(lines[2])


# Proofs (4, 5)


def leaf_hash(leaf):
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_from(index, size, leaf, hashes):
    """The root that a leaf and its proof lead to; recursion over the tree, from the top."""
    if size == 1:
        require(not hashes, "too many hashes")
        return leaf
    require(hashes, "too few hashes")
    half = 1 << (size - 1).bit_length() - 1
    if index < half:
        return node_hash(root_from(index, half, leaf, hashes[:-1]), hashes[-1])
    return node_hash(hashes[-1], root_from(index - half, size - half, leaf, hashes[:-1]))


def included(leaf, index, hashes, checkpoint):
    require(index < checkpoint.size, "the index")
    found = root_from(index, checkpoint.size, leaf_hash(leaf), hashes)
    require(found == checkpoint.root, "the proof of inclusion")


def roots_from(old, size, hashes, known):
    """The roots of the older and of the newer tree; `known` is that of the older one while it is
    the whole of the left edge."""
    if old == size:
        if known is not None:
            require(not hashes, "too many hashes")
            return known, known
        require(len(hashes) == 1, "the number of hashes")
        return hashes[0], hashes[0]
    require(hashes, "too few hashes")
    half = 1 << (size - 1).bit_length() - 1
    if old <= half:
        older, newer = roots_from(old, half, hashes[:-1], known)
        return older, node_hash(newer, hashes[-1])
    older, newer = roots_from(old - half, size - half, hashes[:-1], None)
    return node_hash(hashes[-1], older), node_hash(hashes[-1], newer)


def event(text, key, leaf):
    head, _, note = text.partition(b"\n\n")
    lines = head.decode().split("\n")
    require(lines.pop(0) == "c2sp.org/tlog-proof@v1", "the first line")
    if lines and lines[0].startswith("extra "):
        from_base64(lines.pop(0)[6:])
    require(lines and lines[0].startswith("index "), "the index")
    index = number(lines.pop(0)[6:])
    checkpoint = Checkpoint(note, key)
    included(leaf, index, [digest(line) for line in lines], checkpoint)
    return checkpoint


def growth(text, key, old_note):
    head, _, note = text.partition(b"\n\n")
    lines = head.decode().split("\n")
    require(lines[0].startswith("old "), "the old size")
    old, checkpoint = Checkpoint(old_note, key), Checkpoint(note, key)
    require(number(lines[0][4:]) == old.size <= checkpoint.size, "the old size")
    hashes = [digest(line) for line in lines[1:]]
    if old.size == 0:
        require(not hashes and old.root == hashlib.sha256(b"").digest(), "the empty tree")
        return checkpoint
    roots = roots_from(old.size, checkpoint.size, hashes, old.root)
    require(roots == (old.root, checkpoint.root), "the proof of consistency")
    return checkpoint


def session(text, key):
    proof = json.loads(text)
    checkpoint = Checkpoint(proof["checkpoint"].encode(), key)
    previous, position = None, -1
    for revision, entry in enumerate(proof["events"], 1):
        leaf = entry["leaf"].encode()
        included(
            leaf, entry["position"], [digest(line) for line in entry["proof"]], checkpoint)
        recorded = json.loads(leaf)
        require(recorded["subject"] == proof["session"], "the subject")
        require(recorded["revision"] == revision, "the revision")
        require(recorded.get("previous") == previous, "the previous event")
        require(entry["position"] > position, "the order")
        position = entry["position"]
        previous = base64.urlsafe_b64encode(leaf_hash(leaf)).rstrip(b"=").decode()
    require(proof["events"] and proof["gapFree"] is True, "the session has no events")
    return checkpoint


def read(path):
    with open(path, "rb") as file:
        return file.read()


def main():
    key, kind = Key(sys.argv[1]), sys.argv[2]
    text = sys.stdin.buffer.read()
    try:
        if kind == "checkpoint":
            checkpoint = Checkpoint(text, key)
        elif kind == "event":
            checkpoint = event(text, key, read(sys.argv[3]))
        elif kind == "growth":
            checkpoint = growth(text, key, read(sys.argv[3]))
        else:
            checkpoint = session(text, key)
    except (Refused, KeyError, ValueError) as error:
        sys.exit("refused: %s" % error)
    print(checkpoint.size)


main()
