#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Verifies the signatures of all tokens in a file with a JWT library, again and again for some
seconds, and prints how many it did in a second.

usage: jwt_peer.py NAME --tokens FILE --keys FILE --processes N --seconds S

NAME is `PyJWT` or `joserfc`. FILE has a token on each line, and a JSON Web Key Set. Claims are not
looked at. Exit status 7: the library is not there, and why is printed.
"""

import argparse
import json
import multiprocessing
import pathlib
import sys
import time


def pyjwt(keys):
    import jwt

    by_id = {key["kid"]: jwt.PyJWK(key) for key in keys["keys"]}
    jws = jwt.api_jws.PyJWS()

    def verify(token):
        kid = jws.get_unverified_header(token)["kid"]
        jws.decode(token, by_id[kid].key, algorithms=["RS256"])

    return verify


def joserfc(keys):
    from joserfc import jwk, jws

    key_set = jwk.KeySet.import_key_set(keys)

    def verify(token):
        jws.deserialize_compact(token, key_set, algorithms=["RS256"])

    return verify


def work(options, part, results, start):
    tokens = pathlib.Path(options.tokens).read_text().split()
    keys = json.loads(pathlib.Path(options.keys).read_text())
    verify = {"PyJWT": pyjwt, "joserfc": joserfc}[options.name](keys)
    index = part * len(tokens) // options.processes
    count = 0
    start.wait()
    begun = time.monotonic()
    while time.monotonic() - begun < options.seconds:
        for _ in range(200):
            verify(tokens[index])
            index = (index + 1) % len(tokens)
        count += 200
    results.put(count / (time.monotonic() - begun))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=["PyJWT", "joserfc"])
    parser.add_argument("--tokens", required=True)
    parser.add_argument("--keys", required=True)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=2)
    options = parser.parse_args()
    try:
        __import__({"PyJWT": "jwt", "joserfc": "joserfc"}[options.name])
    except ImportError as error:
        print(error)
        sys.exit(7)
    results = multiprocessing.Queue()
    start = multiprocessing.Barrier(options.processes)
    workers = [
        multiprocessing.Process(target=work, args=(options, part, results, start))
        for part in range(options.processes)
    ]
    for worker in workers:
        worker.start()
    print(sum(results.get() for _ in workers))
    for worker in workers:
        worker.join()


if __name__ == "__main__":
    main()
