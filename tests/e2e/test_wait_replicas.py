"""publish_wait_replicas: 200 says that so many replicas have the event; what they don't have in time is told as published and
not safe, and repeated with its key it is waited for anew."""
import os

import pytest

from partitions import PARTITIONS, partition_of
from private_redis import RedisNode
from publish_program import Cgi, FastCgi
from support import wait_until


class Replicated:
    """A master and two replicas that nobody watches."""

    def __init__(self, folder):
        self.nodes = []
        for i in range(3):
            os.mkdir(os.path.join(folder, f"w{i}"))
            self.nodes.append(RedisNode(os.path.join(folder, f"w{i}")))
        self.master, *self.replicas = self.nodes
        for replica in self.replicas:
            replica.call("REPLICAOF", *self.master.address)
        self.wait_ready()

    @property
    def url(self):
        return f"redis://{self.master.name}/0"

    def wait_ready(self):
        """Until both replicas get what is written. (The first write may have come with the copy of all, behind which a
        replica gets nothing until it has said that it loaded that.)"""
        with self.master.connect() as redis:
            for _ in range(2):
                wait_until(lambda: redis.call("SET", "any", "thing") and redis.call("WAIT", 2, 100) == 2, 30)

    def close(self):
        for node in self.nodes:
            node.kill()


@pytest.fixture
def replicated(tmp):
    replicated = Replicated(tmp)
    yield replicated
    replicated.close()


@pytest.fixture
def by(publish_program, processes, tmp):
    """by(servers, N, settings): publish that waits for N replicas."""
    started = []  # each is named by its place in memory

    def start(servers, replicas, way=FastCgi, **settings):
        settings = {"redis_timeout_ms": 400, **settings}
        started.append(way(publish_program, processes, tmp, redis_url=servers.url, publish_wait_replicas=replicas, **settings))
        return started[-1]
    return start


def log(node, key="sse:log:comments"):
    return [entry[0].decode() for entry in node.call("XRANGE", key, "-", "+")]


UNSAFE = "published, and not safe yet: fewer replicas than publish_wait_replicas had it in time"


@pytest.mark.parametrize("way", [FastCgi, Cgi], ids=lambda way: way.name)
def test_when_it_is_answered_the_replicas_have_it(by, replicated, way):
    publish = by(replicated, 2, way)
    for _ in range(20):
        answer = publish.event()
        assert answer.status == 200, answer
        assert all(log(replica)[-1] == answer.json["id"] for replica in replicated.replicas)


def test_a_replica_that_lags_makes_it_unsafe_until_it_has_caught_up(by, replicated):
    publish = by(replicated, 2)
    lazy = replicated.replicas[0]
    lazy.pause()
    answer = publish.ask({"topic": "comments"}, HTTP_IDEMPOTENCY_KEY="k")
    assert answer.status == 503 and 0.15 < answer.seconds < 1
    assert answer.detail.startswith(UNSAFE) and "Idempotency-Key" in answer.detail and answer.headers["retry-after"] == "1"
    assert publish.ask({"topic": "comments"}, HTTP_IDEMPOTENCY_KEY="k").status == 503
    assert len(log(replicated.master)) == 1
    assert by(replicated, 1).event().status == 200
    lazy.resume()
    again = wait_until(lambda: (a := publish.ask({"topic": "comments"}, HTTP_IDEMPOTENCY_KEY="k")).status == 200 and a)
    assert log(replicated.master)[0] == again.json["id"] == log(lazy)[0]
    assert len(log(replicated.master)) == 2


def test_a_repeated_request_waits_though_another_process_published_it(by, replicated):
    first = by(replicated, 0)
    replicated.replicas[0].pause()
    answer = first.ask({"topic": "comments"}, HTTP_IDEMPOTENCY_KEY="k")
    assert answer.status == 200
    assert by(replicated, 2).ask({"topic": "comments"}, HTTP_IDEMPOTENCY_KEY="k").detail.startswith(UNSAFE)


def test_without_replicas_it_is_never_safe_and_said_once(by, redis):
    publish = by(redis, 1)
    for _ in range(3):
        assert publish.event().detail.startswith(UNSAFE)
    assert len(log(redis)) == 3
    assert publish.log().count("can't publish") == 1
    assert "asks for more than there are" in publish.log()


def test_trouble_that_is_over_is_said_to_be(by, replicated):
    publish = by(replicated, 1)
    for replica in replicated.replicas:
        replica.pause()
    assert publish.event().status == 503
    for replica in replicated.replicas:
        replica.resume()
    wait_until(lambda: publish.event().status == 200)
    assert publish.log().count("Redis takes events again") == 1


def test_without_the_setting_nobody_is_waited_for(by, replicated):
    publish = by(replicated, 0)
    for replica in replicated.replicas:
        replica.pause()
    answer = publish.event()
    assert answer.status == 200 and answer.seconds < 0.3


def test_a_master_lost_while_replicas_are_waited_for_does_not_make_it_two(by, sentinel):
    """Nobody confirms the first try; the whole is done again at the next master, which knows it or not."""
    publish = by(sentinel, 1, redis_timeout_ms=1000)
    assert publish.event().status == 200
    former = sentinel.kill_master()
    sentinel.wait_failover(former)
    answer = publish.ask({"topic": "comments"}, HTTP_IDEMPOTENCY_KEY="k")
    assert answer.detail.startswith(UNSAFE)  # the new master has no replica
    sentinel.restart(former)
    sentinel.wait_ready()
    again = wait_until(lambda: (a := publish.ask({"topic": "comments"}, HTTP_IDEMPOTENCY_KEY="k")).status == 200 and a)
    assert log(sentinel.master).count(again.json["id"]) == 1 and len(log(sentinel.master)) == 2
    assert log(former) == log(sentinel.master)


def test_acknowledged_events_survive_a_failover(by, sentinel):
    publish = by(sentinel, 1, redis_timeout_ms=1000)
    acknowledged = [publish.event().json["id"] for _ in range(50)]
    sentinel.wait_failover(sentinel.kill_master())
    assert log(sentinel.master) == acknowledged


def test_on_a_cluster_each_partition_is_waited_for(by, replicated_cluster):
    cluster = replicated_cluster
    publish = by(cluster, 1, redis_timeout_ms=1000)
    topics = [next(f"t{i}" for i in range(1000) if partition_of(f"t{i}") == partition) for partition in range(PARTITIONS)]
    assert publish.ask({"topics": topics}).status == 200
    owner = cluster.owner_of(5)
    cluster.replica_of(owner).pause()
    assert publish.event(topics[0] if cluster.owner_of(0) is not owner else topics[15]).status == 200
    answer = publish.ask({"topics": [topics[5]]})
    assert answer.status == 503 and answer.detail.startswith(UNSAFE)
    others = [topic for partition, topic in enumerate(topics) if partition > 5 and cluster.owner_of(partition) is not owner]
    answer = publish.ask({"topics": [topics[5], others[0]]})  # the first one is not safe: the second was not asked
    assert answer.status == 503 and answer.detail.startswith("published in some of its partitions")
