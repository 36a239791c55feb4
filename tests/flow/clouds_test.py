# SPDX-License-Identifier: Apache-2.0
"""What clouds lend to backends: found by each cloud's own rules, renewed ahead of time, mended when it goes wrong."""
import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from house.gateway import Gateway, until
from house.household import Household
from house.http import Connection, once
from house.tokens import Issuer

here = os.path.dirname(os.path.abspath(__file__))
EXAMPLE = os.path.join(here, "..", "..", "examples", "credentials")
sys.path.insert(0, os.path.join(here, "..", "fakes"))
from cloud import ANY, BASE, ROLE, Cloud  # noqa: E402
from proxy import Proxy  # noqa: E402

POLICY = """policy: v1
name: p
rules:
  - { id: all, permit: { models: ["*"] } }
"""
ARN = "arn:aws:iam::123456789012:role/models"
SECRETS = ("ya29.secret", "lent/secret", "base-secret", "session-", "subject-token", "imds-session", "agent-token")
QUIET = {"AWS_ACCESS_KEY_ID": "", "AWS_PROFILE": "", "HOME": "DIR", "AWS_EC2_METADATA_DISABLED": "true"}


class House(Household):
    """One cloud, and backends whose `auth` is given by name; each serves the model of its name."""

    def __init__(self, binary, backends, env=None, files=None, urls=None, **more):
        self.cloud = Cloud()
        urls = {name: (urls or {}).get(name, "CLOUD").replace("CLOUD", self.cloud.url) for name in backends}
        lines = "".join(f"    {name}: {{ url: \"{urls[name]}\", {what.replace('CLOUD', self.cloud.url)} }}\n"
                        for name, what in backends.items())
        routes = "".join(f"    - {{ name: {n}, models: [{n}], to: [{{ backend: {n} }}] }}\n" for n in backends)
        env = {k: v.replace("CLOUD", self.cloud.url).replace("PLACE", self.cloud.url[7:]) for k, v in {**QUIET, **(env or {})}.items()}
        files = {k: v.replace("CLOUD", self.cloud.url) for k, v in (files or {}).items()}
        super().__init__(binary, [self.cloud], f"llm:\n  backends:\n{lines}  routes:\n{routes}", POLICY, env=env,
                         files=files, **more)
        self.token = self.issuer.token("alice")

    def __exit__(self, failure, *rest):
        text = self.gateway.log_text()
        while not self.gateway.records.empty():
            text += json.dumps(self.gateway.records.get())
        text += once(self.gateway.admin, "GET", "/config", {"Authorization": "Bearer admin-token-of-the-tests"}).body.decode()
        self.cloud.mood = ""
        super().__exit__(failure, *rest)
        assert failure or not [s for s in SECRETS if s in text], text

    def ask(self, model):
        c = Connection(self.gateway.port)
        head = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        c.request("POST", "/v1/chat/completions", head,
                  json.dumps({"model": model, "messages": [{"role": "user", "content": "hi"}]}))
        return c.answer()

    def works(self, model):
        a = self.ask(model)
        assert a.status == 200, (a.status, a.body, self.cloud.asked, self.cloud.shown, self.gateway.log_text())
        return self.cloud.shown[-1][0]

    def said(self, kind):
        return [what for k, what in self.cloud.asked if k == kind]


def aws(auth):
    return f"schema: aws-bedrock, region: eu-west-1, auth: {{ aws: {auth} }}"


def entra(way):
    return f"schema: azure, auth: {{ entra: {{ tenant: t, client_id: app, token_url: 'CLOUD/entra', {way} }} }}"


def test_every_way_to_keys_of_aws(binary):
    profiles = f"""[default]
region = x
[profile agent]
role_arn = {ARN}
credential_source = EcsContainer
[profile box]
role_arn = {ARN}-box
credential_source = Ec2InstanceMetadata
role_session_name = from-the-box
[profile twice]
role_arn = {ARN}-twice
source_profile = once
external_id = ext
[profile once]
role_arn = {ARN}-once
source_profile = keys
"""
    keys = f"[keys]\naws_access_key_id = {BASE[0]}\naws_secret_access_key = {BASE[1]}\n"
    backends = {
        "chain": aws("{}"),
        "web": aws(f"{{ sts_url: CLOUD, web_identity: {{ role_arn: '{ARN}-web', token_file: subject.jwt }} }}"),
        "assumed": aws(f"{{ access_key_id: {BASE[0]}, secret_access_key: '{BASE[1]}', "
                       f"assume_role: {{ role_arn: '{ARN}-two', external_id: 'e:1', session_name: gateway@eu }} }}"),
        **{name: aws(f"{{ profile: {name} }}") for name in ("agent", "box", "twice", "keys")},
    }
    env = {"AWS_ENDPOINT_URL_STS": "CLOUD", "AWS_SHARED_CREDENTIALS_FILE": "DIR/keys.ini", "AWS_CONFIG_FILE": "DIR/config.ini",
           "AWS_WEB_IDENTITY_TOKEN_FILE": "DIR/subject.jwt", "AWS_ROLE_ARN": ARN,
           "AWS_CONTAINER_CREDENTIALS_FULL_URI": "CLOUD/container", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "DIR/agent.txt",
           "AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "CLOUD/"}
    files = {"keys.ini": keys, "config.ini": profiles, "subject.jwt": "subject-token-1\n", "agent.txt": "agent-token-1"}
    with House(binary, backends, env, files) as h:
        used = {name: h.works(name) for name in backends}
        assert used.pop("keys") == BASE[0] and len(set(used.values())) == len(used), used
        webs = {x["RoleArn"]: x for x in h.said("AssumeRoleWithWebIdentity")}
        assert set(webs) == {ARN, ARN + "-web"} and webs[ARN]["WebIdentityToken"] == "subject-token-1", webs
        roles = {x["RoleArn"]: x for x in h.said("AssumeRole")}
        assert set(roles) == {ARN, ARN + "-box", ARN + "-two", ARN + "-twice", ARN + "-once"}, roles
        assert roles[ARN + "-two"]["ExternalId"] == "e:1" and roles[ARN + "-two"]["RoleSessionName"] == "gateway@eu"
        assert roles[ARN + "-box"]["RoleSessionName"] == "from-the-box" and roles[ARN + "-twice"]["ExternalId"] == "ext"
        assert h.said("container") == [{"auth": "agent-token-1"}] and h.said("machine") == [{"role": ROLE}], h.cloud.asked
        assert h.said("machine token") == [{"ttl": "21600"}]
        # a reload finds what was lent
        asked = len(h.cloud.asked)
        h.gateway.write("policies/p.yaml", POLICY + "  - { id: more, permit: { models: [x] } }\n")
        assert until(lambda: "reloaded" in h.gateway.log_text())
        assert h.works("chain") == used["chain"] and len(h.cloud.asked) == asked


def test_each_chain_ends_at_the_container_or_the_machine(binary):
    for env, kind in (({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "CLOUD/container", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "agent-token"},
                       "container"),
                      ({"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "CLOUD"}, "machine")):
        env = {**env, "GOOGLE_APPLICATION_CREDENTIALS": "", "GCE_METADATA_HOST": "PLACE"}
        with House(binary, {"m": aws("{}"), "g": google("{}")}, env) as h:
            assert h.works("m").startswith("ASIA") and kind in h.cloud.kinds(), h.cloud.asked
            assert h.works("g") and h.said("google machine") == [{"flavor": "Google"}], h.cloud.asked


def google(more):
    return f"schema: gcp-vertex, project: p, region: r, auth: {{ gcp: {more} }}"


def made(folder, *args):
    subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)


def is_signed_with(folder, assertion):
    """PS256 by the key in k.pem?"""
    text, _, seal = assertion.rpartition(".")
    with open(f"{folder}/seal", "wb") as f:
        f.write(base64.urlsafe_b64decode(seal + "=="))
    with open(f"{folder}/text", "w") as f:
        f.write(text)
    made(folder, "pkey", "-in", "k.pem", "-pubout", "-out", "p.pem")
    made(folder, "dgst", "-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest", "-verify", "p.pem",
         "-signature", "seal", "text")


def part(token, n):
    return json.loads(base64.urlsafe_b64decode(token.split(".")[n] + "=="))


def test_every_way_to_tokens_of_google_and_entra(binary):
    federated = {"type": "external_account", "audience": "//iam/pool", "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
                 "token_url": "CLOUD/google/sts", "credential_source": {"file": "subject.jwt"}}
    by_url = {**federated, "service_account_impersonation_url": "CLOUD/google/impersonate", "credential_source": {
        "url": "CLOUD/subject", "headers": {"X-Want": "it"}, "format": {"type": "json", "subject_token_field_name": "id_token"}}}
    user = {"type": "authorized_user", "client_id": "cli", "client_secret": "user-secret", "refresh_token": "refresh-1",
            "token_uri": "CLOUD/google/user"}
    with tempfile.TemporaryDirectory() as d:
        for name, to in (("nobody.key", "k.pem"), ("nobody.pem", "c.pem")):
            shutil.copy(os.path.join(EXAMPLE, "files", name), os.path.join(d, to))
        files = {"subject.jwt": "subject-token-1", "user.json": json.dumps(user), "file.json": json.dumps(federated),
                 "url.json": json.dumps(by_url), "k.pem": open(f"{d}/k.pem").read(), "c.pem": open(f"{d}/c.pem").read()}
        backends = {"adc": google("{}"), "file": google("{ file: file.json }"), "url": google("{ file: url.json }"),
                    "secret": entra("client_secret: s"), "cert": entra("certificate: c.pem, key: k.pem"),
                    "issuer": entra("token_file: subject.jwt")}
        with House(binary, backends, {"GOOGLE_APPLICATION_CREDENTIALS": "DIR/user.json"}, files) as h:
            used = {name: h.works(name) for name in backends}
            assert len(set(used.values())) == len(backends), used
            assert h.said("google/user") == [{"grant_type": "refresh_token", "client_id": "cli", "client_secret": "user-secret",
                                              "refresh_token": "refresh-1"}]
            exchanged = h.said("google/sts")
            assert [x["subject_token"] for x in exchanged] == ["subject-token-1", "subject-by-url"], exchanged
            assert all(x["audience"] == "//iam/pool" and x["grant_type"].endswith("token-exchange") for x in exchanged)
            as_ = h.said("impersonate")[0]
            assert as_["lifetime"] == "3600s" and as_["auth"].startswith("Bearer ya29"), as_
            forms = h.said("entra")
            assert [("client_secret" in f, "client_assertion" in f) for f in forms] == [(1, 0), (0, 1), (0, 1)], forms
            proof = forms[1]["client_assertion"]
            made(d, "x509", "-in", "c.pem", "-outform", "DER", "-out", "c.der")
            print_ = base64.urlsafe_b64encode(hashlib.sha256(open(f"{d}/c.der", "rb").read()).digest()).decode().rstrip("=")
            assert part(proof, 0) == {"alg": "PS256", "typ": "JWT", "x5t#S256": print_}, part(proof, 0)
            claims = part(proof, 1)
            assert claims["iss"] == claims["sub"] == "app" and claims["aud"].endswith("/entra") and claims["exp"] > time.time()
            is_signed_with(d, proof)
            assert forms[2]["client_assertion"] == "subject-token-1" and forms[2]["client_assertion_type"].endswith("jwt-bearer")


WEB = f"{{ sts_url: CLOUD, web_identity: {{ role_arn: '{ARN}', token_file: subject.jwt }} }}"
BOTH = {"web": aws(WEB), "entra": entra("token_file: subject.jwt")}
SUBJECT = {"subject.jwt": "subject-token-1"}


def test_nobody_waits_for_a_renewal_or_sees_one_fail(binary):
    with House(binary, BOTH, files=SUBJECT) as h:
        h.cloud.lives = lives = 3
        began, first = time.time(), {name: h.works(name) for name in BOTH}
        h.cloud.mood = "fail"
        # nobody has to ask for the renewal; one that fails leaves what is lent, as long as it lives
        assert until(lambda: told(h).count("says 500") >= 2, 30), h.cloud.asked
        used = [(h.ask(name).status, h.cloud.shown[-1][0], time.time()) for name in BOTH]
        assert [(s, k) for s, k, at in used if at < began + lives] in ([(200, first[n]) for n in BOTH], [(200, first["web"])], []), used
        # it is tried again by itself, with the subject's token as it is then
        h.gateway.write("subject.jwt", "subject-token-2")
        h.cloud.mood, h.cloud.lives = "", 3600
        assert until(lambda: all(h.ask(n).status == 200 and h.cloud.shown[-1][0] != first[n] for n in BOTH), 30)
        assert h.said("AssumeRoleWithWebIdentity")[-1]["WebIdentityToken"] == "subject-token-2", h.cloud.asked
        assert h.said("entra")[-1]["client_assertion"] == "subject-token-2"


def test_a_lender_in_trouble_is_told_in_the_log_and_recovers(binary):
    with House(binary, BOTH, files=SUBJECT) as h:
        for mood, name, why in (("fail", "web", "says 500"), ("garbage", "entra", "its answer is no JSON"),
                                ("dead", "web", "has ended already"), ("huge", "entra", "the token endpoint")):
            h.cloud.mood = mood
            before = told(h)
            assert until(lambda: h.ask(name).status == 502 and told(h) != before, 20), mood
            assert why in told(h)[len(before):], (mood, told(h))
        h.cloud.mood = ""
        assert until(lambda: all(h.ask(n).status == 200 for n in BOTH), 20)
        # one that hangs delays neither another's requests nor the end
        h.cloud.revoked |= set(h.cloud.tokens)
        h.cloud.mood = "hang"
        waiting = threading.Thread(target=lambda: h.ask("entra"))
        waiting.start()
        assert until(lambda: h.cloud.kinds()[-1] == "entra"), h.cloud.asked
        assert h.ask("web").status == 200
        h.cloud.mood = ""
        waiting.join()
        nearly_ended(h)
        taken_back(h)


def told(h):
    return "".join(line for line in h.gateway.log_text().splitlines() if "no token for a provider" in line)


def test_a_clock_that_is_wrong_is_set_right_once(binary):
    role = aws(f"{{ access_key_id: {BASE[0]}, secret_access_key: '{BASE[1]}', sts_url: CLOUD, assume_role: {{ role_arn: '{ARN}' }} }}")
    keys = aws(f"{{ access_key_id: {BASE[0]}, secret_access_key: '{BASE[1]}' }}")
    files = {**SUBJECT, "account.json": pointed_at("account.json", token_uri="CLOUD/google/account")}
    for name in ("nobody.key", "nobody.pem"):
        with open(os.path.join(EXAMPLE, "files", name)) as f:
            files[name] = f.read()
    backends = {"role": role, "keys": keys, "web": aws(WEB), "account": google("{ file: account.json }"),
                "cert": entra("certificate: nobody.pem, key: nobody.key")}
    with House(binary, backends, files=files) as h:
        h.cloud.ahead = 1800
        for name in ("account", "cert"):
            h.works(name)
        assert h.cloud.kinds() == ["refused", "google/account", "refused", "entra"], h.cloud.asked
        h.cloud.asked.clear()
        for h.cloud.ahead in (1800, -1800):
            seen = len(h.cloud.shown)
            for name in ("role", "keys", "web") * 3:
                h.works(name)
            wrong = [why for _, why in h.cloud.shown[seen:] if why]
            assert wrong == ["InvalidSignatureException"] * 3, h.cloud.shown  # once a backend
        assert h.cloud.kinds().count("AssumeRole") == 1 and h.cloud.kinds().count("refused") == 1, h.cloud.asked


def nearly_ended(h):
    """What arrives with a second to live is used for it, and then the next is waited for."""
    h.cloud.revoked |= set(h.cloud.tokens) | set(h.cloud.secrets)
    h.cloud.lives, asked = 1, len(h.cloud.asked)
    for _ in range(5):
        for name in BOTH:
            h.works(name)
        time.sleep(0.25)
    assert len(h.cloud.asked) >= asked + 4, h.cloud.asked
    h.cloud.lives = 3600


def taken_back(h):
    """What its provider does not take any more is had anew within the request, once."""
    h.cloud.revoked |= set(h.cloud.tokens) | set(h.cloud.secrets)  # also what lives a second only
    first = {name: h.works(name) for name in BOTH}
    h.cloud.revoked |= set(first.values())
    for name in BOTH:
        assert h.works(name) != first[name]
    seen, h.cloud.bearer = len(h.cloud.shown), lambda: "ya29.secret-unknown"
    h.cloud.tokens.clear()
    assert h.ask("entra").status == 401 and len(h.cloud.shown) == seen + 2, h.cloud.shown


def test_credentials_change_under_load_and_no_request_fails(binary):
    backends = {**BOTH, "file": "schema: openai, auth: { bearer: 'file:key.txt' }", "profile": aws("{ profile: work }")}
    profile = "[work]\naws_access_key_id = {}\naws_secret_access_key = {}\n"
    env = {"AWS_SHARED_CREDENTIALS_FILE": "DIR/aws.ini"}
    files = {**SUBJECT, "key.txt": "ya29.secret-a", "aws.ini": profile.format(*BASE)}
    with House(binary, backends, env, files, urls={"file": "CLOUD/openai"}) as h:
        h.cloud.tokens["ya29.secret-a"] = h.cloud.tokens["ya29.secret-b"] = float("inf")
        h.cloud.secrets["AKIDNEXT"] = ("base-secret-2", None, float("inf"))
        h.cloud.lives, failed, stop = 2, [], threading.Event()

        def load(name):
            while not stop.is_set():
                a = h.ask(name)
                if a.status != 200:
                    failed.append((name, a.status, a.body))

        threads = [threading.Thread(target=load, args=(name,)) for name in list(backends) * 4]
        [t.start() for t in threads]
        try:
            assert until(lambda: {"ya29.secret-a", BASE[0]} <= {k for k, _ in h.cloud.shown}, 20), h.cloud.shown[:20]
            h.gateway.write("key.txt", "ya29.secret-b\n")
            h.gateway.write("aws.ini", profile.format("AKIDNEXT", "base-secret-2"))
            assert until(lambda: {"ya29.secret-b", "AKIDNEXT"} <= {k for k, _ in h.cloud.shown}, 20)
            used = {k for k, _ in h.cloud.shown}
            # nothing that was read before the change is shown any more
            assert until(lambda: not {"ya29.secret-a", BASE[0]} & {k for k, _ in h.cloud.shown[-60:]}, 20)
            assert until(lambda: len({k for k, _ in h.cloud.shown} - used) >= 2, 20), "nothing lent was renewed"
        finally:
            stop.set()
            [t.join() for t in threads]
        assert not failed, failed[:5]


def pointed_at(name, **more):
    with open(os.path.join(EXAMPLE, "files", name)) as f:
        return json.dumps({**json.load(f), **more})


def test_the_example_of_every_credential_works(binary):
    cloud, proxy = Cloud(), Proxy("gateway:not-a-password")
    cloud.secrets["AKIDEXAMPLE"] = ("not-a-key", ANY, float("inf"))
    cloud.tokens |= {token: float("inf") for token in ("sk-of-nobody", "ya29.a-token-of-nobody")}
    with open(os.path.join(EXAMPLE, "sallyport.yaml")) as f:
        config = f.read().replace("{", "{{").replace("}", "}}").replace("127.0.0.1:8080", "127.0.0.1:{port}")
    files = {"files/a.json": pointed_at("account.json", token_uri=cloud.url + "/google/account"),
             "files/w.json": pointed_at("workload.json", token_url=cloud.url + "/google/sts",
                                        service_account_impersonation_url=cloud.url + "/google/impersonate")}
    for name in sorted(os.listdir(os.path.join(EXAMPLE, "files"))):
        with open(os.path.join(EXAMPLE, "files", name)) as f:
            files["files/" + name] = f.read()
    env = {**QUIET, "TRY": cloud.url, "TRY_KEY": cloud.url, "TRY_ENTRA": cloud.url + "/entra", "TRY_ACCOUNT": "files/a.json",
           "TRY_WORKLOAD": "files/w.json", "TRY_PROXY": f"127.0.0.1:{proxy.port}", "AWS_SHARED_CREDENTIALS_FILE": "DIR/files/aws.ini",
           "AWS_CONTAINER_CREDENTIALS_FULL_URI": cloud.url + "/container", "GCE_METADATA_HOST": cloud.url[7:]}
    gateway = Gateway(binary, Issuer(), policy=POLICY, config=config, files=files, env=env)
    try:
        names = re.findall(r"- {{ name: (\w+)", config)
        assert len(names) == 18, names
        for name in names:
            if name == "private":
                continue  # it has a name of AWS's own
            c = Connection(gateway.port)
            c.request("POST", "/v1/chat/completions", {"Content-Type": "application/json"},
                      json.dumps({"model": name, "messages": [{"role": "user", "content": "hi"}]}))
            a = c.answer()
            assert a.status == 200 and b"hello" in a.body, (name, a.status, a.body, cloud.shown, gateway.log_text())
        assert len(proxy.asked) == 1 and cloud.kinds().count("entra") == 3, cloud.kinds()
        assert {"container", "google machine", "google/account", "impersonate", "AssumeRole"} <= set(cloud.kinds())
    finally:
        gateway.stop()
        cloud.stop()
        proxy.stop()
