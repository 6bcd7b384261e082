# SPDX-License-Identifier: Apache-2.0
"""Reads HTTP Archives by haralyzer, a reader that somebody else wrote.

usage: check_har.py FILE ...

Prints a line of JSON for each file: the page's id and title, and of each of its entries method,
URL, status and time. Every entry must belong to the page, and parse.
"""
import json
import sys

from haralyzer import HarParser


def read(path):
    parser = HarParser(json.load(open(path)))
    if parser.version != "1.2" or len(parser.pages) != 1:
        sys.exit(f"{path}: not one page of HAR 1.2")
    page = parser.pages[0]
    if len(page.entries) != len(parser.har_data["entries"]):
        sys.exit(f"{path}: there are entries without the page")
    times = [entry.startTime for entry in page.entries]
    if times != sorted(times):
        sys.exit(f"{path}: the entries are not in order")
    return {
        "creator": parser.creator["name"],
        "page": page.page_id,
        "title": page.title,
        "entries": [
            {
                "method": entry.request.method,
                "url": entry.request.url,
                "status": entry.response.status,
                "time": entry.time,
            }
            for entry in page.entries
        ],
    }


for name in sys.argv[1:]:
    print(json.dumps(read(name)))
