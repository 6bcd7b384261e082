# SPDX-License-Identifier: Apache-2.0
"""Searches files for secrets in every form in which they could have been left lying about: as they
are, as hexadecimal digits of either case, with the escapes of JSON, and inside base64 of either
alphabet at each of the three alignments.

Prints one line of JSON for each hit: {"file", "form", "secret"}. SECRETS holds one secret a line;
each PATH is a file or a directory that is searched with everything in it.

usage: search.py SECRETS PATH ...
"""
import base64
import json
import os
import sys


def base64_forms(secret):
    """What of base64 depends on the secret alone, whatever stands in front and behind."""
    for shift in range(3):
        # A character mixes bits of up to two bytes; those shared with a neighbour are left out.
        padded = base64.b64encode(b"\0" * shift + secret)
        start = (shift * 8 + 5) // 6
        end = (shift + len(secret)) * 8 // 6
        text = padded[start:end]
        yield "base64/%d" % shift, text
        yield "base64url/%d" % shift, text.replace(b"+", b"-").replace(b"/", b"_")


def forms(secret):
    yield "plain", secret
    yield "hex", secret.hex().encode()
    yield "HEX", secret.hex().upper().encode()
    yield "json", json.dumps(secret.decode())[1:-1].encode()
    yield "json/slash", secret.replace(b"/", b"\\/")
    yield from base64_forms(secret)


def files(paths):
    for path in paths:
        if os.path.isdir(path):
            for directory, _, names in os.walk(path):
                for name in sorted(names):
                    yield os.path.join(directory, name)
        elif os.path.isfile(path):
            yield path
        else:
            sys.exit(path + ": there is nothing to search")


def main():
    with open(sys.argv[1], "rb") as file:
        secrets = [line for line in file.read().split(b"\n") if line]
    if any(len(secret) < 8 for secret in secrets):
        sys.exit("a secret is so short that it could be found by chance")
    needles = []
    for secret in secrets:
        needles += {needle: form for form, needle in forms(secret)}.items()
    for path in files(sys.argv[2:]):
        with open(path, "rb") as file:
            content = file.read()
        for needle, form in needles:
            if needle in content:
                print(json.dumps({"file": path, "form": form, "secret": needle.decode()}))


main()
