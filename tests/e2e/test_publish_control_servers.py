"""POST …/publish/control behind Sentinel and on a Cluster: whoever is the master has it, and each partition."""
import json

import pytest

from controlling import CHANNEL, USER, Subscriber, by, revoke, revoked, without_id  # noqa: F401
from partitions import PARTITIONS, key_of, slot_of
from publish_program import Cgi, FastCgi
from resp import Redis
from support import wait_until
from test_publish_answers import refused


# ---- Sentinel ----

def test_behind_sentinel_the_master_has_it_and_after_a_failover_the_next(by, sentinel):
    publish = by(sentinel.url)
    with Redis(sentinel.master.address) as connection:
        subscriber = Subscriber(connection)
        assert revoke(publish, USER, 3600).json == {"heard_by": 1}
        assert subscriber.message()["revoke"] == {**USER, "seconds": 3600}
    before = revoked(sentinel)
    wait_until(lambda: all(revoked(replica) == before for replica in sentinel.replicas))
    former = sentinel.kill_master()
    answer = revoke(publish, {"user": "43"}, 3600)
    assert answer.status == 503 and answer.seconds < 1.5
    sentinel.wait_failover(former)
    assert revoke(publish, {"user": "43"}, 3600).status == 200
    assert set(revoked(sentinel)) == {'+{"user":"42"}', '+{"user":"43"}'}


def test_replicas_are_waited_for_where_a_revocation_is_to_be_safe(by, sentinel):
    publish = by(sentinel.url, publish_wait_replicas=1, redis_timeout_ms=500)
    # (A replica that has just had the copy of all gets nothing before it has said so.)
    wait_until(lambda: revoke(publish, USER, 3600).status == 200, what="the replica follows")
    assert all(list(revoked(replica)) == ['+{"user":"42"}'] for replica in sentinel.replicas)
    assert revoke(publish, USER, 0).status == 200
    assert all(list(revoked(replica)) == ['-{"user":"42"}'] for replica in sentinel.replicas)
    for replica in sentinel.replicas:
        replica.pause()
    sentinel.master.cut_replicas()
    answer = revoke(publish, USER, 3600)
    refused(answer, 503, says="in force, and not safe yet: fewer replicas")
    assert list(revoked(sentinel)) == ['+{"user":"42"}']
    assert publish.control({"disconnect": USER}).status == 200  # of which nothing is kept


# ---- Cluster ----

def subscribed(cluster, partition):
    node = cluster.owner_of(partition)
    return Subscriber(Redis(node.address), key_of(CHANNEL, partition), "SSUBSCRIBE")


def revoked_at(cluster, partition):
    return revoked(cluster.owner_of(partition), key_of("revoked", partition))


@pytest.mark.parametrize("way", [Cgi, FastCgi], ids=lambda way: way.name)
def test_on_a_cluster_every_partition_has_it(by, cluster, way):
    publish = by(cluster.url, way)
    subscribers = [subscribed(cluster, partition) for partition in range(PARTITIONS)]
    more = subscribed(cluster, 5)
    assert revoke(publish, USER, 3600).json == {"heard_by": 2}
    messages = [subscriber.message() for subscriber in subscribers]
    assert messages[5] == more.message()
    assert len({message["id"] for message in messages}) == 1
    assert all(without_id(message) == {"revoke": {**USER, "seconds": 3600}} for message in messages)
    assert all(list(revoked_at(cluster, partition)) == ['+{"user":"42"}'] for partition in range(PARTITIONS))
    assert publish.control({"disconnect": {"topic": "a"}}).json == {"heard_by": 2}
    assert all(without_id(one.message()) == {"disconnect": {"topic": "a"}} for one in subscribers)


def test_a_partition_that_can_not_take_it_is_told_and_sent_again_all_have_it(by, cluster):
    publish = by(cluster.url, redis_timeout_ms=600)
    assert publish.control({"disconnect": USER}).status == 200
    node = cluster.owner_of(PARTITIONS - 1)
    for other in cluster.nodes:  # it does not become a Cluster that is down
        other.call("CONFIG", "SET", "cluster-node-timeout", "60000")
    node.pause()
    answer = revoke(publish, USER, 3600)
    refused(answer, 503, says="it may be partly in force")
    assert "send it again" in answer.detail and answer.seconds < 1.5
    assert list(revoked_at(cluster, 0)) == ['+{"user":"42"}']
    node.resume()
    assert revoke(publish, USER, 3600).status == 200
    assert all(list(revoked_at(cluster, partition)) == ['+{"user":"42"}'] for partition in range(PARTITIONS))


def test_a_slot_that_moves_takes_its_revocations_along_and_is_followed(by, cluster):
    publish = by(cluster.url)
    assert revoke(publish, USER, 3600).status == 200
    source = cluster.owner_of(0)
    target = next(node for node in cluster.nodes if node is not source)
    cluster.move_slot(slot_of(0), target)
    assert list(revoked(target, key_of("revoked", 0))) == ['+{"user":"42"}']
    assert revoke(publish, {"user": "43"}, 3600).status == 200
    assert set(revoked(target, key_of("revoked", 0))) == {'+{"user":"42"}', '+{"user":"43"}'}


def test_a_slot_on_its_way_is_asked_for_where_it_is(by, cluster):
    publish = by(cluster.url)
    source, slot = cluster.owner_of(0), slot_of(0)
    target = next(node for node in cluster.nodes if node is not source)
    target.call("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id)
    source.call("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id)
    assert revoke(publish, USER, 3600).status == 200
    with Redis(target.address) as connection:
        connection.call("ASKING")
        assert connection.call("ZCARD", key_of("revoked", 0)) == 1


def test_a_node_that_fails_is_replaced_and_knows_the_revocations(by, replicated_cluster):
    cluster = replicated_cluster
    publish = by(cluster.url)
    assert revoke(publish, USER, 3600).status == 200
    former = cluster.owner_of(0)
    wait_until(lambda: cluster.replica_of(former).call("DBSIZE") == former.call("DBSIZE"))
    former.kill()
    cluster.wait_failover(former)
    assert list(revoked_at(cluster, 0)) == ['+{"user":"42"}']
    assert wait_until(lambda: revoke(publish, USER, 0).status == 200)
    assert all(list(revoked_at(cluster, partition)) == ['-{"user":"42"}'] for partition in range(PARTITIONS))
