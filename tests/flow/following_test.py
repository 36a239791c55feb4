# SPDX-License-Identifier: Apache-2.0
"""subscriptions/listen with taskIds: a client is told of its own tasks, whichever era their server is of."""
import json
import time

from house import mcp
from house.asking import ANSWERS, CAN, POLICY, House, said
from house.gateway import until
from house.stream import listen

TASKS = {**CAN, "extensions": {"io.modelcontextprotocol/tasks": {}}}
SERVERS = ("new", "old", "child")


def begin(client, server, **args):
    return client.round(f"{server}__job", {"what": ["form"], **args})["result"]["taskId"]


def ask(client, method, task, **more):
    return mcp.modern(client.gateway, method, {"taskId": task, **more}, client.token, meta=client.meta).message()


def follow(client, *tasks):
    s = listen(client.gateway, client.token, meta=client.meta, request_id="l", taskIds=list(tasks))
    assert s.status == 200, s.status
    ack = s.message()
    assert ack["method"] == "notifications/subscriptions/acknowledged", ack
    return s, ack["params"]["notifications"]


def told(stream, task, status, seconds=20):
    """What is told of that task until it has that status."""
    got = []
    while m := stream.message(seconds):
        assert m["method"] == "notifications/tasks", m
        assert m["params"]["_meta"] == {"io.modelcontextprotocol/subscriptionId": "l"} and "resultType" not in m["params"], m
        got.append(m["params"])
        if m["params"]["taskId"] == task and m["params"]["status"] == status:
            return got
    raise AssertionError((status, got))


def until_asked(stream, client, task):
    """Its questions: others may have been told of before it."""
    got = ask(client, "tasks/get", task)["result"]
    return got if "inputRequests" in got else told(stream, task, "input_required")[-1]


def they_are_told_of_to_nobody_else(h, alice):
    bob, plain, tasks = h.new_client("bob", TASKS), h.new_client(), [begin(alice, server) for server in SERVERS]
    s = listen(h.gateway, plain.token, meta=plain.meta, taskIds=tasks)
    refused = json.loads(s.answer_body())["error"]
    assert s.status == 400 and refused["code"] == -32021, refused
    assert refused["data"]["requiredCapabilities"] == {"extensions": {"io.modelcontextprotocol/tasks": {}}}, refused
    other, ack = follow(bob, *tasks, "t/1")
    assert ack == {}, ack
    mine, ack = follow(alice, tasks[0], tasks[0], tasks[1][:-1] + "x", "t/2", *tasks, 7)
    assert ack == {"taskIds": tasks}, ack
    return other, mine, tasks


def they_are_told_to_their_end(h, alice, mine, tasks):
    for server, task in zip(SERVERS, tasks):
        m = told(mine, task, "input_required")[-1] if server == "new" else until_asked(mine, alice, task)
        answers = {k: ANSWERS[q["method"]] for k, q in m["inputRequests"].items()}
        assert ask(alice, "tasks/update", task, inputResponses=answers)["result"]["resultType"] == "complete"
    ends = {}
    while len(ends) < len(tasks):
        m = mine.message(20)["params"]
        if m["status"] == "completed":
            assert "Ada" in said(m) and m["taskId"] not in ends, m
            ends[m["taskId"]] = m


def the_rules_of_now_decide(h, alice, s, task):
    told(s, task, "input_required")
    h.gateway.write("policies/p.yaml", POLICY.replace("'*/*'", "'*/echo'"))
    assert until(lambda: "error" in ask(alice, "tasks/get", task))
    late, ack = follow(alice, task)
    assert ack == {}, ack
    h.new.control(tasks={"t/2": {"status": "cancelled"}})
    assert s.event(0.8) is None and late.event(0.1) is None, "told of what the rules deny"
    h.gateway.write("policies/p.yaml", POLICY)
    told(s, task, "cancelled")


def what_servers_tell_is_heard_at_once(h, alice):
    for fake in (h.new, h.old):
        fake.control(tells=True, poll=600000)
    tasks = [begin(alice, server) for server in ("new", "old")]
    s, ack = follow(alice, *tasks)
    assert ack == {"taskIds": tasks}, ack
    told(s, tasks[0], "input_required")
    assert h.heard(h.new, lambda m: m["method"] == "subscriptions/listen" and
                   m["params"]["notifications"].get("taskIds") == ["t/2"])
    h.new.control(tasks={"t/2": {"status": "cancelled"}}, announce="t/2")
    h.old.control(announce="t/2")
    ends = set()
    while ends != set(tasks):
        m = s.message(20)["params"]
        ends |= {m["taskId"]} if m["status"] == "cancelled" else set()


def a_stream_may_end_in_the_middle_of_a_look(h, alice):
    tasks = [begin(alice, server) for server in ("new", "old")]
    for fake in (h.new, h.old):
        fake.control(stall=True)
    (left, _), (s, ack) = follow(alice, *tasks), follow(alice, *tasks)
    assert ack == {"taskIds": tasks}, ack
    left.s.close()
    h.gateway.write("policies/p.yaml", POLICY.replace("name: p", "name: q"))
    time.sleep(0.3)
    for fake in (h.new, h.old):
        fake.control(stall=False)
    told(s, tasks[0], "input_required")
    h.new.control(stall=True)
    h.new.control(tells=False)


def gets(h):
    return sum(m.get("method") == "tasks/get" for m in h.new.seen())


def test_a_client_is_told_of_its_own_tasks_alone(binary):
    with House(binary) as h:
        h.new.control(tells="lists")
        h.old.control(apart=True)
        alice = h.new_client(capabilities=TASKS)
        other, mine, tasks = they_are_told_of_to_nobody_else(h, alice)
        they_are_told_to_their_end(h, alice, mine, tasks)
        looks = gets(h)
        assert mine.event(0.7) is None and gets(h) == looks, "a task that is over is looked at"
        again = begin(alice, "new")  # the fake forgets what became of the one before
        s, _ = follow(alice, again)
        the_rules_of_now_decide(h, alice, s, again)
        assert mine.event(0.1) is None and other.event(0.1) is None
        what_servers_tell_is_heard_at_once(h, alice)
        a_stream_may_end_in_the_middle_of_a_look(h, alice)
