#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An MCP server whose tools ask their client before they answer: `asking_server.py PORT modern|legacy`, or
`asking_server.py stdio` (legacy).

Tool `ask` takes {what: [question, …]}: each of them is asked in a round of its own, a list of them in one
round; the answers come back as JSON text, with {tells} progress and messages after each round. Questions: form, titled, several, url, sampling, sampling_tools, roots.
`endless` asks without end (modern, {nothing}: wants input and asks for none), `state_only` {n} (modern) only gives a state back n times, `address` answers -32042
until it was called `times` times, `job` (legacy) is `ask` as a task: the first tasks/get finds it
working, the next in want of input or at its end, which `end`: "error" makes an error and "failed" a failed tool. GET /seen: what was heard beside calls; POST /control {"hang_up": true}:
streams with an open question end, {"mute": true}: no call goes on after an answer, {"apart": true} (legacy): questions come on the
stream of the session, {"take_back": true}: they are no sooner asked than taken back, {"poll": ms}:
how often tasks want to be asked for, {"tells": true}: those that listen are told of tasks, {"tells": "lists"}: not of tasks,
{"announce": id}: of that one, now (legacy: it is cancelled), and {"stall": true}: tasks/get waits."""
import json
import queue
import sys
import time
import uuid

from serving import Answering, serve

MODERN = "2026-07-28"
SERVER = {"name": "asking", "version": "1"}
COLORS = [{"const": "r", "title": "Red"}, {"const": "g", "title": "Green"}]


def form(**properties):
    return {"method": "elicitation/create", "params": {"message": "name?", "requestedSchema": {
        "type": "object", "properties": properties or {"name": {"type": "string"}}}}}


SAMPLE = {"messages": [{"role": "user", "content": {"type": "text", "text": "capital?"}}], "maxTokens": 9}
QUESTIONS = {
    "form": form(),
    "titled": form(color={"type": "string", "oneOf": COLORS}),
    "several": form(colors={"type": "array", "items": {"anyOf": COLORS}}),
    "url": {"method": "elicitation/create", "params": {"mode": "url", "message": "sign in", "url": "https://example.com/"}},
    "sampling": {"method": "sampling/createMessage", "params": SAMPLE},
    "sampling_tools": {"method": "sampling/createMessage", "params": {**SAMPLE, "tools": [], "_meta": {"x": 1}}},
    "roots": {"method": "roots/list", "params": {}},
}
TOOLS = [{"name": n, "description": n, "inputSchema": {"type": "object"}}
         for n in ("ask", "endless", "state_only", "address", "echo")]
TOOLS.append({"name": "job", "description": "only as a task", "inputSchema": {"type": "object"},
              "execution": {"taskSupport": "required"}})
state = {"seen": [], "waiting": {}, "hang_up": False, "mute": False, "tasks": {}, "addresses": 0, "starts": 0, "apart": False, "take_back": False,
         "poll": 10, "tells": False, "stall": False}
streams = {}  # of sessions: id -> what is to be written there
listening = []  # modern: (taskIds, what is to be written there)


def text(value):
    return {"content": [{"type": "text", "text": value if isinstance(value, str) else json.dumps(value)}]}


def rounds_of(args):
    return [r if isinstance(r, list) else [r] for r in args.get("what", ["form"])]


def url_error():
    state["addresses"] += 1
    elicitations = [{"mode": "url", "elicitationId": str(uuid.uuid4()), "url": "https://example.com/auth", "message": "sign in"}]
    return {"code": -32042, "message": "URL elicitation required", "data": {"elicitations": elicitations}}


# --- modern: a result that asks -----------------------------------------------------------------


def modern_call(params):
    name, args = params["name"], params.get("arguments") or {}
    given = json.loads(params["requestState"]) if "requestState" in params else {"round": 0, "answers": []}
    if name == "echo":
        return text(args.get("text", ""))
    if name == "job":
        capabilities = params["_meta"]["io.modelcontextprotocol/clientCapabilities"]
        if "io.modelcontextprotocol/tasks" not in capabilities.get("extensions", {}):
            return text("at once")
        state["tasks"]["t/2"] = {}
        return {"resultType": "task", "taskId": "t/2", "status": "working", "createdAt": "2026-01-01T00:00:00Z",
                "lastUpdatedAt": "2026-01-01T00:00:00Z", "ttlMs": None, "pollIntervalMs": state["poll"]}
    if name == "endless":
        asks = {} if "nothing" in args else {"inputRequests": {"a": QUESTIONS["form"]}}
        return {"resultType": "input_required", **asks}
    if name == "state_only":
        n = given["round"]
        if n < args.get("n", 1):
            return {"resultType": "input_required", "requestState": json.dumps({"round": n + 1, "answers": []})}
        return text(f"{n} states")
    if "inputResponses" in params:
        got = params["inputResponses"]
        given = {"round": given["round"], "answers": given["answers"] + [got[k] for k in sorted(got)]}
    rounds = rounds_of(args)
    if given["round"] < len(rounds):
        asked = {f"k{i}": QUESTIONS[q] for i, q in enumerate(rounds[given["round"]])}
        return {"resultType": "input_required", "inputRequests": asked,
                "requestState": json.dumps({**given, "round": given["round"] + 1})}
    return text(given["answers"])


def announce(task):
    if state["era"] == "legacy":
        state["tasks"][task]["status"] = "cancelled"
        for mail in streams.values():
            mail.put({"jsonrpc": "2.0", "method": "notifications/tasks/status", "params": shown_task(task)})
    for ids, mail in listening:
        if task in ids:
            mail.put({"jsonrpc": "2.0", "method": "notifications/tasks", "params": {"taskId": task, "status": "working"}})


def modern_task(m):
    """tasks/get, tasks/update, tasks/cancel of the only task: it wants a form, then is complete."""
    if m["params"]["taskId"] not in state["tasks"]:
        return {"error": {"code": -32602, "message": "no such task"}}
    task = state["tasks"][m["params"]["taskId"]]
    if m["method"] != "tasks/get":
        task.update({"answers": m["params"]["inputResponses"]} if m["method"] == "tasks/update" else {"status": "cancelled"})
        return {"result": {"resultType": "complete"}}
    shown = {"resultType": "complete", "taskId": m["params"]["taskId"], "createdAt": "2026-01-01T00:00:00Z",
             "lastUpdatedAt": "2026-01-01T00:00:00Z", "ttlMs": None, "pollIntervalMs": state["poll"]}
    if "status" in task:
        return {"result": {**shown, "status": task["status"]}}
    if "answers" in task:
        return {"result": {**shown, "status": "completed", "result": text(task["answers"])}}
    return {"result": {**shown, "status": "input_required", "inputRequests": {"a": QUESTIONS["form"]}}}


# --- legacy: requests during the call, over whatever `say` writes to ------------------------------


def shown_task(made):
    task = state["tasks"][made]
    return {"taskId": made, "status": task["status"], "statusMessage": "tax id 12-34", "ttl": task["ttl"], "pollInterval": state["poll"],
            "createdAt": "2026-01-01T00:00:00Z", "lastUpdatedAt": "2026-01-01T00:00:00Z"}


def end_task(task, said):
    end = task["args"].get("end", "completed")
    if task["status"] == "cancelled":
        return said
    if end == "error":
        said = {"error": {"code": -32603, "message": "it broke"}}
    elif end == "failed":
        said["result"]["isError"] = True
    if "result" in said:
        said["result"]["_meta"] = {"io.modelcontextprotocol/related-task": {"taskId": "t/secret"}, "mine": 1}
    task.update(said=said, status="completed" if end == "completed" else "failed")
    return said


def legacy_task(m):
    """tasks/get and tasks/cancel."""
    task = state["tasks"].get(m["params"]["taskId"])
    if not task:
        return {"error": {"code": -32602, "message": "no such task"}}
    if m["method"] == "tasks/cancel":
        if task["status"] in ("completed", "failed", "cancelled"):
            return {"error": {"code": -32602, "message": "it is over"}}
        task["status"] = "cancelled"
    task["looks"] += 1
    if task["status"] == "working" and task["looks"] > 1:
        task["status"] = "input_required"
        if not rounds_of(task["args"]):
            end_task(task, {"result": text([])})
    return {"result": shown_task(m["params"]["taskId"])}


def legacy_call(params, say, listen):
    """say(message) sends; listen(ids) gives the responses by id, or None when the client is gone."""
    task = state["tasks"].get(params.get("taskId"))
    if task and "said" in task:
        return task["said"]
    if task:  # its result, once the client has been asked
        said = legacy_call({"name": "ask", "arguments": task["args"]}, say, listen)
        return said and end_task(task, said)
    if "taskId" in params:
        return {"error": {"code": -32602, "message": "no such task"}}
    name, args = params["name"], params.get("arguments") or {}
    if name == "echo":
        return {"result": text(args.get("text", ""))}
    if name == "job":
        if "task" not in params:
            return {"error": {"code": -32601, "message": "only as a task"}}
        made = f"t/{len(state['tasks']) + 1}"
        state["tasks"][made] = {"args": args, "status": "working", "looks": 0, "ttl": params["task"]["ttl"]}
        return {"result": {"task": shown_task(made)}}
    if name == "address":
        if state["addresses"] < args.get("times", 1):
            return {"error": url_error()}
        return {"result": text("signed in")}
    answers, n = [], 0
    rounds = rounds_of(args) if name == "ask" else [["form"]] * 1000
    for r in rounds:
        ids = []
        for q in r:
            n += 1
            ids.append(f"{uuid.uuid4().hex}" if n % 2 else 1000000 + n)
            say({"jsonrpc": "2.0", "id": ids[-1], **QUESTIONS[q]})
        if state["take_back"]:
            say({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": ids[-1]}})
            return {"result": text("taken back")}
        got = listen(ids)
        if got is None:
            return None
        while state["mute"]:
            time.sleep(0.05)
        answers += [got[i].get("result", got[i].get("error")) for i in ids]
        if "tells" in args:
            for level in ("info", "error"):
                say({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": level, "data": n}})
            say({"jsonrpc": "2.0", "method": "notifications/progress", "params": {
                "progressToken": params["_meta"]["progressToken"], "progress": n}})
        if "error" in got[ids[-1]] and name == "endless":
            break
    in_vain = args.get("needed") and any("code" in a for a in answers)
    return {"result": {**text(answers), **({"isError": True} if in_vain else {})}}


class Handler(Answering):
    def answer(self, m, said, headers=()):
        self.reply(200, {"jsonrpc": "2.0", "id": m["id"], **said}, headers)

    def do_GET(self):
        if self.path == "/seen":
            return self.reply(200, state["seen"])
        if not state["apart"] or state["era"] == "modern":
            return self.reply(405, {})
        mail = streams[self.headers["mcp-session-id"]] = queue.Queue()
        self.begin_stream()
        while state["apart"]:
            try:
                self.write(mail.get(timeout=0.05))
            except queue.Empty:
                pass

    def begin_stream(self):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True

    def write(self, message):
        self.wfile.write(b"event: message\ndata: " + json.dumps(message).encode() + b"\n\n")
        self.wfile.flush()

    def do_DELETE(self):
        self.reply(200, {})

    def do_POST(self):
        m = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))))
        if self.path == "/control":
            state.update(m)
            if "announce" in m:
                announce(m["announce"])
            return self.reply(200, {})
        if "method" in m and "id" in m:
            return self.modern(m) if state["era"] == "modern" else self.legacy(m)
        state["seen"].append(m)
        if "method" not in m and m["id"] in state["waiting"]:
            state["waiting"][m["id"]].put(m)
        self.reply(202)

    def modern(self, m):
        extra = {"_meta": {"io.modelcontextprotocol/serverInfo": SERVER}}
        if m["method"] == "server/discover":
            return self.answer(m, {"result": {"resultType": "complete", "supportedVersions": [MODERN],
                                              "capabilities": {"tools": {}}, "ttlMs": 1000, "cacheScope": "public", **extra}})
        if m["method"] == "tools/list":
            return self.answer(m, {"result": {"resultType": "complete", "tools": TOOLS, "ttlMs": 60000,
                                              "cacheScope": "public", **extra}})
        state["seen"].append(m)
        if m["method"].startswith("tasks/"):
            self.stall(m)
            return self.answer(m, modern_task(m))
        if m["method"] == "subscriptions/listen":
            return self.tell(m) if state["tells"] else self.answer(m, {"error": {"code": -32601, "message": "no listening"}})
        self.answer(m, {"result": {"resultType": "complete", **modern_call(m["params"]), **extra}})

    def legacy(self, m):
        if m["method"] == "initialize":
            state["seen"].append(m)
            return self.answer(m, {"result": {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}},
                                              "serverInfo": SERVER}}, [("Mcp-Session-Id", uuid.uuid4().hex)])
        if "mcp-session-id" not in self.headers:
            return self.reply(400, {"jsonrpc": "2.0", "id": None, "error": {"code": -32000, "message": "not initialized"}})
        if m["method"] == "tools/list":
            return self.answer(m, {"result": {"tools": TOOLS}})
        if m["method"] in ("tasks/cancel", "tasks/get"):
            state["seen"].append(m)
            self.stall(m)
            return self.answer(m, legacy_task(m))
        self.begin_stream()
        state["starts"] += 1
        said = legacy_call(m["params"], self.say, self.listen)
        if said:
            self.say({"jsonrpc": "2.0", "id": m["id"], **said})

    def stall(self, m):
        while state["stall"] and m["method"] == "tasks/get":
            time.sleep(0.05)

    def tell(self, m):
        """A modern client that listens; what it asks for other than tasks is not told."""
        asked, mail = m["params"]["notifications"].get("taskIds", []), queue.Queue()
        if asked and "io.modelcontextprotocol/tasks" not in m["params"]["_meta"][
                "io.modelcontextprotocol/clientCapabilities"].get("extensions", {}):
            return self.answer(m, {"error": {"code": -32021, "message": "tasks were not declared"}})
        ids = [i for i in asked if i in state["tasks"] and state["tells"] is True]
        listening.append((ids, mail))
        self.begin_stream()
        mail.put({"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": {
            "notifications": {"taskIds": ids}, "_meta": {"io.modelcontextprotocol/subscriptionId": m["id"]}}})
        while state["tells"]:
            try:
                self.write(mail.get(timeout=0.05))
            except queue.Empty:
                pass

    def say(self, message):
        if "id" in message and "method" in message:
            state["waiting"][message["id"]] = queue.Queue()
        if state["apart"] and "method" in message and self.headers["mcp-session-id"] in streams:
            return streams[self.headers["mcp-session-id"]].put(message)
        self.write(message)

    def listen(self, ids):
        got = {}
        for i in ids:
            while i not in got:
                try:
                    got[i] = state["waiting"][i].get(timeout=0.05)
                except queue.Empty:
                    if state["hang_up"]:
                        return None
        return got


def say_line(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def listen_lines(ids):
    got = {}
    while not all(i in got for i in ids):
        line = sys.stdin.readline()
        if not line:
            sys.exit(0)
        m = json.loads(line)
        if m.get("method") == "notifications/cancelled":
            return None
        if "method" not in m:
            got[m["id"]] = m
    return got


def stdio():
    for line in iter(sys.stdin.readline, ""):
        m = json.loads(line)
        if "id" not in m or "method" not in m:
            continue
        if m["method"] == "initialize":
            said = {"result": {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": SERVER}}
        elif m["method"] == "tools/list":
            said = {"result": {"tools": TOOLS}}
        elif m["method"] in ("tools/call", "tasks/result"):
            said = legacy_call(m["params"], say_line, listen_lines)
        elif m["method"] in ("tasks/get", "tasks/cancel"):
            said = legacy_task(m)
        else:
            said = {"error": {"code": -32601, "message": "Method not found"}}
        if said:
            say_line({"jsonrpc": "2.0", "id": m["id"], **said})


def main():
    if sys.argv[1] == "stdio":
        return stdio()
    state["era"] = sys.argv[2]
    serve(Handler)


main()
