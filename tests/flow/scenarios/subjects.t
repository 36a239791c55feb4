# Prompts and resources, named, listed, filtered and used like tools, across both eras.
policy:
  policy: v1
  name: subjects
  rules:
    - id: prompts
      permit: { prompts: ["*/greet", "*/show"] }
    - id: only-friends
      forbid: { prompts: ["*/greet"] }
      when: args.who == "foe"
      message: Foes are not greeted
    - id: public-notes
      permit: { resources: ["new/note://public/*", "old/note://public/*", "child/note://public/*", "new/ui://*", "old/ui://*", "child/ui://*"] }
    - id: secrets
      permit: { resources: ["new/note://secret/*"] }
      scopes: [secrets]
    - id: not-this-one
      forbid: { resources: ["*/note://public/x"] }
      when: "'x-no' in http.headers"
      message: Not now
    - id: tools
      permit: "*/link"

-- prompts of three servers, under their names
> modern prompts/list {} as alice
< 200
< {"result":{"resultType":"complete","ttlMs":"*","cacheScope":"private","prompts":[{"name":"new__greet","title":"Greet","arguments":[{"name":"who","required":true}]},{"name":"new__show"},{"name":"old__greet"},{"name":"old__show"},{"name":"child__greet"},{"name":"child__show"}]}}

-- resources under theirs, and what needs a scope is not there
> legacy resources/list {} as alice
< 200
< {"result":{"ttlMs":"-absent","resources":[{"uri":"new+note://public/one","name":"one"},{"uri":"ui://new/board"},{"uri":"old+note://public/one"},{"uri":"ui://old/board"},{"uri":"child+note://public/one"},{"uri":"ui://child/board"}]}}

-- templates: one that makes no readable URI is not there
> modern resources/templates/list {} as alice
< 200
< {"result":{"resourceTemplates":[{"uriTemplate":"new+note://public/{id}"},{"uriTemplate":"old+note://public/{id}"},{"uriTemplate":"child+note://public/{id}"}]}}

-- a prompt of a modern server, for a modern client
> modern prompts/get {"name":"new__greet","arguments":{"who":"Ada"}} as alice
< 200
< {"result":{"resultType":"complete","messages":[{"role":"user","content":{"type":"text","text":"Greet Ada!"}}]}}
record {"mcp.method":"prompts/get","prompt":"new/greet","server":"new","verdict":"permit","rule":"prompts"}

-- of an old server, for a modern client
> modern prompts/get {"name":"old__greet","arguments":{"who":"Ada"}} as alice
< {"result":{"resultType":"complete","description":"a greeting"}}

-- of a modern server, for an old client
> legacy prompts/get {"name":"new__greet","arguments":{"who":"Ada"}} as alice
< {"result":{"resultType":"-absent","_meta":"-absent","description":"a greeting"}}

-- of a child, with what its messages point to
> legacy prompts/get {"name":"child__show"} as alice
< {"result":{"messages":[{"content":{"type":"resource","resource":{"uri":"child+note://public/one","text":"hello"}}},{"content":{"type":"resource_link","uri":"child+note://public/one"}}]}}

-- denied, though listed
> modern prompts/get {"name":"old__greet","arguments":{"who":"foe"}} as alice
< 200
< {"error":{"code":403,"message":"Foes are not greeted"}}
record {"verdict":"deny","rule":"only-friends","error":"forbidden"}

-- a prompt that may not be seen
> modern prompts/get {"name":"new__hidden"} as alice
< 200
< {"error":{"code":-32602,"message":"Unknown prompt: new__hidden","data":"-absent"}}

-- as one that is not there
> modern prompts/get {"name":"new__nope"} as alice
< {"error":{"code":-32602,"message":"Unknown prompt: new__nope","data":"-absent"}}

-- a resource of a modern server
> modern resources/read {"uri":"new+note://public/one"} as alice
< 200
< {"result":{"resultType":"complete","ttlMs":60000,"cacheScope":"private","contents":[{"uri":"new+note://public/one","text":"hello"}]}}
record {"mcp.method":"resources/read","resource":"new/note://public/one","server":"new","verdict":"permit"}

-- of an old one: not to be kept
> modern resources/read {"uri":"ui://old/board"} as alice
< {"result":{"ttlMs":0,"cacheScope":"private","contents":[{"uri":"ui://old/board","text":"<p>board</p>"}]}}

-- of a child, for an old client
> legacy resources/read {"uri":"child+note://public/one"} as alice
< {"result":{"ttlMs":"-absent","contents":[{"uri":"child+note://public/one","text":"hello"}]}}

-- one that no list names
> modern resources/read {"uri":"old+note://public/x"} as alice
< {"result":{"contents":[{"uri":"old+note://public/x","text":"x"}]}}

-- denied, though it might be read
> modern resources/read {"uri":"old+note://public/x"} as alice
> X-No: 1
< 200
< {"error":{"code":403,"message":"Not now"}}

-- one that is not there, in the words of the new era
> modern resources/read {"uri":"old+note://public/none"} as alice
< 200
< {"error":{"code":-32602,"message":"Resource not found","data":{"uri":"old+note://public/none"}}}

-- and of the old one
> legacy resources/read {"uri":"new+note://public/none"} as alice
< 200
< {"error":{"code":-32002,"message":"Resource not found","data":{"uri":"new+note://public/none"}}}

-- one that no rule names is as if it were not there
> legacy resources/read {"uri":"new+note://nowhere/2"} as alice
< {"error":{"code":-32002,"message":"Resource not found","data":{"uri":"new+note://nowhere/2"}}}

-- of a server that is not there
> modern resources/read {"uri":"nope+note://public/one"} as alice
< {"error":{"code":-32602,"message":"Resource not found","data":{"uri":"nope+note://public/one"}}}

-- one that only lacks a scope says so
> modern resources/read {"uri":"new+note://secret/two"} as alice
< 403
< www-authenticate: /insufficient_scope.*scope="secrets"/

-- a URI that climbs is not even asked about
> modern resources/read {"uri":"new+note://public/a/%2e%2E/../secret/two"} as alice
< 200
< {"error":{"code":-32602,"message":"/plain form/"}}

-- nor one that its server may take for another (%73 is an s)
> modern resources/read {"uri":"new+note://%73ecret/two"} as alice
< 200
< {"error":{"code":-32602,"message":"/plain form/"}}

-- nor is it watched
> legacy resources/subscribe {"uri":"new+NOTE://public/one"} as alice
< {"error":{"code":-32602,"message":"/plain form/"}}

-- nor helped with
> modern completion/complete {"ref":{"type":"ref/resource","uri":"new+note://%73ecret/{id}"},"argument":{"name":"id","value":"o"}} as alice
< {"error":{"code":-32602,"message":"/plain form/"}}

-- the header must name the resource
> modern resources/read {"uri":"new+note://public/one"} as alice
> Mcp-Name: new+note://public/x
< 400
< {"error":{"code":-32020}}

-- help with a prompt
> modern completion/complete {"ref":{"type":"ref/prompt","name":"old__greet"},"argument":{"name":"who","value":"par"}} as alice
< 200
< {"result":{"resultType":"complete","completion":{"values":["paris","park","party"],"total":3,"hasMore":false}}}
record {"mcp.method":"completion/complete","prompt":"old/greet","verdict":"permit"}

-- help with a template
> legacy completion/complete {"ref":{"type":"ref/resource","uri":"new+note://public/{id}"},"argument":{"name":"id","value":"on"}} as alice
< {"result":{"completion":{"values":["one"]}}}

-- no help with what may not be seen
> modern completion/complete {"ref":{"type":"ref/prompt","name":"new__hidden"},"argument":{"name":"who","value":"par"}} as alice
< {"error":{"code":-32602,"message":"Unknown prompt: new__hidden"}}

-- nor with a template of which nothing may be read
> modern completion/complete {"ref":{"type":"ref/resource","uri":"new+note2://nowhere/{id}"},"argument":{"name":"id","value":"o"}} as alice
< {"error":{"code":-32602,"message":"Resource not found"}}

-- links and resources in a tool's result
> modern tools/call {"name":"old__link","arguments":{}} as alice
< {"result":{"content":[{"type":"resource_link","uri":"old+note://public/one"},{"type":"resource","resource":{"uri":"ui://old/board"}}]}}

-- the app a tool names
> modern tools/list {} as alice
< {"result":{"tools":[{"name":"new__link","_meta":{"ui":{"resourceUri":"ui://new/board"}}},{"name":"old__link"},{"name":"child__link"}]}}
