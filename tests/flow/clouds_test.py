# SPDX-License-Identifier: Apache-2.0
"""What clouds lend to backends: found by each cloud's own rules, renewed ahead of time, mended when it goes wrong."""
import json
import os
import sys
import threading
import time

from house.gateway import until
from house.household import Household
from house.http import Connection

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "fakes"))
from cloud import BASE, ROLE, Cloud  # noqa: E402

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
        urls = {name: self.cloud.url for name in backends} | (urls or {})
        lines = "".join(f"    {name}: {{ url: \"{urls[name]}\", {what.replace('CLOUD', self.cloud.url)} }}\n"
                        for name, what in backends.items())
        routes = "".join(f"    - {{ name: {n}, models: [{n}], to: [{{ backend: {n} }}] }}\n" for n in backends)
        env = {k: v.replace("CLOUD", self.cloud.url) for k, v in {**QUIET, **(env or {})}.items()}
        files = {k: v.replace("CLOUD", self.cloud.url) for k, v in (files or {}).items()}
        super().__init__(binary, [self.cloud], f"llm:\n  backends:\n{lines}  routes:\n{routes}", POLICY, env=env,
                         files=files, **more)
        self.token = self.issuer.token("alice")

    def __exit__(self, failure, *rest):
        text = self.gateway.log_text()
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


def test_the_chain_ends_at_the_container_or_the_machine(binary):
    for env, kind in (({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "CLOUD/container", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "agent-token"},
                       "container"),
                      ({"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "CLOUD"}, "machine")):
        with House(binary, {"m": aws("{}")}, env) as h:
            assert h.works("m").startswith("ASIA") and kind in h.cloud.kinds(), h.cloud.asked
