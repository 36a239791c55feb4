# SPDX-License-Identifier: Apache-2.0
"""The prompts and resources of our fake MCP servers: the same over HTTP and stdio, in both eras."""
CAPABILITIES = {"tools": {}, "prompts": {}, "resources": {}, "completions": {}, "logging": {}}

PROMPTS = [
    {"name": "greet", "title": "Greet", "description": "greets somebody",
     "arguments": [{"name": "who", "required": True}]},
    {"name": "show", "description": "shows a note, embedded and as a link"},
    {"name": "hidden", "description": "for few"},
]
RESOURCES = [
    {"uri": "note://public/one", "name": "one", "mimeType": "text/plain", "description": "a note"},
    {"uri": "note://secret/two", "name": "two", "description": "a note for few"},
    {"uri": "ui://board", "name": "board", "mimeType": "text/html;profile=mcp-app", "description": "an app"},
]
TEMPLATES = [
    {"uriTemplate": "note://public/{id}", "name": "notes", "description": "public notes"},
    {"uriTemplate": "note://secret/{id}", "name": "secrets", "description": "secret notes"},
]
TEXTS = {"note://public/one": "hello", "note://secret/two": "42", "ui://board": "<p>board</p>", "note://public/x": "x"}


class NotFound(Exception):
    pass


def answer(method, params):
    """(result, is it cacheable), or None when it is none of ours."""
    if method == "prompts/list":
        return {"prompts": PROMPTS}, True
    if method == "resources/list":
        return {"resources": RESOURCES}, True
    if method == "resources/templates/list":
        return {"resourceTemplates": TEMPLATES}, True
    if method == "prompts/get":
        return prompt(params["name"], params.get("arguments") or {}), False
    if method == "resources/read":
        return read(params["uri"]), True
    if method == "completion/complete":
        return complete(params), False
    return None


def prompt(name, arguments):
    if name == "greet":
        return {"description": "a greeting",
                "messages": [{"role": "user", "content": {"type": "text", "text": f"Greet {arguments.get('who')}!"}}]}
    if name == "show":
        note = {"uri": "note://public/one", "text": "hello"}
        return {"messages": [{"role": "user", "content": {"type": "resource", "resource": note}},
                             {"role": "user", "content": {"type": "resource_link", "uri": "note://public/one", "name": "one"}}]}
    return {"messages": [{"role": "user", "content": {"type": "text", "text": "psst"}}]}


def read(uri):
    if uri not in TEXTS:
        raise NotFound(uri)
    return {"contents": [{"uri": uri, "mimeType": "text/plain", "text": TEXTS[uri]}]}


def complete(params):
    ref, value = params["ref"], params["argument"]["value"]
    names = ["paris", "park", "party"] if ref["type"] == "ref/prompt" else ["one", "other"]
    values = [n for n in names if n.startswith(value)]
    return {"completion": {"values": values, "total": len(values), "hasMore": False}}
