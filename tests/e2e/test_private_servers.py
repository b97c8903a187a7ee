"""The Sentinel and the Cluster that other tests rely on do what these take for granted."""
import pytest

from partitions import key_of, partition_of, slot_of, tag_of
from private_sentinel import NAME, LyingSentinel
from resp import Redis, RedisError
from support import wait_until


def write_everywhere(sentinel):
    """WAIT waits for what its own connection wrote."""
    with sentinel.master.connect() as redis:
        redis.call("SET", "a", "1")
        assert redis.call("WAIT", 1, 5000) == 1


def test_a_killed_master_is_replaced_and_comes_back_as_a_replica(sentinel):
    write_everywhere(sentinel)
    former = sentinel.kill_master()
    sentinel.wait_failover(former)
    assert sentinel.master is not former and sentinel.call("GET", "a") == b"1"
    sentinel.restart(former)
    sentinel.wait_ready()
    assert sentinel.replicas == [former]


def test_a_replica_that_was_cut_off_is_promoted_without_the_last_writes(sentinel):
    [replica] = sentinel.replicas
    write_everywhere(sentinel)
    replica.pause()
    sentinel.master.cut_replicas()
    sentinel.call("SET", "a", "2")
    former = sentinel.kill_master()
    replica.resume()
    sentinel.wait_failover(former)
    assert sentinel.call("GET", "a") == b"1"


def test_a_master_that_was_frozen_until_it_was_replaced_wakes_up_as_one_and_becomes_a_replica(sentinel):
    former = sentinel.master
    former.pause()
    sentinel.wait_failover(former)
    former.resume()
    sentinel.wait_ready()
    assert sentinel.replicas == [former]


def test_a_failover_by_hand_keeps_what_the_replica_had(sentinel):
    with sentinel.master.connect() as redis:
        redis.call("SET", "a", "1")
        assert redis.call("WAIT", 1, 5000) == 1
    former = sentinel.promote()
    assert sentinel.master is not former and sentinel.call("GET", "a") == b"1"
    sentinel.wait_ready()


def test_a_sentinel_lies_as_it_is_told_to():
    with LyingSentinel(lambda: ("127.0.0.1", 4711)) as liar, Redis(liar.server.server_address) as connection:
        assert connection.call("SENTINEL", "get-master-addr-by-name", NAME) == [b"127.0.0.1", b"4711"]
        assert liar.asked == 1
        with pytest.raises(RedisError):
            connection.call("ROLE")


def test_partitions_are_where_our_programs_look_for_them(cluster):
    """tests/unit/test_partition.c has the same figures."""
    assert partition_of("123456789") == 0x31c3 % 16 and tag_of(3) == "3.0"
    for partition in range(16):
        owner = cluster.owner_of(partition)
        assert owner.call("CLUSTER", "KEYSLOT", key_of("log:a", partition)) == slot_of(partition)
        assert cluster.nodes.index(owner) == slot_of(partition) * 3 // 16384
        owner.call("SET", key_of("log:a", partition), "x")


def test_a_slot_moves_with_its_keys(cluster):
    source = cluster.owner_of(3)
    target = next(node for node in cluster.masters if node is not source)
    for i in range(250):
        cluster.call(3, "SET", key_of(f"log:{i}", 3), i)
    cluster.move_slot(slot_of(3), target)
    cluster.wait_ok()
    assert cluster.owner_of(3) is target and cluster.call(3, "GET", key_of("log:249", 3)) == b"249"
    with pytest.raises(RedisError, match=f"MOVED {slot_of(3)} {target.name}"):
        source.call("GET", key_of("log:0", 3))


def test_a_cluster_without_one_of_its_masters_is_down_until_it_is_back(cluster):
    lost, other = cluster.owner_of(0), cluster.owner_of(15)
    lost.kill()
    wait_until(lambda: other.info().get("cluster_state") == "fail", 30, "cluster_state:fail")
    lost.start()
    cluster.wait_ok()


def test_a_killed_node_is_replaced_and_becomes_a_replica(replicated_cluster):
    cluster = replicated_cluster
    former = cluster.owner_of(3)
    replica = cluster.replica_of(former)
    former.kill()
    cluster.wait_failover(former)
    assert cluster.owner_of(3) is replica
    former.start()
    cluster.wait_ok()
    assert cluster.replica_of(replica) is former
    assert cluster.promote(former) is replica
    cluster.wait_ok()
    assert cluster.owner_of(3) is former
