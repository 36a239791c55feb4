# Two callers, one endpoint: what one may see and do, the other may not even know of.
policy:
  policy: v1
  name: who-sees-what
  vars:
    is_engineer: '"eng" in jwt.groups'
  rules:
    - id: everyone-echoes
      permit: ["*/echo", "*/count", "*/args", "*/fail", "*/error", "*/slow", "*/big"]
    - id: engineers-write
      permit: "*/write"
      when: vars.is_engineer && args.path.startsWith("/srv/data/")
      message: Only paths under /srv/data
    - id: writers-need-scope
      permit: "new/secret"
      scopes: [secrets]
    - id: no-dotdot
      forbid: "*/write"
      when: args.path.contains("..")
      message: Paths may not climb
    - id: not-too-slow
      forbid: "*/slow"
      when: args.ms > 60000
    - id: models
      permit: { models: ["*"] }

-- alice sees her tools, of three servers, in the configured order
> modern tools/list {} as alice
< 200
< {"result":{"resultType":"complete","cacheScope":"private","ttlMs":"*","tools":[{"name":"new__echo","title":"Echo","annotations":{"readOnlyHint":true}},{"name":"new__write"},{"name":"new__count"},{"name":"new__slow"},{"name":"new__fail"},{"name":"new__error"},{"name":"new__big"},{"name":"new__args"},{"name":"old__echo"},{"name":"old__write"},{"name":"old__count"},{"name":"old__slow"},{"name":"old__fail"},{"name":"old__error"},{"name":"old__big"},{"name":"old__args"},{"name":"child__echo"},{"name":"child__write"},{"name":"child__count"},{"name":"child__slow"},{"name":"child__fail"},{"name":"child__error"},{"name":"child__big"},{"name":"child__args"}]}}
record {"door":"mcp","status":200,"caller":"jwt:https://login.test|alice","mcp.method":"tools/list","missing":"-absent"}

-- bob sees no write tool
> modern tools/list {} as bob
< 200
< not "__write"
< not "__secret"

-- the same list in the old era, without modern members
> legacy tools/list {} as bob
< 200
< {"result":{"tools":"*","resultType":"-absent","ttlMs":"-absent","cacheScope":"-absent"}}
< not "__write"

-- alice calls a modern upstream
> modern tools/call {"name":"new__echo","arguments":{"text":"Zażółć 日本"}} as alice
< 200
< content-type: application/json
< {"jsonrpc":"2.0","result":{"resultType":"complete","content":[{"type":"text","text":"Zażółć 日本"}]}}
record {"tool":"new/echo","server":"new","verdict":"permit","rule":"everyone-echoes","status":200}

-- alice calls a legacy upstream with a modern client
> modern tools/call {"name":"old__echo","arguments":{"text":"hi"}} as alice
< 200
< {"result":{"resultType":"complete","content":[{"text":"hi"}]}}

-- and a stdio child
> modern tools/call {"name":"child__echo","arguments":{"text":"hi"}} as alice
< 200
< {"result":{"resultType":"complete","content":[{"text":"hi"}]}}

-- an old client calls a modern upstream
> legacy tools/call {"name":"new__echo","arguments":{"text":"hi"}} as bob
< 200
< {"result":{"resultType":"-absent","content":[{"text":"hi"}]}}

-- an old client calls a stdio child
> legacy tools/call {"name":"child__echo","arguments":{"text":"hi"}} as bob
< 200
< {"result":{"content":[{"text":"hi"}]}}

-- a permitted argument passes
> modern tools/call {"name":"new__write","arguments":{"path":"/srv/data/x","size":1}} as alice
< 200
< {"result":{"content":[{"text":"wrote /srv/data/x"}],"isError":"-absent"}}
record {"verdict":"permit","rule":"engineers-write"}

-- a denied argument is a tool result, so that the model can correct itself
> modern tools/call {"name":"new__write","arguments":{"path":"/etc/passwd"}} as alice
< 200
< {"result":{"isError":true,"content":[{"type":"text","text":"*"}]}}
record {"verdict":"deny","tool":"new/write"}

-- forbid beats permit and says its message
> modern tools/call {"name":"new__write","arguments":{"path":"/srv/data/../x"}} as alice
< 200
< {"result":{"isError":true,"content":[{"type":"text","text":"Paths may not climb"}]}}
record {"verdict":"deny","rule":"no-dotdot"}

-- a forbid that cannot be evaluated denies
> modern tools/call {"name":"new__slow","arguments":{}} as alice
< 200
< {"result":{"isError":true}}
record {"verdict":"deny","rule":"not-too-slow","rule.error":"*","error":"forbidden"}

-- an argument is missing that the tool requires and a rule reads: no rule is asked
> modern tools/call {"name":"new__write","arguments":{}} as alice
< 200
< {"result":{"isError":true,"content":[{"type":"text","text":"argument 'path' is missing"}]}}
record {"verdict":"deny","rule":"-absent","error":"schema"}

-- the same call in the old era
> legacy tools/call {"name":"old__write","arguments":{"path":"/srv/data/../x"}} as alice
< 200
< {"result":{"isError":true,"content":[{"type":"text","text":"Paths may not climb"}],"resultType":"-absent"}}

-- a hidden tool answers like one that does not exist
> modern tools/call {"name":"new__write","arguments":{"path":"/srv/data/x"}} as bob
< 200
< {"error":{"code":-32602,"message":"Unknown tool: new__write"}}

-- one that does not exist
> modern tools/call {"name":"new__nothing","arguments":{}} as bob
< 200
< {"error":{"code":-32602,"message":"Unknown tool: new__nothing"}}

-- a server that does not exist
> modern tools/call {"name":"nobody__echo","arguments":{}} as bob
< 200
< {"error":{"code":-32602,"message":"Unknown tool: nobody__echo"}}

-- only a scope is missing: a challenge with the smallest set
> modern tools/call {"name":"new__secret","arguments":{}} as bob
< 403
< www-authenticate: /error="insufficient_scope".*scope="secrets"|scope="secrets".*error="insufficient_scope"/

-- arguments reach the upstream byte for byte
> POST /mcp as alice
> MCP-Protocol-Version: 2026-07-28
> Mcp-Method: tools/call
> Mcp-Name: new__args
> {"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}},"name":"new__args","arguments":{"n":18446744073709551615,"f":0.10,"e":1E5}}}
< 200
< {"id":7,"result":{"content":[{"text":"{\"n\":18446744073709551615,\"f\":0.10,\"e\":1E5}"}]}}

-- progress comes on the call's own stream, with the client's token, before the answer
> modern tools/call {"name":"new__count","arguments":{"n":3}} as alice
< 200
< {"result":{"content":[{"text":"counted"}]}}

-- a tool's own failure passes as it is
> modern tools/call {"name":"new__fail","arguments":{}} as alice
< 200
< {"result":{"isError":true,"content":[{"text":"it did not work"}]}}

-- a large answer passes whole
> modern tools/call {"name":"child__big","arguments":{"bytes":300000}} as alice
< 200
< {"result":{"content":[{"text":"/^x{300000}$/"}]}}
