# SPDX-License-Identifier: Apache-2.0
"""What the ledger in Redis says, read past the gateway."""
import collections
import hashlib
import socket
import struct

PREFIX = "{sallyport}:c:"
KINDS = {"sliding": (0, 1), "fixed": (1, 0)}  # as a gateway counts them, and as the ledger does
Cell = collections.namedtuple("Cell", "used leases")  # leases: what each that is open was granted, by its id


def cell_of(quota, key, window_s, kind="sliding"):
    """What a key of the ledger begins with that is about this quota and key; its window's number follows."""
    ours, theirs = KINDS[kind]
    front = struct.pack("<4Q", len(quota), ours, window_s * 1000, len(key))
    name = hashlib.sha256(front + quota.encode() + key.encode()).hexdigest()[:32]
    return f"{PREFIX}{theirs}:{window_s * 1000}:{name}:"


def value(stream):
    kind, text = stream.read(1), stream.readline()[:-2]
    if kind == b"$":
        return stream.read(int(text) + 2)[:-2].decode()
    if kind == b"*":
        return [value(stream) for _ in range(int(text))]
    return text.decode()


class Books:
    """`cells`: all there ever were by their keys, as they were seen last; so look before their windows are long over."""

    def __init__(self, port):
        self.port, self.cells = port, {}

    def look(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=15) as s, s.makefile("rwb") as stream:
            def ask(*words):
                stream.write(f"*{len(words)}\r\n".encode() + b"".join(b"$%d\r\n%s\r\n" % (len(w), w.encode()) for w in words))
                stream.flush()
                return value(stream)
            for key in ask("KEYS", PREFIX.replace("{", "\\{") + "*"):
                has = ask("HGETALL", key)
                fields = dict(zip(has[::2], map(int, has[1::2])))
                if fields:
                    self.cells[key] = Cell(fields.pop("u"), {name[1:]: n for name, n in fields.items()})

    def windows(self, cell):
        """What is used of it, by the number of the window."""
        return {int(key[len(cell):]): c.used for key, c in self.cells.items() if key.startswith(cell)}

    def used(self, cell):
        return sum(self.windows(cell).values())

    def of_none(self, cells):
        """Keys that belong to none of these."""
        return [key for key in self.cells if not any(key.startswith(c) for c in cells)]
