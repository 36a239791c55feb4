# SPDX-License-Identifier: Apache-2.0
"""What callers do not get to see of a tool's result: in both eras, streamed or not, and when a task brings it."""
import json
import subprocess

from house import mcp, upstreams
from house.asking import ANSWERS, SCRIPT, NewClient, said
from house.gateway import until
from house.household import Household

POLICY = r"""policy: v1
name: p
rules:
  - { id: all, permit: { tools: ['*/*'] } }
masks:
  - id: cards
    for: '*/*'
    when: '!("support" in jwt.groups)'
    patterns: ['\d{4}-\d{4}', 'Ada']
  - { id: written, for: 's/args', when: "args.depth == 1", paths: [user.iban] }
tests:
  - { as: { groups: [x] }, call: s/echo, args: { text: a }, expect: permit, expect_masks: [cards] }
  - { as: { groups: [support] }, call: s/echo, args: { text: a }, expect: permit, expect_masks: [] }
  - { as: { groups: [support] }, call: s/args, args: { depth: 1 }, expect: permit, expect_masks: [written] }
"""


def config(server, tasks, old):
    return ("mcp:\n  endpoints: [ { path: /mcp, public_url: 'https://gw.test/mcp' } ]\n"
            f"  servers: {{ s: {{ url: '{server.url}' }}, tasks: {{ url: '{tasks.url}' }}, old: {{ url: '{old.url}' }} }}\n")


def test_results_are_masked_for_whom_the_policy_says(binary):
    server, tasks = upstreams.HttpFake("modern"), upstreams.HttpFake("modern", SCRIPT)
    old = upstreams.HttpFake("legacy", SCRIPT)
    with Household(binary, [server, tasks, old], config(server, tasks, old), POLICY) as h:
        other, trusted = h.issuer.token("a", groups=["x"]), h.issuer.token("b", groups=["support"])
        args = {"text": "card 1234-5678 of Eve"}
        assert said(mcp.call(h.gateway, "s__echo", args, other).message()) == "card [masked] of Eve"
        assert said(mcp.call(h.gateway, "s__echo", args, trusted).message()) == "card 1234-5678 of Eve"
        given = {"depth": 1, "user": {"iban": "DE1", "n": 2}}
        got = json.loads(said(mcp.call(h.gateway, "s__args", given, trusted).message()))
        assert got["user"] == {"iban": "[masked]", "n": 2}, got
        e = mcp.call(h.gateway, "s__error", {}, other).message()["error"]
        assert e["message"] == "the upstream refused" and "data" not in e, e
        old_clients_and_streams(mcp.Session(h.gateway, other), args)
        follower = NewClient(h.gateway, other, {"elicitation": {}, "extensions": {"io.modelcontextprotocol/tasks": {}}})
        what_a_task_came_to(follower, "tasks")
        what_a_task_came_to(follower, "old")
        file = f"{h.gateway.dir}/policies/p.yaml"
        r = subprocess.run([binary, "policy", "test", file], capture_output=True, text=True, timeout=60)
        assert r.stdout.endswith("3 passed, 0 failed\n"), r.stdout + r.stderr


def old_clients_and_streams(session, args):
    assert said(session.request("tools/call", {"name": "s__echo", "arguments": args}).message()) == "card [masked] of Eve"
    a = session.request("tools/call", {"name": "s__count", "arguments": {"n": 2}, "_meta": {"progressToken": 7}})
    assert [json.loads(d)["params"]["progress"] for _, d in a.events()[:-1]] == [1, 2], a.body
    assert said(a.message()) == "counted"


def what_a_task_came_to(client, server):
    def ask(method, **more):
        return mcp.modern(client.gateway, method, {"taskId": task, **more}, client.token, meta=client.meta).message()["result"]

    def reaches(status):
        got.append(ask("tasks/get"))
        return got[-1]["status"] == status

    task, got = client.round(f"{server}__job", {})["result"]["taskId"], []
    assert until(lambda: reaches("input_required")), got
    ask("tasks/update", inputResponses={k: ANSWERS["elicitation/create"] for k in got[-1]["inputRequests"]})
    assert until(lambda: reaches("completed")), got
    assert all(g.get("statusMessage", "[masked]") == "[masked]" for g in got), got
    got = {**got[-1], "taskId": "any letters may stand in it"}
    assert "[masked]" in said(got) and "Ada" not in json.dumps(got), got
