# SPDX-License-Identifier: Apache-2.0
"""Three model providers and a tool server in one process; the providers take turns at being well.

`python3 chaos.py` prints their four ports as a line of JSON and serves until its stdin ends; for each line there it prints
the journal. At any time one provider is well, and stays so until the next has been for OVERLAP seconds; the first, which
has limits, is never the only one. The others refuse (429 with the time that is left, 500), reset, hang, or cut their
answers, before or behind the first content. Deterministic but for the clock.

Each keeps books as providers do, by the request's `user`. A question is PROMPT tokens. What it refuses costs nothing, nor
does one on a connection that was kept open when it is closed before a byte is said: it was not read. An answer that is whole
is as long as it says (`told`); one that breaks off or never comes was worked on to the end all the same, though nobody
ever heard how long it was (`untold`)."""
import asyncio
import collections
import itertools
import json
import random
import socket
import struct
import sys
import time

TURN, OVERLAP, PROMPT, PIECES, ANSWER, WINDOW, LATE = 2.0, 1.0, 64, 4, 16, 3, 1.0
SICK = ("429", "500", "reset", "hang", "cut", "unborn")
DOLLARS = {"in": 1, "out": 2}  # millionths a token
KNOWN = {"jsonrpc": "2.0"}
MCP = {"resultType": "complete", "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "chaos", "version": "1"}}}
CACHED = {"ttlMs": 600000, "cacheScope": "public"}
TOOLS = [{"name": name, "inputSchema": {"type": "object", "properties": {"who": {"type": "string"}}}}
         for name in ("free", "capped")]
began = time.monotonic()
met = collections.Counter()
first = collections.Counter()  # what the one with limits was asked, by replica


def no_books():
    return {"told": 0, "untold": 0, "calls": 0, "late": 0, "windows": collections.defaultdict(collections.Counter)}


journal = collections.defaultdict(no_books)


class Question:
    """One that came, and what becomes of it in the books."""

    def __init__(self, user):
        self.user, self.at, self.began = user, int(time.time() // WINDOW), time.monotonic()

    def spent(self, calls, out=0):
        window = journal[self.user]["windows"][self.at]
        journal[self.user]["calls"] += calls
        window["calls"] += calls
        if out:
            window["tokens"] += PROMPT + out
            window["dollars"] += PROMPT * DOLLARS["in"] + out * DOLLARS["out"]

    def told(self):
        journal[self.user]["told"] += 1
        self.spent(1, PIECES)

    def untold(self, is_answer=False):
        journal[self.user]["untold"] += 1
        self.spent(int(is_answer), ANSWER)

    def heard(self):
        """It was told in time, or may have been given up before that."""
        journal[self.user]["late"] += time.monotonic() - self.began > LATE


def well_in(n, at):
    """Seconds until provider n is well; 0: it is."""
    turns = {0: (0,), 1: (0, 1), 2: (2,)}[n]
    turn = int(at / TURN)
    if turn % 3 in turns or (turn and (turn - 1) % 3 in turns and at - turn * TURN < OVERLAP):
        return 0.0
    return next(k * TURN - at for k in itertools.count(turn + 1) if k % 3 in turns)


def mode_of(n):
    at = time.monotonic() - began
    wait = well_in(n, at)
    if not wait:
        return "well", 0
    return random.Random(f"{n} {int(at / TURN)}").choice(SICK), wait


def usage(out):
    return {"prompt_tokens": PROMPT, "completion_tokens": out, "total_tokens": PROMPT + out}


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


def event(out, **delta):
    return b"data: " + compact({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [
        {"index": 0, "delta": delta, "finish_reason": "stop" if out == PIECES else None}],
        "usage": usage(out)}) + b"\n\n"


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


async def stream(writer, question, mode):
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
    if mode == "unborn":
        question.untold()
        writer.write(chunk(b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,'
                           b'"delta":{"role":"assistant"},"finish_reason":null}]}\n\n'))
        return False
    for out in range(1, PIECES + 1):
        writer.write(chunk(event(out, content="word ")))
        await writer.drain()
        if mode == "cut" and out == 2:
            question.untold(is_answer=True)
            return False
        await asyncio.sleep(0.005)
    question.told()
    writer.write(chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")
    return True


def reply(writer, status, body, more=b""):
    writer.write(b"HTTP/1.1 %d Fine\r\ncontent-type: application/json\r\n%scontent-length: %d\r\n\r\n%s"
                 % (status, more, len(body), body))
    return True


def whole(writer, question, mode):
    body = compact({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
        "usage": usage(PIECES)})
    if mode != "well":
        question.untold()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
                     % (len(body), body[:20]))
        return False
    question.told()
    return reply(writer, 200, body)


def refuse(writer, mode, wait):
    more = b"retry-after-ms: %d\r\n" % int(wait * 1000) if mode == "429" else b""
    return reply(writer, int(mode), b'{"error":{"message":"no","type":"server_error"}}', more)


class Model:
    def __init__(self, n):
        self.n = n

    async def answer(self, reader, writer, head, body, kept):
        """False: the connection ends here."""
        mode, wait = mode_of(self.n)
        met[mode] += 1
        if self.n == 0:
            first[head["x-replica"]] += 1
        question = Question(body["user"])
        if mode in ("429", "500"):
            return refuse(writer, mode, wait)
        if mode == "reset":
            if not kept:
                question.untold()
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if mode == "hang":
            question.untold()
            await reader.read(1)  # until the gateway leaves
            return False
        if not (await stream(writer, question, mode) if body.get("stream") else whole(writer, question, mode)):
            return False
        await writer.drain()
        question.heard()
        return True


class ToolServer:
    async def answer(self, reader, writer, head, body, kept):
        method, results = body["method"], {"tools/list": {"tools": TOOLS, **CACHED},
                                           "tools/call": {"content": [{"type": "text", "text": "done"}]},
                                           "server/discover": {"supportedVersions": ["2026-07-28"],
                                                               "capabilities": {"tools": {}}, **CACHED}}
        if method not in results:
            error = {"code": -32601, "message": "Method not found"}
            return reply(writer, 404, compact({**KNOWN, "id": body.get("id"), "error": error}))
        if method == "tools/call":
            met["tool"] += 1
            Question(body["params"]["arguments"]["who"]).spent(1)
        return reply(writer, 200, compact({**KNOWN, "id": body["id"], "result": {**results[method], **MCP}}))


def served(by):
    async def serve(reader, writer):
        try:
            for n in itertools.count():
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
                head = dict(line.split(": ", 1) for line in head[1:] if line)
                body = json.loads(await reader.readexactly(int(head["content-length"])))
                if not await by.answer(reader, writer, head, body, kept=n > 0):
                    break
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()
    return serve


async def main():
    everyone = [Model(n) for n in range(3)] + [ToolServer()]
    servers = [await asyncio.start_server(served(by), "127.0.0.1", 0) for by in everyone]
    print(json.dumps([s.sockets[0].getsockname()[1] for s in servers]), flush=True)
    while await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
        print(json.dumps({"tenants": journal, "met": met, "first": first}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
