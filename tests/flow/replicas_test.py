# SPDX-License-Identifier: Apache-2.0
"""Gateways that share a store: a session of one is a session of the other, until one of them ends it."""
import contextlib
import os
import subprocess
import tempfile
import urllib.request

from house.gateway import until
from house.http import once
from house.ports import free_port
from house.redis import Redis
from house.replicas import Replicas, same_client_at
from house.stream import Stream


def delete(client):
    return once(client.port, "DELETE", "/mcp", client.headers()).status


def listening(client):
    stream = Stream(client.port, "GET", {k: v for k, v in client.headers().items() if k != "Content-Type"})
    assert stream.status == 200, stream.status
    return stream


def a_session_of_one_works_at_the_other_until_it_is_deleted(r):
    here, bystander = r.session(), r.session()
    there = same_client_at(here, r.gateways[1])
    assert "result" in there.request("tools/list").message()
    stream = listening(there)
    assert delete(here) == 204
    assert here.request("tools/list").status == 404
    assert until(lambda: there.request("tools/list").status == 404), "the other replica was not told"
    stream.rest()
    assert stream.ended, "its stream stays open at the other replica"
    assert "result" in same_client_at(bystander, r.gateways[1]).request("tools/list").message()


def test_a_shared_file_ends_sessions_everywhere(binary):
    with Replicas(binary, "sqlite:{dir}/shared.db") as r:
        a_session_of_one_works_at_the_other_until_it_is_deleted(r)


def config_of(gateway):
    ask = urllib.request.Request(f"http://127.0.0.1:{gateway.admin}/config",
                                 headers={"Authorization": "Bearer admin-token-of-the-tests"})
    return urllib.request.urlopen(ask, timeout=10).read().decode()


def test_a_shared_redis_ends_sessions_everywhere_and_may_be_away(binary):
    with Redis() as redis, Replicas(binary, redis.url.replace("//", "//default:any-word@")) as r:
        a_session_of_one_works_at_the_other_until_it_is_deleted(r)
        assert "any-word" not in config_of(r.gateways[0]) + r.gateways[0].log_text()
        here = r.session()
        there = same_client_at(here, r.gateways[1])
        redis.kill()
        assert "result" in there.request("tools/list").message(), "a list needs no store"
        assert delete(here) == 204
        assert here.request("tools/list").status == 404
        assert there.request("tools/list").status == 200, "how should it know?"
        assert until(lambda: "the store is away" in r.gateways[1].log_text())
        redis.start()
        assert until(lambda: there.request("tools/list").status == 404, 20), "the other replica was not told after all"
        assert "the store is back" in r.gateways[1].log_text()


@contextlib.contextmanager
def trusting(ca):
    os.environ["SSL_CERT_FILE"] = ca
    try:
        yield
    finally:
        del os.environ["SSL_CERT_FILE"]


def starts(binary, store, extra=""):
    with Replicas(binary, store, extra, count=1):
        return True


def refusal(binary, store):
    """What a gateway says that does not start for its store."""
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "sallyport.yaml")
        with open(path, "w") as f:
            f.write(f'version: 1\nlisten: ["127.0.0.1:{free_port()}"]\nstore: "{store}"\n')
        done = subprocess.run([binary, "serve", "-c", path], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0, done
    return done.stderr


def test_a_redis_behind_tls_must_be_who_it_says(binary):
    with Redis(tls=True) as redis:
        with trusting(redis.ca):
            assert starts(binary, redis.url)
            assert "mismatch" in refusal(binary, redis.url.replace("localhost", "127.0.0.1"))
        assert "certificate" in refusal(binary, redis.url)
        redis.kill()
        assert "redis: connecting" in refusal(binary, redis.url)
        assert starts(binary, redis.url, "on_store_loss: local\n")
