# SPDX-License-Identifier: Apache-2.0
"""Checks an export of tiles by pymerkle, and proofs under its checkpoint.

usage: check_tiles.py DIR [INCLUSION.tlog-proof ... | OLD-CHECKPOINT ...]

The tree is built anew from the entries. Every hash of every tile must be a node of it, every proof
of inclusion the one that pymerkle makes and accepts, and every older checkpoint consistent with it.
Prints the size of the tree. Signatures are not looked at.
"""
import base64
import os
import struct
import sys

import pymerkle


def path_of(number, width):
    parts = []
    while True:
        parts.insert(0, "%03d" % (number % 1000))
        number //= 1000
        if number == 0:
            break
    path = "/".join(["x" + part for part in parts[:-1]] + parts[-1:])
    return path if width == 256 else "%s.p/%d" % (path, width)


def read(*parts):
    with open(os.path.join(*parts), "rb") as file:
        return file.read()


def checkpoint_of(note):
    origin, size, root = note.split(b"\n\n")[0].decode().split("\n")
    return int(size), base64.b64decode(root)


def tiles(count):
    for number in range((count + 255) // 256):
        yield number, min(256, count - number * 256)


def entries(directory, size):
    for number, width in tiles(size):
        data = read(directory, "tile/entries", path_of(number, width))
        while data:
            length, = struct.unpack(">H", data[:2])
            yield data[2:2 + length]
            data = data[2 + length:]


def fold(tree, hashes):
    while len(hashes) > 1:
        hashes = [tree.hash_pair(*hashes[place:place + 2]) for place in range(0, len(hashes), 2)]
    return hashes[0]


def check_tiles(directory, tree, size):
    level, nodes = 0, [tree.get_leaf(index + 1) for index in range(size)]
    while nodes:
        for number, width in tiles(len(nodes)):
            data = read(directory, "tile", str(level), path_of(number, width))
            expected = nodes[number * 256:number * 256 + width]
            assert data == b"".join(expected), "the tile %d of level %d" % (number, level)
        full = range(0, len(nodes) // 256 * 256, 256)
        level, nodes = level + 1, [fold(tree, nodes[first:first + 256]) for first in full]


def check_proof(tree, text):
    head, note = text.split(b"\n\n", 1)
    size, root = checkpoint_of(note)
    lines = head.decode().split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    index = int(lines[1].removeprefix("index "))
    hashes = [base64.b64decode(line) for line in lines[2:]]
    proof = tree.prove_inclusion(index + 1, size)
    leaf = tree.get_leaf(index + 1)
    proof.path = [leaf] + hashes
    pymerkle.verify_inclusion(leaf, root, proof, index=index + 1, size=size)


def main():
    directory = sys.argv[1]
    size, root = checkpoint_of(read(directory, "checkpoint"))
    tree = pymerkle.InmemoryTree("sha256")
    for entry in entries(directory, size):
        tree.append_entry(entry)
    assert tree.get_size() == size, "the number of entries"
    assert tree.get_root() == root, "the root"
    check_tiles(directory, tree, size)
    for path in sys.argv[2:]:
        text = read(path)
        if text.startswith(b"c2sp.org/tlog-proof"):
            check_proof(tree, text)
            continue
        old_size, old_root = checkpoint_of(text)
        proof = tree.prove_consistency(old_size, size)
        pymerkle.verify_consistency(old_root, root, proof, prior_size=old_size, later_size=size)
    print(size)


main()
