# SPDX-License-Identifier: Apache-2.0
"""Servers that ask their client before they answer, in all four pairs of eras, and those who abuse it."""
import json
import time
from concurrent.futures import ThreadPoolExecutor

from house.gateway import until
from house.asking import ANSWERS, CAN, Call, House, said
from house.http import Connection
from house import mcp

KINDS = ["form", "url", "sampling", "roots"]
ALL = [ANSWERS["elicitation/create"], ANSWERS["elicitation/create"], ANSWERS["sampling/createMessage"], ANSWERS["roots/list"]]
EXPIRED = {"code": -32602, "message": "requestState invalid or expired"}


def test_an_old_client_is_asked_by_servers_of_both_eras(binary):
    with House(binary) as h:
        client = h.old_client()
        for server in ("new", "old", "child"):
            asked, m = client.call(f"{server}__ask", what=KINDS).finish()
            assert json.loads(said(m)) == ALL, (server, m)
            assert [q["method"] for q in asked] == ["elicitation/create"] * 2 + ["sampling/createMessage", "roots/list"]
            assert asked[1]["params"]["elicitationId"], asked[1]
            assert len({q["id"] for q in asked}) == 4 and all(len(q["id"]) >= 32 for q in asked), asked
            asked, m = client.call(f"{server}__ask", what=[["form", "roots"]]).finish()
            assert len(asked) == 2 and len(json.loads(said(m))) == 2, (server, m)


def test_a_new_client_is_asked_by_servers_of_both_eras(binary):
    with House(binary) as h:
        client = h.new_client()
        for server in ("new", "old", "child"):
            asked, m = client.finish(f"{server}__ask", {"what": KINDS})
            assert json.loads(said(m)) == ALL, (server, m)
            assert m["result"]["resultType"] == "complete" and len(asked) == 4, (server, asked)
            url = next(iter(asked[1].values()))
            assert url["params"]["mode"] == "url" and "elicitationId" not in url["params"], url
            asked, m = client.finish(f"{server}__ask", {"what": [["form", "roots"], "sampling"]})
            assert len(json.loads(said(m))) == 3, (server, m)


def test_a_question_may_come_on_the_stream_of_the_session(binary):
    with House(binary) as h:
        h.old.control(apart=True)
        old, new = h.old_client(), h.new_client()
        for _ in range(4):  # whichever worker takes them
            asked, m = old.call("old__ask", what=KINDS).finish()
            assert json.loads(said(m)) == ALL and len(asked) == 4, m
            asked, m = new.finish("old__ask", {"what": KINDS})
            assert json.loads(said(m)) == ALL and len(asked) == 4, m
        calls = [old.call("old__ask", what=["form"]) for _ in range(3)]
        with ThreadPoolExecutor(3) as pool:
            assert all("result" in m for _, m in pool.map(Call.finish, calls))
        m = h.new_client(capabilities={}).finish("old__ask", {"what": KINDS})[1]
        assert [a["code"] for a in json.loads(said(m))] == [-32601] * 4, m
        h.old.control(take_back=True)
        seen, call = [], old.call("old__ask", what=["form"])
        while (m := call.next()) and "result" not in m:
            seen.append(m)
        assert said(m) == "taken back", m
        if seen:  # the answer may overtake what is said on another connection
            assert [x["method"] for x in seen] in (["elicitation/create"], ["elicitation/create", "notifications/cancelled"]), seen


def test_who_declares_nothing_is_asked_nothing(binary):
    with House(binary) as h:
        old, new = h.old_client(capabilities={}), h.new_client(capabilities={})
        for server in ("old", "child"):
            asked, m = old.call(f"{server}__ask", what=KINDS).finish()
            assert not asked and [a["code"] for a in json.loads(said(m))] == [-32601] * 4, (server, m)
            asked, m = new.finish(f"{server}__ask", {"what": KINDS})
            assert not asked and [a["code"] for a in json.loads(said(m))] == [-32601] * 4, (server, m)
            asked, m = old.call(f"{server}__ask", what=["form"], needed=True).finish()
            assert m["result"]["isError"] and json.loads(said(m))[0]["code"] == -32601, "the old hear their server's own words"
            a = new.send(f"{server}__ask", {"what": ["form"], "needed": True})
            assert a.status == 400 and a.message()["error"]["code"] == -32021, a.body
            assert a.message()["error"]["data"]["requiredCapabilities"] == {"elicitation": {"form": {}}}, a.body
        asked, m = old.call("new__ask", what=["form"]).finish()
        assert not asked and m["result"]["isError"], m
        for what, needs in (("sampling_tools", {"sampling": {"tools": {}}}), ("url", {"elicitation": {"url": {}}})):
            a = h.new_client(capabilities={"sampling": {}, "elicitation": {}}).send("new__ask", {"what": [what]})
            assert a.status == 400 and a.message()["error"]["code"] == -32021, a.body
            assert set(a.message()["error"]["data"]["requiredCapabilities"]) == set(needs), a.body


def test_servers_hear_exactly_what_the_client_can(binary):
    with House(binary) as h:
        some = {"sampling": {}, "elicitation": {"url": {}}}
        h.old_client(capabilities=some).call("old__echo", text="x").finish()
        h.new_client(capabilities=some).round("new__echo", {"text": "x"})
        opened = [m["params"]["capabilities"] for m in h.old.seen() if m.get("method") == "initialize"]
        assert some in opened, opened
        meta = [m["params"]["_meta"] for m in h.new.seen()][-1]
        assert meta["io.modelcontextprotocol/clientCapabilities"] == some, meta


def test_older_words_for_older_clients(binary):
    with House(binary) as h:
        client = h.old_client(version="2025-06-18", capabilities={"elicitation": {}, "sampling": {}})
        for server in ("new", "old", "child"):
            asked, m = client.call(f"{server}__ask", what=["titled"]).finish()
            color = asked[0]["params"]["requestedSchema"]["properties"]["color"]
            assert color == {"type": "string", "enum": ["r", "g"], "enumNames": ["Red", "Green"]}, (server, asked)
            assert "mode" not in asked[0]["params"], asked
        asked, m = client.call("new__ask", what=["several"]).finish()
        assert not asked and json.loads(said(m)) == [{"action": "cancel"}], m
        asked, m = client.call("old__ask", what=["url"]).finish()
        assert not asked and json.loads(said(m))[0]["code"] == -32601, m


def test_forged_answers_change_nothing(binary):
    with House(binary) as h:
        alice, bob, other = h.old_client(), h.old_client("bob"), h.old_client()
        for server in ("new", "old", "child"):
            call = alice.call(f"{server}__ask", what=["form"])
            q = call.next()
            evil = {"action": "accept", "content": {"name": "Mallory"}}
            last = "0" if q["id"][-1] != "0" else "1"
            for who, wrong_id in ((bob, q["id"]), (other, q["id"]), (alice, q["id"][:-1] + last), (alice, "q" + "0" * 49),
                                  (alice, "qffffffffffffffff" + q["id"][17:]), (alice, 7)):
                a = who.session.post({"jsonrpc": "2.0", "id": wrong_id, "result": evil})
                assert a.status == 202, a.status
            call.answer(q)
            call.answer(q, evil)  # and once is enough
            asked, m = call.finish()
            assert json.loads(said(m)) == [ANSWERS["elicitation/create"]], (server, m)


def test_errors_of_clients(binary):
    no = {"code": -1, "message": "no"}
    with House(binary) as h:
        client = h.old_client()
        refuse = lambda call, q: call.answer(q, error=no)  # noqa: E731
        for server in ("old", "child"):
            _, m = client.call(f"{server}__ask", what=["form"]).finish(refuse)
            assert json.loads(said(m)) == [no], (server, m)
        _, m = client.call("new__ask", what=["form"]).finish(refuse)
        assert json.loads(said(m)) == [{"action": "cancel"}], m
        _, m = client.call("new__ask", what=["sampling"]).finish(refuse)
        assert m["result"]["isError"], m


def test_a_cancelled_call_takes_its_questions_back(binary):
    with House(binary) as h:
        client = h.old_client()
        for server in ("old", "child", "new"):
            call = client.call(f"{server}__ask", what=["form"])
            q = call.next()
            for _ in range(4):  # on whatever worker it comes in
                client.session.post({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": call.id}})
            m = call.next()
            assert m["method"] == "notifications/cancelled" and m["params"]["requestId"] == q["id"], (server, m)
            assert call.next() is None
            assert call.answer(q).status == 202
        assert h.heard(h.old, lambda m: m.get("method") == "notifications/cancelled")
        assert h.heard(h.old, lambda m: m.get("result") == {"action": "cancel"})
        _, m = client.call("child__echo", text="free again").finish()
        assert said(m) == "free again", m


def test_no_server_asks_without_end(binary):
    with House(binary) as h:
        asked, m = h.old_client().call("new__endless").finish()
        assert len(asked) == 8 and m["result"]["isError"], (len(asked), m)
        asked, m = h.old_client().call("old__endless").finish()
        assert len(asked) == 64, len(asked)
        asked, m = h.new_client().finish("old__endless", {})
        assert len(asked) == 64, len(asked)
        began = time.time()
        _, m = h.old_client().call("new__state_only", n=3).finish()
        assert said(m) == "3 states" and time.time() - began > 0.7, m
        _, m = h.new_client().finish("new__state_only", {"n": 3})
        assert said(m) == "3 states", m
        _, m = h.old_client().call("new__endless", nothing=True).finish()  # no question, no state: no reason to call again
        assert m["result"]["isError"] and said(m) == "the upstream asked for nonsense", m
        _, m = h.new_client().finish("new__endless", {"nothing": True})
        assert m["error"]["message"] == "the upstream asked for nonsense", m


def test_a_state_is_good_for_its_call_and_caller_alone(binary):
    with House(binary) as h:
        alice, bob = h.new_client(), h.new_client("bob")
        for server in ("new", "old", "child"):
            tool, args = f"{server}__ask", {"what": ["form", "form"]}
            first = alice.round(tool, args)
            state = first["result"]["requestState"]
            assert len(state) > 100, first
            spoilt = state[:-2] + ("A" if state[-2] != "A" else "B") + state[-1]
            answers = {"inputResponses": {k: ANSWERS["elicitation/create"] for k in first["result"]["inputRequests"]}}
            for who, what, more in ((bob, args, {"requestState": state}), (alice, {"what": ["form"]}, {"requestState": state}),
                                    (alice, args, {"requestState": spoilt}), (alice, args, {"requestState": "x"}),
                                    (alice, args, {"requestState": 7})):
                a = who.send(tool, what, **answers, **more)
                assert a.status == 200 and a.message()["error"] == EXPIRED, (server, a.body)
            a = alice.send(f"{server}__endless", args, **answers, requestState=state)
            assert a.message()["error"] == EXPIRED, (server, a.body)
            second = alice.again(tool, args, first)
            assert second["result"]["resultType"] == "input_required", (server, second)
            if server != "new":  # that server keeps no state here: replaying is its own affair
                assert alice.again(tool, args, first)["error"] == EXPIRED, server
            assert len(json.loads(said(alice.again(tool, args, second)))) == 2, server


def test_what_was_not_answered_is_asked_again(binary):
    with House(binary) as h:
        client, args = h.new_client(), {"what": [["form", "roots"]]}
        first = client.round("old__ask", args)
        keys = {q["method"]: k for k, q in first["result"]["inputRequests"].items()}
        some = {keys["roots/list"]: ANSWERS["roots/list"], "stranger": {"x": 1}}
        second = client.again("old__ask", args, first, some)
        assert list(second["result"]["inputRequests"]) == [keys["elicitation/create"]], second
        third = client.again("old__ask", args, second, {keys["elicitation/create"]: "nonsense"})
        assert list(third["result"]["inputRequests"]) == [keys["elicitation/create"]], third
        assert json.loads(said(client.again("old__ask", args, third)))[1] == ANSWERS["roots/list"]


def test_each_round_hears_of_its_call_on_its_own_stream(binary):
    with House(binary) as h:
        for tool in ("old__ask", "child__ask"):
            client = h.new_client()
            args = {"what": ["form", "form"], "tells": True}

            def meta(n, level):
                client.meta.update({"progressToken": f"p{n}", "io.modelcontextprotocol/logLevel": level})

            meta(1, "debug")
            m = client.round(tool, args)
            for n, level, told in ((2, "debug", ["info", "error", "p2"]), (3, "error", ["error", "p3"])):
                more = {"inputResponses": {k: ANSWERS[q["method"]] for k, q in m["result"]["inputRequests"].items()},
                        "requestState": m["result"]["requestState"]}
                meta(n, level)
                *notices, m = [json.loads(data) for _, data in client.send(tool, args, **more).events()]
                heard = [x["params"].get("level") or x["params"]["progressToken"] for x in notices]
                assert heard == told, (tool, heard)
            assert len(json.loads(said(m))) == 2, m


def test_parked_calls_are_bounded(binary):
    with House(binary) as h:
        client = h.new_client()
        waiting = [client.round("old__ask", {"what": ["form"], "n": n}) for n in range(16)]
        assert all("requestState" in m["result"] for m in waiting), waiting
        m = client.round("old__ask", {"what": ["form"]})
        assert m["error"]["code"] == -32603 and "wait" in m["error"]["message"], m
        other = h.new_client("bob").round("old__ask", {"what": ["form"]})
        assert "requestState" in other["result"], "another caller is held to it too"
        for n, m in enumerate(waiting):
            assert "result" in client.again("old__ask", {"what": ["form"], "n": n}, m), n
        assert "requestState" in client.round("old__ask", {"what": ["form"]})["result"], "a place was not given back"


def test_a_client_that_leaves_while_it_waits_ends_the_call(binary):
    with House(binary) as h:
        client = h.new_client()
        args = {"what": ["roots", "form"]}
        first = client.round("old__ask", args)
        h.old.control(mute=True)
        params = {"name": "old__ask", "arguments": args, "requestState": first["result"]["requestState"],
                  "inputResponses": {k: ANSWERS["roots/list"] for k in first["result"]["inputRequests"]}}
        head, body = mcp.modern_request("tools/call", params, meta=client.meta)
        c = Connection(h.gateway.port)
        c.request("POST", "/mcp", {**head, **mcp.bearer(client.token)}, body)
        assert h.heard(h.old, lambda m: m.get("result") == ANSWERS["roots/list"])
        c.close()
        assert h.heard(h.old, lambda m: m.get("method") == "notifications/cancelled")
        assert client.again("old__ask", args, first)["error"] == EXPIRED


def test_an_upstream_that_ends_while_a_call_is_parked(binary):
    with House(binary) as h:
        client = h.new_client()
        for server, end in (("old", lambda: h.old.control(hang_up=True)), ("child", h.kill_children)):
            first = client.round(f"{server}__ask", {"what": ["form"]})
            assert "requestState" in first["result"], first
            end()
            time.sleep(0.3)
            m = client.again(f"{server}__ask", {"what": ["form"]}, first)
            assert m["error"]["code"] == -32603, (server, m)
            assert client.again(f"{server}__ask", {"what": ["form"]}, first)["error"] == EXPIRED


def test_an_address_that_must_be_opened_first(binary):
    with House(binary) as h:
        client = h.new_client()
        asked, m = client.finish("old__address", {"times": 2})
        assert said(m) == "signed in" and len(asked) == 2, (asked, m)
        url = next(iter(asked[0].values()))
        assert url["params"]["mode"] == "url" and "elicitationId" not in url["params"], url
        asked, m = client.finish("old__address", {"times": 99})
        assert m["error"]["code"] == -32603 and len(asked) == 8, (len(asked), m)
        a = h.new_client(capabilities={"elicitation": {}}).send("old__address", {"times": 199})
        assert a.status == 400 and a.message()["error"]["code"] == -32021, a.body
        _, m = h.old_client().call("old__address", times=299).finish()
        assert m["error"]["code"] == -32042 and m["error"]["data"]["elicitations"], m
        _, m = h.old_client(version="2025-06-18").call("old__address", times=399).finish()
        assert m["error"]["code"] == -32603, m


def test_tools_that_only_run_as_tasks(binary):
    with House(binary) as h:
        old, new = h.old_client(), h.new_client()
        for server in ("old", "child"):
            asked, m = old.call(f"{server}__job", what=["form", "roots"]).finish()
            assert len(asked) == 2 and json.loads(said(m))[1] == ANSWERS["roots/list"], (server, m)
            asked, m = new.finish(f"{server}__job", {"what": ["form", "roots"]})
            assert len(asked) == 2 and json.loads(said(m))[1] == ANSWERS["roots/list"], (server, m)
        call = old.call("old__job", what=["form"])
        assert call.next()["method"] == "elicitation/create"
        for _ in range(4):
            old.session.post({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": call.id}})
        assert h.heard(h.old, lambda m: m.get("method") == "tasks/cancel" and m["params"] == {"taskId": "t/3"})


def task_call(client, method, task, **more):
    params = {"taskId": task, **more}
    return mcp.modern(client.gateway, method, params, client.token, meta=client.meta).message()


def test_tasks_of_new_servers_are_followed_by_their_client_alone(binary):
    can = {**CAN, "extensions": {"io.modelcontextprotocol/tasks": {}}}
    with House(binary) as h:
        alice, bob, plain = h.new_client(capabilities=can), h.new_client("bob", can), h.new_client()
        assert said(plain.round("new__job", {})) == "at once"
        assert said(h.old_client().call("new__job").finish()[1]) == "at once"
        m = alice.round("new__job", {})["result"]
        task = m["taskId"]
        assert m["resultType"] == "task" and m["status"] == "working" and len(task) > 100 and "t/2" not in task, m
        unknown = {"code": -32602, "message": "Unknown task"}
        assert task_call(bob, "tasks/get", task)["error"] == unknown
        assert task_call(alice, "tasks/get", task[:-1] + "x")["error"] == unknown
        assert task_call(alice, "tasks/get", "t/2")["error"] == unknown
        assert task_call(plain, "tasks/get", task)["error"]["code"] == -32021
        got = task_call(alice, "tasks/get", task)["result"]
        assert got["status"] == "input_required" and got["taskId"] == task and got["inputRequests"]["a"], got
        answers = {"a": ANSWERS["elicitation/create"]}
        assert task_call(alice, "tasks/update", task, inputResponses=answers)["result"]["resultType"] == "complete"
        got = task_call(alice, "tasks/get", task)["result"]
        assert got["status"] == "completed" and json.loads(got["result"]["content"][0]["text"]) == answers, got
        assert task_call(alice, "tasks/cancel", task)["result"]["resultType"] == "complete"
        assert task_call(alice, "tasks/get", task)["result"]["status"] == "cancelled"
        assert task_call(alice, "tasks/result", task)["error"]["code"] == -32601


def new_task(client, server, **args):
    m = client.round(f"{server}__job", args)["result"]
    assert m["resultType"] == "task" and m["status"] == "working" and len(m["taskId"]) > 100, m
    assert m["ttlMs"] == 86400000 and m["pollIntervalMs"] == 10 and "ttl" not in m and m["createdAt"], m
    return m["taskId"]


def follow(client, task, statuses, asked=0):
    """tasks/get until it has one of these, and asks that many questions: they may come one by one."""
    got = []

    def reached():
        got.append(task_call(client, "tasks/get", task)["result"])
        assert got[-1]["resultType"] == "complete" and got[-1]["taskId"] == task, got
        return got[-1]["status"] in statuses and len(got[-1].get("inputRequests", [])) >= asked

    assert until(reached), got
    return got[-1]


def test_tasks_of_old_servers_are_followed_too(binary):
    can = {**CAN, "extensions": {"io.modelcontextprotocol/tasks": {}}}
    with House(binary) as h:
        alice, bob = h.new_client(capabilities=can), h.new_client("bob", can)
        for server in ("old", "child"):
            task = new_task(alice, server, what=["form", ["roots", "form"]])
            assert task_call(bob, "tasks/get", task)["error"] == {"code": -32602, "message": "Unknown task"}
            keys, answers = set(), []
            for count in (1, 2):
                got = follow(alice, task, ["input_required"], count)
                asked = got["inputRequests"]
                assert len(asked) == count and not keys & set(asked) and "result" not in got, got
                assert all(follow(alice, task, ["input_required"])["inputRequests"] == asked for _ in range(3)), "asked anew"
                keys |= set(asked)
                answers += [ANSWERS[q["method"]] for q in asked.values()]
                ack = task_call(alice, "tasks/update", task, inputResponses={k: ANSWERS[q["method"]] for k, q in asked.items()})
                assert ack["result"]["resultType"] == "complete" and "status" not in ack["result"], ack
            for _ in range(2):
                got = follow(alice, task, ["completed"])
                assert json.loads(said(got)) == answers and got["result"]["resultType"] == "complete", got
                assert got["result"]["_meta"]["mine"] == 1 and "t/" not in json.dumps(got["result"]["_meta"]), got
            assert "inputRequests" not in got and got["ttlMs"] == 86400000, got
            for _ in range(2):
                assert task_call(alice, "tasks/cancel", task)["result"]["resultType"] == "complete"
            assert task_call(alice, "tasks/get", task)["result"]["status"] == "completed"
        assert not [m for m in h.old.seen() if m.get("method") == "notifications/cancelled"]


def test_tasks_of_old_servers_end_as_new_ones_do(binary):
    can = {**CAN, "extensions": {"io.modelcontextprotocol/tasks": {}}}
    with House(binary) as h:
        alice = h.new_client(capabilities=can)
        for server in ("old", "child"):
            got = follow(alice, new_task(alice, server, what=[], end="failed"), ["completed"])
            assert got["result"]["isError"] is True and "error" not in got, got
            got = follow(alice, new_task(alice, server, what=[], end="error"), ["failed"])
            assert got["error"] == {"code": -32603, "message": "it broke"} and "result" not in got, got
            for asked in (False, True):
                task = new_task(alice, server, what=["form"])
                if asked:
                    follow(alice, task, ["input_required"])
                for _ in range(2):
                    assert task_call(alice, "tasks/cancel", task)["result"]["resultType"] == "complete"
                # a child hears the end of the call first, and may take the declined form for an answer
                ends = ["cancelled", "completed"] if server == "child" and asked else ["cancelled"]
                assert follow(alice, task, ends)["statusMessage"] == "tax id 12-34"
            assert said(alice.round(f"{server}__echo", {"text": "free again"})) == "free again"
        poor = h.new_client("bob", {"extensions": {"io.modelcontextprotocol/tasks": {}}})
        for server in ("old", "child"):  # who cannot be asked is not
            got = follow(poor, new_task(poor, server, what=["form"]), ["completed"])
            assert [a["code"] for a in json.loads(said(got))] == [-32601], got
        tasks = [new_task(alice, "old", what=["form"], n=n) for n in range(17)]
        assert all(follow(alice, task, ["input_required"]) for task in tasks[:16])
        assert until(lambda: task_call(alice, "tasks/get", tasks[16]).get("error", {}).get("code") == -32603)
        task_call(alice, "tasks/cancel", tasks[0])
        assert follow(alice, tasks[16], ["input_required"])["inputRequests"], "a place was not given back"


def test_a_gateway_that_stops_waits_for_nobody(binary):
    with House(binary) as h:
        for server in ("old", "child"):
            assert "requestState" in h.new_client().round(f"{server}__ask", {"what": ["form"]})["result"]
        began = time.time()
        h.gateway.process.terminate()
        h.gateway.process.wait(timeout=30)
        assert time.time() - began < 15, time.time() - began
        assert h.heard(h.old, lambda m: m.get("result") == {"action": "cancel"})
