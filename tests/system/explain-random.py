#!/usr/bin/python3
# Writes random policies, and for each peer of tests/system/explain.sh random requests:
# explain-random.py FOLDER SEED POLICIES PEERS REQUESTS. Everything is made from few words, so that
# rules and requests meet, and so that half of what is asked is allowed.
import random
import sys

folder, seed, policies, peers, requests = sys.argv[1], *map(int, sys.argv[2:])
NAMES = ["a", "b", "ab", "abc", "c.log", ".d", "x*y"]
ATOMS = ["a", "b", "ab", "a*", "*", "*", "?", "?b", "[ab]", "[!a]", "*.log", "c.log", ".d", ".*",
         "%u", "%U", "x[*]y", "a*c", "*b*"]
ROOTS = ["/srv", "/srv", "/srv", "/home", "/tmp"]
# Wildcards of an allow do not reach into these. What is asked for in them is not there.
KERNEL = ["/dev", "/proc", "/sys", "/dev/shm"]
WIDE = ["/**", "/*", "/?ev", "/[dps]*", "/*/shm"]
UNITS = ["app@*.service", "app@ab.service", "app@?.service", "*@ab.service", "web@*.service"]
USERS = ["alice", "bob", "carol", "2004", "2005", "2000-2003", "2002-2005", "2006", "0-4294967294"]
GROUPS = ["staff", "lab", "3002", "alice", "2000-2004", "0"]
FILE_VERBS = ["read", "write", "append", "create", "remove", "stat", "list", "watch"]
OPENS = ["read", "read", "write", "append", "read,write", "read,append"]
PORTS = ["20001", "20002", "20003", "20004", "81", "82"]
HOSTS = ["127.0.0.1", "127.0.0.2", "127.0.1.1"]
SITES = ["a.test", "b.test", "x.a.test", "x.b.test"]


def path_root(r, is_deny):
    kind = r.random()
    if kind < 0.1:
        return "%h"
    if kind < 0.16:
        return r.choice(KERNEL)
    # A deny of these would leave nothing to ask for.
    if kind < 0.2 and not is_deny:
        return r.choice(WIDE)
    return r.choice(ROOTS)


def path_pattern(r, is_deny, has_instance):
    root = path_root(r, is_deny)
    atoms = ATOMS + ["%i", "%i", "a%i"] if has_instance else ATOMS
    parts = []
    for _ in range(r.randint(1, 3)):
        if r.random() < 0.2 and not "/".join([root, *parts]).endswith("**"):
            parts.append("**")
        else:
            parts.append(r.choice(atoms))
    return root + "/" + "/".join(parts)


def path(r):
    kind = r.random()
    root = r.choice(["/home/alice", "/home/bob", "/home"] if kind < 0.15 else
                    KERNEL if kind < 0.22 else ROOTS)
    names = NAMES + ["alice", "2004", "2002"]
    return "/".join([root] + [r.choice(names) for _ in range(r.randint(0, 3))])


def verbs(r, words):
    return ",".join(r.sample(words, r.randint(1, min(4, len(words)))))


def ports(r):
    return r.choice(["*", "20001-20003", "80-90", ",".join(r.sample(PORTS, 2)), *PORTS])


def network_rule(r, number, is_deny, has_instance):
    if number == 0:
        host = r.choice(["", "", "*:", "127.0.0.1:", "127.0.0.0/24:", "127.0.0.0/8:", "[::]:",
                         "0.0.0.0/0:", "[::]/0:"])
        return "bind", r.choice(["tcp", "tcp", "udp"]) + ":" + host + ports(r)
    if number == 1:
        host = r.choice(["*:", "127.0.0.2:", "127.0.0.0/24:", "a.test:", "*.a.test:", "x.b.test:"])
        return "connect", r.choice(["tcp", "udp"]) + ":" + host + ports(r)
    if number == 2:
        return "socket", r.choice(["raw:89", "raw:*", "netlink:route", "netlink:9", "netlink:*",
                                   "icmp", "icmp6"])
    if number == 3:
        return "option", r.choice(["mark=1-2", "mark=3", "mark=*", "priority=7", "priority=*"])
    if number == 4:
        return "resolve", "host:" + r.choice(["*", "a.test", "*.a.test", "*.test", "x.b.test"])
    return "bind", "unix:" + path_pattern(r, is_deny, has_instance)


# Patterns that are the same must have the same options, so these depend on the pattern.
def mode(pattern, salt):
    if pattern[0] not in "/%" or pattern in BASE.split() or random.Random(pattern + salt).random() < 0.6:
        return ""
    return " mode 0640"


def rule(r, salt, may_deny, has_instance):
    is_file = r.random() < 0.65
    deny = may_deny and r.random() < (0.12 if is_file else 0.25)
    if is_file:
        words, pattern = verbs(r, FILE_VERBS), path_pattern(r, deny, has_instance)
    else:
        words, pattern = network_rule(r, r.randrange(6), deny, has_instance)
    if deny:
        return f"deny {r.choice([words, words, 'all'])} {pattern}"
    return f"allow {words} {pattern}{mode(pattern, salt)}"


# Of a block for units, all lines are: then %i may stand in it. It may deny nothing.
def condition_lines(r):
    if r.random() < 0.2:
        users = r.choice(["", "", "user " + r.choice(USERS) + " "])
        return ["from " + users + "unit " + r.choice(UNITS)], False, True
    lines, may_deny = [], True
    for _ in range(r.randint(1, 2)):
        kind = r.random()
        if kind < 0.35:
            lines.append("from anyone")
        elif kind < 0.7:
            lines.append("from user " + r.choice(USERS))
        else:
            may_deny = False
            user = r.choice(["", "user " + r.choice(USERS) + " "])
            lines.append("from " + user + "group " + r.choice(GROUPS))
    return lines, may_deny, False


def block(r, number, salt):
    lines, may_deny, has_instance = condition_lines(r)
    only = " only" if r.random() < 0.08 else ""
    for _ in range(r.randint(6, 16)):
        lines.append(rule(r, salt, may_deny, has_instance))
    if only:
        lines += [f"allow {','.join(FILE_VERBS)} /srv/**" + mode("/srv/**", salt),
                  "allow bind tcp:* udp:*"]
    return f"client c{number}{only} {{\n\t" + "\n\t".join(lines) + "\n}\n"


# What later policies need the broker cannot get back once it is given up; and each peer must be
# somebody's client, or its connection is closed.
BASE = """client needs {
	from user 64000
	allow read /needs/%u as peer
	allow create /needs/x owner alice mode 0600
	allow bind tcp:80 unix:/needs/s
	allow socket raw:1 netlink:3 icmp icmp6
	allow option mark=1 priority=7
	allow connect tcp:127.0.0.1:1 tcp:needs.test:1
	allow resolve host:needs.test
}
client everybody {
	from anyone
	allow read,write,stat,list /srv/a/** /srv/ab/* /srv/*
	allow read,append,watch,remove /srv/*/* /home/*/* /tmp/* /tmp/*/*
	allow bind,connect tcp:127.0.0.1:20001-20002 udp:127.0.0.1:*
	allow bind unix:/srv/* unix:/srv/*/a unix:/home/**
	allow read,stat /dev/a /dev/a/* /dev/b/** /dev/shm/** /proc/ab /proc/a* /sys/**
}
"""


def policy(r, number):
    return BASE + "".join(block(r, i, str(number)) for i in range(r.randint(5, 9)))


def request(r):
    kind = r.random()
    if kind < 0.62:
        return r.choice(OPENS) + " " + path(r)
    if kind < 0.76:
        return r.choice(["stat", "list", "create", "remove", "watch", "read,stat"]) + " " + path(r)
    if kind < 0.84:
        host = r.choice(["", "127.0.0.1:", "127.0.0.2:", "0.0.0.0:", "[::1]:", "[::]:"])
        return f"bind {r.choice(['tcp', 'udp'])}:{host}{r.choice(PORTS)}"
    if kind < 0.88:
        return f"connect {r.choice(['tcp', 'udp'])}:{r.choice(HOSTS)}:{r.choice(PORTS)}"
    if kind < 0.89:
        return f"connect tcp:{r.choice(SITES)}:{r.choice(PORTS)}"
    if kind < 0.93:
        return "socket " + r.choice(["raw:89", "raw:2", "netlink:0", "netlink:9", "icmp", "icmp6"])
    if kind < 0.96:
        return "option " + r.choice(["mark=1", "mark=3", "mark=4", "priority=7", "priority=8"])
    if kind < 0.97:
        return "resolve host:" + r.choice(SITES)
    return "bind unix:" + path(r)


for number in range(policies):
    r = random.Random(f"{seed}/{number}")
    with open(f"{folder}/{number}.policy", "w") as file:
        file.write(policy(r, number))
    for peer in range(peers):
        with open(f"{folder}/{number}.{peer}", "w") as file:
            file.writelines(request(r) + "\n" for _ in range(requests))
