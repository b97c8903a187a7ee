"""One client can't harm another: places, addresses, queues."""
import json

import pytest

from http_raw import Stream, connect, request_bytes
from slow_client import stalled
from streamer_program import Streamer, publish
from support import wait_until

STREAM = {"Accept": "text/event-stream"}


@pytest.fixture
def start(streamer_program, processes, redis, tmp):
    return lambda **settings: Streamer(streamer_program, processes, redis.url, tmp, **settings).start()


def current(streamer):
    return streamer.metrics()["connections"]["current"]


def test_a_place_is_free_again_when_its_listener_has_left(start):
    streamer = start(max_connections=2)
    with streamer.live("a"), streamer.live("a") as second:
        assert b"sse.busy" in streamer.get("/events?topic=a", headers=STREAM).body
        second.close()
        wait_until(lambda: current(streamer) == 1)
        with streamer.live("a"):
            pass
    assert streamer.metrics()["connections"]["rejected"] == 1


def test_the_limit_of_an_address_counts_who_the_trusted_proxy_speaks_for(start):
    streamer = start(max_connections_per_ip=1)
    with streamer.live("a", headers={"X-Forwarded-For": "203.0.113.1"}):
        forged = {**STREAM, "X-Forwarded-For": "198.51.100.9, 203.0.113.1"}
        busy = streamer.get("/events?topic=a", headers=forged)
        assert "Connection limit of your address" in busy.body.decode()
        with streamer.live("a", headers={"X-Forwarded-For": "203.0.113.2"}):
            assert current(streamer) == 2


def test_x_forwarded_for_of_a_stranger_is_not_believed(start):
    streamer = start(max_connections_per_ip=1, trusted_proxies="unix")
    with streamer.live("a", headers={"X-Forwarded-For": "203.0.113.1"}):
        busy = streamer.get("/events?topic=a", headers={**STREAM, "X-Forwarded-For": "203.0.113.2"})
        assert b"sse.busy" in busy.body


def test_a_slow_client_is_closed_at_its_limit_and_delays_nobody(start, bus):
    streamer = start(max_queue_size=20)
    slow = stalled(streamer, "a")
    with streamer.live("a") as quick:
        data = json.dumps("x" * 8000)
        for i in range(400):
            publish(bus, "a", name=f"e{i}", data=data)
            assert quick.take(f"e{i}").event == f"e{i}"
            if streamer.prometheus()['sse_connections_closed{reason="slow"}'] == 1:
                break
        else:
            raise AssertionError("the stalled client is still there")
        assert current(streamer) == 1
        assert streamer.metrics()["messages"]["dropped"] > 20
    slow.close()


def test_the_bytes_that_wait_for_a_client_are_bounded_too(start, bus):
    streamer = start(max_queue_size=1000, max_queue_bytes=65536)
    slow = stalled(streamer, "a")
    data = json.dumps("x" * 30000)

    def closed():
        publish(bus, "a", data=data)
        return streamer.prometheus()['sse_connections_closed{reason="slow"}'] == 1
    wait_until(closed)
    assert streamer.metrics()["messages"]["dropped"] < 20
    slow.close()


def test_a_burst_larger_than_the_queue_reaches_a_client_that_reads(start, bus):
    """What the socket takes at once has never waited."""
    streamer = start(max_queue_size=10)
    with streamer.live("a") as stream:
        for i in range(2000):
            bus.send("PUBLISH", "a", json.dumps({"event": f"e{i}", "data": {}}))
        for i in range(2000):
            bus.receive()
        for i in range(2000):
            assert stream.take(f"e{i}")
    assert streamer.metrics()["messages"]["dropped"] == 0


def test_a_stalled_client_gets_no_heartbeats_into_its_queue(start, bus):
    streamer = start(heartbeat_seconds=5, max_queue_size=1000)
    slow = stalled(streamer, "a")
    data = json.dumps("x" * 60000)
    for _ in range(10):
        publish(bus, "a", data=data)
    with streamer.live("b") as quick:
        quick.block(timeout=8)
        quick.block(timeout=8)
    slow.settimeout(10)
    raw = b""
    while raw.count(b"event: x\n") < 10 or not raw.endswith(b"\n\n"):
        raw += slow.recv(65536)
    between = raw[raw.index(b"event: x\n"):raw.rindex(b"event: x\n")]
    assert between.count(b": ping") <= 1
    slow.close()


def test_out_of_descriptors_old_streams_go_on_and_new_ones_come_when_there_is_room(streamer_program, processes, redis, tmp, bus):
    import resource
    streamer = Streamer(streamer_program, processes, redis.url, tmp)
    streamer.preexec = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (230, 230))
    streamer.start()
    assert "the limit of open files is 230" in streamer.log()
    streams = []
    while True:
        stream = streamer.open("a", headers=STREAM)
        block = stream.block()
        if block.event == "sse.busy":
            break
        stream.opened()
        streams.append(stream)
    assert len(streams) == 230 - 128 - 64 - 1
    idle = [connect(streamer.address) for _ in range(300)]
    publish(bus, "a")
    for stream in streams:
        stream.take("x")
    for s in idle:
        s.close()
    streams.pop().close()
    wait_until(lambda: current(streamer) == len(streams))
    with streamer.live("a"):
        pass
    for stream in streams:
        stream.close()


def test_a_listener_of_the_limit_of_topics_is_taken_and_one_more_refused(start, bus):
    streamer = start(max_topics=3)
    with streamer.live("a,b,c"):
        pass
    assert streamer.get("/events?topic=a,b,c,d", headers=STREAM).status == 400
    with Stream(streamer.address, "/events?topic=a,b,c,a,b") as stream:
        assert stream.opened().json["topics"] == ["a", "b", "c"]
