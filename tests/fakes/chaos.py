# SPDX-License-Identifier: Apache-2.0
"""Three model providers in one process that take turns at being well.

`python3 chaos.py` prints their three ports as a line of JSON and serves until its stdin ends; for each line there it
prints the journal: what each tenant (the request's `user`) used, by the providers' own count. At any time one provider
is well, and it stays so until the next has been for OVERLAP seconds; the others refuse (429 with the time that is left,
500), reset, hang, or cut their answers, before or behind the first content; such requests are `unsaid` in the journal,
for nobody can know what they cost. Deterministic but for the clock."""
import asyncio
import collections
import itertools
import json
import random
import socket
import struct
import sys
import time

TURN, OVERLAP, PROMPT, PIECES = 2.0, 1.0, 7, 4
SICK = ("429", "500", "reset", "hang", "cut", "unborn")
began = time.monotonic()
journal = collections.defaultdict(lambda: {"requests": 0, "in": 0, "out": 0, "unsaid": 0})
met = collections.Counter()


def well_in(n, at):
    """Seconds until provider n is well; 0: it is."""
    turn = int(at / TURN)
    if turn % 3 == n or (turn and (turn - 1) % 3 == n and at - turn * TURN < OVERLAP):
        return 0.0
    return next(k * TURN - at for k in itertools.count(turn + 1) if k % 3 == n)


def mode_of(n):
    at = time.monotonic() - began
    wait = well_in(n, at)
    if not wait:
        return "well", 0
    return random.Random(f"{n} {int(at / TURN)}").choice(SICK), wait


def usage(out):
    return {"prompt_tokens": PROMPT, "completion_tokens": out, "total_tokens": PROMPT + out}


def charge(user, out):
    of = journal[user]
    of["requests"] += 1
    of["in"] += PROMPT
    of["out"] += out


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


def event(out, **delta):
    return b"data: " + compact({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [
        {"index": 0, "delta": delta, "finish_reason": "stop" if out == PIECES else None}],
        "usage": usage(out)}) + b"\n\n"


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


async def stream(writer, user, mode):
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
    if mode == "unborn":
        writer.write(chunk(b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,'
                           b'"delta":{"role":"assistant"},"finish_reason":null}]}\n\n'))
        return False
    for out in range(1, PIECES + 1):
        writer.write(chunk(event(out, content="word ")))
        await writer.drain()
        if mode == "cut" and out == 2:
            charge(user, out)
            return False
        await asyncio.sleep(0.005)
    charge(user, PIECES)
    writer.write(chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")
    return True


def whole(writer, user, mode):
    body = compact({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
        "usage": usage(PIECES)})
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
    if mode != "well":
        writer.write(head + body[:20])
        return False
    charge(user, PIECES)
    writer.write(head + body)
    return True


def refuse(writer, mode, wait):
    body = b'{"error":{"message":"no","type":"server_error"}}'
    more = b"retry-after-ms: %d\r\n" % int(wait * 1000) if mode == "429" else b""
    writer.write(b"HTTP/1.1 %s No\r\ncontent-type: application/json\r\n%scontent-length: %d\r\n\r\n%s"
                 % (mode.encode(), more, len(body), body))
    return True


async def answer(n, reader, writer, body):
    """False: the connection ends here."""
    mode, wait = mode_of(n)
    met[mode] += 1
    user = body.get("user", "")
    if mode not in ("well", "429", "500"):
        journal[user]["unsaid"] += 1
    if mode in ("429", "500"):
        return refuse(writer, mode, wait)
    if mode == "reset":
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False
    if mode == "hang":
        await reader.read(1)  # until the gateway leaves
        return False
    return await stream(writer, user, mode) if body.get("stream") else whole(writer, user, mode)


def provider(n):
    async def serve(reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n")
                              if line.lower().startswith(b"content-length:"))
                if not await answer(n, reader, writer, json.loads(await reader.readexactly(length))):
                    break
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()
    return serve


async def main():
    servers = [await asyncio.start_server(provider(n), "127.0.0.1", 0) for n in range(3)]
    print(json.dumps([s.sockets[0].getsockname()[1] for s in servers]), flush=True)
    while await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
        print(json.dumps({"tenants": journal, "met": met}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
