# SPDX-License-Identifier: Apache-2.0
"""Sessions of the old era: the GET stream, coming back to a broken one, levels, and the end of it all."""
import json
import time

from house import mcp, upstreams
from house.gateway import Gateway, until
from house.household import Household
from house.http import once
from house.stream import Stream
from house.tokens import Issuer

CHANGED = "notifications/tools/list_changed"
POLICY = """policy: v1
name: p
rules:
  - { id: all, permit: { tools: ['*/*'], resources: ['*/note://public/*'] } }
"""


class House(Household):
    def __init__(self, binary, extra="", legacy=False):
        self.fake = upstreams.HttpFake("legacy" if legacy else "modern")
        self.server = "old" if legacy else "new"
        config = upstreams.servers_yaml(**{"legacy" if legacy else "modern": self.fake})
        config = config.replace("  servers:", "    - { path: /other }\n  servers:", 1)
        super().__init__(binary, [self.fake], config + extra, POLICY)

    def session(self, who="alice", **more):
        return mcp.Session(self.gateway, self.issuer.token(who), **more)

    def get(self, session, last=None, path="/mcp", who=None, **more):
        head = session.headers(**more)
        del head["Content-Type"]
        if last is not None:
            head["Last-Event-ID"] = last
        if who:
            head.update(mcp.bearer(self.issuer.token(who)))
        return Stream(self.gateway.port, "GET", head, path=path)

    def opened(self, session, **more):
        s = self.get(session, **more)
        assert s.status == 200 and s.headers["content-type"].startswith("text/event-stream"), (s.status, s.headers)
        return s

    def settled(self):
        assert until(lambda: self.fake.heard() > 0), "the gateway does not listen"
        time.sleep(0.6)

    def change(self, *names):
        self.fake.control(extra=list(names), announce="tools")

    def begin_count(self, session, n):
        """A call that streams its progress, read up to the first."""
        body = {"jsonrpc": "2.0", "id": "c", "method": "tools/call",
                "params": {"name": f"{self.server}__count", "arguments": {"n": n}, "_meta": {"progressToken": "p"}}}
        return Stream(self.gateway.port, "POST", session.headers(), json.dumps(body))


def test_a_get_stream_is_told_of_changes_with_ids(binary):
    with House(binary) as h:
        new, old = h.session(), h.session("bob", version="2025-06-18")
        a, b = h.opened(new), h.opened(old)
        first = a.event()
        assert first.id and first.data == "" and first.fields["retry"].isdigit(), first.fields
        h.settled()
        h.change("extra")
        one, two = a.event(), b.event()
        assert one.json()["method"] == CHANGED == two.json()["method"] and "_meta" not in one.json()["params"]
        assert one.id and one.id != first.id and two.id, "events without ids"


def test_a_session_has_one_get_stream(binary):
    with House(binary) as h:
        s = h.session()
        first = h.opened(s)
        assert h.get(s).status == 409
        assert h.opened(h.session()), "another session of the same caller"
        first.close()
        assert until(lambda: h.get(s).status == 200), "no new stream after the old one broke"


def test_where_there_is_no_stream(binary):
    with House(binary) as h:
        s = h.session()
        assert h.get(s, **{"Mcp-Session-Id": None}).status == 400
        assert h.get(s, **{"Mcp-Session-Id": "nonsense"}).status == 404
        assert h.get(s, who="bob").status == 404, "a stolen session id"
        assert h.get(s, path="/other").status == 404, "a session replayed on another endpoint"
        assert h.get(s, **{"MCP-Protocol-Version": mcp.MODERN}).status == 405
        assert h.get(s, **{"Accept": "application/json"}).status == 406


def test_what_was_missed_is_sent_to_who_comes_back(binary):
    with House(binary) as h:
        s = h.session()
        a = h.opened(s)
        first = a.event()
        h.settled()
        h.change("one")
        seen = a.event()
        a.close()
        h.change("two")
        time.sleep(1.5)
        b = h.opened(s, last=seen.id)
        missed = b.event()
        assert missed.json()["method"] == CHANGED and missed.id != seen.id
        h.change("three")
        assert b.event().json()["method"] == CHANGED, "the stream does not go on"
        b.close()
        c = h.opened(s, last=first.id)
        assert [c.event().id for _ in range(2)] == [seen.id, missed.id], "not all of what was missed"
        d = h.opened(s, last=missed.id)
        assert d.event(), "a later one"
        assert c.rest(5) is not None and until(lambda: c.ended or c.event(0.1) is None)


def test_a_call_goes_on_without_its_client(binary):
    with House(binary) as h:
        s = h.session()
        for i in range(4):  # whichever worker the client comes back to
            a = h.begin_count(s, 60)
            first = a.event()
            assert first.data == "", "no priming event"
            progress = a.event()
            assert progress.json()["params"]["progress"] >= 1
            a.close()
            b = h.opened(s, last=progress.id)
            rest = [e.json() for e in b.rest(10)]
            assert b.clean and rest[-1]["id"] == "c" and rest[-1]["result"]["content"], rest[-1:]
            numbers = [m["params"]["progress"] for m in rest[:-1]]
            assert numbers == list(range(progress.json()["params"]["progress"] + 1, 61)), numbers
            c = h.get(s, last=progress.id)
            assert c.status == 200 and len(c.rest(5)) == len(rest), "what was sent can be sent again"


def test_an_older_client_gets_no_event_it_cannot_read(binary):
    with House(binary) as h:
        for version in ("2025-03-26", "2025-06-18"):
            s = h.session(version=version)
            events = h.begin_count(s, 3).rest()
            assert all(e.data for e in events) and all(e.id for e in events), [e.fields for e in events]


def test_event_ids_are_good_for_their_session_alone(binary):
    with House(binary) as h:
        mine, other = h.session(), h.session()
        event = h.begin_count(mine, 3).rest()[-2]
        assert h.get(other, last=event.id).status == 404, "another session of the same caller"
        assert h.get(h.session("bob"), last=event.id).status == 404
        nonce, number = event.id.split(".")
        for forged in ("", ".", "x", nonce, nonce + ".", nonce + ".-1", nonce + ".x", nonce[:-1] + ".1", "0" * 32 + ".1",
                       nonce.upper() + "." + number, nonce + "." + "9" * 30, "a" * 5000):
            status = h.get(mine, last=forged).status
            assert status in (404, 431), (forged, status)
        s = h.get(mine, last=nonce + ".999")
        assert s.status == 200 and s.rest(5) == [] and not s.clean, "an event that never was"
        assert h.opened(mine, last=event.id).rest(5)[-1].json()["id"] == "c"


def test_delete_ends_everything_of_its_session(binary):
    with House(binary) as h:
        s, other = h.session(), h.session()
        a, b, call = h.opened(s), h.opened(other), h.begin_count(s, 100000)
        event = a.event()
        assert call.event() is not None
        head = s.headers()
        assert once(h.gateway.port, "DELETE", "/mcp", head).status == 204
        assert h.get(s).status == 404 and s.request("tools/list").status == 404
        assert h.get(s, last=event.id).status == 404
        a.rest(10)
        call.rest(10)
        assert a.ended and call.ended, "a stream of an ended session goes on"
        b.event()
        assert b.event(1) is None and not b.ended, "a stream of another session ended with it"


def test_a_reconnect_storm_leaves_nothing_behind(binary):
    with House(binary, extra="limits: { streams_per_caller: 20 }\n") as h:
        s = h.session()
        h.opened(s).close()
        before = h.gateway.open_files()
        for _ in range(100):
            h.get(s).close()
        last = None
        for _ in range(100):
            a = h.get(s, last=last) if last else h.get(s)
            if a.status == 200 and not last:
                last = a.event().id
            a.close()
        assert until(lambda: h.gateway.open_files() <= before + 8), (before, h.gateway.open_files())
        assert until(lambda: h.get(s).status == 200 or h.get(s, last=last).status == 200)


def test_a_stopping_gateway_does_not_wait_for_clients_that_left(binary):
    with House(binary) as h:
        s = h.session()
        h.opened(s).close()
        call = h.begin_count(h.session(), 100000)
        call.event()
        call.close()
        time.sleep(0.5)
        began = time.time()
        h.gateway.process.terminate()
        h.gateway.process.wait(30)
        print(f"     stopped after {time.time() - began:.2f} s")


def logged(events):
    return [m["params"]["level"] for m in (e.json() for e in events if e.data) if m.get("method") == "notifications/message"]


def log_call(h, session):
    body = {"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": {"name": f"{h.server}__log", "arguments": {}}}
    return Stream(h.gateway.port, "POST", session.headers(), json.dumps(body))


def check_levels(binary, legacy):
    with House(binary, legacy=legacy) as h:
        h.fake.control(extra=["log"])
        s, other = h.session(), h.session("bob")
        assert logged(log_call(h, s).rest()) == ["info", "error"], "before any level: info"
        assert s.request("logging/setLevel", {"level": "debug"}).json()["result"] == {}
        assert until(lambda: logged(log_call(h, s).rest()) == ["debug", "info", "error"])
        s.request("logging/setLevel", {"level": "error"})
        assert logged(log_call(h, s).rest()) == ["error"]
        assert logged(log_call(h, other).rest()) == ["info", "error"], "another session's level"
        for bad in ({"level": "loud"}, {"level": 3}, {}):
            assert s.request("logging/setLevel", bad).json()["error"]["code"] == -32602


def test_a_session_has_a_log_level(binary):
    check_levels(binary, legacy=False)


def test_an_old_server_is_told_the_level(binary):
    check_levels(binary, legacy=True)


def test_what_is_not_like_other_sessions_is_counted(binary):
    with House(binary) as h:
        sessions = [h.session("carol") for _ in range(101)]
        statuses = [s.request("logging/setLevel", {"level": "error"}).status for s in sessions]
        assert statuses == [200] * 100 + [429], statuses
        assert h.session("bob").request("logging/setLevel", {"level": "error"}).status == 200
        once(h.gateway.port, "DELETE", "/mcp", sessions[0].headers())
        assert sessions[100].request("logging/setLevel", {"level": "error"}).status == 200


def test_what_must_stay_on_one_replica_is_not_found_on_another(binary):
    issuer, fake = Issuer(), upstreams.HttpFake("legacy")
    config = upstreams.servers_yaml(None, fake, upstreams.STDIO) + 'seal_keys: ["file:seal.key"]\n'
    both = []
    try:
        for _ in range(2):
            both.append(Gateway(binary, issuer, config, POLICY, files={"seal.key": "k" * 40}))
        here, there = both
        s = mcp.Session(here, issuer.token("alice"))
        a = s.request("tools/call", {"name": "child__echo", "arguments": {"text": "x"}})
        assert a.status == 200, a.body
        get = Stream(here.port, "GET", s.headers())
        event = get.event()
        s.port = there.port
        assert len(s.request("tools/list").message()["result"]["tools"]) > 10
        assert s.request("tools/call", {"name": "old__echo", "arguments": {"text": "x"}}).status == 200
        assert s.request("tools/call", {"name": "child__echo", "arguments": {"text": "x"}}).status == 404
        assert Stream(there.port, "GET", {**s.headers(), "Last-Event-ID": event.id}).status == 404
    finally:
        for g in both:
            g.stop()
        fake.stop()


def check_subscriptions(binary, legacy):
    with House(binary, legacy=legacy) as h:
        s, other = h.session(), h.session("bob")
        uri = f"{h.server}+note://public/one"
        assert s.request("resources/subscribe", {"uri": uri}).json()["result"] == {}
        a, b = h.opened(s), h.opened(other)
        a.event(), b.event()
        h.settled()
        time.sleep(1.5)
        h.fake.control(updated="note://public/one")
        m = a.message()
        assert m["method"] == "notifications/resources/updated" and m["params"] == {"uri": uri}, m
        assert b.event(0.3) is None, "told to who did not subscribe"
        assert other.request("resources/subscribe", {"uri": uri}).json()["result"] == {}, "with the stream open"
        time.sleep(0.3)
        h.fake.control(updated="note://public/one")
        assert a.message()["params"]["uri"] == uri == b.message()["params"]["uri"]
        assert s.request("resources/unsubscribe", {"uri": uri}).json()["result"] == {}
        time.sleep(0.3)
        h.fake.control(updated="note://public/one")
        assert b.message()["params"]["uri"] == uri and a.event(0.3) is None
        secret = s.request("resources/subscribe", {"uri": f"{h.server}+note://secret/two"}).json()["error"]
        assert secret["code"] == -32002, secret
        assert s.request("resources/subscribe", {}).json()["error"]["code"] == -32602
        if legacy:
            methods = [m["body"].get("method") for m in h.fake.seen()]
            assert methods.count("resources/subscribe") == 1, "two subscribers are one toward the server"
            assert other.request("resources/unsubscribe", {"uri": uri}).status == 200
            assert until(lambda: "resources/unsubscribe" in [m["body"].get("method") for m in h.fake.seen()])


def test_a_session_subscribes_to_resources(binary):
    check_subscriptions(binary, legacy=False)


def test_an_old_server_is_subscribed_to_once(binary):
    check_subscriptions(binary, legacy=True)
