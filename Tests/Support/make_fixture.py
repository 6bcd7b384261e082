#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a ledger to be kept: every later version must open it, and come to the same decisions.

usage: make_fixture.py AUTHLEDGER FIXTURE.tar.xz

AUTHLEDGER is the built program. The ledger has logins that the program ran itself, against the
simulated provider, with RS256 tokens, and logins that were reported. With it are packed its keys,
which were made for it and protect nothing, and what the checks and the replay of today say of it.
A fixture is made once for each format version, by the last program that writes it, or when logins
are recorded that no fixture has the like of, and never again.
"""

import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "Schemas/examples/event-log-v1"


def main():
    program, target = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        place = pathlib.Path(directory)

        def run(*arguments):
            environment = {**os.environ, "XDG_CONFIG_HOME": str(place / "config")}
            command = [program, *arguments, "--json", "--ledger", place / "ledger"]
            done = subprocess.run(command, env=environment, capture_output=True)
            if done.returncode != 0:
                sys.exit(f"{arguments} ended with {done.returncode}: {done.stderr.decode()}")
            return [json.loads(line) for line in done.stdout.splitlines()]

        run("demo")
        run("ingest", EXAMPLE / "reported.jsonl")
        [verified] = run("verify")
        [reverified] = run("reverify")
        [replayed] = run("replay", "--all")
        [stats] = run("stats")
        expected = {
            "verify": {name: verified[name] for name in ("events", "ok", "root", "treeSize")},
            "reverify": {
                name: reverified[name]
                for name in ("tokens", "verified", "failed", "erased", "inconclusive", "mismatches")
            },
            "replay": {
                name: replayed[name]
                for name in ("sessions", "events", "same", "taken", "reported", "erased")
            },
            "stats": {name: stats[name] for name in ("bytesRaw", "bytesStored", "sessions")},
            "sessions": run("sessions"),
        }
        (place / "expected.json").write_text(json.dumps(expected, indent=1, sort_keys=True) + "\n")
        for lock in (place / "ledger").rglob("lock.mdb"):
            lock.unlink()

        def plain(entry):
            entry.uid = entry.gid = entry.mtime = 0
            entry.uname = entry.gname = "root"
            return entry

        with tarfile.open(target, "w:xz", format=tarfile.PAX_FORMAT) as archive:
            for name in ("config", "expected.json", "ledger"):
                archive.add(place / name, name, filter=plain)


if __name__ == "__main__":
    main()
