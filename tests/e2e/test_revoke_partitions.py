"""A stream that loses a topic on a Cluster: its legs, its cursor and the order of its topics stay in step; control
messages come once for each partition and are obeyed once."""
import itertools
import json
import signal

import pytest

from auth_backend import reply
from cluster_bus import ClusterBus, topic_in
from partitions import PARTITIONS, key_of
from resuming import resume
from streamer_program import Streamer
from support import wait_until

A, A2, B, C = topic_in(0), topic_in(0, 1), topic_in(7), topic_in(15)
ALL = [C, A, B, A2]  # in request order, which is not that of their partitions


@pytest.fixture
def bus(cluster):
    return ClusterBus(cluster)


@pytest.fixture
def start(streamer_program, processes, tmp, cluster, backend):
    """Whoever listens is 42, unless a cookie says another name."""
    def answer(call):
        return reply(204, headers={"X-SSE-User": call["headers"].get("cookie", "s=42").partition("=")[2]})
    backend.answer = answer

    def start(**settings):
        return Streamer(streamer_program, processes, cluster.url, tmp, auth="url", auth_url=backend.url, **settings).start()
    return start


def node(bus, partition):
    return bus.cluster.owner_of(partition, PARTITIONS)


def say(bus, partitions=range(PARTITIONS), **message):
    for partition in partitions:
        node(bus, partition).call("SPUBLISH", key_of("sse:control", partition), json.dumps(message))


def revoke(bus, topic, id, user="42"):
    say(bus, revoke={"user": user, "topic": topic, "seconds": 3600}, id=id)


def taken(stream, count):
    found = []
    while len(found) < count:
        block = stream.block()
        if block.event:
            found.append((block.event, block.data.decode()))
    return found


def test_whichever_topic_is_lost_the_others_flow_on_in_their_order(start, bus):
    streamer = start()
    for number, order in enumerate(itertools.permutations(ALL, 2)):
        with streamer.live(",".join(ALL), headers={"Cookie": f"s={number}"}) as stream:
            left = list(ALL)
            for lost in order:
                revoke(bus, lost, f"{number} {lost}", user=str(number))
                assert stream.take("sse.revoked").json == {"topics": [lost]}
                left.remove(lost)
                for topic in [lost, *left]:
                    bus.publish(topic, data=f'"{topic}"')
                assert sorted(data for _, data in taken(stream, len(left))) == sorted(left)
            say(bus, [0], disconnect={"user": str(number)})
            block = stream.take("sse.revoked")
            assert block.json == {"topics": left} and block.retry


def test_the_cursor_of_who_lost_a_topic_goes_on_with_the_others(start, bus):
    streamer = start()
    with streamer.live(",".join(ALL)) as stream:
        revoke(bus, B, "one")
        stream.take("sse.revoked")
        ids = bus.publish(A, data="1")
        cursor = stream.take("x").id
        assert f"0:{ids[0]}" in cursor
        bus.publish(C, data="2")
    with resume(streamer, f"{C},{A}", cursor) as again:
        assert again.opened().json["resumed"] is True
        assert again.take("x").data == b"2"
    assert streamer.get(f"/events?topic={C},{B}").status == 403


def test_a_message_is_obeyed_once_though_it_comes_in_each_partition(start, bus):
    streamer = start()
    with streamer.live(A) as first:
        say(bus, [0], disconnect={"user": "42"}, id="one")
        first.take("sse.revoked")
    with streamer.live(A) as stream:
        say(bus, disconnect={"user": "42"}, id="one")
        bus.publish(A, data="1")
        assert stream.take("x").data == b"1"
    assert streamer.prometheus()["sse_controls"] == 1


def test_a_new_streamer_learns_from_any_partition_what_is_in_force(start, bus):
    now = int(node(bus, 7).call("TIME")[0]) * 1000
    node(bus, 7).call("ZADD", key_of("revoked", 7), now + 3600000, json.dumps({"user": "42", "topic": A}).join(["+", ""]))
    streamer = start()
    wait_until(lambda: streamer.prometheus()["sse_revocations"] == 1)
    assert streamer.get(f"/events?topic={A}").status == 403


def test_while_a_node_is_lost_a_stream_can_lose_topics_and_be_whole_afterwards(start, bus, cluster):
    streamer = start()
    with streamer.live(",".join(ALL)) as stream:
        node(bus, 7).call("CLIENT", "KILL", "TYPE", "pubsub")
        revoke(bus, A, "one")
        revoke(bus, B, "two")
        lost = [stream.take("sse.revoked").json["topics"] for _ in range(2)]
        assert sorted(lost) == sorted([[A], [B]])
        wait_until(lambda: streamer.prometheus()["sse_redis_up"] == 1)
        for topic in ALL:
            bus.publish(topic, data=f'"{topic}"')
        seen = [data for name, data in taken(stream, 2) if name == "x"]
        assert sorted(seen) == sorted([C, A2])


def test_only_when_no_partition_was_heard_does_what_was_said_before_not_count(start, bus, cluster, backend):
    """One that is lost misses nothing: the others bring every message."""
    backend.answer = lambda call: reply(204, headers={"X-SSE-User": "42", "Cache-Control": "max-age=3600"})
    streamer = start()

    def lose(nodes, reconnects):
        streamer.signal_workers(signal.SIGSTOP)
        for one in nodes:
            one.call("CLIENT", "KILL", "TYPE", "pubsub")
        streamer.signal_workers(signal.SIGCONT)
        wait_until(lambda: streamer.metrics()["redis"]["reconnects"] == reconnects)
        wait_until(lambda: streamer.prometheus()["sse_redis_up"] == 1)

    def asked():
        with streamer.live(A, headers={"Cookie": "s=1"}):  # opened, so what is in force is known
            return len(backend.calls)
    assert asked() == 1
    masters = {node(bus, partition) for partition in (0, 7, 15)}
    assert len(masters) == 3
    lose([node(bus, 0)], 1)
    assert asked() == 1
    lose(masters, 4)
    wait_until(lambda: asked() == 2)
