# SPDX-License-Identifier: Apache-2.0
"""What stands around a case of conformance/llm: a provider that answers as the case says, and one
gateway in front of it for all of them. Every distinct backend of the cases is a backend of its
config, every distinct way to it a route with a host name of its own: r7.case.test."""
import base64
import gzip
import http.client
import http.server
import json
import os
import socket
import socketserver
import subprocess
import tempfile
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "flow"))
from house.ports import free_port, listens  # noqa: E402

SCHEMAS = {"OpenAI": "openai", "AzureOpenAI": "azure", "Anthropic": "anthropic", "AWSBedrock": "aws-bedrock",
           "AWSAnthropic": "aws-anthropic", "GCPVertexAI": "gcp-vertex", "GCPAnthropic": "gcp-anthropic",
           "Cohere": "cohere"}
POLICY = """policy: v1
name: everything
rules:
  - id: all
    permit: { models: ["*"], endpoints: ["*"] }
"""


def canned_whole(message):
    """The bytes of a case's request or answer, however the case spells them."""
    if "body_json" in message:
        return json.dumps(message["body_json"]).encode()
    if "body_base64" in message:
        return base64.b64decode(message["body_base64"])
    return message.get("body_text", "").encode()


def canned_body(response):
    """The bytes of a case's upstream answer, in the pieces they are to be written in."""
    if "chunks" in response:
        return [c["text"].encode() if "text" in c else base64.b64decode(c["base64"]) for c in response["chunks"]]
    body = canned_whole(response)
    size = response.get("chunk_size") or len(body) or 1
    return [body[i:i + size] for i in range(0, len(body), size)] or [b""]


# A whole answer, streamed, of those whose headers alone a case is about.
STREAMS = {"GCPAnthropic": """event: message_start
data: {"type":"message_start","message":{"id":"msg_1","role":"assistant","usage":{"input_tokens":1,"output_tokens":0}}}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":0}}

event: message_stop
data: {"type":"message_stop"}

""", "GCPVertexAI": 'data: {"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}\n\n'}


def said_by(case):
    """The upstream answer of a case, as a provider sends it. Where the client's answer quotes JSON
    of it, its spaces are those of the quotation. A test of headers alone has no body, but no stream
    is without one."""
    response = dict(case.get("upstream_response") or {"status": 200})
    schema = case.get("backend_schema")
    if "Details: [\\n" in json.dumps(case.get("expect_client")):
        response["body_text"] = json.dumps(response.pop("body_json"), indent=2)
    if case["streaming"] and "ResponseHeaders" in case.get("source_test", "") and response.get("body_text") == "":
        response["body_text"] = STREAMS[schema]
    return response


class Provider(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def read_body(self):
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        body = b""
        while True:
            size = int(self.rfile.readline().split(b";")[0], 16)
            body += self.rfile.read(size)
            self.rfile.readline()
            if size == 0:
                return body

    def answer(self):
        seen = {"method": self.command, "path": self.path, "body": self.read_body(),
                "headers": {k.lower(): v for k, v in self.headers.items()}}
        self.server.seen.append(seen)
        response = self.server.canned if len(self.server.seen) > self.server.failures else {"status": 500}
        pieces = canned_body(response)
        self.send_response(response.get("status", 200))
        for k, v in response.get("headers", {}).items():
            if k.lower() not in ("content-length", "transfer-encoding", "connection", "content-encoding"):
                self.send_header(k, v)
        # a provider codes its answer for those who asked for it
        if response.get("content_encoding") == "gzip" and "gzip" in seen["headers"].get("accept-encoding", ""):
            self.send_header("content-encoding", "gzip")
            pieces = [gzip.compress(b"".join(pieces))]
        if len(pieces) == 1:
            self.send_header("content-length", str(len(pieces[0])))
            self.end_headers()
            self.wfile.write(pieces[0])
            return
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for p in pieces:
            if p:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(p), p))
        self.wfile.write(b"0\r\n\r\n")

    do_GET = do_POST = do_DELETE = answer

    def log_message(self, *_):
        pass


class Upstream(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads, allow_reuse_address = True, True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Provider)
        self.seen, self.canned, self.failures = [], {}, 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        pass  # the gateway may leave in the middle of an answer

    def expect(self, canned, failures):
        self.seen, self.canned, self.failures = [], canned, failures


def backend_of(case, port):
    """The backend a case wants, as it stands in a config; None when it wants none."""
    schema = SCHEMAS.get(case.get("backend_schema"))
    if not schema:
        return None
    r, auth = case.get("route") or {}, (case.get("route") or {}).get("auth") or {}
    b = {"schema": schema, "url": f"http://127.0.0.1:{port}"}
    if r.get("version"):
        b["version"] = r["version"]
    if schema in ("openai", "anthropic"):
        path = (case.get("expect_upstream") or {}).get("path", "/v1/")  # shows a prefix that is not said
        b["prefix"] = r.get("prefix", "" if path.startswith("/responses") else "v1").strip("/")
    if schema == "cohere" and r.get("prefix") and not r.get("version"):
        b["version"] = r["prefix"].strip("/")
    if schema.startswith("aws-"):
        b["region"] = auth.get("aws", {}).get("region", "us-east-1")
        b["auth"] = {"aws": {"access_key_id": "AKIDEXAMPLE", "secret_access_key": "not-a-secret"}}
    if schema.startswith("gcp-"):
        gcp = r.get("gcp") or auth.get("gcp") or {}
        b["project"] = gcp.get("project") or gcp.get("projectName") or "gcp-project-name"
        b["region"] = gcp.get("region", "gcp-region")
        b["auth"] = {"gcp": {"token": auth.get("gcp", {}).get("accessToken", "fake-gcp-auth-token")}}
    if "anthropicAPIKey" in auth:
        b["auth"] = {"api_key": auth["anthropicAPIKey"]["key"]}
    if auth.get("credentialOverride"):
        b["credential"] = {"from_header": auth["credentialOverride"]["headerName"], "fallback": True}
    mutation = r.get("httpBodyMutation")
    if mutation:
        b["body"] = {"set": {s["path"]: json.loads(s["value"]) for s in mutation.get("set", [])},
                     "remove": mutation.get("remove", [])}
    return b


def models_config(route):
    """Routes for the cases about /v1/models, by host."""
    def one(name, models, hosts=None):
        return {"name": name, "models": models, "to": [{"backend": "any"}], "owned_by": "Envoy AI Gateway",
                **({"hosts": hosts} if hosts else {})}
    routes = [one("unscoped", route.get("models_unscoped", []) or ["some-model1", "some-model2", "some-model3"])]
    for i, (host, models) in enumerate((route.get("models_by_host") or {}).items()):
        routes.append(one(f"by-host-{i}", models, [host]))
    return {"backends": {"any": {"schema": "openai", "url": "http://127.0.0.1:1"}}, "routes": routes}


class World:
    """backends and routes of a set of cases; `route_of` maps a case's id to its host name."""

    def __init__(self, cases, port):
        self.backends, self.routes, self.route_of = {}, {}, {}
        names, hosts = {}, {}
        for case in cases:
            b = backend_of(case, port)
            if not b:
                continue
            key = json.dumps(b, sort_keys=True)
            if key not in names:
                names[key] = f"b{len(names)}"
                self.backends[names[key]] = b
            route = case.get("route") or {}
            way = (names[key], route.get("model_override"), "first_backend_fails_with" in route)
            if way not in hosts:
                hosts[way] = f"r{len(hosts)}.case.test"
                to = {"backend": names[key], **({"model": way[1]} if way[1] else {})}
                self.routes[hosts[way]] = {"name": f"r{len(hosts)}", "hosts": [hosts[way]], "to": [to]}
                if way[2]:
                    self.routes[hosts[way]]["retry"] = {"attempts": 2, "on": ["5xx"]}
            self.route_of[case["id"]] = hosts[way]

    def config(self):
        return {"backends": self.backends, "routes": list(self.routes.values())}

    def leave_out(self, backend):
        del self.backends[backend]
        self.routes = {h: r for h, r in self.routes.items() if r["to"][0]["backend"] != backend}

    def leave_out_route(self, host):
        del self.routes[host]


class Gateway:
    def __init__(self, binary, llm):
        self.dir = tempfile.mkdtemp(prefix="sallyport-llm-")
        self.port = free_port()
        self.binary, self.llm = os.path.abspath(binary), llm
        self.records, self.asked = [], 0  # the n-th request has the n-th record

    def write(self, llm):
        config = {"version": 1, "listen": [{"address": f"127.0.0.1:{self.port}"}], "workers": 1,
                  "admin": {"address": f"127.0.0.1:{free_port()}", "token": "conformance"},
                  "identity": {"anonymous": "allow"}, "llm": llm, "policies": ["policy.yaml"],
                  "telemetry": {"access_log": {"to": "stdout"}}}
        with open(os.path.join(self.dir, "sallyport.yaml"), "w") as f:
            json.dump(config, f)  # JSON is YAML
        with open(os.path.join(self.dir, "policy.yaml"), "w") as f:
            f.write(POLICY)

    def refusal(self, llm):
        """Why the binary does not take this configuration; None when it does."""
        self.write(llm)
        p = subprocess.run([self.binary, "check", "-c", "sallyport.yaml"], cwd=self.dir, capture_output=True, text=True)
        return None if p.returncode == 0 else (p.stdout + p.stderr).strip()

    def start(self):
        self.write(self.llm)
        self.log = open(os.path.join(self.dir, "log"), "w+")
        self.process = subprocess.Popen([self.binary, "serve", "-c", "sallyport.yaml"], cwd=self.dir,
                                        stdout=subprocess.PIPE, stderr=self.log, text=True)
        threading.Thread(target=self.read_records, daemon=True).start()
        if listens(self.port, 20):
            return
        self.log.seek(0)
        raise SystemExit("the gateway did not start:\n" + self.log.read())

    def read_records(self):
        for line in self.process.stdout:
            try:
                self.records.append(json.loads(line))
            except ValueError:
                pass

    def record(self):
        """Of the last request."""
        end = time.time() + 5
        while len(self.records) < self.asked and time.time() < end:
            time.sleep(0.002)
        return self.records[self.asked - 1] if len(self.records) >= self.asked else {}

    def alive(self):
        return self.process.poll() is None

    def stop(self):
        self.process.terminate()
        try:
            return self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return -9

    def ask(self, request, host):
        """The client's side of a case: its answer, and whether it was cut off."""
        body = canned_whole(request)
        self.asked += 1
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            c.putrequest(request["method"], request["path"], skip_host=True, skip_accept_encoding=True)
            c.putheader("host", host)
            for k, v in request.get("headers", {}).items():
                if k.lower() not in ("host", "content-length"):
                    c.putheader(k, v)
            if body or request["method"] == "POST":
                c.putheader("content-length", str(len(body)))
            c.endheaders(body)
            r = c.getresponse()
            cut = False
            try:
                answer = r.read()
            except http.client.IncompleteRead as e:
                answer, cut = e.partial, True
            return {"status": r.status, "headers": {k.lower(): v for k, v in r.getheaders()}, "body": answer, "cut": cut}
        finally:
            c.close()
