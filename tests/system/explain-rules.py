#!/usr/bin/python3
# Holds the rules that the broker's audit log names against those that `fdbroker explain` names:
# explain-rules.py LOG FOLDER POLICIES UID.... FOLDER has for each policy and each peer the answers of
# explain, NUMBER.PEER.long; the UIDs are those of the peers. Prints how many records were compared.
#
# The log may write an object in another way than it was asked for (tcp:80 is tcp:[::]:80 there):
# such records are passed over.
import re
import sys

log, folder, policies, uids = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
RECORD = re.compile(r'audit: \S+ uid=(\d+) .* verb=(\S+) object="([^"\\]*)" reason=(\S+) .* rule=(\S+) ')


def answers(policy):
    rules = {}
    for peer, uid in enumerate(uids):
        with open(f"{folder}/{policy}.{peer}.long") as file:
            for line in file:
                _, rule, verb, name = line.rstrip("\n").split(" ", 3)
                rules[uid, verb, name] = rule
    return rules


compared, policy, expected = 0, 0, answers(0)
with open(log) as file:
    for line in file:
        if "reload done" in line:
            policy += 1
            expected = answers(policy)
        record = RECORD.search(line)
        if not record:
            continue
        uid, verb, name, reason, rule = record.groups()
        said = expected.get((uid, verb, name))
        # What the disk made of it, and what was not done at all, has no rule that decided.
        if said is None or reason not in ("policy", "none", "-", "kernel"):
            continue
        compared += 1
        if said != rule:
            sys.exit(f"policy {policy}, uid {uid}: {verb} {name}: explain says {said}: {line}")
print(compared)
