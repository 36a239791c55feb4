# The LLM door: the same callers, the same policy, OpenAI's shapes.
policy:
  policy: v1
  name: models
  rules:
    - id: small-for-all
      permit: { models: [gpt-small, alias, "free-*"] }
    - id: large-for-engineers
      permit: { models: [gpt-large] }
      when: '"eng" in jwt.groups'
    - id: carol-may-chat
      permit: { endpoints: ["/v1/chat/*"] }
      when: jwt.sub == "carol"
    - id: no-images-of-cats
      forbid: { models: [gpt-large] }
      when: llm.params.?user.orValue("") == "cat"

-- a chat passes, and its use is recorded
> POST /v1/chat/completions as bob
> {"model":"gpt-small","messages":[{"role":"user","content":"hello"}]}
< 200
< content-type: application/json
< {"object":"chat.completion","model":"gpt-small","choices":[{"message":{"content":"hello"}}],"usage":{"total_tokens":14}}
record {"door":"llm","model":"gpt-small","server":"local","verdict":"permit","rule":"small-for-all","tokens.in":7,"tokens.cached":4,"tokens.out":3,"status":200}

-- a stream passes event by event
> POST /v1/chat/completions as bob
> {"model":"gpt-small","stream":true,"messages":[{"role":"user","content":"hello"}]}
< 200
< content-type: /^text\/event-stream/
< not "error"
record {"streamed":1,"tokens.out":3}

-- the model's name is exchanged where the route says so
> POST /v1/chat/completions as bob
> {"temperature":0.10,"model":"alias","messages":[{"role":"user","content":"hello"}]}
< 200
< {"model":"real-name"}

-- a glob serves what it matches
> POST /v1/chat/completions as bob
> {"model":"free-lunch","messages":[{"role":"user","content":"x"}]}
< 200

-- a hidden model does not exist
> POST /v1/chat/completions as bob
> {"model":"gpt-large","messages":[{"role":"user","content":"x"}]}
< 404
< {"error":{"type":"invalid_request_error","code":"model_not_found"}}

-- one that does not exist
> POST /v1/chat/completions as bob
> {"model":"gpt-none","messages":[{"role":"user","content":"x"}]}
< 404
< {"error":{"type":"invalid_request_error","code":"model_not_found"}}

-- alice may
> POST /v1/chat/completions as alice
> {"model":"gpt-large","messages":[{"role":"user","content":"x"}]}
< 200

-- denied by its parameters, though listed
> POST /v1/chat/completions as alice
> {"model":"gpt-large","user":"cat","messages":[{"role":"user","content":"x"}]}
< 403
< {"error":{"type":"permission_error"}}
record {"verdict":"deny","rule":"no-images-of-cats"}

-- models of bob
> GET /v1/models as bob
< 200
< {"object":"list","data":[{"id":"gpt-small","object":"model"},{"id":"alias"}]}

-- models of alice
> GET /v1/models as alice
< 200
< {"data":[{"id":"gpt-small"},{"id":"gpt-large"},{"id":"alias"}]}

-- a rule may name the endpoint instead of the model
> POST /v1/chat/completions as carol
> {"model":"gpt-large","messages":[{"role":"user","content":"x"}]}
< 200
record {"rule":"carol-may-chat"}

-- one model
> GET /v1/models/gpt-large as alice
< 200
< {"id":"gpt-large"}

-- one model, its name encoded as clients encode it
> GET /v1/models/gpt%2Dlarge as alice
< 200
< {"id":"gpt-large"}

-- a path of OpenAI's API where nothing is
> POST /v1/moderations as alice
> {}
< 404
< {"error":{"message":"nothing is served at this path","type":"invalid_request_error","param":null,"code":"unknown_path"}}

-- a path of Anthropic's API where nothing is
> POST /anthropic/v1/files as alice
> {}
< 404
< {"type":"error","error":{"type":"not_found_error","message":"nothing is served at this path"}}

-- one that may not be seen
> GET /v1/models/gpt-large as bob
< 404
< {"error":{"code":"model_not_found"}}

-- no token
> GET /v1/models
< 401
< {"error":{"type":"authentication_error"}}

-- the wrong method
> GET /v1/chat/completions as alice
< 405
< allow: POST

-- not JSON
> POST /v1/chat/completions as alice
> ={"model"
< 400
< {"error":{"type":"invalid_request_error"}}

-- a model twice
> POST /v1/chat/completions as alice
> {"model":"gpt-small","model":"gpt-large","messages":[]}
< 400

-- a model in another spelling
> POST /v1/chat/completions as alice
> {"model":"gpt-small","Model":"gpt-large","messages":[]}
< 400
< {"error":{"message":"/must be spelled/"}}

-- a model with an escape in its key
> POST /v1/chat/completions as alice
> {"\u006dodel":"gpt-large","messages":[]}
< 400

-- no model
> POST /v1/chat/completions as alice
> {"messages":[]}
< 400
< {"error":{"message":"/model/"}}

-- a provider that answers nonsense
> POST /v1/chat/completions as alice
> {"model":"gpt-small","messages":[{"role":"user","content":"BAD"}]}
< 502
< {"error":{"type":"server_error"}}
< not "this is no JSON"

-- a provider that compresses what nobody asked it to
> POST /v1/chat/completions as alice
> {"model":"gpt-small","messages":[{"role":"user","content":"CODED"}]}
< 502
< {"error":{"type":"server_error"}}
record {"error.text":"the answer is compressed"}

-- a provider that hangs
> POST /v1/chat/completions as alice
> {"model":"gpt-small","messages":[{"role":"user","content":"HANG"}]}
< 504
< {"error":{"type":"server_error","code":"upstream_timeout"}}

-- a provider's refusal passes, with its retry-after
> POST /v1/chat/completions as alice
> {"model":"gpt-small","messages":[{"role":"user","content":"429"}]}
< 429
< retry-after: 7
< {"error":{"message":"slow down"}}
