# SPDX-License-Identifier: Apache-2.0
"""`sallyport policy lsp`: a session as an editor has it, and one as an attacker would.

When the package lsprotocol is installed, every answer is also held against the protocol's own types."""
import json
import os
import subprocess
import tempfile

try:
    from lsprotocol import converters, types

    CONVERTER = converters.get_converter()
except ImportError:
    CONVERTER = None

URI = "file:///p.yaml"
TEXT = """policy: v1
name: notes
vars:
  is_writer: '"writers" in jwt.groups'   # 😀 writes
rules:
  - id: read
    permit: [notes/read_note]
    when: vars.is_writer || has(args.title)
  - id: no-secrets
    forbid: notes/*
    when: args.title.startsWith("x")
    args:
      title: this.size() < 10
tests:
  - name: t
    as: { jwt: { sub: a, groups: [] } }
    call: notes/read_note
    args: { title: a }
    expect: permit
    because: [read]
"""
INVENTORY = {
    "servers": {
        "notes": {
            "tools": [
                {
                    "name": "read_note",
                    "description": "Reads one note.",
                    "inputSchema": {
                        "type": "object",
                        "properties": {
                            "title": {"type": "string", "description": "of the note"},
                            "limit": {"type": "integer", "maximum": 9},
                        },
                        "required": ["title"],
                    },
                }
            ]
        }
    }
}
CONFIG = """version: 1
identity:
  jwt:
    - issuer: https://login.example.com
      claims: { groups: [string], tier: string }
"""


def frame(message):
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


class Editor:
    """A client that sends one thing after the other and waits for the answer."""

    def __init__(self, binary, world=True):
        self.folder = tempfile.TemporaryDirectory()
        command = [binary, "policy", "lsp"]
        if world:
            for name, option, text in ("i.json", "-i", json.dumps(INVENTORY)), ("c.yaml", "-c", CONFIG):
                path = os.path.join(self.folder.name, name)
                with open(path, "w") as f:
                    f.write(text)
                command += [option, path]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.number, self.text, self.version, self.diagnostics = 0, None, 0, None

    def send(self, message):
        self.process.stdin.write(frame(message))
        self.process.stdin.flush()

    def read(self):
        length = None
        while True:
            line = self.process.stdout.readline()
            assert line, self.process.stderr.read()
            if line == b"\r\n":
                break
            name, value = line.split(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return json.loads(self.process.stdout.read(length))

    def ask(self, method, params, kind=None):
        self.number += 1
        request = {"jsonrpc": "2.0", "id": self.number, "method": method, "params": params}
        self.send(request)
        answer = self.read()
        assert answer["id"] == self.number, answer
        if CONVERTER and "result" in answer:
            CONVERTER.structure(answer, types.METHOD_TO_TYPES[method][1])
        return answer.get("result", answer.get("error"))

    def tell(self, method, params):
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def initialize(self):
        return self.ask("initialize", {"processId": None, "rootUri": None, "capabilities": {}})

    def take_diagnostics(self):
        note = self.read()
        assert note["method"] == "textDocument/publishDiagnostics", note
        if CONVERTER:
            CONVERTER.structure(note, types.PublishDiagnosticsNotification)
        self.diagnostics = note["params"]["diagnostics"]
        return self.diagnostics

    def open(self, text):
        self.text, self.version = text, 1
        document = {"uri": URI, "languageId": "yaml", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})
        return self.take_diagnostics()

    def change(self, changes):
        self.version += 1
        document = {"uri": URI, "version": self.version}
        self.tell("textDocument/didChange", {"textDocument": document, "contentChanges": changes})
        return self.take_diagnostics()

    def replace(self, old, new):
        """An incremental change, told in UTF-16."""
        at = self.text.index(old)
        change = {"range": {"start": self.position(at), "end": self.position(at + len(old))}, "text": new}
        self.text = self.text[:at] + new + self.text[at + len(old) :]
        return self.change([change])

    def position(self, at):
        line = self.text.count("\n", 0, at)
        begin = self.text.rfind("\n", 0, at) + 1
        return {"line": line, "character": len(self.text[begin:at].encode("utf-16-le")) // 2}

    def offset(self, position):
        begin = 0
        for _ in range(position["line"]):
            begin = self.text.index("\n", begin) + 1
        end, units = begin, 0
        while units < position["character"]:
            units += len(self.text[end].encode("utf-16-le")) // 2
            end += 1
        return end

    def covered(self, range_):
        return self.text[self.offset(range_["start"]) : self.offset(range_["end"])]

    def at(self, marked):
        """The place of the | in a piece of the text."""
        before, after = marked.split("|")
        at = self.text.index(before + after) + len(before)
        return {"textDocument": {"uri": URI}, "position": self.position(at)}

    def hover(self, marked):
        found = self.ask("textDocument/hover", self.at(marked))
        return found and found["contents"]["value"]

    def complete(self, marked):
        items = self.ask("textDocument/completion", self.at(marked))["items"]
        return {i["label"]: i for i in items}

    def define(self, marked):
        found = self.ask("textDocument/definition", self.at(marked))
        return found and (found["range"]["start"]["line"], self.covered(found["range"]))

    def fixes(self, marked):
        place = self.at(marked) if isinstance(marked, str) else {**self.at("policy: v|1"), "position": marked}
        range_ = {"start": place["position"], "end": place["position"]}
        asked = {"textDocument": place["textDocument"], "range": range_, "context": {"diagnostics": self.diagnostics}}
        return self.ask("textDocument/codeAction", asked)

    def applied(self, edits):
        text = self.text
        for edit in sorted(edits, key=lambda e: self.offset(e["range"]["start"]), reverse=True):
            text = text[: self.offset(edit["range"]["start"])] + edit["newText"] + text[self.offset(edit["range"]["end"]) :]
        return text

    def end(self):
        assert self.ask("shutdown", None) is None
        self.tell("exit", None)
        assert self.process.wait(10) == 0
        assert self.process.stderr.read() == b""


def opened(binary, text=TEXT):
    editor = Editor(binary)
    editor.initialize()
    editor.open(text)
    return editor


def test_lsp_session_begins_and_ends(binary):
    editor = Editor(binary, world=False)
    assert editor.ask("textDocument/hover", {})["code"] == -32002
    assert editor.initialize()["capabilities"]["hoverProvider"] is True
    editor.tell("initialized", {})
    (found,) = editor.open(TEXT)  # without an inventory nobody knows that every call has a title
    assert (found["code"], found["severity"]) == ("W317", 2) and editor.covered(found["range"]) == "args.title", found
    (fix,) = [f for f in editor.fixes("when: args|.title.starts") if f["title"].startswith("Write")]
    assert 'when: args.?title.orValue("").startsWith("x")' in editor.applied(fix["edit"]["changes"][URI]), fix
    assert editor.ask("workspace/nothing", {})["code"] == -32601
    editor.tell("textDocument/didClose", {"textDocument": {"uri": URI}})
    assert editor.take_diagnostics() == []
    assert editor.ask("textDocument/hover", {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 0}})["code"] == -32602
    editor.end()


def test_lsp_diagnostics_follow_the_typing(binary):
    editor = opened(binary)
    (found,) = editor.replace("jwt.groups'", "jwtt.groups'")
    assert editor.covered(found["range"]) == "jwtt" and found["severity"] == 1, found
    assert found["code"] == "E004" and "did you mean" in found["message"], found
    (fix,) = editor.fixes("jw|tt.groups")
    editor.text = editor.applied(fix["edit"]["changes"][URI])
    assert editor.text == TEXT
    assert editor.change([{"text": editor.text}]) == []
    for wrong, right in ("rules:", "rulez:"), ("startsWith", "startswith"), ("jwt.groups'", "jwtt.groups'"):
        editor.replace(wrong, right)
        assert len(editor.diagnostics) == 1, editor.diagnostics
        (fix,) = editor.fixes(editor.diagnostics[0]["range"]["start"])
        assert editor.applied(fix["edit"]["changes"][URI]) == TEXT
        editor.text = TEXT
        assert editor.change([{"text": TEXT}]) == []
    assert editor.replace("this.size() < 10", "now.getHours('Europe/Paris') < 9") == []
    editor.replace("now.getHours('Europe/Paris') < 9", "this.size() < 10")
    # behind an emoji, which is two units of UTF-16
    assert editor.replace("😀 writes", "😀😀 🙂") == []
    (found,) = editor.replace("policy: v1", "policy: v2")
    assert editor.covered(found["range"]) == "v2"
    editor.end()


def test_lsp_says_where_what_cannot_be_read_is_wrong(binary):
    editor = opened(binary)
    (found,) = editor.replace('this.size() < 10', 'this.size() > 1 ? true : false')
    assert found["range"]["start"]["line"] == 12, found
    fixes = [f for f in editor.fixes("this.size() > 1 ? true |: false") if "Quote" in f["title"]]
    assert "'this.size() > 1 ? true : false'" in editor.applied(fixes[0]["edit"]["changes"][URI])
    editor.end()


def test_lsp_raw_string_fix(binary):
    editor = opened(binary)
    (found,) = editor.replace('args.title.startsWith("x")', "args.title.matches('\\.env$')")
    assert found["code"] == "E001", found
    (fix,) = [f for f in editor.fixes("('\\|.env$')") if "raw" in f["title"]]
    assert "matches(r'\\.env$')" in editor.applied(fix["edit"]["changes"][URI])
    editor.end()


def test_lsp_hover_explains(binary):
    editor = opened(binary)
    assert "jwt.groups: list(string)" in editor.hover("jwt.gro|ups'")
    assert "vars.is_writer: bool" in editor.hover("when: vars.is_w|riter")
    assert '"writers" in jwt.groups' in editor.hover("when: vars.is_w|riter")
    assert "has(x.member) -> bool" in editor.hover("h|as(args.title)")
    assert "string.startsWith(string) -> bool" in editor.hover("args.title.starts|With")
    assert "of notes/read_note: string: of the note" in editor.hover("has(args.ti|tle)")
    assert "Scopes" not in editor.hover("    fo|rbid: notes") and "denies" in editor.hover("    fo|rbid: notes")
    assert "permit [notes/read_note]" in editor.hover("because: [re|ad]")
    assert "of the note" in editor.hover("th|is.size()")
    assert editor.hover("name: no|tes") is None
    editor.end()


def test_lsp_completes(binary):
    editor = opened(binary)
    assert {"jwt", "args", "tool", "vars", "size", "has", "math", "true"} <= set(editor.complete("when: |vars.is_writer"))
    assert "startsWith" not in editor.complete("when: |vars.is_writer")
    assert "is_writer" in editor.complete("when: vars.|is_writer")
    assert {"title", "limit", "orValue"} <= set(editor.complete("has(args.|title)"))
    assert {"groups", "tier"} <= set(editor.complete("jwt.|groups'"))
    assert "startsWith" in editor.complete("args.title.|startsWith")
    assert set(editor.complete("because: [|read]")) == {"read", "no-secrets"}
    assert {"notes/*", "notes/read_note"} == set(editor.complete("permit: [|notes/read_note]"))
    assert set(editor.complete("expect: |permit")) == {"permit", "deny"}
    assert {"when", "scopes", "message"} <= set(editor.complete("    |when: vars"))
    assert "this" in editor.complete("title: |this.size")
    item = editor.complete("call: notes/re|ad_note")["notes/read_note"]
    assert editor.applied([item["textEdit"]]).count("call: notes/read_notead_note") == 1, item
    editor.end()


def test_lsp_completes_what_is_not_finished(binary):
    editor = opened(binary)
    editor.replace("    when: vars.is_writer || has(args.title)\n", "    when: args.\n    \n")
    assert {"title", "limit"} <= set(editor.complete("when: args.|\n"))
    assert "message" in editor.complete("args.\n    |\n")
    editor.replace("when: args.\n", "when: |\n      vars.\n")
    place = editor.text.index("      vars.\n") + len("      vars.")
    asked = {"textDocument": {"uri": URI}, "position": editor.position(place)}
    items = editor.ask("textDocument/completion", asked)["items"]
    assert "is_writer" in [i["label"] for i in items], items
    editor.end()


def test_lsp_finds_definitions(binary):
    editor = opened(binary)
    assert editor.define("when: vars.is_w|riter") == (3, "is_writer")
    assert editor.define("because: [re|ad]") == (5, "read")
    assert editor.define("name: no|tes") is None
    editor.end()


def test_lsp_offers_a_guard(binary):
    editor = opened(binary)
    (guard,) = [f for f in editor.fixes('args.tit|le.startsWith') if "is there" in f["title"]]
    assert 'when: has(args.title) && args.title.startsWith("x")' in editor.applied(guard["edit"]["changes"][URI])
    editor.end()


def test_lsp_formats(binary):
    editor = opened(binary)
    asked = {"textDocument": {"uri": URI}, "options": {"tabSize": 2, "insertSpaces": True}}
    text = editor.applied(editor.ask("textDocument/formatting", asked))
    path = os.path.join(editor.folder.name, "p.yaml")
    with open(path, "w") as f:
        f.write(text)
    assert subprocess.run([binary, "policy", "fmt", "--check", path]).returncode == 0
    assert "😀 writes" in text
    editor.change([{"text": text}])
    editor.text = text
    assert editor.ask("textDocument/formatting", asked) == []
    editor.change([{"text": "rules: ["}])
    assert editor.ask("textDocument/formatting", asked) == []
    editor.end()


def spoken_to(binary, data):
    return subprocess.run([binary, "policy", "lsp"], input=data, capture_output=True, timeout=60)


def test_lsp_client_may_be_hostile(binary):
    start = frame({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}})
    assert spoken_to(binary, b"").returncode == 1
    assert b"Content-Length" in spoken_to(binary, start + b"Content-Length: 99999999999\r\n\r\n").stderr
    assert b"headers over" in spoken_to(binary, b"X" * 5000).stderr
    assert b"two Content-Length" in spoken_to(binary, b"Content-Length: 1\r\nContent-Length: 1\r\n\r\n{}").stderr
    for message in b"nonsense", b"[]", b"1", b'{"method":1}', b'{"id":1,"method":"x"}', b"[" * 5000, b'{"id":1,"id":2}':
        r = spoken_to(binary, start + frame(message))
        assert r.returncode == 1 and r.stderr == b"", (message, r)
        assert b'"error"' in r.stdout, (message, r.stdout)
    wild = {"line": 2**40, "character": -5}
    document = {"uri": URI, "languageId": "yaml", "version": 1, "text": TEXT}
    messages = [
        {"method": "textDocument/didOpen", "params": {"textDocument": document}},
        {"id": 2, "method": "textDocument/hover", "params": {"textDocument": {"uri": URI}, "position": wild}},
        {"id": 3, "method": "textDocument/completion", "params": {"textDocument": {"uri": URI}, "position": {}}},
        {"id": 4, "method": "textDocument/codeAction", "params": {"textDocument": {"uri": URI}, "range": []}},
        {"method": "textDocument/didChange", "params": {"textDocument": {"uri": URI}, "contentChanges": [{"range": {"start": wild, "end": {"line": 0}}, "text": "x" * (1 << 20)}]}},
        {"id": 5, "method": "textDocument/hover", "params": {"textDocument": {"uri": URI}, "position": wild}},
        {"method": "textDocument/didOpen", "params": {"textDocument": {"uri": "u", "text": "x" * (1 << 21)}}},
        {"method": "textDocument/didOpen", "params": 7},
        {"id": 6, "method": "shutdown"},
        {"method": "exit"},
    ]
    r = spoken_to(binary, start + b"".join(frame({"jsonrpc": "2.0", **m}) for m in messages))
    assert r.returncode == 0 and r.stderr == b"", r
    assert b'"id":6,"result":null' in r.stdout


def test_lsp_survives_every_prefix_of_a_file(binary):
    editor = opened(binary)
    for n in range(0, len(TEXT), 3):
        editor.text = TEXT[:n]
        editor.change([{"text": editor.text}])
        place = {"textDocument": {"uri": URI}, "position": editor.position(n)}
        for method in "hover", "completion", "definition":
            editor.ask("textDocument/" + method, place)
        range_ = {"start": place["position"], "end": place["position"]}
        editor.ask("textDocument/codeAction", {**place, "range": range_, "context": {"diagnostics": []}})
    editor.end()


def test_lsp_wants_files_that_are_there(binary):
    r = subprocess.run([binary, "policy", "lsp", "-i", "/nonexistent"], capture_output=True, timeout=60)
    assert r.returncode == 1 and b"nonexistent" in r.stderr, r
    assert subprocess.run([binary, "policy", "lsp", "x.yaml"], capture_output=True, timeout=60).returncode == 2
