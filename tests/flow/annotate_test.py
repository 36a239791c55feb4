# SPDX-License-Identifier: Apache-2.0
"""Listed schemas that say what the rules ask, as clients of both eras get them."""
from house import mcp
from house.household import Household
from house.upstreams import HttpFake, servers_yaml

POLICY = """policy: v1
vars:
  home: '"/home/" + jwt.sub + "/"'
rules:
  - id: write-at-home
    permit: "*/write"
    args:
      path: this.startsWith(vars.home) && !this.contains("..")
      size: { when: this <= 65536, optional: true }
    other_args: deny
  - id: echo
    permit: "*/echo"
  - id: few
    permit: "*/count"
    when: args.n in [1, 2, 3]
  - id: never
    permit: "*/slow"
    when: args.ms > 10 && args.ms < 5
"""


def listed(gateway, token):
    answer = mcp.modern(gateway, "tools/list", token=token).message()["result"]
    return answer, {t["name"]: t for t in answer["tools"]}


def with_gateway(binary, option, check):
    fake = HttpFake("modern")
    config = servers_yaml(fake).replace('/mcp"', '/mcp"' + option, 1)
    with Household(binary, [fake], config, POLICY) as h:
        check(h.gateway, h.issuer)


def check_annotated(gateway, issuer):
    alice, bob = issuer.token("alice"), issuer.token("bob")
    answer, tools = listed(gateway, alice)
    assert answer["cacheScope"] == "private", answer
    write = tools["new__write"]
    properties = write["inputSchema"]["properties"]
    assert properties["path"]["description"] == "Gateway: must start with /home/alice/; must not contain ..", properties
    assert properties["size"] == {"type": "integer", "maximum": 65536}, properties
    assert write["inputSchema"]["additionalProperties"] is False, write
    assert write["inputSchema"]["required"] == ["path"], write
    assert write["description"] == "pretends to write Gateway: no arguments but path, size", write
    assert tools["new__count"]["inputSchema"]["properties"]["n"]["enum"] == [1, 2, 3], tools
    assert tools["new__count"]["inputSchema"]["required"] == ["n"], tools
    assert "Gateway" not in str(tools["new__echo"]), tools
    assert "new__slow" not in tools, tools
    # what the schema says is what the gateway does
    good = mcp.call(gateway, "new__write", {"path": "/home/alice/x", "size": 65536}, alice).message()
    assert "isError" not in good["result"], good
    for args in ({"path": "/home/bob/x"}, {"path": "/home/alice/../x"}, {"path": "/home/alice/x", "size": 65537},
                 {"path": "/home/alice/x", "other": 1}):
        assert mcp.call(gateway, "new__write", args, alice).message()["result"]["isError"], args
    # another caller, another schema; the old era too
    old = mcp.Session(gateway, bob).request("tools/list").message()["result"]["tools"]
    path = next(t for t in old if t["name"] == "new__write")["inputSchema"]["properties"]["path"]
    assert path["description"].startswith("Gateway: must start with /home/bob/"), old


def test_a_listed_schema_says_what_the_rules_ask(binary):
    with_gateway(binary, ", annotate_schema: true", check_annotated)


def check_plain(gateway, issuer):
    _, tools = listed(gateway, issuer.token("alice"))
    assert "Gateway" not in str(tools), tools
    assert "additionalProperties" not in str(tools), tools
    assert "new__slow" not in tools, tools


def test_without_the_option_schemas_are_the_servers_own(binary):
    with_gateway(binary, "", check_plain)
