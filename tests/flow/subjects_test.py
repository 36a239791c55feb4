# SPDX-License-Identifier: Apache-2.0
"""Prompts and resources: what servers offer, pages, and naming none."""
from house import mcp, upstreams
from house.gateway import until
from house.household import Household
from house.stream import listen

POLICY = """policy: v1
name: p
rules:
  - { id: all, permit: { tools: ["*"], prompts: ["*"], resources: ["*"] } }
"""


class House(Household):
    def __init__(self, binary, naming="prefix", servers="new old", offers=None, dead=False, instructions=False, **more):
        self.servers = {n: upstreams.HttpFake("modern" if n == "new" else "legacy") for n in servers.split()}
        for name, fake in self.servers.items():
            fake.control(**more, **({"offers": offers[name]} if offers else {}))
            if dead:
                fake.kill()
        config = upstreams.servers_yaml(self.servers.get("new"), self.servers.get("old"), None, list_timeout="2s",
                                         instructions=str(instructions).lower())
        super().__init__(binary, self.servers.values(), config + f"  naming: {naming}\n", POLICY)

    def ask(self, method, params=None, who="alice"):
        return mcp.modern(self.gateway, method, params, self.issuer.token(who)).message()

    def capabilities(self):
        new = self.ask("server/discover")["result"]["capabilities"]
        old = mcp.Session(self.gateway, self.issuer.token("alice")).opened.message()["result"]["capabilities"]
        assert new.keys() - {"extensions"} == old.keys(), (new, old)  # the gateway's own
        return set(old)

    def asked(self, name):
        return {m["body"].get("method") for m in self.servers[name].seen()}


def test_a_handshake_names_what_some_server_has(binary):
    with House(binary, offers={"new": ["tools"], "old": ["tools", "prompts", "logging"]}, told="Ask twice.") as h:
        assert h.capabilities() == {"tools", "prompts", "logging"}
        discovered = h.ask("server/discover")["result"]
        assert discovered["ttlMs"] == 60000 and "instructions" not in discovered, discovered
        assert {p["name"] for p in h.ask("prompts/list")["result"]["prompts"]} == {"old__greet", "old__show", "old__hidden"}
        assert h.ask("resources/list")["result"]["resources"] == []
        assert not h.asked("new") & {"prompts/list", "resources/list"}, h.asked("new")
        assert "resources/list" not in h.asked("old"), h.asked("old")


def test_instructions_are_handed_on_where_the_configuration_says_so(binary):
    for servers, told in (("new old", "# new\n\nAsk twice.\n\n# old\n\nAsk twice."), ("old", "Ask twice.")):
        with House(binary, servers=servers, instructions=True, told="Ask twice.") as h:
            assert h.ask("server/discover")["result"].get("instructions") == told, servers
            old = mcp.Session(h.gateway, h.issuer.token("alice")).opened.message()["result"]
            assert old.get("instructions") == told, servers


def test_a_server_is_not_asked_to_complete_when_it_does_not_offer_it(binary):
    with House(binary, offers={"new": ["tools", "prompts"], "old": ["tools", "resources"]}) as h:
        assert h.capabilities() == {"tools", "prompts", "resources"}
        said = h.ask("completion/complete", {"ref": {"type": "ref/prompt", "name": "new__greet"},
                                             "argument": {"name": "who", "value": "p"}})
        assert said["result"]["completion"] == {"values": [], "total": 0, "hasMore": False}, said
        said = h.ask("resources/read", {"uri": "new+note://public/one"})
        assert said["error"] == {"code": -32602, "message": "Resource not found",
                                 "data": {"uri": "new+note://public/one"}}, said
        assert not h.asked("new") & {"completion/complete", "resources/read"}, h.asked("new")


def test_a_server_that_is_gone_may_have_anything(binary):
    with House(binary, servers="old", dead=True) as h:
        assert h.capabilities() == {"tools", "prompts", "resources", "completions", "logging"}
        assert h.ask("server/discover")["result"]["ttlMs"] == 0, "what was supposed is not to be kept"


def pages(h, method, member, who="alice"):
    """(items, cursors)"""
    items, cursors, params = [], [], {}
    while True:
        result = h.ask(method, params, who)["result"]
        items += result[member]
        if "nextCursor" not in result:
            return items, cursors
        params = {"cursor": result["nextCursor"]}
        cursors.append(result["nextCursor"])


def test_long_lists_come_in_pages_that_are_their_callers(binary):
    with House(binary, servers="new", many=1100) as h:
        items, cursors = pages(h, "resources/list", "resources")
        uris = [r["uri"] for r in items]
        assert len(uris) == len(set(uris)) == 1103 and uris[-1] == "new+note://many/1099", (len(uris), uris[-1])
        assert len(cursors) == 2 and len(set(cursors)) == 2, cursors
        for method, cursor, who in (("resources/list", cursors[0], "bob"), ("prompts/list", cursors[0], "alice"),
                                    ("resources/list", cursors[0][:-2], "alice"), ("resources/list", "", "alice")):
            assert h.ask(method, {"cursor": cursor}, who).get("error", {}).get("code") == -32602, (method, who)


def test_bare_names_of_one_server_are_its_own(binary):
    with House(binary, naming="none", servers="old", uris=["NOTE://public/one", "note://public/../x"]) as h:
        assert [r["uri"] for r in h.ask("resources/list")["result"]["resources"]] == \
            ["note://public/one", "note://secret/two", "ui://board"]
        read = h.ask("resources/read", {"uri": "note://public/x"})["result"]
        assert read["contents"][0]["uri"] == "note://public/x" and read["contents"][0]["text"] == "x", read
        assert h.gateway.log_text().count("its URI is not spelled in its plain form") == 2, "what is never read is not listed"


def test_what_two_servers_have_under_one_bare_name_is_nobodys(binary):
    with House(binary, naming="none") as h:
        assert h.ask("prompts/list")["result"]["prompts"] == []
        assert h.ask("resources/list")["result"]["resources"] == []
        assert "error" in h.ask("prompts/get", {"name": "greet"})
        for uri in ("note://public/one", "note://public/x"):
            assert h.ask("resources/read", {"uri": uri})["error"]["code"] == -32602, uri
        log = h.gateway.log_text()
        assert '"kind":"prompt"' in log and '"server":"new"' in log and '"other":"old"' in log, log


def test_a_change_of_prompts_is_told_though_they_are_never_fresh(binary):
    with House(binary, servers="new") as h:
        h.servers["new"].control(ttl=0)
        s = listen(h.gateway, h.issuer.token("alice"), promptsListChanged=True)
        assert s.method() == "notifications/subscriptions/acknowledged"
        assert until(lambda: h.servers["new"].heard() > 0), "the gateway does not listen"
        h.servers["new"].control(prompts=["extra"], announce="prompts")
        assert s.method() == "notifications/prompts/list_changed"
        assert "new__extra" in {p["name"] for p in h.ask("prompts/list")["result"]["prompts"]}
