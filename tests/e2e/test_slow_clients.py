"""slow_client = conflate and drop: what happens to whoever does not read, and that nobody else notices. (resume: test_limits.py)"""
import pytest

from redis_script import append, event
from slow_client import FILLING, Reader, dropped, fill, stalled
from streamer_program import Streamer, publish
from support import wait_until


@pytest.fixture
def start(streamer_program, processes, redis, tmp):
    return lambda **settings: Streamer(streamer_program, processes, redis.url, tmp, **settings).start()


def names(blocks):
    return [block.event for block in blocks]


def ids(blocks):
    return [tuple(map(int, block.id.split("-"))) for block in blocks if block.id]


def slow_closed(streamer):
    return streamer.prometheus()['sse_connections_closed{reason="slow"}']


def published(streamer, n):
    wait_until(lambda: streamer.metrics()["messages"]["published"] == n, what="all have come to the streamer")


def test_of_the_events_of_a_key_that_wait_the_newest_stays_and_ids_stay_in_order(start, bus):
    streamer = start(slow_client="conflate", max_queue_size=20)
    slow = stalled(streamer, "a")
    filled = fill(streamer, bus, "a")
    for i in range(100):
        publish(bus, "a", name="changed", key=f"k{i % 3}", data=str(i))
        publish(bus, "a", name="other", key="k0", data=str(i))
    publish(bus, "a", name="end")
    published(streamer, len(filled) + 201)
    assert slow_closed(streamer) == 0
    seen = Reader(slow).until("end")
    assert names(seen) == filled + ["changed", "changed", "changed", "other", "end"]
    assert [block.data for block in seen[-5:-1]] == [b"97", b"98", b"99", b"99"]
    assert ids(seen) == sorted(ids(seen))
    assert streamer.prometheus()["sse_messages_conflated"] == 196 and dropped(streamer) == 0


def test_the_same_key_of_another_topic_is_another_thing(start, bus):
    streamer = start(slow_client="conflate", max_queue_size=20)
    slow = stalled(streamer, "a,b")
    filled = fill(streamer, bus, "a")
    for i in range(10):
        publish(bus, "a", name="changed", key="k", data=f'"a{i}"')
        publish(bus, "b", name="changed", key="k", data=f'"b{i}"')
    publish(bus, "b", name="end")
    published(streamer, len(filled) + 21)
    assert [block.data for block in Reader(slow).until("end")[-3:-1]] == [b"a9", b"b9"]


def test_what_has_no_key_is_kept_until_the_limit_and_then_the_client_is_closed(start, bus):
    streamer = start(slow_client="conflate", max_queue_size=20)
    with stalled(streamer, "a"):
        fill(streamer, bus, "a")
        for i in range(22):
            publish(bus, "a", name=f"e{i}")
        wait_until(lambda: slow_closed(streamer) == 1)


def test_who_reads_gets_every_event_of_a_key(start, bus):
    streamer = start(slow_client="conflate")
    with streamer.live("a") as quick:
        for i in range(50):
            publish(bus, "a", name="changed", key="k", data=str(i))
        assert [quick.take("changed").data for _ in range(50)] == [str(i).encode() for i in range(50)]
    assert dropped(streamer) == 0


def test_what_is_dropped_is_counted_and_told_and_then_it_goes_on(start, bus):
    streamer = start(slow_client="drop", max_queue_size=20)
    slow = stalled(streamer, "a")
    filled = fill(streamer, bus, "a")
    for i in range(100):
        publish(bus, "a", name=f"e{i}")
    published(streamer, len(filled) + 100)
    wait_until(lambda: dropped(streamer) > 0)
    reader = Reader(slow)
    seen = reader.until("sse.reset")
    assert seen[-1].json == {"topics": ["a"], "reason": "slow"} and seen[-1].id is None
    kept = names(seen)[len(filled):-1]
    assert names(seen)[:len(filled)] == filled and kept == [f"e{i}" for i in range(len(kept))]
    assert len(kept) + dropped(streamer) == 100
    assert len(kept) <= 20
    publish(bus, "a", name="after")
    assert names(reader.until("after")) == ["after"]
    assert slow_closed(streamer) == 0


def test_other_topics_of_a_slow_client_lose_nothing(start, bus):
    streamer = start(slow_client="drop", max_queue_size=20)
    slow = stalled(streamer, "a,b")
    filled = fill(streamer, bus, "a")
    for i in range(40):
        publish(bus, "a", name=f"a{i}")
    wait_until(lambda: dropped(streamer) > 0)
    for i in range(40):
        publish(bus, "b", name=f"b{i}")
    published(streamer, len(filled) + 80)
    seen = names(Reader(slow).until("b39"))
    assert [name for name in seen if name.startswith("b")] == [f"b{i}" for i in range(40)]
    assert seen.count("sse.reset") == 1


def test_a_cursor_from_before_the_drop_gets_what_was_dropped(start, bus):
    """The position does not move past what is lost before it is told."""
    streamer = start(slow_client="drop", max_queue_size=10)
    slow = stalled(streamer, "a")
    filled = fill(streamer, bus, "a")
    for i in range(40):
        publish(bus, "a", name=f"e{i}")
    wait_until(lambda: dropped(streamer) > 0)
    reader = Reader(slow)
    last = reader.until("e0")[-1].id
    slow.close()
    with streamer.open("a", headers={"Last-Event-ID": last}) as back:
        assert back.opened().json["replayed"] == 39
        assert names(back.events_until("e39")) == [f"e{i}" for i in range(1, 39)]
    assert filled


def test_nobody_else_notices(start, bus):
    streamer = start(slow_client="drop", max_queue_size=10)
    with stalled(streamer, "a"), streamer.live("a") as quick:
        for i in range(200):
            publish(bus, "a", name=f"e{i}", data=FILLING)
            assert quick.take(f"e{i}").data == b"x" * 16000
        wait_until(lambda: dropped(streamer) > 0)


@pytest.mark.parametrize("topics", ["a", "a,b"])
def test_who_reads_again_after_a_stall_misses_nothing_of_the_next_burst(start, bus, topics):
    """It was served behind all others; it is one of them again only when a whole burst is through."""
    streamer = start(slow_client="resume", max_queue_size=1000, max_queue_bytes=64 * 1024 * 1024)
    slow = stalled(streamer, topics)
    reader = Reader(slow)
    for round_number in range(3):
        filled = fill(streamer, bus, "a")
        for burst in ("during", "after"):
            burst = [f"{burst}{round_number}.{i}" for i in range(30)]
            append(bus, *(event(topics[2 * i % (len(topics) + 1)], name=name) for i, name in enumerate(burst)))
            seen = reader.until(burst[-1])
            assert names(seen) == filled + burst
            assert ids(seen) == sorted(ids(seen))
            filled = []
