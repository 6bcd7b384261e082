#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes Schemas/examples/event-log-v1 anew and puts its bytes into Schemas/event-log.md.

usage: make_example.py AUTHLEDGER

AUTHLEDGER is the built program. Only for as long as format version 1 is not released: from then
on the example stays as it is, and every later version has to read it.
"""

import base64
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SUPPORT = pathlib.Path(__file__).resolve().parent
SCHEMAS = SUPPORT.parent.parent / "Schemas"
EXAMPLE = SCHEMAS / "examples" / "event-log-v1"
POSITION = "4"


def make(program):
    """Makes the ledger from the lines beside it."""
    for name in ("ledger", "keys"):
        shutil.rmtree(EXAMPLE / name, ignore_errors=True)
    with tempfile.TemporaryDirectory() as config:

        def run(*arguments):
            environment = {**os.environ, "XDG_CONFIG_HOME": config}
            command = [program, *arguments, "--ledger", EXAMPLE / "ledger"]
            return subprocess.run(command, env=environment, check=True, capture_output=True).stdout

        run("init", "--origin", "example.org/logins")
        run("ingest", EXAMPLE / "reported.jsonl")
        (EXAMPLE / "leaves.jsonl").write_bytes(run("log", "--raw"))
        shutil.copytree(pathlib.Path(config) / "authledger" / "keys", EXAMPLE / "keys")
    for lock in EXAMPLE.rglob("lock.mdb"):
        lock.unlink()


def stranger(*arguments):
    """What the reader prints of a copy, so that no lock file comes into the example."""
    with tempfile.TemporaryDirectory() as directory:
        copy = pathlib.Path(directory) / "copy"
        shutil.copytree(EXAMPLE, copy)
        keys = next((copy / "keys").iterdir())
        command = [sys.executable, "-B", SUPPORT / "read_ledger.py", copy / "ledger", keys]
        return subprocess.run(
            [*command, *arguments], check=True, capture_output=True, text=True
        ).stdout


def blocks():
    """The blocks of the document, each with a pattern of the first line that it is known by."""
    *events, summary = [json.loads(line) for line in stranger().splitlines()]
    leaf = base64.b64decode(events[5]["leaf"]).decode()
    yield r'\{"data"', "\n".join(re.findall(".{1,96}", leaf))
    yield r"[A-Za-z0-9_-]{43}", f"{events[5]['leafHash']}\n{summary['root']}"
    begins = r"leaf|frame, field by field|data key record"
    parts = re.split(rf"(?m)^(?=(?:{begins})$)", stranger(POSITION))
    for first, part in zip(("meta: format", *begins.split("|")), parts, strict=True):
        yield first + "$", part.rstrip("\n")


def main():
    make(sys.argv[1])
    document = (SCHEMAS / "event-log.md").read_text()
    for first, block in blocks():
        found = re.findall(rf"(?m)^```\n{first}(?:.*\n)*?```$", document)
        if len(found) != 1:
            sys.exit(f"{len(found)} blocks begin with {first}")
        document = document.replace(found[0], f"```\n{block}\n```")
    (SCHEMAS / "event-log.md").write_text(document)


if __name__ == "__main__":
    main()
