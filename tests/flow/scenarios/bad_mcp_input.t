# Malformed requests get the error of MCP, with the right HTTP status (mcp.md 1.1, 4.3).
policy:
  policy: v1
  name: all
  rules:
    - id: all
      permit: "*/*"

-- no token
> modern tools/list {}
< 401
< www-authenticate: /^Bearer .*resource_metadata="https:\/\/gw.test\/.well-known\/oauth-protected-resource\/mcp"/

-- metadata is served to anybody
> GET /.well-known/oauth-protected-resource/mcp
< 200
< {"resource":"https://gw.test/mcp","authorization_servers":["https://login.test"],"bearer_methods_supported":["header"]}

-- and at the root
> GET /.well-known/oauth-protected-resource
< 200
< {"resource":"https://gw.test/mcp"}

-- other well-known names are clean 404s
> GET /.well-known/oauth-authorization-server
< 404

-- an unknown path
> GET /nowhere
< 404

-- HEAD / needs no credential
> HEAD /
< 200

-- GET on the endpoint
> GET /mcp as alice
> MCP-Protocol-Version: 2026-07-28
< 405

-- not JSON
> POST /mcp as alice
> ={"jsonrpc":
< 400
< {"error":{"code":-32700},"id":"-absent"}

-- a duplicate key
> POST /mcp as alice
> {"jsonrpc":"2.0","id":1,"method":"tools/call","method":"tools/list","params":{}}
< 400
< {"error":{"code":-32700}}

-- a duplicate key in the arguments
> POST /mcp as alice
> {"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"new__echo","arguments":{"text":"a","text":"b"}}}
< 400
< {"error":{"code":-32700}}

-- a batch
> POST /mcp as alice
> MCP-Protocol-Version: 2026-07-28
> [{"jsonrpc":"2.0","id":1,"method":"ping"}]
< 400
< {"error":{"code":-32600}}

-- id null
> POST /mcp as alice
> {"jsonrpc":"2.0","id":null,"method":"ping"}
< 400
< {"error":{"code":-32600}}

-- an id of a wrong type
> POST /mcp as alice
> {"jsonrpc":"2.0","id":{},"method":"ping"}
< 400
< {"error":{"code":-32600}}

-- not JSON-RPC
> POST /mcp as alice
> {"hello":1}
< 400
< {"error":{"code":-32600}}

-- params of a wrong type
> POST /mcp as alice
> MCP-Protocol-Version: 2026-07-28
> Mcp-Method: tools/list
> {"jsonrpc":"2.0","id":1,"method":"tools/list","params":[1]}
< 400

-- the wrong content type
> modern tools/list {} as alice
> Content-Type: text/plain
< 415

-- a modern header without the envelope
> POST /mcp as alice
> MCP-Protocol-Version: 2026-07-28
> Mcp-Method: tools/list
> {"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}
< 400
< {"id":1,"error":{"code":-32602}}

-- the version header is missing
> modern tools/list {} as alice
> MCP-Protocol-Version:
< 400
< {"error":{"code":-32020}}

-- the version header disagrees with the body
> modern tools/list {} as alice
> MCP-Protocol-Version: 2025-11-25
< 400
< {"error":{"code":-32020}}

-- a version nobody speaks
> POST /mcp as alice
> MCP-Protocol-Version: 2099-01-01
> Mcp-Method: tools/list
> {"jsonrpc":"2.0","id":"a","method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2099-01-01","io.modelcontextprotocol/clientCapabilities":{}}}}
< 400
< {"id":"a","error":{"code":-32022,"data":{"requested":"2099-01-01","supported":["2026-07-28"]}}}

-- Mcp-Method disagrees: the header says less than the body does
> modern tools/call {"name":"new__echo","arguments":{"text":"x"}} as alice
> Mcp-Method: tools/list
< 400
< {"error":{"code":-32020}}

-- Mcp-Name disagrees
> modern tools/call {"name":"new__echo","arguments":{"text":"x"}} as alice
> Mcp-Name: new__count
< 400
< {"error":{"code":-32020}}

-- Mcp-Name is missing
> modern tools/call {"name":"new__echo","arguments":{"text":"x"}} as alice
> Mcp-Name:
< 400
< {"error":{"code":-32020}}

-- Mcp-Name encoded, and right
> modern tools/call {"name":"new__echo","arguments":{"text":"x"}} as alice
> Mcp-Name: =?base64?bmV3X19lY2hv?=
< 200
< {"result":{"content":[{"text":"x"}]}}

-- Mcp-Name encoded badly
> modern tools/call {"name":"new__echo","arguments":{"text":"x"}} as alice
> Mcp-Name: =?base64?bmV3X19lY2hv?==?=
< 400
< {"error":{"code":-32020}}

-- client capabilities are missing
> POST /mcp as alice
> MCP-Protocol-Version: 2026-07-28
> Mcp-Method: tools/list
> {"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}
< 400
< {"error":{"code":-32602}}

-- an unknown method
> modern tools/frobnicate {} as alice
< 404
< {"error":{"code":-32601}}

-- a method of the old era
> modern ping {} as alice
< 404
< {"error":{"code":-32601}}

-- tools/call without a name
> POST /mcp as alice
> MCP-Protocol-Version: 2026-07-28
> Mcp-Method: tools/call
> Mcp-Name: x
> {"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}
< 400

-- arguments of a wrong type
> modern tools/call {"name":"new__echo","arguments":[1]} as alice
< 200
< {"error":{"code":-32602}}

-- a bad cursor
> modern tools/list {"cursor":"nonsense"} as alice
< 200
< {"error":{"code":-32602}}

-- an old-era request without a session
> POST /mcp as alice
> {"jsonrpc":"2.0","id":1,"method":"tools/list"}
< 400

-- an old-era request with a session nobody sealed
> POST /mcp as alice
> Mcp-Session-Id: forged
> MCP-Protocol-Version: 2025-11-25
> {"jsonrpc":"2.0","id":1,"method":"tools/list"}
< 404

-- ping of the old era
> legacy ping {} as alice
< 200
< {"result":{}}

-- an old-era version nobody knows
> legacy ping {} as alice
> MCP-Protocol-Version: 1999-01-01
< 400

-- an unknown method in the old era
> legacy tools/frobnicate {} as alice
< 200
< {"error":{"code":-32601}}

-- discover
> modern server/discover {} as alice
< 200
< {"result":{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":"*"},"ttlMs":"*","cacheScope":"*","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"*","version":"*"}}}}

-- a foreign origin
> modern tools/list {} as alice
> Origin: http://evil.example.com
< 403

-- a foreign host on a loopback listener
> modern tools/list {} as alice
> Host: evil.example.com
< 403

-- our own origin
> modern tools/list {} as alice
> Origin: http://127.0.0.1:{port}
< 200

-- a page of our own origin may read the answer
> modern tools/list {} as alice
> Origin: http://localhost:{port}
> Host: localhost:{port}
< 200
< access-control-allow-origin: /^http:\/\/localhost:/
< access-control-expose-headers: /Mcp-Session-Id/
< vary: Origin

-- and asks first
> OPTIONS /mcp
> Origin: http://127.0.0.1:{port}
> Access-Control-Request-Headers: mcp-method
< 204
< access-control-allow-headers: mcp-method
< access-control-allow-methods: /POST/

-- a foreign page asks in vain
> OPTIONS /mcp
> Origin: http://evil.example.com
< 403
< access-control-allow-origin: -absent

-- the same at the other door
> POST /v1/chat/completions as alice
> Origin: http://evil.example.com
> {"model":"gpt-small","messages":[]}
< 403

-- and at the metadata
> GET /.well-known/oauth-protected-resource/mcp
> Host: evil.example.com
< 403

-- a body that is coded
> modern tools/list {} as alice
> Content-Encoding: gzip
< 415
