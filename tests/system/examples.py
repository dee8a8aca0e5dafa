#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The examples that stand in a document: examples.py list DOCUMENT | lines DOCUMENT |
show DOCUMENT FIRST-LINE [N] | commands DOCUMENT FIRST-LINE MARK.

An example is what is set apart to be copied: between lines of ```, indented in the README, a
paragraph of a manual that is a command, or code in the comments of the header. It is named by its
first line. `list` prints these, `lines` all lines of all examples, `show` the example, as a reader sees it;
number N of those that begin so. `commands` prints those lines of it that are typed after the MARK,
`$` or `#`, without it. This must never leave out one for being hard to recognize: who tests whether
all of them are tested relies on it.
"""
import re
import sys


def fenced(lines, unescape):
    found, block = [], None
    for line in lines:
        if line.startswith("```"):
            if block is not None:
                found.append(block)
            block = [] if block is None else None
        elif block is not None:
            block.append(unescape(line))
    assert block is None, "a ``` without its end"
    return found


def without_fenced(lines):
    is_inside, rest = False, []
    for line in lines:
        is_fence = line.startswith("```")
        is_inside ^= is_fence
        rest.append("" if is_inside or is_fence else line)
    return rest


def paragraphs(lines):
    return [p.split("\n") for p in re.split(r"\n\n+", "\n".join(lines).strip("\n"))]


def of_markdown(lines):
    """Also each paragraph of lines that are indented by four blanks; not what is drawn there."""
    found = fenced(lines, lambda line: line)
    for paragraph in paragraphs(without_fenced(lines)):
        if all(re.match(r"    \S|     ", line) for line in paragraph):
            found.append([line[4:] for line in paragraph])
    return found


def of_scdoc(lines):
    """Also each indented paragraph that is bold, and thus a command to be typed."""
    found = fenced(lines, lambda line: re.sub(r"\\(.)", r"\1", line))
    for paragraph in paragraphs(without_fenced(lines)):
        text = " ".join(line.strip() for line in paragraph)
        if paragraph[0].startswith("\t") and re.fullmatch(r"\*([^*\\]|\\.)*\*", text):
            found.append([re.sub(r"\\(.)", r"\1", text[1:-1])])
    return found


def of_header(lines):
    """Paragraphs in comments that begin with a tab, but for lists of terms and their meanings."""
    found = []
    comments = [line[2:] if line.startswith(" *") else "" for line in lines]
    for paragraph in paragraphs(line.rstrip() for line in comments):
        code = [line[1:] for line in paragraph if line.startswith("\t")]
        is_list = code and (re.search(r"\S\t", code[0]) or code[1:2] and code[1][0] == "\t")
        if code and not (is_list or re.match(r"E[A-Z0-9]{2,}\b|other errnos", code[0])):
            found.append(code)
    return found


def examples(document):
    with open(document, encoding="utf-8") as file:
        lines = file.read().split("\n")
    reader = {".md": of_markdown, ".scd": of_scdoc, ".h": of_header}
    return next(read for end, read in reader.items() if document.endswith(end))(lines)


def example(document, first, number):
    same = [block for block in examples(document) if block[0].startswith(first)]
    if len(same) < number:
        sys.exit(f"{document} has no example {number} that begins with: {first}")
    return same[number - 1]


def commands(block, mark):
    """What follows a line that goes on in the next one belongs to it."""
    found, continues, is_ours = [], False, False
    for line in block:
        if not continues:
            is_ours = line.startswith(mark + " ")
        if is_ours:
            found.append(line if continues else line[2:])
        continues = line.endswith("\\")
    return found


def main(command, document, first=None, which="1"):
    if command == "list":
        print("\n".join(block[0] for block in examples(document)))
    elif command == "lines":
        print("\n".join(line for block in examples(document) for line in block))
    elif command == "show":
        print("\n".join(example(document, first, int(which))))
    else:
        print("\n".join(commands(example(document, first, 1), which)))


main(*sys.argv[1:])
