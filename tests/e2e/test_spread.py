"""spread_ms: one event to many listeners does not reach them in the same instant; order and completeness stay."""
import select
import time

import pytest

from streamer_program import Streamer, publish
from support import wait_until

SPREAD = 2000


@pytest.fixture
def streamer(streamer_program, processes, redis, tmp):
    return Streamer(streamer_program, processes, redis.url, tmp, spread_ms=SPREAD).start()


def arrivals(streams, event):
    """When each of them had it, in seconds since the first; they are read in the order in which bytes come."""
    waiting, times = {stream.socket: stream for stream in streams}, []
    while waiting:
        ready, _, _ = select.select(list(waiting), [], [], 10)
        assert ready, f"{len(waiting)} have not got it"
        for s in ready:
            stream = waiting[s]
            if stream.block().event == event:
                times.append(time.monotonic())
                del waiting[s]
    return [t - times[0] for t in times]


def test_many_listeners_get_it_over_the_time_and_nobody_twice(streamer, bus):
    streams = [streamer.live("a") for _ in range(60)]
    publish(bus, "a", name="one")
    times = arrivals(streams, "one")
    assert times[-1] > SPREAD / 1000 / 4, "sixty chances all in the first quarter"
    publish(bus, "a", name="end")
    for stream in streams:
        assert stream.events_until("end") == []
        stream.close()


def test_events_that_are_held_together_come_together_in_order(streamer, bus):
    streams = [streamer.live("a,b") for _ in range(5)]
    for i in range(20):
        publish(bus, "ab"[i % 2], name=f"e{i}")
    for stream in streams:
        assert [block.event for block in stream.events_until("e19")] == [f"e{i}" for i in range(19)]
        stream.close()


def test_who_hears_a_topic_alone_does_not_wait(streamer, bus):
    """Ten in a row would take ten seconds on the average."""
    with streamer.live("mine") as stream:
        start = time.monotonic()
        for i in range(10):
            publish(bus, "mine", name=f"e{i}")
            stream.take(f"e{i}")
        assert time.monotonic() - start < SPREAD / 1000 * 2


def test_an_event_that_it_alone_hears_takes_along_what_is_held(streamer_program, processes, redis, tmp, bus):
    streamer = Streamer(streamer_program, processes, redis.url, tmp, spread_ms=60000, heartbeat_seconds=60).start()
    with streamer.live("a,mine") as stream, streamer.live("a"):
        publish(bus, "a", name="held")
        publish(bus, "mine", name="now")
        assert [block.event for block in stream.events_until("now")] == ["held"]


def test_what_is_held_is_bounded_by_max_queue_size(streamer_program, processes, redis, tmp, bus):
    """Of a topic that has more, the first ones leave earlier: nothing is held without bound."""
    streamer = Streamer(streamer_program, processes, redis.url, tmp, spread_ms=60000, max_queue_size=10).start()
    with streamer.live("a") as one, streamer.live("a") as other:
        for i in range(30):
            publish(bus, "a", name=f"e{i}")
        for stream in (one, other):
            assert [block.event for block in stream.events_until("e10")] == [f"e{i}" for i in range(10)]


def test_a_stop_sends_what_is_held(streamer_program, processes, redis, tmp, bus):
    streamer = Streamer(streamer_program, processes, redis.url, tmp, spread_ms=60000).start()
    streams = [streamer.live("a") for _ in range(3)]
    publish(bus, "a", name="held")
    wait_until(lambda: streamer.metrics()["messages"]["published"] == 1)
    streamer.stop()
    for stream in streams:
        assert stream.take("held")
        assert stream.take("sse.bye")
