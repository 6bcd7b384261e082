# SPDX-License-Identifier: Apache-2.0
"""Looks into a ledger's LMDB files, and damages them on purpose. Shares no code with the program.

usage: surgeon.py COMMAND DIR [ARGUMENT ...]

  format DIR JSON                 put this in place of the record of the format
  frames DIR                      print {"position", "hex"} of every stored frame
  inflate DIR                     print every event's frame and every document, expanded
  drop-frame DIR POSITION         remove an event
  swap-frames DIR POSITION OTHER  put two events in each other's place
  alter-frame DIR POSITION        change the last byte of an event's compressed text
  forge-frame DIR POSITION OLD NEW
                                  change a text inside an event, and its hash with it
  drop-index DIR POSITION         take the stream that ends there out of the index
  blobs DIR                       print the names of all documents as base64url
  drop-blob DIR NAME              remove a document
  alter-blob DIR NAME             change the last byte of a document
  delete-key DIR SESSION          remove the data key of a session
  count DIR ENVIRONMENT DATABASE  print how many keys a database has
"""
import base64
import hashlib
import json
import struct
import sys
import uuid
import zlib

import lmdb

FRAME_WINDOW, BLOB_WINDOW = 14, 15


def open_environment(directory, name="log"):
    return lmdb.open(directory + "/" + name, map_size=1 << 30, max_dbs=16, create=False)


def number(value):
    return struct.pack(">Q", value)


def read_varint(data, index):
    value = shift = 0
    while True:
        byte = data[index]
        index += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, index


def write_varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def expand(data, window, dictionary=b""):
    if dictionary:
        inflater = zlib.decompressobj(-window, zdict=dictionary)
    else:
        inflater = zlib.decompressobj(-window)
    return inflater.decompress(data) + inflater.flush()


class Frame:
    """version, leaf hash, revision, then the stream's name or two distances; then the body."""

    def __init__(self, data):
        self.version, self.leaf_hash = data[0], data[1:33]
        self.revision, index = read_varint(data, 33)
        if self.revision == 1:
            length, name = read_varint(data, index)
            index = name + (length or 16)
        else:
            _, index = read_varint(data, index)
            _, index = read_varint(data, index)
        self.place = data[33:index]
        self.packing = data[index]
        self.dictionary, index = read_varint(data, index + 1)
        self.leaf_length, index = read_varint(data, index)
        self.text_length, index = read_varint(data, index)
        literals, index = read_varint(data, index)
        self.literals = data[index:index + literals]
        self.deflated = data[index + literals:]

    def encoded(self):
        numbers = (self.dictionary, self.leaf_length, self.text_length, len(self.literals))
        return (
            bytes([self.version]) + self.leaf_hash + self.place + bytes([self.packing])
            + b"".join(map(write_varint, numbers)) + self.literals + self.deflated)


def dictionary_of(transaction, environment, frame):
    database = environment.open_db(b"dictionaries", txn=transaction, create=False)
    return transaction.get(number(frame.dictionary), db=database)


def edit(directory, database_name, key, change, environment_name="log"):
    """Replaces the value of a key by what `change` makes of it; None removes the key."""
    environment = open_environment(directory, environment_name)
    with environment.begin(write=True) as transaction:
        database = environment.open_db(database_name, txn=transaction, create=False)
        value = transaction.get(key, db=database)
        if value is None:
            sys.exit("there is no such key")
        new = change(bytes(value), transaction, environment)
        if new is None:
            transaction.delete(key, db=database)
        else:
            transaction.put(key, new, db=database)


def each(directory, database_name):
    environment = open_environment(directory)
    with environment.begin() as transaction:
        database = environment.open_db(database_name, txn=transaction, create=False)
        for key, value in transaction.cursor(db=database):
            yield bytes(key), bytes(value), transaction, environment


def flip_last(value, *_):
    return value[:-1] + bytes([value[-1] ^ 0x01])


def format_record(directory, text):
    edit(directory, b"meta", b"format", lambda *_: text.encode())


def frames(directory):
    for key, value, _, _ in each(directory, b"events"):
        print(json.dumps({"position": struct.unpack(">Q", key)[0], "hex": value.hex()}))


def inflate(directory):
    out = sys.stdout.buffer
    for _, value, transaction, environment in each(directory, b"events"):
        frame = Frame(value)
        dictionary = dictionary_of(transaction, environment, frame)
        text = expand(frame.deflated, FRAME_WINDOW, dictionary)
        if len(text) != frame.text_length:
            sys.exit("a frame does not expand to the length it names")
        out.write(text + b"\n" + frame.literals + b"\n")
    for name, value, _, _ in each(directory, b"blobs"):
        length, index = read_varint(value, 1)
        content = expand(value[index:], BLOB_WINDOW) if value[0] == 1 else value[index:]
        if len(content) != length or hashlib.sha256(content).digest() != name:
            sys.exit("a document is not what its name says")
        out.write(content + b"\n")


def drop_frame(directory, position):
    edit(directory, b"events", number(int(position)), lambda *_: None)


def swap_frames(directory, position, other):
    found = dict((key, value) for key, value, _, _ in each(directory, b"events"))
    one, two = number(int(position)), number(int(other))
    edit(directory, b"events", one, lambda *_: found[two])
    edit(directory, b"events", two, lambda *_: found[one])


def alter_frame(directory, position):
    edit(directory, b"events", number(int(position)), flip_last)


def forge_frame(directory, position, old, new):
    def forge(value, transaction, environment):
        frame = Frame(value)
        dictionary = dictionary_of(transaction, environment, frame)
        text = expand(frame.deflated, FRAME_WINDOW, dictionary)
        if old.encode() not in text:
            sys.exit("the event has no such text")
        leaf = sys.stdin.buffer.read().split(b"\n")[int(position)].replace(
            old.encode(), new.encode())
        deflater = zlib.compressobj(6, zlib.DEFLATED, -FRAME_WINDOW, 6, zdict=dictionary)
        frame.packing, frame.literals = 0, b""
        frame.leaf_length = frame.text_length = len(leaf)
        frame.deflated = deflater.compress(leaf) + deflater.flush()
        frame.leaf_hash = hashlib.sha256(b"\x00" + leaf).digest()
        return frame.encoded()

    edit(directory, b"events", number(int(position)), forge)


def drop_index(directory, position):
    wanted = number(int(position))
    environment = open_environment(directory)
    with environment.begin(write=True) as transaction:
        database = environment.open_db(b"streams", txn=transaction, create=False)
        for key, value in transaction.cursor(db=database):
            if bytes(value) == wanted:
                transaction.delete(bytes(key), db=database)
                return
    sys.exit("no stream ends at this position")


def blob_key(name):
    return base64.urlsafe_b64decode(name + "=")


def blobs(directory):
    for name, _, _, _ in each(directory, b"blobs"):
        print(base64.urlsafe_b64encode(name).rstrip(b"=").decode())


def drop_blob(directory, name):
    edit(directory, b"blobs", blob_key(name), lambda *_: None)


def alter_blob(directory, name):
    edit(directory, b"blobs", blob_key(name), flip_last)


def delete_key(directory, session):
    edit(directory, b"data-keys", uuid.UUID(session).bytes, lambda *_: None, "keys")


def count(directory, environment_name, database_name):
    environment = open_environment(directory, environment_name)
    with environment.begin() as transaction:
        database = environment.open_db(database_name.encode(), txn=transaction, create=False)
        print(transaction.stat(database)["entries"])


COMMANDS = {
    "format": format_record, "frames": frames, "inflate": inflate, "drop-frame": drop_frame,
    "swap-frames": swap_frames, "alter-frame": alter_frame, "forge-frame": forge_frame,
    "drop-index": drop_index, "blobs": blobs, "drop-blob": drop_blob, "alter-blob": alter_blob,
    "count": count, "delete-key": delete_key,
}

COMMANDS[sys.argv[1]](*sys.argv[2:])
