#!/usr/bin/python3
# Reads what `fdbroker explain --json` prints, and holds it against the table of members in the
# manual: explain-json.py MANUAL CHECKS. Each line must have the members that the table says are
# there for its verdict and its reason, of the types that it says, and no others. CHECKS are Python,
# with all lines as `answers`.
import json
import re
import sys

TYPES = {"string": str, "number": int, "object": dict, "list": list, "null": type(None)}


def members():
    with open(sys.argv[1], encoding="utf-8") as file:
        text = re.sub(r"[\\*_]", "", file.read())
    # "|  verdict\n:  string\n:  always\n:  ..."
    rows = re.findall(r"^\|  (\w+)\n:  ([a-z ]+)\n:  ([a-z, -]+)\n:", text, re.M)
    return {name: ([TYPES[word] for word in types.split(" or ")], when)
            for name, types, when in rows if when != "when"}


def is_there(when, answer):
    return when == "always" or answer["verdict"] == when or answer["reason"] in when.split(", ")


table = members()
assert len(table) > 10, table
answers = [json.loads(line) for line in sys.stdin]
seen = set()
for answer in answers:
    expected = {name for name, (_, when) in table.items() if is_there(when, answer)}
    assert set(answer) == expected, (set(answer) ^ expected, answer)
    for name, value in answer.items():
        assert any(type(value) is kind for kind in table[name][0]), (name, answer)
    seen |= expected
assert seen == set(table), set(table) - seen
exec(sys.argv[2])
