# SPDX-License-Identifier: Apache-2.0
"""Backends behind a proxy that opens tunnels: requests and tokens go through it, and nothing of them is told to it."""
import json
import os
import ssl
import subprocess
import sys
import tempfile

from clouds_test import House, aws, entra
from house.gateway import until

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "fakes"))
from cloud import BASE  # noqa: E402
from provider import Answer, Provider  # noqa: E402
from proxy import Proxy  # noqa: E402

NAME = "models.example.test"
CHAT = json.dumps({"id": "c", "model": "m", "choices": [
    {"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}]})


def certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-keyout", f"{folder}/k.pem", "-out", f"{folder}/c.pem", "-subj", f"/CN={NAME}",
                    "-addext", f"subjectAltName=DNS:{NAME}"], check=True, capture_output=True)


class Tunnels(House):
    """`tls` is a model under a name that only the proxy can look up; `wrong` the same under a name it has no
    certificate for; `lent` and `role` get tokens on their way; `plain` is http in the tunnel."""

    def __init__(self, binary):
        self.proxy, self.model, self.folder = Proxy("us%er:p:w"), Provider(), tempfile.TemporaryDirectory()
        certificate(self.folder.name)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{self.folder.name}/c.pem", f"{self.folder.name}/k.pem")
        self.model.server.socket = context.wrap_socket(self.model.server.socket, server_side=True)
        for name in (NAME, "wrong.example.test"):
            self.proxy.to[f"{name}:8443"] = ("127.0.0.1", self.model.port)
        via = f"proxy: '127.0.0.1:{self.proxy.port}', proxy_credential: 'file:proxy.key'"
        fixed = via.replace("proxy.key", "fixed.key")
        backends = {
            "tls": f"schema: openai, ca: ca.pem, {fixed}",
            "wrong": f"schema: openai, ca: ca.pem, {fixed}",
            "plain": f"schema: openai, auth: {{ bearer: ya29.plain }}, {via}",
            "lent": f"{entra('client_secret: s')}, {via}",
            "role": f"{aws(ROLE)}, {via}",
        }
        super().__init__(binary, backends, files={"ca.pem": open(f"{self.folder.name}/c.pem").read(), "proxy.key": "us%er:p:w\n",
                                "fixed.key": "us%er:p:w"},
                         urls={"tls": f"https://{NAME}:8443", "wrong": "https://wrong.example.test:8443"})
        self.fakes += [self.model, self.proxy]
        self.cloud.tokens["ya29.plain"] = float("inf")

    def places(self):
        return [place for _, place, _ in self.proxy.asked]


ROLE = (f"{{ access_key_id: {BASE[0]}, secret_access_key: '{BASE[1]}', sts_url: CLOUD, "
        "assume_role: { role_arn: 'arn:aws:iam::1:role/r' } }")


def test_requests_and_tokens_go_through_the_tunnel(binary):
    with Tunnels(binary) as h:
        h.model.will(*[Answer(CHAT)] * 20)
        for _ in range(3):
            a = h.ask("tls")
            assert a.status == 200, (a.body, h.gateway.log_text())
        verb, place, head = h.proxy.asked[0]
        assert (verb, place, head["host"]) == ("CONNECT", f"{NAME}:8443", f"{NAME}:8443"), h.proxy.asked
        assert "authorization" not in head and head["proxy-authorization"].startswith("Basic ")
        assert len(h.proxy.asked) <= 2, "a tunnel is kept"  # one a worker
        assert not [k for _, headers, _ in h.model.asked for k in headers if k.lower().startswith("proxy")]
        # the name that is verified is the provider's, not the proxy's
        a = h.ask("wrong")
        assert a.status == 502 and "wrong.example.test:8443" in h.places(), a.body
        # tokens take the same way
        h.proxy.asked.clear()
        assert h.works("lent") and h.works("role").startswith("ASIA")
        cloud = f"127.0.0.1:{h.cloud.port}"
        assert len(h.places()) in (3, 4) and set(h.places()) == {cloud}, h.places()  # two tokens, one or two requests
        assert {head.get("proxy-authorization") for _, _, head in h.proxy.asked} == {
            "Basic dXMlZXI6cDp3"}, h.proxy.asked
        log = h.gateway.log_text()
        assert "us%er" not in log and "dXMlZXI6cDp3" not in log, log
        what_it_does_wrong_is_said(h)


def show(h, key, times):
    h.gateway.write("proxy.key", key)
    assert until(lambda: h.gateway.log_text().count('"reloaded"') == times, 20), h.gateway.log_text()


def what_it_does_wrong_is_said(h):
    h.proxy.keys = ["fresh:key"]  # with another credential no tunnel that was kept is used
    show(h, "fresh:key", 1)
    for mood, why in (("says 503", "the proxy opens no tunnel: it says 503"), ("closes", "the proxy closed the connection"),
                      ("babbles", "the proxy said more than its answer"), ("no http", "the proxy's answer is no HTTP")):
        h.proxy.mood = mood
        h.gateway.forget_records()
        a, record = h.ask("plain"), h.gateway.record()
        assert a.status in (502, 504) and why in record["error.text"], (mood, a.body, record)
    h.proxy.mood, h.proxy.keys = "", ["other:key"]
    h.gateway.forget_records()
    a, record = h.ask("plain"), h.gateway.record()
    assert a.status == 502 and "it says 407" in record["error.text"], record
    a = h.ask("lent")
    assert a.status == 502 and "407" in h.gateway.log_text(), h.gateway.log_text()
    # a credential that is changed on the disk is used at once
    show(h, "other:key", 2)
    h.works("plain")
    h.proxy.stop()
    show(h, "third:key", 3)
    h.gateway.forget_records()
    a, record = h.ask("plain"), h.gateway.record()
    assert a.status == 502 and "cannot connect to the proxy" in record["error.text"], record
