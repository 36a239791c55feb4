# SPDX-License-Identifier: Apache-2.0
"""Gateways that share a store: a session of one is a session of the other, until one of them ends it."""
from house.gateway import until
from house.http import once
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
