"""The auth URL is down while hundreds come back again and again: the line stays as long as it may be, equal questions are asked
once, who finds no place in it gets busy at once, the breaker spares the backend, and when it is back everybody gets in."""
import concurrent.futures
import threading
import time

import pytest

from auth_backend import STREAM, AuthBackend, Connecting, reply
from http_raw import Stream
from streamer_program import Streamer
from support import free_port, wait_until

CLIENTS, USERS, INFLIGHT, WAITING = 300, 75, 4, 20


@pytest.fixture
def start(streamer_program, processes, redis, tmp):
    def start(url, **settings):
        return Streamer(streamer_program, processes, redis.url, tmp,
                        **{"auth": "url", "auth_url": url, "auth_max_inflight": INFLIGHT, "auth_max_waiting": WAITING,
                           "auth_timeout_ms": 30000, **settings}).start()
    return start


def come(streamer, n):
    """One window; True when it was let in, False when it is to come back."""
    with Stream(streamer.address, "/events?topic=a", headers={"Cookie": f"s={n % USERS}"}, timeout=30) as stream:
        while True:
            block = stream.block()
            if block.event:
                assert block.event in ("sse.open", "sse.busy")
                return block.event == "sse.open"


def all_come(streamer):
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        return list(pool.map(lambda n: come(streamer, n), range(CLIENTS)))


def all_get_in(streamer):
    """Each comes back until it is let in: at most one call a second is tried until one is answered."""
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        list(pool.map(lambda n: wait_until(lambda: come(streamer, n), timeout=60), range(CLIENTS)))


def test_a_backend_that_is_silent_has_a_bounded_line_before_it_and_few_calls(start, backend):
    go = threading.Event()
    backend.answer = lambda call: reply(503) if go.wait(30) else None
    streamer = start(backend.url)
    windows = [Connecting(streamer, "a", cookie=n % USERS) for n in range(CLIENTS)]
    with_a_place = (INFLIGHT + WAITING) * CLIENTS // USERS
    wait_until(lambda: streamer.prometheus()["sse_connections_rejected"] == CLIENTS - with_a_place, what="the others are busy")
    seen = streamer.prometheus()
    assert (seen["sse_auth_inflight"], seen["sse_auth_waiting"]) == (INFLIGHT, WAITING)
    assert seen["sse_auth_joined"] == with_a_place - INFLIGHT - WAITING
    wait_until(lambda: backend.now == INFLIGHT)
    assert b"event: sse.busy" in streamer.get("/events?topic=a", headers={**STREAM, "Cookie": "s=another"}).body
    go.set()
    wait_until(lambda: streamer.prometheus()["sse_connections_rejected"] == CLIENTS + 1)
    for window in windows:
        window.socket.close()
    seen = streamer.prometheus()
    assert (seen["sse_auth_inflight"], seen["sse_auth_waiting"], seen["sse_auth_breaker_open"]) == (0, 0, 1)
    assert backend.most == INFLIGHT and len(backend.calls) <= 10 + INFLIGHT


def test_a_backend_that_fails_is_asked_once_a_second_however_many_come_back(start, backend):
    backend.answer = lambda call: reply(500)
    streamer = start(backend.url)
    all_come(streamer)
    assert streamer.prometheus()["sse_auth_breaker_open"] == 1
    before, begun = len(backend.calls), time.monotonic()
    for _ in range(3):
        assert not any(all_come(streamer))
    assert len(backend.calls) - before <= time.monotonic() - begun + 1
    backend.answer = lambda call: reply(204)
    all_get_in(streamer)
    seen = streamer.prometheus()
    assert (seen["sse_auth_breaker_open"], seen["sse_auth_inflight"], seen["sse_auth_waiting"]) == (0, 0, 0)


def test_a_backend_that_is_not_there_is_found_again_by_all_who_were_told_to_come_back(start):
    port = free_port()
    streamer = start(f"http://127.0.0.1:{port}/auth")
    for _ in range(3):
        assert not any(all_come(streamer))
    assert streamer.prometheus()["sse_auth_breaker_open"] == 1
    assert streamer.log().count("auth_url did not answer") == 1
    backend = AuthBackend(("127.0.0.1", port))
    all_get_in(streamer)
    backend.close()
    wait_until(lambda: streamer.metrics()["connections"]["current"] == 0)
