# SPDX-License-Identifier: Apache-2.0
"""A proxy that opens tunnels (CONNECT) and nothing else. It remembers where to; one of `keys` (user:password) is what
it wants to be shown, `mood` what it does wrong: closes, hangs, says 503, babbles (more than its answer) or talks no HTTP. `to`
says where names lead that no resolver knows."""
import base64
import socket
import threading


class Proxy:
    def __init__(self, *keys):
        self.keys, self.mood, self.asked, self.to, self.alive = keys, "", [], {}, True
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while self.alive:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()

    def head(self, s):
        got = b""
        while b"\r\n\r\n" not in got:
            piece = s.recv(4096)
            if not piece:
                return None
            got += piece
        return got.decode().split("\r\n")

    def serve(self, s):
        with s:
            lines = self.head(s)
            if lines is None:
                return
            verb, place, _ = lines[0].split(" ")
            head = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines[1:] if line)}
            self.asked.append((verb, place, head))
            wanted = ["Basic " + base64.b64encode(key.encode()).decode() for key in self.keys]
            if verb != "CONNECT" or (wanted and head.get("proxy-authorization") not in wanted):
                return s.sendall(b"HTTP/1.1 407 Who Are You\r\nproxy-authenticate: Basic\r\ncontent-length: 0\r\n\r\n")
            wrong = {"says 503": b"HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nbusy", "no http": b"SSH-2.0-x\r\n\r\n",
                     "babbles": b"HTTP/1.1 200 OK\r\n\r\nhello", "closes": b""}
            if self.mood == "hangs":
                return s.recv(1)
            if self.mood in wrong:
                return s.sendall(wrong[self.mood])
            self.carry(s, place)

    def carry(self, s, place):
        host, _, port = place.rpartition(":")
        up = socket.create_connection(self.to.get(place, (host.strip("[]"), int(port))))
        s.sendall(b"HTTP/1.1 200 Connection established\r\nx-proxy: fake\r\n\r\n")
        back = threading.Thread(target=self.pump, args=(up, s), daemon=True)
        back.start()
        self.pump(s, up)
        back.join()
        up.close()

    def pump(self, a, b):
        try:
            while piece := a.recv(65536):
                b.sendall(piece)
            b.shutdown(socket.SHUT_WR)
        except OSError:
            for s in (a, b):
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def stop(self):
        if self.alive:
            self.alive = False
            self.listener.shutdown(socket.SHUT_RDWR)  # else accept() would still take one
            self.listener.close()
