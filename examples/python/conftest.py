"""The fixtures `database` and `connect`: an empty PGlite with stream tables for each test."""

import os
import re
import shlex
import subprocess

import psycopg
import pytest

EMPTY = "DROP SCHEMA public CASCADE; CREATE SCHEMA public"


@pytest.fixture(scope="session")
def server():
    """The address of a server that lives as long as the tests. PGTRICKLE is another way to run the command."""
    command = shlex.split(os.environ.get("PGTRICKLE", "npx pgtrickle")) + ["serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        found = re.match(r"listening on (\S+),", line)
        assert found, f"{shlex.join(command)} did not start: {line or 'see what it printed above'}"
        yield found[1]
        process.terminate()


@pytest.fixture
def connect(server):
    """Opens connections, which are closed after the test."""
    connections = []

    def open_one():
        connections.append(psycopg.connect(server, autocommit=True))
        return connections[-1]

    yield open_one
    for connection in connections:
        connection.close()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(EMPTY)


@pytest.fixture
def database(connect):
    return connect()
