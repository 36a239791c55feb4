# SPDX-License-Identifier: Apache-2.0
"""The client that the official suite runs against its scenario servers: the gateway, with a caller before it.

The suite gives the server's URL last and the scenario in the environment. The gateway is started with that URL as
its only server, and a caller of the scenario's era lists everything and uses it through the gateway; what is
checked is what reaches the server. usage: client.py BINARY URL"""
import base64
import fcntl
import json
import os
import sys
import tempfile

# The suite starts all scenarios at once; four at a time are let through, each until its process ends.
turn = open(os.path.join(tempfile.gettempdir(), f"sallyport-turn-{os.getpid() % 4}"), "w")
fcntl.flock(turn, fcntl.LOCK_EX)
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "flow"))
from house import asking, http, mcp  # noqa: E402
from house.browser import Browser  # noqa: E402
from house.household import Household  # noqa: E402

POLICY = 'policy: v1\nname: everything\nrules: [ { id: all, permit: { tools: ["*/*"], resources: ["*"], prompts: ["*/*"] } } ]\n'
CONFIG = 'mcp:\n  endpoints: [ {{ path: /mcp, naming: none }} ]\n  servers: {{ scenario: {{ url: "{url}", list_timeout: 30s, timeout: 10s }} }}\n'
# The scenarios of authorization: the caller's account is connected in a browser first. Whoever is at this machine is the caller.
LOCAL = """version: 1
listen: [ {{ address: "127.0.0.1:{port}" }} ]
admin: {{ address: "127.0.0.1:{admin}", token: conformance }}
workers: {workers}
identity: {{ anonymous: allow }}
policies: ["policies/*.yaml"]
telemetry: {{ access_log: {{ to: stdout }} }}
"""
PUBLIC = "conformance-test.local"  # where the suite expects to find who its client is
CONTEXT = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT", "{}"))
LISTS = (("tools", "tools/list"), ("resources", "resources/list"), ("prompts", "prompts/list"))


def answer_of(question):
    """What the caller's user says: a form is accepted as it came, and a box without a default is ticked."""
    if question["method"] != "elicitation/create":
        return asking.ANSWERS[question["method"]]
    fields = question["params"].get("requestedSchema", {}).get("properties", {})
    return {"action": "accept", "content": {k: f.get("default", True) for k, f in fields.items() if "default" in f or f.get("type") == "boolean"}}


def mirrored(schema, args):
    """The Mcp-Param headers of these arguments, all of them in base64: a caller may."""
    named = {k: p["x-mcp-header"] for k, p in schema.get("properties", {}).items() if "x-mcp-header" in p}
    texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in args.items() if k in named and v is not None}
    return {f"Mcp-Param-{named[k]}": f"=?base64?{base64.b64encode(v.encode()).decode()}?=" for k, v in texts.items()}


class OldCaller:
    def __init__(self, gateway, token):
        self.client = asking.OldClient(gateway, token, "2025-11-25", asking.CAN)

    def ask(self, method, params):
        return self.client.session.request(method, params).message()

    def call(self, tool, args):
        return self.client.call(tool, **args).finish(lambda call, q: call.answer(q, answer_of(q)))[1]


class NewCaller:
    def __init__(self, gateway, token):
        self.gateway, self.token, self.schemas, self.browser, self.welcome = gateway, token, {}, Browser({PUBLIC: gateway.port}), True

    def answer(self, question):
        if question["params"].get("mode") == "url":
            page = self.browser.open(question["params"]["url"])
            self.welcome = page.status == 200
            print("browser", page.body, self.browser.way)
            return {"action": "accept"}
        return answer_of(question)

    def ask(self, method, params, **more):
        m = mcp.modern(self.gateway, method, params, self.token, meta={"io.modelcontextprotocol/clientCapabilities": asking.CAN}, **more).message()
        self.schemas.update({t["name"]: t["inputSchema"] for t in m.get("result", {}).get("tools", [])})
        return m

    def call(self, tool, args):
        headers = mirrored(self.schemas.get(tool, {}), args)
        m = self.ask("tools/call", {"name": tool, "arguments": args}, headers=headers)
        while m.get("result", {}).get("resultType") == "input_required" and self.welcome:
            again = {"name": tool, "arguments": args, "inputResponses": {k: self.answer(q) for k, q in m["result"].get("inputRequests", {}).items()}}
            if "requestState" in m["result"]:
                again["requestState"] = m["result"]["requestState"]
            m = self.ask("tools/call", again, headers=headers)
        return m


def calls_of(tools):
    """What the scenario wants called: what it lists, what it asks for in prose, or every tool."""
    if "toolCalls" in CONTEXT:
        return [(c["name"], c["arguments"]) for c in CONTEXT["toolCalls"]]
    schemas = {t["name"]: t["inputSchema"] for t in tools}
    if os.environ["MCP_CONFORMANCE_SCENARIO"] == "json-schema-2020-12-preservation":
        return [("json_schema_echo", {"schema": schemas["json_schema_2020_12_tool"]})]
    return [(name, {"region": "eu"} if "region" in schema.get("properties", {}) else {"a": 1, "b": 2}) for name, schema in schemas.items()]


def use(caller):
    """Lists and uses everything; what went wrong is said, for the suite's log."""
    lists = {}
    for kind, method in LISTS:
        m = caller.ask(method, {})
        print(method, json.dumps(m)[:300])
        lists[kind] = m.get("result", {}).get(kind, [])
    for name, args in calls_of(lists["tools"]):
        print("tools/call", name, json.dumps(caller.call(name, args))[:300])
    for r in lists["resources"]:
        print("resources/read", r["uri"], json.dumps(caller.ask("resources/read", {"uri": r["uri"]}))[:300])
    for p in lists["prompts"]:
        print("prompts/get", p["name"], json.dumps(caller.ask("prompts/get", {"name": p["name"]}))[:300])


def use_with_account(binary, url):
    registered = {k: CONTEXT[k] for k in ("client_id", "client_secret") if k in CONTEXT}
    auth = {"user_oauth": {"allow_private": True, **registered}}
    config = CONFIG.format(url=url).replace("timeout: 10s }", f"timeout: 10s, auth: {json.dumps(auth)} }}")
    config = config.replace("naming: none", f'public_url: "https://{PUBLIC}/mcp"')
    with Household(binary, [], config, POLICY, workers=1, config=LOCAL) as house:
        caller = NewCaller(house.gateway, None)
        try:
            print("tools/call", json.dumps(caller.call("scenario__connect_account", {}))[:300])
            use(caller)
        finally:
            print(house.gateway.log_text(), file=sys.stderr)


def main():
    http.PATIENCE = 60  # the suite is one process, and busy
    if os.environ["MCP_CONFORMANCE_SCENARIO"].startswith("auth/"):
        use_with_account(os.path.abspath(sys.argv[1]), sys.argv[2])
        return
    with Household(os.path.abspath(sys.argv[1]), [], CONFIG.format(url=sys.argv[2]), POLICY, workers=1) as house:
        caller = NewCaller if os.environ["MCP_CONFORMANCE_PROTOCOL_VERSION"] == mcp.MODERN else OldCaller
        try:
            use(caller(house.gateway, house.issuer.token("caller")))
        finally:
            print(house.gateway.log_text(), file=sys.stderr)


main()
