# SPDX-License-Identifier: Apache-2.0
"""subscriptions/listen: who is told that a list changed, and when a stream is over."""
import json
import time

from house import mcp, upstreams
from house.gateway import until
from house.household import Household
from house.stream import listen
from house.tokens import Issuer

CHANGED = "notifications/tools/list_changed"
POLICY = """policy: v1
name: p
rules:
  - {{ id: all, permit: {{ tools: [{}] }} }}
  - {{ id: more, permit: {{ tools: ['*/secret', '*/hidden'] }}, when: jwt.sub == "alice" }}
"""
RESOURCES = """  - { id: notes, permit: { resources: ['*/note://public/*'] } }
  - { id: secrets, permit: { resources: ['*/note://secret/*'] }, when: jwt.sub == "alice" }
"""
OPEN = POLICY.format("'*/echo', '*/slow', '*/change', '*/extra', '*/write'") + RESOURCES


class House(Household):
    def __init__(self, binary, legacy=False, stdio=False, extra="", policy=OPEN, **spec):
        self.fake = upstreams.HttpFake("legacy" if legacy else "modern")
        child = [*upstreams.STDIO, "--changes"] if stdio else None
        config = upstreams.servers_yaml(*((None, self.fake) if legacy else (self.fake, None)), child, **spec)
        super().__init__(binary, [self.fake], config + extra, policy)

    def listen(self, who, **more):
        s = listen(self.gateway, self.issuer.token(who), toolsListChanged=True, **more)
        assert s.status == 200 and s.headers["content-type"].startswith("text/event-stream"), (s.status, s.headers)
        assert s.method() == "notifications/subscriptions/acknowledged"
        return s

    def names(self, who):
        return mcp.list_tools(self.gateway, self.issuer.token(who))

    def settled(self, *streams):
        """The gateway listens to the server, and has looked at it once."""
        assert until(lambda: self.fake.heard() > 0), "the gateway does not listen"
        time.sleep(0.6)
        return streams


def test_the_first_word_is_what_will_be_told(binary):
    with House(binary) as h:
        can = {"io.modelcontextprotocol/clientCapabilities": {"extensions": {"io.modelcontextprotocol/tasks": {}}}}
        s = listen(h.gateway, h.issuer.token("alice"), request_id="a-1", meta=can, toolsListChanged=True, weather=True,
                   taskIds=["x"])
        ack = s.message()
        assert ack["method"] == "notifications/subscriptions/acknowledged", ack
        assert ack["params"]["notifications"] == {"toolsListChanged": True}, ack
        assert ack["params"]["_meta"] == {"io.modelcontextprotocol/subscriptionId": "a-1"}, ack
        h.settled(s)
        h.fake.control(extra=["extra"], announce="tools")
        m = s.message()
        assert m["method"] == CHANGED and m["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"] == "a-1", m


def test_only_those_whose_list_changed_are_told(binary):
    with House(binary) as h:
        alice, bob = h.settled(h.listen("alice"), h.listen("bob"))
        h.fake.control(extra=["hidden"], announce="tools")
        assert alice.method() == CHANGED
        assert "new__hidden" in h.names("alice") and "new__hidden" not in h.names("bob")
        assert bob.event(1) is None, "a change nobody may see was told"
        h.fake.control(extra=["hidden", "extra"], announce="tools")
        assert alice.method() == CHANGED and bob.method() == CHANGED


def test_an_announcement_without_a_change_is_not_told(binary):
    with House(binary) as h:
        alice, = h.settled(h.listen("alice"))
        for _ in range(5):
            h.fake.control(announce="tools")
        assert alice.event(1) is None


def test_a_reload_is_told_to_those_it_touches(binary):
    with House(binary) as h:
        alice, bob = h.settled(h.listen("alice"), h.listen("bob"))
        began = time.time()
        h.gateway.write("policies/p.yaml", OPEN.replace('jwt.sub == "alice"', 'jwt.sub == "bob"'))
        assert alice.method() == CHANGED and bob.method() == CHANGED
        print(f"     reload to notice: {time.time() - began:.2f} s")
        assert "new__secret" in h.names("bob") and "new__secret" not in h.names("alice")
        h.gateway.write("policies/p.yaml", OPEN.replace('"alice"', '"bob"').replace("name: p", "name: q"))
        assert alice.event(1.5) is None and bob.event(0.1) is None


def test_a_stream_ends_with_its_token(binary):
    with House(binary) as h:
        # the gateway allows clocks to differ by half a minute
        token = h.issuer.token("alice", exp=int(time.time()) - 26)
        s = listen(h.gateway, token, toolsListChanged=True)
        if s.status == 200:
            assert s.method() == "notifications/subscriptions/acknowledged"
            last = s.rest(20)[-1].json()
            assert s.clean and last["result"]["resultType"] == "complete", last
        lasting = h.listen("bob")
        assert lasting.event(1) is None and not lasting.ended


def test_a_stream_ends_when_the_keys_change(binary):
    with House(binary) as h:
        s = h.listen("alice")
        h.gateway.write("keys.json", Issuer("k2").jwks())
        last = s.rest(10)
        assert s.clean and "result" in last[-1].json(), last


def test_a_stream_ends_when_its_endpoint_goes(binary):
    with House(binary) as h:
        s = h.listen("alice")
        path = h.gateway.dir + "/sallyport.yaml"
        with open(path) as f:
            text = f.read()
        h.gateway.write("sallyport.yaml", text.replace("path: /mcp", "path: /other"))
        s.rest(10)
        assert s.clean


def test_draining_ends_streams_with_their_result(binary):
    with House(binary) as h:
        s = listen(h.gateway, h.issuer.token("alice"), request_id=77, toolsListChanged=True)
        s.event()
        h.gateway.process.terminate()
        last = s.rest(10)[-1].json()
        assert last["id"] == 77 and last["result"]["resultType"] == "complete", last
        assert last["result"]["_meta"] == {"io.modelcontextprotocol/subscriptionId": 77}, last
        h.gateway.process.wait(30)


def test_streams_count_against_their_caller(binary):
    with House(binary, extra="limits: { streams_per_caller: 2 }\n") as h:
        open_ones = [h.listen("alice") for _ in range(2)]
        s = listen(h.gateway, h.issuer.token("alice"), toolsListChanged=True)
        body = json.loads(s.answer_body())
        assert s.status == 429 and s.headers["retry-after"] == "1" and body["error"]["code"] == 429, body
        h.listen("bob")
        open_ones.pop().close()
        assert until(lambda: listen(h.gateway, h.issuer.token("alice"), toolsListChanged=True).status == 200)


def test_bad_requests_are_refused(binary):
    with House(binary) as h:
        token = h.issuer.token("alice")
        for params in ({}, {"notifications": []}, {"notifications": None}):
            a = mcp.modern(h.gateway, "subscriptions/listen", params, token)
            assert a.json()["error"]["code"] == -32602, a.body
        a = mcp.modern(h.gateway, "subscriptions/listen", {"notifications": {}}, token,
                       headers={"Accept": "application/json"})
        assert a.status == 406, a.status
        s = listen(h.gateway, "bad", toolsListChanged=True)
        assert s.status == 401


def test_a_server_that_comes_back_is_heard_again(binary):
    with House(binary) as h:
        alice, = h.settled(h.listen("alice"))
        h.fake.control(cut=True)
        h.fake.control(extra=["extra"])  # said to nobody
        assert alice.method(20) == CHANGED, "what was missed is not looked at"
        h.fake.kill()
        time.sleep(0.3)
        h.fake.start()
        assert alice.method(40) == CHANGED, "a server that came back without a tool"


def test_old_servers_are_heard_too(binary):
    with House(binary, legacy=True) as h:
        alice, = h.settled(h.listen("alice"))
        h.fake.control(extra=["extra"], announce="tools")
        assert alice.method() == CHANGED


def test_a_child_is_heard_too(binary):
    with House(binary, stdio=True) as h:
        alice, = h.settled(h.listen("alice"))
        assert mcp.call(h.gateway, "child__change", {}, h.issuer.token("alice")).status == 200
        assert alice.method() == CHANGED
        assert "child__extra" in h.names("alice") and "child__extra" not in h.names("bob")


def test_many_streams_hold_each_other_up_no_more_than_a_moment(binary):
    with House(binary) as h:
        many = [h.listen("alice") for _ in range(60)]
        h.settled()
        began = time.time()
        h.fake.control(extra=["extra"], announce="tools")
        assert all(s.method() == CHANGED for s in many)
        print(f"     60 streams told in {time.time() - began:.2f} s")


ONE, TWO = "new+note://public/one", "new+note://secret/two"
UPDATED = "notifications/resources/updated"


def watching(h, who, *uris):
    s = listen(h.gateway, h.issuer.token(who), resourceSubscriptions=list(uris))
    return s, s.message()["params"]["notifications"].get("resourceSubscriptions")


def test_only_what_may_be_read_can_be_watched(binary):
    with House(binary) as h:
        alice, honoured = watching(h, "alice", ONE, TWO, ONE, "nope+note://public/one", "note://public/one", "", 3,
                                   "new+note://public/../secret/two")
        assert honoured == [ONE, TWO], honoured
        bob, honoured = watching(h, "bob", ONE, TWO)
        assert honoured == [ONE], honoured
        nobody, honoured = watching(h, "bob", TWO)
        assert honoured is None
        assert until(lambda: sorted(h.fake.control()["wishes"]) == ["note://public/one", "note://secret/two"])
        assert until(lambda: h.fake.heard() == 1), "the old listening was not given up"
        h.fake.control(updated="note://secret/two")
        m = alice.message()
        assert m["method"] == UPDATED and m["params"]["uri"] == TWO, m
        assert "io.modelcontextprotocol/subscriptionId" in m["params"]["_meta"]
        h.fake.control(updated="note://public/one")
        assert alice.message()["params"]["uri"] == ONE == bob.message()["params"]["uri"]
        assert nobody.event(0.5) is None
        h.gateway.write("policies/p.yaml", OPEN.replace("*/note://public/*", "*/note://other/*"))
        time.sleep(1.5)
        h.fake.control(updated="note://public/one")
        assert bob.event(1) is None, "told of what may no longer be read"
        alice.close()
        assert until(lambda: h.fake.control()["wishes"] == []), "what nobody watches is still subscribed to"


def test_prompts_and_resources_change_too(binary):
    with House(binary) as h:
        s = listen(h.gateway, h.issuer.token("alice"), promptsListChanged=True, resourcesListChanged=True)
        assert s.message()["params"]["notifications"] == {"promptsListChanged": True, "resourcesListChanged": True}
        h.settled(s)
        h.fake.control(announce="resources")
        h.fake.control(extra=["extra"], announce="tools")
        assert s.event(1) is None, "what was not asked for, or did not change"
