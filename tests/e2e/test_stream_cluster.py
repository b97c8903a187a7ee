"""The streamer on a Redis Cluster: topics in partitions, positions of several partitions, nodes that die and slots that
move."""
import os

import pytest

from cluster_bus import ClusterBus, position_of, topic_in
from http_raw import fetch
from partitions import slot_of
from private_cluster import PrivateCluster
from private_redis import RedisNode
from redis_script import number
from resuming import resume
from streamer_program import Streamer
from support import free_port, wait_until

A, A2, B, C = topic_in(0), topic_in(0, 1), topic_in(7), topic_in(15)  # one node each, with three nodes


@pytest.fixture
def start_at(streamer_program, processes, tmp):
    def start(cluster, **settings):
        return Streamer(streamer_program, processes, cluster.url, tmp, **settings).start()
    return start


@pytest.fixture
def start(start_at, cluster):
    return lambda **settings: start_at(cluster, **settings)


@pytest.fixture
def streamer(start):
    return start()


@pytest.fixture
def bus(cluster):
    return ClusterBus(cluster)


def events(stream, count):
    """The next so many events of topics: [(data, id)]."""
    found = []
    while len(found) < count:
        block = stream.block()
        if block.event and not block.event.startswith("sse."):
            found.append((block.data.decode(), block.id))
    return found


def rises(before, after):
    """Every position of before is at or below that of after."""
    return all(number(before[p]) <= number(after[p]) for p in before)


# ---- opening ----

def test_a_listener_of_one_partition_has_one_position(streamer, bus):
    with streamer.live(A) as stream:
        ids = bus.publish(A, data="1")
        assert events(stream, 1) == [("1", f"0:{ids[0]}")]


def test_each_event_carries_the_positions_of_all_partitions_of_its_listener(streamer, bus):
    with streamer.open(f"{C},{A},{B},{A2}") as stream:
        opened = stream.opened()
        assert opened.json == {"topics": [C, A, B, A2], "resumed": False, "replayed": 0, "reset": []}
        before = position_of(opened.id)
        assert list(before) == [0, 7, 15]
        for topic, partition in ((B, 7), (A, 0), (C, 15), (A2, 0)):
            ids = bus.publish(topic, data=f'"{topic}"')
            [(data, id)] = events(stream, 1)
            after = position_of(id)
            assert data == topic and after[partition] == ids[partition] and rises(before, after)
            before = after


def test_an_event_of_several_topics_comes_once_by_the_first_of_them_that_is_heard(streamer, bus):
    with streamer.live(f"{A},{B},{C}") as all_, streamer.live(f"{C},{B}") as two, streamer.live(C) as one:
        ids = bus.publish(A, B, C, data="1")
        last = {p: bus.publish(t, data="2")[p] for p, t in ((0, A), (7, B), (15, C))}
        seen = {data: position_of(id) for data, id in events(all_, 1)}
        assert seen["1"][0] == ids[0]
        assert [data for data, _ in events(all_, 3)] == ["2", "2", "2"]
        (first, id), *rest = events(two, 3)
        assert first == "1" and position_of(id)[7] == ids[7] and [data for data, _ in rest] == ["2", "2"]
        assert events(one, 2) == [("1", f"15:{ids[15]}"), ("2", f"15:{last[15]}")]


def test_copies_within_a_partition_do_not_hide_the_one_that_counts(start, bus):
    """A2's copy has a rival before it, A's has none; both have one id, and a replay may meet A2's first."""
    with start().open(f"{A2},{A},{B}") as stream:
        cursor = stream.opened().id
    bus.publish(A, B, A2, data="1")
    with resume(start(), f"{A2},{A},{B}", cursor) as stream:
        assert stream.opened().json["replayed"] == 1
        assert events(stream, 1)[0][0] == "1"


def test_topics_of_all_partitions_on_one_stream(streamer, bus):
    topics = [topic_in(p) for p in range(16)]
    with streamer.live(",".join(topics)) as stream:
        for topic in topics:
            bus.publish(topic, data=f'"{topic}"')
        assert sorted(data for data, _ in events(stream, 16)) == sorted(topics)


def test_prefix_and_another_number_of_partitions(start, cluster):
    streamer, bus = start(topic_prefix="shop", partitions=3), ClusterBus(cluster, "shop", 3)
    with streamer.live("a,b,c,d,e") as stream:
        for topic in "abcde":
            bus.publish(topic, data=f'"{topic}"')
        assert sorted(data for data, _ in events(stream, 5)) == list("abcde")


def test_a_plain_cursor_counts_as_none(streamer):
    with resume(streamer, A, "1764000000000-0") as stream:
        assert stream.opened().json["reset"] == []


# ---- resuming ----

def test_what_was_missed_in_each_partition_comes_once_and_in_its_order(start, bus):
    with start().open(f"{A},{B},{C}") as stream:
        cursor = stream.opened().id
    missed = [bus.publish(*topics, data=str(n)) for n, topics in enumerate(((A,), (B,), (A2,), (A,), (B, A), (C, B), (B,)))]
    with resume(start(), f"{A},{B},{C}", cursor) as stream:
        opened = stream.opened()
        assert opened.json == {"topics": [A, B, C], "resumed": True, "replayed": 6, "reset": []} and opened.id == cursor
        got = events(stream, 6)
        assert sorted(data for data, _ in got) == ["0", "1", "3", "4", "5", "6"]
        assert [data for data, _ in got if data in "03"] == ["0", "3"]
        assert [data for data, _ in got if data in "146"] == ["1", "4", "6"]
        live = bus.publish(A, data='"live"')
        [(data, id)] = events(stream, 1)
        assert data == "live" and position_of(id)[0] == live[0]
        assert position_of(id)[7] >= missed[6][7]


def test_a_cursor_holds_at_another_streamer(start, bus):
    with start().open(f"{A},{B}") as stream:
        cursor = stream.opened().id
    bus.publish(B, data="1")
    with resume(start(), f"{A},{B}", cursor) as stream:
        assert stream.opened().json["replayed"] == 1
        assert events(stream, 1)[0][0] == "1"


def test_only_what_a_log_lacks_is_reset(start, bus):
    with start().open(f"{A},{B}") as stream:
        cursor = stream.opened().id
    for n in range(5):
        bus.publish(A, data=str(n), history_size=3)
    bus.publish(B, data='"b"')
    with resume(start(), f"{A},{B}", cursor) as stream:
        opened = stream.opened()
        assert opened.json == {"topics": [A, B], "resumed": True, "replayed": 1, "reset": [A]}
        assert stream.take("sse.reset").json == {"topics": [A], "reason": "trimmed"}
        assert events(stream, 1)[0][0] == "b"


def test_a_topic_whose_partition_the_cursor_lacks_is_reset(streamer, bus):
    with streamer.open(A) as stream:
        cursor = stream.opened().id
    bus.publish(A, data="1")
    with resume(streamer, f"{B},{A}", cursor) as stream:
        opened = stream.opened()
        assert opened.json == {"topics": [B, A], "resumed": True, "replayed": 1, "reset": [B]}
        assert stream.take("sse.reset").json == {"topics": [B], "reason": "unknown"}
        assert events(stream, 1)[0][0] == "1"
        bus.publish(B, data="2")
        assert events(stream, 1)[0][0] == "2"


def test_a_long_replay_of_several_partitions_is_paced_and_whole(start, bus):
    with start().open(f"{A},{B}") as stream:
        cursor = stream.opened().id
    pad = "x" * 20000
    for n in range(60):
        bus.publish((A, B)[n % 2], data=f'"{n} {pad}"', history_size=1000)
    with resume(start(max_queue_size=10), f"{A},{B}", cursor, timeout=20) as stream:
        assert stream.opened().json["replayed"] == 60
        numbers = [int(data.split()[0]) for data, _ in events(stream, 60)]
        assert [n for n in numbers if n % 2 == 0] == list(range(0, 60, 2))
        assert [n for n in numbers if n % 2 == 1] == list(range(1, 60, 2))


def test_the_cursor_of_a_page_and_one_answer_instead_of_a_stream(streamer, bus):
    cursor = streamer.get(f"/events/cursor?topic={A},{B}").json["cursor"]
    assert list(position_of(cursor)) == [0, 7]
    head = streamer.get(f"/events?topic={B},{A}", method="HEAD")
    assert list(position_of(head.headers["x-sse-cursor"])) == [0, 7]
    ids = {**bus.publish(A, data="1"), **bus.publish(B, data="2")}
    answer = streamer.get(f"/events?topic={A},{B}&last_event_id={cursor}", headers={"Accept": "application/json"}).json
    assert sorted((event["data"], event["id"]) for event in answer["events"]) == [("1", f"0:{ids[0]}"), ("2", f"7:{ids[7]}")]
    assert rises({0: ids[0], 7: ids[7]}, position_of(answer["cursor"])) and not answer["more"]
    again = streamer.get(f"/events?topic={A},{B}&last_event_id={answer['cursor']}", headers={"Accept": "application/json"}).json
    assert again["events"] == [] and again["resumed"]


# ---- what befalls the nodes ----

def move_until_sunsubscribe_tells(streamer, cluster, source, target):
    """The answer to a question that is out, or the map, may tell it first; that is as good, but not what is to be seen."""
    for _ in range(5):
        cluster.move_slot(slot_of(0), target)
        try:
            wait_until(lambda: f"the slot of partition 0 has left {source.name}" in streamer.log(), timeout=3)
            return
        except AssertionError:
            cluster.move_slot(slot_of(0), source)
    raise AssertionError("sunsubscribe was never heeded")


def test_a_slot_that_moves_live_takes_its_listeners_along_and_resets_nobody(streamer, bus, cluster):
    source, target = cluster.owner_of(0), cluster.owner_of(7)
    with streamer.live(f"{A},{B}") as stream, streamer.live(A) as one:
        bus.publish(A, data="0")
        move_until_sunsubscribe_tells(streamer, cluster, source, target)
        assert cluster.owner_of(0) is target is not source
        for n in range(1, 6):
            bus.publish(A, data=str(n))
        for listener in (stream, one):
            seen, resets = [], 0
            while len(seen) < 6:
                block = listener.block()
                resets += block.event == "sse.reset"
                if block.event == "x":
                    seen.append(block.data.decode())
            assert seen == [str(n) for n in range(6)] and resets == 0
        cluster.move_slot(slot_of(0), source)
        bus.publish(A, data='"back"')
        assert events(stream, 1)[0][0] == "back"


def test_a_node_that_is_away_keeps_the_others_listeners_live(streamer, bus, cluster):
    node = cluster.owner_of(7)
    with streamer.live(f"{A},{B}") as both, streamer.live(B) as one:
        node.pause()
        try:
            wait_until(lambda: fetch(streamer.admin, "/health/ready").status == 503, what="the streamer noticed")
        finally:
            node.resume()
        cluster.wait_ok()
        streamer.wait_ready()
        bus.publish(B, data="1")
        bus.publish(A, data="2")
        assert sorted(data for data, _ in events(both, 2)) == ["1", "2"]
        assert events(one, 1)[0][0] == "1"


def test_a_node_that_restarts_with_its_data_resets_nobody(start_at, tmp):
    cluster = PrivateCluster(tmp, "--appendonly", "yes", "--appendfsync", "always")
    try:
        streamer, bus = start_at(cluster), ClusterBus(cluster)
        with streamer.live(f"{A},{B}") as stream:
            bus.publish(B, data="0")
            assert events(stream, 1)[0][0] == "0"
            node = cluster.owner_of(7)
            node.kill()
            node.start()
            cluster.wait_ok()
            bus.publish(B, data="1")
            block = stream.block()
            while block.event != "x":
                assert block.event is None, block
                block = stream.block()
            assert block.data == b"1"
    finally:
        cluster.close()


def test_a_failover_is_told_and_the_replica_goes_on(start_at, replicated_cluster):
    cluster = replicated_cluster
    streamer, bus = start_at(cluster), ClusterBus(cluster)
    with streamer.live(f"{A},{B}") as stream:
        bus.publish(B, data="0")
        assert events(stream, 1)[0][0] == "0"
        former = cluster.owner_of(7)
        former.kill()
        cluster.wait_failover(former)
        assert stream.take("sse.reset", timeout=20).json == {"topics": [B], "reason": "redis_lost"}
        bus.publish(B, data="1")
        bus.publish(A, data="2")
        assert sorted(data for data, _ in events(stream, 2)) == ["1", "2"]


def test_a_cluster_without_slots_and_a_node_that_is_taken_for_one_redis_are_told(streamer_program, processes, cluster, tmp):
    one = Streamer(streamer_program, processes, f"redis://{cluster.nodes[0].name}", tmp).start(ready=False)
    wait_until(lambda: "it is a node of a Cluster" in one.log(), what="one host alone")
    os.mkdir(os.path.join(tmp, "empty"))
    empty = RedisNode(os.path.join(tmp, "empty"), "--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    try:
        url = f"redis://{empty.name},{empty.name}"
        streamer = Streamer(streamer_program, processes, url, tmp).start(ready=False)
        told = "no node of the Cluster has the slots of 16 of 16 partitions"
        wait_until(lambda: told in streamer.log(), what="no slots")
        empty.call("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        streamer.wait_ready()
        assert streamer.log().count(told) == 1 and "the slots of all partitions are served" in streamer.log()
    finally:
        empty.kill()
