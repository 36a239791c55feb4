# SPDX-License-Identifier: Apache-2.0
"""Scenario files: what a client sends, what it must get back, and what the record must say.

    # a comment
    policy:                       the policy file, indented; once, at the top
      rules: …
    config:                       further top-level configuration, indented; optional
      …

    -- a sentence that names the case
    > modern tools/call {"name":"new__echo","arguments":{"text":"hi"}} as alice
    > legacy tools/list {} as bob          initialize and the session are taken care of
    > POST /mcp as alice                   raw; `> Name: value` lines add or replace headers, `> Name:` removes one
    > {"jsonrpc":…}                        a line that begins a JSON text (or =text) is the body
    < 200
    < content-type: application/json       exact, or /regular expression/
    < {"result":{"isError":true,…}}        a JSON pattern: objects may have more members; "*" is anything
    < = exact body text                    nothing after `=`: an empty body
    < not "text"                           the body does not hold it
    record {"verdict":"deny"}              the same kind of pattern

`as NAME` takes the token of that name; without it no Authorization is sent. {port} is the gateway's.
"""
import json
import re

from . import mcp
from .http import once

PEOPLE = {
    "alice": {"groups": ["eng"], "scope": "read write"},
    "bob": {"groups": ["sales"], "scope": "read"},
    "carol": {"groups": []},
}


class Mismatch(AssertionError):
    pass


def match(pattern, value, at="$"):
    if pattern == "*":
        return
    if isinstance(pattern, dict) and isinstance(value, dict):
        for k, v in pattern.items():
            if v == "-absent":
                if k in value:
                    raise Mismatch(f"{at}.{k} should be absent, is {value[k]!r}")
                continue
            if k not in value:
                raise Mismatch(f"{at}.{k} is missing in {json.dumps(value)[:400]}")
            match(v, value[k], f"{at}.{k}")
    elif isinstance(pattern, list) and isinstance(value, list):
        if len(pattern) != len(value):
            raise Mismatch(f"{at} has {len(value)} items, wanted {len(pattern)}: {json.dumps(value)[:400]}")
        for i, (p, v) in enumerate(zip(pattern, value)):
            match(p, v, f"{at}[{i}]")
    elif isinstance(pattern, str) and isinstance(value, str) and len(pattern) > 1 and pattern[0] == pattern[-1] == "/":
        if not re.search(pattern[1:-1], value):
            raise Mismatch(f"{at} is {value!r}, does not match {pattern}")
    elif pattern != value or type(pattern) is not type(value):
        raise Mismatch(f"{at} is {value!r}, wanted {pattern!r}")


class Case:
    def __init__(self, name, place):
        self.name, self.place = name, place
        self.request, self.expect, self.record = [], [], None


def parse(path):
    """(sections, cases): sections maps 'policy' and 'config' to their text."""
    sections, cases, section = {"policy": "", "config": ""}, [], None
    for n, line in enumerate(open(path), 1):
        line = line.rstrip("\n")
        if section and (line.startswith("  ") or not line.strip()):
            sections[section] += line[2:] + "\n"
            continue
        section = None
        if not line.strip() or line.startswith("#"):
            continue
        if line in ("policy:", "config:"):
            section = line[:-1]
        elif line.startswith("-- "):
            cases.append(Case(line[3:], f"{path}:{n}"))
        elif line.startswith(">"):
            cases[-1].request.append(line[1:].strip())
        elif line.startswith("<"):
            cases[-1].expect.append(line[1:].strip())
        elif line.startswith("record "):
            cases[-1].record = json.loads(line[7:])
        else:
            raise ValueError(f"{path}:{n}: not understood: {line}")
    return sections, cases


class Player:
    def __init__(self, gateway, issuer):
        self.gateway, self.issuer, self.sessions = gateway, issuer, {}

    def token(self, who):
        return self.issuer.token(who, **PEOPLE[who]) if who else None

    def session(self, who):
        if who not in self.sessions:
            self.sessions[who] = mcp.Session(self.gateway, self.token(who))
            while self.gateway.record().get("mcp.method") != "notifications/initialized":
                pass
        return self.sessions[who]

    def send(self, lines):
        first, _, who = lines[0].partition(" as ")
        verb, rest = (first.split(" ", 1) + [""])[:2]
        if verb == "modern":
            method, _, params = rest.partition(" ")
            head, body = mcp.modern_request(method, json.loads(params or "{}"))
            verb, path = "POST", "/mcp"
        elif verb == "legacy":
            method, _, params = rest.partition(" ")
            session = self.session(who)
            head = session.headers()
            body = json.dumps({"jsonrpc": "2.0", "id": next(mcp.ids), "method": method, "params": json.loads(params or "{}")})
            verb, path = "POST", "/mcp"
        else:
            path, head, body = rest, {"Content-Type": "application/json"}, ""
        head = {**head, **mcp.bearer(self.token(who))}
        for line in lines[1:]:
            if line[:1] in "{[=\"" or not line:
                body = line[1:] if line.startswith("=") else line
                continue
            name, _, value = line.partition(":")
            head = {k: v for k, v in head.items() if k.lower() != name.lower()}
            if value.strip():
                head[name] = value.strip().replace("{port}", str(self.gateway.port))
        return once(self.gateway.port, verb, path, head, body)

    def check(self, answer, lines):
        for line in lines:
            if re.fullmatch(r"\d{3}", line):
                if answer.status != int(line):
                    raise Mismatch(f"status {answer.status}, wanted {line}; body {answer.body[:500]!r}")
            elif line.startswith("{") or line.startswith("["):
                match(json.loads(line), answer.message())
            elif line.startswith("="):
                if answer.body.decode() != line[1:].strip():
                    raise Mismatch(f"body {answer.body[:500]!r}")
            elif line.startswith("not "):
                if json.loads(line[4:]) in answer.body.decode():
                    raise Mismatch(f"the body holds {line[4:]}: {answer.body[:500]!r}")
            else:
                name, _, want = line.partition(":")
                match(want.strip(), answer.headers.get(name.lower(), "-absent"), name)

    def play(self, case):
        if case.request[0].startswith("legacy") and " as " in case.request[0]:
            self.session(case.request[0].partition(" as ")[2])
        self.gateway.forget_records()
        answer = self.send(case.request)
        self.check(answer, case.expect)
        if case.record is not None:
            match(case.record, self.gateway.record(), "record")
