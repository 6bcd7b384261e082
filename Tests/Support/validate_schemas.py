#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the JSON Schemas of a directory, then instances against them.

usage: validate_schemas.py SCHEMAS < CASES

A case is a line of JSON, {"schema": path below SCHEMAS, "instance": any}. For each one a line is
printed: "valid", or "invalid" and why. Schemas that are wrong themselves end the program with
exit status 1 and a line for each problem on standard error.

Needs the Debian package python3-jsonschema.
"""

import json
import pathlib
import re
import sys

from jsonschema import Draft202012Validator, RefResolver, ValidationError, validators

BASE = "https://authledger.invalid/schemas/"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def pattern(validator, pattern, instance, schema):
    # In ECMA 262 "$" is the end of the text; in Python it is also the place before a last newline.
    translated = re.sub(r"\$$", r"\\Z", pattern)
    if validator.is_type(instance, "string") and not re.search(translated, instance):
        yield ValidationError(f"the text does not match {pattern}")


Validator = validators.extend(Draft202012Validator, {"pattern": pattern})


def walk(schema, path=""):
    """Every object inside a schema, with the path to it."""
    if isinstance(schema, dict):
        yield path, schema
        for name, value in schema.items():
            yield from walk(value, f"{path}/{name}")
    elif isinstance(schema, list):
        for index, value in enumerate(schema):
            yield from walk(value, f"{path}/{index}")


def problems(name, schema, store):
    """What is wrong with a schema, in words."""
    if schema.get("$schema") != DIALECT:
        yield "$schema is not draft 2020-12"
    if schema.get("$id") != BASE + name:
        yield "$id does not end in the path of the file"
    try:
        Validator.check_schema(schema)
    except Exception as error:
        yield f"not a schema: {error}"
    for path, part in walk(schema):
        if isinstance(part.get("$ref"), str):
            try:
                RefResolver(schema["$id"], schema, store=store).resolve(part["$ref"])
            except Exception:
                yield f"{path}: {part['$ref']} leads nowhere"
        # What stands below a condition only narrows properties that are described elsewhere.
        if path.endswith("/properties") and not re.search("/(if|then|else)/", path):
            for member, description in part.items():
                if not {"description", "$ref", "$comment"} & set(description):
                    yield f"{path}/{member}: there is no description"


def main():
    directory = pathlib.Path(sys.argv[1])
    schemas = {
        path.relative_to(directory).as_posix(): json.loads(path.read_text())
        for path in sorted(directory.rglob("*.schema.json"))
    }
    store = {schema.get("$id", name): schema for name, schema in schemas.items()}
    found = [
        f"{name}: {problem}"
        for name, schema in schemas.items()
        for problem in problems(name, schema, store)
    ]
    if found or not schemas:
        sys.exit("\n".join(found) or "there are no schemas here")
    validators_by_name = {
        name: Validator(schema, resolver=RefResolver(schema["$id"], schema, store=store))
        for name, schema in schemas.items()
    }
    for line in sys.stdin:
        case = json.loads(line)
        errors = list(validators_by_name[case["schema"]].iter_errors(case["instance"]))
        print("invalid " + "; ".join(describe(error) for error in errors) if errors else "valid")


def describe(error):
    return f"{error.json_path} {error.message}".replace("\n", " ")[:300]


if __name__ == "__main__":
    main()
