"""R12 behind Sentinel and on a Cluster: every connection of both programs is TLS, and only with whom they are to trust."""
import os

import pytest

from http_raw import fetch
from partitions import partition_of
from publish_program import FastCgi
from streamer_program import Streamer
from support import wait_until
from test_acl_servers import TOKENS, assert_all_works, topics_of_different_nodes
from tls_redis import Authority, TlsCluster, TlsSentinel


@pytest.fixture
def authority(tmp):
    return Authority(tmp)


@pytest.fixture
def cluster(tmp, authority):
    started = TlsCluster(tmp, authority.issue("redis"), authority)
    yield started
    started.close()


@pytest.fixture
def sentinel(tmp, authority):
    started = TlsSentinel(tmp, authority.issue("redis"), authority)
    yield started
    started.close()


@pytest.fixture
def run_both(streamer_program, publish_program, processes, tmp):
    def run(url, ready=True, **settings):
        return (Streamer(streamer_program, processes, url, tmp, **settings).start(ready=ready),
                FastCgi(publish_program, processes, tmp, tokens=TOKENS, redis_url=url, **settings))
    return run


def assert_refused(running, publish, words):
    assert publish.event("a").status == 503
    assert words in publish.log()
    wait_until(lambda: words in running.log(), what=f"{words!r} on the log of the streamer")
    assert fetch(running.admin, "/health/ready").status == 503


def test_events_flow_on_a_cluster_over_tls(cluster, authority, run_both):
    running, publish = run_both(cluster.url, redis_tls_ca=authority.pem)
    topics = topics_of_different_nodes(cluster)
    assert_all_works(running, publish, topics)
    with running.live(topics[0]) as stream:
        node = cluster.owner_of(partition_of(topics[0]))
        node.kill()
        node.start()
        cluster.wait_ok()
        wait_until(lambda: publish.event(topics[0], data="back").status == 200, timeout=20, what="publish comes back")
        assert stream.take("message", timeout=20).data == b"back"


def test_a_cluster_of_another_authority_is_refused(cluster, run_both, tmp):
    assert_refused(*run_both(cluster.url, ready=False, redis_tls_ca=Authority(tmp, "other").pem), "signed by no authority")


def test_the_certificate_must_be_for_the_host_that_nodes_say(authority, run_both, tmp):
    """The URL names localhost, which the certificate is for; CLUSTER SLOTS says 127.0.0.1."""
    cluster = TlsCluster(tmp, authority.issue("redis", "DNS:localhost"), authority)
    try:
        url = cluster.url.replace("127.0.0.1", "localhost")
        assert_refused(*run_both(url, ready=False, redis_tls_ca=authority.pem), "not for the address 127.0.0.1")
    finally:
        cluster.close()


def test_events_flow_behind_sentinel_over_tls_through_a_failover(sentinel, authority, run_both):
    running, publish = run_both(sentinel.url, redis_tls_ca=authority.pem)
    assert_all_works(running, publish, ["a", "b"])
    with running.live("a") as stream:
        former = sentinel.kill_master()
        sentinel.wait_failover(former)
        wait_until(lambda: publish.event("a", data="after").status == 200, timeout=20, what="publish finds the new master")
        stream.events_until("sse.reset")  # the streamer has found it, too; what came before may be told by this
        assert publish.event("a", data="later").status == 200
        assert stream.take("message").data == b"later"


def test_sentinels_of_another_authority_are_refused(sentinel, run_both, tmp):
    assert_refused(*run_both(sentinel.url, ready=False, redis_tls_ca=Authority(tmp, "other").pem), "signed by no authority")


def test_the_plain_port_of_a_sentinel_is_refused(sentinel, authority, run_both):
    url = sentinel.url
    for one in sentinel.sentinels:
        url = url.replace(str(one.tls_port), str(one.port))
    assert_refused(*run_both(url, ready=False, redis_tls_ca=authority.pem), "is this Redis's plain port?")


def test_a_master_with_tls_under_a_plain_sentinel_is_refused(sentinel, run_both):
    url = sentinel.url.replace("rediss+", "redis+")
    for one in sentinel.sentinels:
        url = url.replace(str(one.tls_port), str(one.port))
    assert_refused(*run_both(url, ready=False), "a port with TLS wants rediss://")
