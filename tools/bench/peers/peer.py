#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Appends events to another event store, durably, and prints a number.

usage: peer.py NAME --events FILE --directory DIR (--callers N --seconds S | --size)

NAME is `eventsourcing`, `postgresql` or `nats`. FILE has one event on each line, as JSON with
`subject` and `revision`. With --callers, so many callers append one event after the other for so
long, and events per second are printed; with --size all events are appended, and the bytes that
they take up on disk for each event. Exit status 7: the peer is not there, and why is printed.

Each store runs in DIR, listens on nothing but a socket there or on 127.0.0.1, and syncs before it
acknowledges.
"""

import argparse
import asyncio
import json
import os
import pathlib
import pwd
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid


class NotThere(Exception):
    pass


def read_events(path):
    """Stream, revision and text of each event; names of streams that are no UUIDs become some."""
    for line in path.read_text().splitlines():
        event = json.loads(line)
        try:
            stream = uuid.UUID(event["subject"])
        except ValueError:
            stream = uuid.uuid5(uuid.NAMESPACE_URL, event["subject"])
        yield stream, event["revision"], line


def file_bytes(directory):
    return sum(p.stat().st_blocks * 512 for p in directory.rglob("*") if p.is_file())


def timed(callers, seconds, append):
    """Events per second of so many threads, each of which calls `append(caller, n)` in turn."""
    counts = [0] * callers
    failures = []
    start_line = threading.Barrier(callers + 1)

    def work(caller):
        try:
            append(caller, 0)
            start_line.wait()
            while time.monotonic() < end[0]:
                append(caller, counts[caller] + 1)
                counts[caller] += 1
        except Exception as error:  # shown by the main thread
            failures.append(error)
            start_line.abort()

    # Whoever passes the line reads the end, so one has to stand before.
    end = [float("inf")]
    threads = [threading.Thread(target=work, args=(n,)) for n in range(callers)]
    for thread in threads:
        thread.start()
    try:
        start_line.wait(120)
    except threading.BrokenBarrierError:
        raise (failures or [RuntimeError("a caller did not start")])[0]
    start = time.monotonic()
    end[0] = start + seconds
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return sum(counts) / (time.monotonic() - start)


# The eventsourcing library on SQLite


class EventSourcing:
    def __init__(self, directory):
        try:
            from eventsourcing import persistence, sqlite
        except ImportError:
            raise NotThere("the Python library eventsourcing is not installed")
        self.stored_event = persistence.StoredEvent
        self.directory = pathlib.Path(tempfile.mkdtemp(dir=directory))
        store = sqlite.SQLiteDatastore(str(self.directory / "events.sqlite"), lock_timeout=60)
        self.recorder = sqlite.SQLiteApplicationRecorder(store)
        self.recorder.create_table()
        self.store = store
        with store.transaction(commit=False) as cursor:
            cursor.execute("PRAGMA journal_mode")
            mode = cursor.fetchone()[0]
            cursor.execute("PRAGMA synchronous")
            level = cursor.fetchone()[0]
        if (mode, level) != ("wal", 2):
            raise NotThere(f"the library uses journal {mode}, synchronous {level}, not wal and 2")

    def event(self, stream, revision, text):
        return self.stored_event(
            originator_id=stream, originator_version=revision, topic="event", state=text.encode()
        )

    def rate(self, callers, seconds, events):
        streams = [uuid.uuid4() for _ in range(callers)]

        def append(caller, number):
            text = events[(caller * 31 + number) % len(events)][2]
            self.recorder.insert_events([self.event(streams[caller], number + 1, text)])

        return timed(callers, seconds, append)

    def size(self, events):
        for start in range(0, len(events), 1000):
            self.recorder.insert_events([self.event(*e) for e in events[start : start + 1000]])
        with self.store.transaction(commit=False) as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.store.close()
        return file_bytes(self.directory) / len(events)

    def close(self):
        self.store.close()
        shutil.rmtree(self.directory, ignore_errors=True)


# PostgreSQL with one row for each event


class PostgreSQL:
    TABLE = """
        CREATE TABLE events (
            position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            stream uuid NOT NULL, revision integer NOT NULL, event text NOT NULL,
            UNIQUE (stream, revision))"""

    def __init__(self, directory):
        found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        if not found:
            raise NotThere("PostgreSQL is not installed (Debian: postgresql)")
        self.programs = found[-1].parent
        self.user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        # The path of a socket is short, and the server's user must be able to come here.
        self.sockets = pathlib.Path(tempfile.mkdtemp(prefix="bench-pg-"))
        self.directory = pathlib.Path(tempfile.mkdtemp(dir=directory))
        if os.geteuid() == 0:
            directory.chmod(0o711)
            for path in (self.sockets, self.directory):
                shutil.chown(path, self.user)
        self.run("initdb", "-D", self.data, "-A", "trust", "-E", "UTF8", "--locale=C")
        options = (
            f"-c listen_addresses= -c unix_socket_directories={self.sockets} -c fsync=on"
            " -c synchronous_commit=on -c max_connections=600 -c shared_buffers=256MB"
            " -c max_wal_size=4GB"
        )
        self.run("pg_ctl", "-D", self.data, "-w", "-l", self.directory / "log", "-o", options, "start")
        self.sql(self.TABLE)

    @property
    def data(self):
        return self.directory / "data"

    def run(self, program, *arguments, text=None):
        command = [self.programs / program, *arguments]
        if os.geteuid() == 0:
            command = ["/sbin/runuser", "-u", self.user, "--", *command]
        done = subprocess.run(
            [str(part) for part in command], input=text, capture_output=True, text=True, cwd="/"
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stderr.strip()[-500:]}")
        return done.stdout

    def sql(self, text):
        return self.run("psql", "-h", self.sockets, "-qAtX", "-v", "ON_ERROR_STOP=1", "postgres", text=text)

    def rate(self, callers, seconds, events):
        # pgbench takes up to 128 scripts and picks one for each transaction.
        scripts = self.directory / "scripts"
        scripts.mkdir()
        arguments = []
        for number, (_, _, text) in enumerate(events[:100]):
            literal = text.replace("'", "''")
            script = scripts / f"{number}.sql"
            script.write_text(
                "\\set r :r + 1\n"
                "INSERT INTO events (stream, revision, event) VALUES "
                f"((lpad(to_hex(:client_id), 32, '0'))::uuid, :r + :base, '{literal}');\n"
            )
            script.chmod(0o644)
            arguments += ["-f", script]
        scripts.chmod(0o755)

        def bench(base, duration):
            return self.run(
                "pgbench", "-h", self.sockets, "-n", "-M", "simple", "-c", callers, "-j",
                min(callers, 2), "-T", duration, "-D", "r=0", "-D", f"base={base}", *arguments,
                "postgres",
            )  # fmt: skip

        bench(0, 1)
        out = bench(1_000_000, max(1, round(seconds)))
        return float(re.search(r"tps = ([0-9.]+)", out)[1])

    def size(self, events):
        def rows():
            yield "COPY events (stream, revision, event) FROM STDIN;\n"
            for stream, revision, text in events:
                yield f"{stream}\t{revision}\t" + text.replace("\\", "\\\\") + "\n"
            yield "\\.\n"

        self.sql("".join(rows()))
        self.sql("VACUUM ANALYZE events")
        return float(self.sql("SELECT pg_total_relation_size('events')")) / len(events)

    def close(self):
        try:
            self.run("pg_ctl", "-D", self.data, "-m", "immediate", "stop")
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)
            shutil.rmtree(self.sockets, ignore_errors=True)


# NATS JetStream


class NATS:
    def __init__(self, directory):
        program = shutil.which("nats-server")
        if program is None:
            raise NotThere("there is no nats-server")
        text = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
        version = re.search(r"v(\d+)\.(\d+)", text)
        if version is None or (int(version[1]), int(version[2])) < (2, 10):
            raise NotThere(f"{text.strip()} cannot sync before it acknowledges; 2.10 can")
        try:
            import nats
        except ImportError:
            raise NotThere("the Python library nats-py is not installed")
        self.nats = nats
        self.directory = pathlib.Path(tempfile.mkdtemp(dir=directory))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        configuration = self.directory / "nats.conf"
        configuration.write_text(
            f'listen: "127.0.0.1:{self.port}"\n'
            f'jetstream {{ store_dir: "{self.directory}/store", sync_interval: always }}\n'
        )
        self.server = subprocess.Popen(
            [program, "-c", configuration], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )

    async def connect(self):
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return await self.nats.connect(f"nats://127.0.0.1:{self.port}")
            except OSError:
                await asyncio.sleep(0.1)
        raise RuntimeError("nats-server does not answer")

    def rate(self, callers, seconds, events):
        async def work():
            connection = await self.connect()
            stream = connection.jetstream()
            await stream.add_stream(name="events", subjects=["events.*"])
            counts = [0] * callers
            for caller in range(callers):
                await stream.publish(f"events.{caller}", events[0][2].encode())
            start = time.monotonic()

            async def call(caller):
                while time.monotonic() < start + seconds:
                    text = events[(caller * 31 + counts[caller]) % len(events)][2]
                    await stream.publish(f"events.{caller}", text.encode(), timeout=60)
                    counts[caller] += 1

            await asyncio.gather(*(call(caller) for caller in range(callers)))
            rate = sum(counts) / (time.monotonic() - start)
            await connection.close()
            return rate

        return asyncio.run(work())

    def size(self, events):
        async def work():
            connection = await self.connect()
            stream = connection.jetstream()
            await stream.add_stream(name="events", subjects=["events.*"])
            for start in range(0, len(events), 256):
                await asyncio.gather(
                    *(
                        stream.publish(f"events.{subject}", text.encode(), timeout=60)
                        for subject, _, text in events[start : start + 256]
                    )
                )
            await connection.close()

        asyncio.run(work())
        return file_bytes(self.directory / "store") / len(events)

    def close(self):
        self.server.terminate()
        self.server.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


PEERS = {"eventsourcing": EventSourcing, "postgresql": PostgreSQL, "nats": NATS}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=PEERS)
    parser.add_argument("--events", type=pathlib.Path, required=True)
    parser.add_argument("--directory", type=pathlib.Path, required=True)
    parser.add_argument("--callers", type=int)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--size", action="store_true")
    options = parser.parse_args()
    try:
        peer = PEERS[options.name](options.directory)
    except NotThere as reason:
        print(reason)
        sys.exit(7)
    try:
        events = list(read_events(options.events))
        if options.size:
            print(peer.size(events))
        else:
            print(peer.rate(options.callers, options.seconds, events))
    finally:
        peer.close()


if __name__ == "__main__":
    main()
