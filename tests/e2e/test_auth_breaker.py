"""An auth URL that fails again and again is left alone, but for one call a second (docs/PROTOCOL.md)."""
import threading
import time

import pytest

from auth_backend import STREAM, Connecting, reply
from support import wait_until


@pytest.fixture
def backend(backend):
    backend.answer = lambda call: reply(500)
    return backend


@pytest.fixture
def start(start_asking):
    return start_asking


def visit(streamer, cookie="s=1", topics="a"):
    return streamer.get(f"/events?topic={topics}", method="HEAD", headers={"Cookie": cookie}).status


def is_open(streamer):
    return streamer.prometheus()["sse_auth_breaker_open"] == 1


def fail(streamer, times=10):
    for _ in range(times):
        assert visit(streamer) == 503


def test_after_ten_5xx_one_call_a_second_is_tried_until_one_is_answered(start, backend):
    streamer = start()
    fail(streamer, 9)
    assert not is_open(streamer)
    fail(streamer, 1)
    opened = time.monotonic()
    assert is_open(streamer) and len(backend.calls) == 10
    fail(streamer, 50)
    assert b"event: sse.busy" in streamer.get("/events?topic=a,b", headers=STREAM).body
    assert len(backend.calls) - 10 <= time.monotonic() - opened
    assert streamer.log().count("auth_url failed 10 times in a row") == 1
    wait_until(lambda: visit(streamer) == 503 and len(backend.calls) > 10, what="a call is tried")
    assert is_open(streamer)
    backend.answer = lambda call: reply(403)
    wait_until(lambda: visit(streamer) == 403, what="an answer ends it")
    assert not is_open(streamer)
    assert streamer.log().count("auth_url answers again") == 1
    before = len(backend.calls)
    assert [visit(streamer) for _ in range(5)] == [403] * 5
    assert len(backend.calls) == before + 5


@pytest.mark.parametrize("status", [301, 302, 304, 400, 404, 429])
def test_3xx_and_4xx_never_open_it_and_break_the_row(start, backend, status):
    streamer = start()
    backend.answer = lambda call: reply(status)
    fail(streamer, 15)
    backend.answer = lambda call: reply(500)
    fail(streamer, 9)
    backend.answer = lambda call: reply(status)
    fail(streamer, 1)
    backend.answer = lambda call: reply(500)
    fail(streamer, 9)
    assert len(backend.calls) == 34 and not is_open(streamer)


def test_timeouts_open_it(start, backend):
    backend.answer = lambda call: None
    streamer = start(auth_timeout_ms=50)
    fail(streamer)
    assert is_open(streamer)


def test_a_backend_that_is_not_there_opens_it(start):
    streamer = start(auth_url="http://127.0.0.1:1/auth")
    fail(streamer)
    assert is_open(streamer)


def test_a_page_that_is_too_long_is_no_failure(start, backend):
    backend.answer = lambda call: reply(200, b"x" * 70000)
    streamer = start()
    fail(streamer, 12)
    assert not is_open(streamer) and len(backend.calls) == 12


def test_nobody_waits_in_line_for_a_backend_that_fails(start, backend):
    go = threading.Event()
    backend.answer = lambda call: reply(500) if go.wait(20) else None
    streamer = start(auth_max_inflight=10)
    streams = [Connecting(streamer, "a", cookie=n) for n in range(100)]
    wait_until(lambda: streamer.prometheus()["sse_auth_waiting"] == 90)
    go.set()
    for stream in streams:
        stream.result().close()
    wait_until(lambda: streamer.prometheus()["sse_connections_rejected"] == 100)
    assert len(backend.calls) <= 19
    assert is_open(streamer)


def test_verdicts_that_may_be_used_again_are_meanwhile(start, backend):
    backend.answer = lambda call: reply(204, headers={"Cache-Control": "max-age=3600"})
    streamer = start()
    assert visit(streamer, "s=2") == 200
    backend.answer = lambda call: reply(500)
    fail(streamer)
    assert is_open(streamer) and visit(streamer, "s=2") == 200


def test_one_answer_at_the_end_of_a_row_of_topics_is_enough(start, backend):
    """Ten calls of one request fail: the breaker opens under those that wait with it."""
    streamer = start(auth_max_inflight=1)
    assert visit(streamer, topics=",".join("abcdefghijklmnop")) == 503
    assert is_open(streamer) and len(backend.calls) == 10
