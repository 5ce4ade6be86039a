"""Parses a script on standard input in the dialect of the argument, and prints the kind of each statement."""

import sys

import sqlglot

for tree in sqlglot.parse(sys.stdin.read(), dialect=sys.argv[1]):
    if tree:
        print(type(tree).__name__, tree.args.get("kind"))
