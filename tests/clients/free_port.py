# SPDX-License-Identifier: Apache-2.0
"""free_port.py prints a free TCP port; free_port.py --wait PORT returns when something listens there."""
import os
import socket
import sys
import time

if len(sys.argv) == 3 and sys.argv[1] == "--wait":
    end = time.time() + 30
    while time.time() < end:
        try:
            socket.create_connection(("127.0.0.1", int(sys.argv[2])), 1).close()
            sys.exit(0)
        except OSError:
            time.sleep(0.05)
    print(f"nothing listens on {sys.argv[2]}", file=sys.stderr)
    sys.exit(1)
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])
