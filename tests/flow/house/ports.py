# SPDX-License-Identifier: Apache-2.0
"""Ports to listen on: ports.py prints a free one; ports.py --wait PORT returns when something listens there."""
import random
import socket
import sys
import time

# Below those that the system gives to connections on their way out: between finding a port and listening on it, a
# connection of some other test could otherwise come to stand on it.
CHOICE = range(12000, 32000)


def free_port():
    while True:
        with socket.socket() as s:
            port = random.choice(CHOICE)
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def listens(port, seconds):
    end = time.time() + seconds
    while time.time() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            time.sleep(0.02)
    return False


def wait_for_port(port, seconds=20):
    if not listens(port, seconds):
        raise AssertionError(f"nothing listens on {port}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--wait"]:
        wait_for_port(int(sys.argv[2]), 30)
    else:
        print(free_port())
