"""Connections to the auth URL are kept for the next call; the web server there closes them when it likes, as each does after some
seconds of silence, at a reload and when it ends. No listener hears of that; and what comes on one that nobody asks is no answer."""
import socket
import struct
import threading
from functools import partial

import pytest

from auth_backend import STREAM, Connecting, reply

KEPT = 30


@pytest.fixture
def start(start_asking):
    return partial(start_asking, auth_timeout_ms=5000)


def end(handler, how):
    """Closed, or reset, when this returns."""
    if how == "resets":
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    for file in (handler.rfile, handler.wfile, handler.connection):
        file.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("mode", ["topic", "batch"])
@pytest.mark.parametrize("how", ["closes", "resets"])
def test_connections_that_the_backend_closes_while_they_are_idle_cost_nobody_a_verdict(how, mode, host, start, backend):
    """KEPT calls at once, so many connections; then all of them end, and one call after the other must be answered."""
    all_there, close, ended = threading.Barrier(KEPT), threading.Event(), threading.Semaphore(0)
    good = reply(200, b'{"allow":["a"]}')

    def keep(handler):
        all_there.wait(10)
        handler.wfile.write(good)
        close.wait(10)
        end(handler, how)
        ended.release()
    backend.answer = lambda call: keep
    streamer = start(auth_mode=mode, auth_url=backend.url.replace("127.0.0.1", host))
    windows = [Connecting(streamer, "a", cookie=n) for n in range(KEPT)]
    for window in windows:
        window.result().close()
    backend.answer = lambda call: good
    close.set()
    assert all(ended.acquire(timeout=10) for _ in range(KEPT))
    for n in range(20):
        assert streamer.get("/events?topic=a", method="HEAD", headers={"Cookie": f"s={n}"}).status == 200, streamer.log()
    assert "auth_url" not in streamer.log()


@pytest.mark.parametrize("first", [
    reply(403), reply(204), b"HTTP/1.1 403 No\r\nContent-Length: 2\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n",
], ids=lambda raw: raw[:60].decode())
@pytest.mark.parametrize("apart", [False, True])
def test_bytes_behind_an_answer_are_never_taken_for_the_answer_to_the_next_call(first, apart, start, backend):
    """On a connection that is kept, they would let somebody in who was not asked about. (A second answer that comes when the next
    call has been sent already can't be told from its answer, by nobody.)"""
    told, written = threading.Event(), threading.Event()

    def twofold(handler):
        handler.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what is written is there
        handler.wfile.write(first if apart else first + reply(200))
        if apart and told.wait(10):
            handler.wfile.write(reply(200))
        written.set()
        if handler.rfile.readline():  # a further call came on it
            handler.wfile.write(reply(403))
    backend.answer = lambda call: twofold if call["topic"] == "first" else reply(403)
    streamer = start()
    for _ in range(5):
        told.clear(), written.clear()
        streamer.get("/events?topic=first", method="HEAD")
        told.set()
        assert written.wait(10)
        assert streamer.get("/events?topic=second", headers=STREAM).status == 403
