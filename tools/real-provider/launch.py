# SPDX-License-Identifier: Apache-2.0
"""How an instance is started: its arguments, its directory, its process and its end."""
import argparse
import json
import os
import random
import socket
import subprocess
import sys
import time

from keys import write_private
from provider import DESCRIPTION, stop

DEFAULT_REDIRECT = "http://127.0.0.1:8080/callback"


def parser(text):
    """The arguments that all providers take."""
    made = argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("directory", metavar="DIR")
    made.add_argument("--port", type=int, default=0, help="by default any free one")
    made.add_argument("--public", help="where others reach it, if through something in between")
    made.add_argument(
        "--redirect", action="append",
        help="a redirect URI of the clients; a free port takes the place of port 0")
    made.add_argument(
        "--attached", action="store_true",
        help="stay; when standard input ends, stop it and remove DIR")
    return made


def launch(options, run):
    """Starts a provider in its directory and prints its description. `run` gets the directory and
    the port and gives the description."""
    directory = os.path.abspath(options.directory)
    os.makedirs(directory, mode=0o700, exist_ok=True)
    if os.listdir(directory):
        raise SystemExit(f"{directory} is not empty")
    os.chmod(directory, 0o700)
    try:
        text = json.dumps(run(directory, free_port(options.port)), indent=1)
        write_private(os.path.join(directory, DESCRIPTION), text)
        print(text, flush=True)
        if options.attached:
            sys.stdin.read()
    except BaseException:
        stop(directory)
        raise
    if options.attached:
        stop(directory, remove=True)


def redirect_uris(options):
    return [uri.replace(":0/", f":{free_port()}/")
            for uri in options.redirect or [DEFAULT_REDIRECT]]


def free_port(asked=0):
    """The port that was asked for, or a random one below those of outgoing connections; refused
    when something listens there already."""
    for port in [asked] if asked else random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
    raise SystemExit(f"port {asked or 'after port'} is taken")


def start(directory, command):
    with open(os.path.join(directory, "output.log"), "w") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=directory,
            start_new_session=True)
    with open(os.path.join(directory, "pid"), "w") as out:
        out.write(f"{process.pid}\n")
    return process


def wait_until_up(process, browser, url, log, seconds):
    """Waits until the URL is answered with status 200."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"the provider ended at once; see {log}")
        try:
            if browser.request("GET", url).status == 200:
                return
        except OSError:
            pass
        time.sleep(0.03)
    raise SystemExit(f"the provider does not answer; see {log}")
