# SPDX-License-Identifier: Apache-2.0
"""Forms with a file in them: transcriptions and translations, whole and streamed, large and wrong."""
import os
import sys

from house.gateway import until
from house.ports import free_port
from house.household import Household
from house.http import Connection

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "fakes"))
from provider import Answer, Provider, stream  # noqa: E402

POLICY = """policy: v1
name: p
rules:
  - { id: some, permit: { models: [whisper, azure, spread, mute, claude] } }
  - { id: whole, require: { models: [mute] }, when: 'llm.stream == false' }
"""
HEAD = ("POST /v1/audio/transcriptions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: multipart/form-data; boundary=B\r\nContent-Length: {length}\r\n\r\n")
HEARD = b'{"text":"hi","usage":{"type":"tokens","input_tokens":14,"output_tokens":2,"total_tokens":16}}'
TRANSCRIPT = ('data: {"type":"transcript.text.delta","delta":"hi"}\n\n',
              'data: {"type":"transcript.text.done","text":"hi","usage":{"input_tokens":14,"output_tokens":2}}\n\n')


class House(Household):
    def __init__(self, binary):
        self.provider = Provider()
        at = f'url: "http://127.0.0.1:{self.provider.port}"'
        config = f"""limits: {{ upload: 30MiB }}
llm:
  backends:
    openai: {{ schema: openai, {at} }}
    azure: {{ schema: azure, {at} }}
    claude: {{ schema: anthropic, {at} }}
    gone: {{ schema: openai, url: "http://127.0.0.1:{free_port()}" }}
  routes:
    - {{ name: w, models: [whisper, mute], to: [{{ backend: openai, model: a-much-longer-whisper-1 }}] }}
    - {{ name: a, models: [azure], to: [{{ backend: azure, model: w/1 }}] }}
    - {{ name: c, models: [claude], to: [{{ backend: claude }}] }}
    - {{ name: s, models: [spread], to: [{{ backend: claude }}, {{ backend: gone, priority: 1 }},
                                         {{ backend: openai, priority: 2, model: w2 }}] }}
"""
        super().__init__(binary, [self.provider], config, POLICY)
        self.token = self.issuer.token("alice")

    def open(self, body, path="/v1/audio/transcriptions", **headers):
        c = Connection(self.gateway.port, timeout=30)
        head = {"Authorization": f"Bearer {self.token}", "Content-Type": "multipart/form-data; boundary=B", **headers}
        c.request("POST", path, head, body)
        return c

    def ask(self, body, path="/v1/audio/transcriptions", **headers):
        return self.open(body, path, **headers).answer()


def form(*fields):
    """(name, value) pairs; a value of bytes is a file."""
    out = b""
    for name, value in fields:
        out += b'--B\r\nContent-Disposition: form-data; name="' + name.encode() + b'"'
        if isinstance(value, bytes):
            out += b'; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n' + value
        else:
            out += b"\r\n\r\n" + value.encode()
        out += b"\r\n"
    return out + b"--B--\r\n"


AUDIO = b"RIFF\r\n--A\r\n-\x00\xff" * 3


def test_the_model_is_rewritten_where_it_stands_and_nothing_else(binary):
    with House(binary) as h:
        for path in ("/v1/audio/transcriptions", "/v1/audio/translations"):
            for fields in ([("model", "{}"), ("prompt", "x"), ("file", AUDIO)], [("file", AUDIO), ("model", "{}")],
                           [("a[]", "1"), ("model", "{}"), ("file", AUDIO), ("temperature", "0.2")]):
                h.provider.will(Answer(HEARD))
                said = [(n, v.format("whisper") if n == "model" else v) for n, v in fields]
                a = h.ask(form(*said), path)
                assert a.status == 200 and a.body == HEARD, a.body
                want = form(*[(n, v.format("a-much-longer-whisper-1") if n == "model" else v) for n, v in fields])
                sent_to, head, body = h.provider.asked[0]
                assert (sent_to, body) == (path, want), (sent_to, body)
                assert head["content-type"] == "multipart/form-data; boundary=B", head
                r = h.gateway.record()
                assert (r["model"], r["tokens.in"], r["tokens.out"], r["endpoint"]) == ("whisper", 14, 2, path), r
        h.provider.will(Answer(HEARD))
        assert h.ask(form(("model", "azure"), ("file", AUDIO))).status == 200
        assert h.provider.asked[0][0].startswith("/openai/deployments/w%2F1/audio/transcriptions?api-version=")


def test_every_form_of_an_answer_comes_as_it_is(binary):
    with House(binary) as h:
        for type, body in (("text/plain; charset=utf-8", b"hi\n"), ("text/plain", b"WEBVTT\n\n00:00.000 --> 00:01.000\nhi\n"),
                           ("application/x-subrip", b"1\n00:00:00,000 --> 00:00:01,000\nhi\n"),
                           ("application/json", b'{"task":"transcribe","duration":1.5,"text":"hi","segments":[]}')):
            h.provider.will(Answer(body, type=type))
            a = h.ask(form(("model", "whisper"), ("response_format", "any"), ("file", AUDIO)))
            assert (a.status, a.headers["content-type"], a.body) == (200, type, body), (a.headers, a.body)
            h.gateway.record()
        for fields in ([("model", "whisper"), ("stream", "true"), ("file", AUDIO)],
                       [("model", "whisper"), ("file", AUDIO), ("stream", "true")]):
            h.provider.will(stream(*TRANSCRIPT))
            a = h.ask(form(*fields))
            assert a.body.decode() == "".join(TRANSCRIPT), a.body
            r = h.gateway.record()
            assert (r["tokens.in"], r["tokens.out"]) == (14, 2), r
        h.provider.will(stream(TRANSCRIPT[0], cut=True))
        c = h.open(form(("model", "whisper"), ("stream", "true"), ("file", AUDIO)))
        assert c.head()[0] == 200
        seen = b""
        try:
            while piece := c.chunk():
                seen += piece
            raise AssertionError("a cut stream ended cleanly")
        except (EOFError, ConnectionResetError):
            pass
        assert b'"error"' in seen, seen


def test_a_provider_that_cannot_be_asked_is_followed_by_the_next(binary):
    with House(binary) as h:
        h.provider.will(Answer(HEARD))
        assert h.ask(form(("model", "spread"), ("file", AUDIO))).status == 200
        assert h.provider.asked[0][2] == form(("model", "w2"), ("file", AUDIO))
        h.provider.will(Answer('{"error":{"message":"bad audio","type":"invalid_request_error"}}', status=400))
        a = h.ask(form(("model", "whisper"), ("file", AUDIO)))
        assert a.status == 400 and a.json()["error"]["message"] == "bad audio", a.body


def test_what_is_wrong_with_a_form_is_said_and_nothing_is_sent(binary):
    head = b'--B\r\nContent-Disposition: form-data; name="model"\r\n\r\n'
    with House(binary) as h:
        h.provider.will()
        for body, says in ((form(("file", AUDIO)), "'model' is missing"), (form(("model", "whisper")), "'file' is missing"),
                           (form(("model", ""), ("file", AUDIO)), "'model' is missing"),
                           (form(("model", "whisper"), ("model", "dear"), ("file", AUDIO)), "twice"),
                           (form(("Model", "whisper"), ("file", AUDIO)), "must be spelled 'model'"),
                           (form(("model", b"whisper"), ("file", AUDIO)), "plain fields"),
                           (form(("model", "w" * 300), ("file", AUDIO)), "too long"),
                           (form(("model", "whisper"), ("stream", "maybe"), ("file", AUDIO)), "'stream' must be"),
                           (head + b"whisper\r\n--B--x", "behind its end"), (head + b"whisper", "ends before"),
                           (b"nothing", "does not begin")):
            a = h.ask(body)
            e = a.json()["error"]
            assert (a.status, e["type"]) == (400, "invalid_request_error") and says in e["message"], (says, a.body)
        a = h.ask(b'{"model":"whisper"}', **{"Content-Type": "application/json"})
        assert a.status == 400 and "multipart/form-data" in a.json()["error"]["message"], a.body
        for model, status in (("claude", 400), ("dear", 404)):  # whose provider has no such endpoint; hidden
            assert h.ask(form(("model", model), ("file", AUDIO))).status == status
        assert h.ask(form(("model", "mute"), ("stream", "true"), ("file", AUDIO))).status in (403, 404)
        assert h.ask(form(("file", AUDIO), ("model", "mute"), ("stream", "true"))).status in (403, 404)
        assert h.provider.asked == []
        c = Connection(h.gateway.port)
        c.send(HEAD.format(token=h.token, length=31 << 20))
        assert c.head()[0] == 413
        # a word behind the file that changes what the rules say: the form never reaches its end
        body = form(("model", "mute"), ("file", AUDIO * 9000), ("stream", "true"))
        assert h.ask(body).status in (403, 404)
        assert h.provider.asked == [] or len(h.provider.asked[0][2]) < len(body)


def memory(h, what):
    with open(f"/proc/{h.gateway.process.pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith(what)) / 1024


def test_a_large_upload_is_never_held_whole(binary):
    audio = os.urandom(1 << 20) * 25
    with House(binary) as h:
        h.provider.will(Answer(HEARD))
        assert h.ask(form(("model", "whisper"), ("file", AUDIO))).status == 200
        before = memory(h, "VmHWM")
        for fields in ([("model", "whisper"), ("file", audio)], [("file", audio), ("model", "whisper")]):
            h.provider.will(Answer(HEARD))
            a = h.ask(form(*fields))
            assert a.status == 200, a.body
            want = form(*[(n, "a-much-longer-whisper-1" if n == "model" else v) for n, v in fields])
            assert h.provider.asked[0][2] == want
        grown = memory(h, "VmHWM") - before
        watched = memory(h, "VmSize") > 1 << 20  # a sanitizer keeps what was freed for a while
        assert watched or grown < 12, f"{grown:.1f} MiB more for 25 MiB"


def test_a_client_that_leaves_takes_its_upload_along(binary):
    with House(binary) as h:
        body = form(("model", "whisper"), ("file", AUDIO * 100000))
        for part in (body[:300000], form(("file", AUDIO * 100000), ("model", "whisper"))[:900000]):
            h.provider.will(Answer(HEARD))
            c = Connection(h.gateway.port)
            c.send(HEAD.format(token=h.token, length=len(body)))
            c.send(part)
            c.close()
            r = h.gateway.record()
            assert r["error"] == "client_gone", r
            assert until(lambda: not h.provider.asked or len(h.provider.asked[0][2]) < len(body))
        h.provider.will(Answer(HEARD))
        assert h.ask(form(("model", "whisper"), ("file", AUDIO))).body == HEARD
