"""An auth backend that does its worst: whatever it does to one listener, that one gets busy within auth_timeout_ms, nobody waits
longer for it, and nothing of it is taken for another's answer."""
import gzip
import socket
import struct
import threading
import time
from functools import partial

import pytest

from auth_backend import STREAM, reply
from streamer_program import publish
from support import wait_until

OK = b"HTTP/1.1 200 OK\r\n"
TIMEOUT_MS = 1500


@pytest.fixture
def start(start_asking):
    return partial(start_asking, auth_timeout_ms=TIMEOUT_MS)


# ---- what it can do ----

def never(handler):
    time.sleep(2 * TIMEOUT_MS / 1000)


def drips_head(handler):
    drip(handler, OK + b"X: " + b"y" * 100000)


def drips_body(handler):
    drip(handler, OK + b"Content-Length: 100000\r\n\r\n" + b"z" * 100000)


def drip(handler, raw):
    """A byte at a time, never quick enough, until the other side is tired of it."""
    for i in range(len(raw)):
        handler.wfile.write(raw[i:i + 1])
        time.sleep(0.02)


def resets(handler):
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def resets_in_mid_answer(handler):
    handler.wfile.write(OK + b"Content-Length: 10\r\n\r\nxx")
    resets(handler)


def flood(head, block, times):
    def answer(handler):
        handler.wfile.write(head)
        for _ in range(times):
            handler.wfile.write(block)
    return answer


ZEROS = gzip.compress(bytes(50000000))
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
NASTY = {
    "never answers": never, "drips its head": drips_head, "drips its body": drips_body, "resets": resets,
    "resets in mid answer": resets_in_mid_answer, "closes": lambda handler: None,
    "1 GiB of body": flood(OK + b"Content-Length: 1073741824\r\n\r\n", b"x" * 65536, 16384),
    "1 GiB of body without a length": flood(OK + b"\r\n", b"x" * 65536, 16384),
    "1 GiB in chunks": flood(OK + CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n", 16384),
    "one header without an end": flood(OK + b"X: ", b"y" * 65536, 1000),
    "headers without an end": flood(OK, b"X: y\r\n" * 1000, 10000),
    "chunks of one byte without an end": flood(OK + CHUNKED, b"1\r\nx\r\n" * 1000, 10000),
    "1xx without an end": flood(b"", b"HTTP/1.1 102 Processing\r\n\r\n" * 100, 10000),
    "a bad chunk": OK + CHUNKED + b"zz\r\n\r\n", "a chunk above 2^64": OK + CHUNKED + b"1" * 20 + b"\r\n\r\n",
    "a negative chunk": OK + CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n", "a chunk cut off": OK + CHUNKED + b"5\r\nhel",
    "HTTP/0.9": b"allowed\n", "HTTP/0.9, a page": b"<html>200 OK</html>", "HTTP/2 in plain": b"\x00\x00\x00\x04" + bytes(30),
    "HTTP/9.9": b"HTTP/9.9 200 OK\r\nContent-Length: 0\r\n\r\n", "no status": b"HTTP/1.1 \r\n\r\n", "half a status": b"HTTP/1.1 2",
    "a status of two digits": b"HTTP/1.1 20 OK\r\n\r\n", "a status of four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "a negative status": b"HTTP/1.1 -200 OK\r\n\r\n", "a status that is a word": b"HTTP/1.1 OK 200\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), "binary": bytes(range(256)) * 10,
    "101 Switching Protocols": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
    "100 Continue alone": b"HTTP/1.1 100 Continue\r\n\r\n",
    "a length above 2^64": OK + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n",
    "a negative length": OK + b"Content-Length: -1\r\n\r\nx",
    "a length that is a word": OK + b"Content-Length: x\r\n\r\n",
    "two lengths, the later too long": OK + b"Content-Length: 0\r\nContent-Length: 100\r\n\r\n",
    "a gzip bomb": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + b"%x\r\n" % len(ZEROS) + ZEROS + b"\r\n0\r\n\r\n",
    "a coding that nobody knows": OK + b"Transfer-Encoding: x-evil\r\n\r\nxx",
}
GOOD = {  # strange, and yet an answer, with an end
    "1xx before it": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + reply(200),
    "a head of 64 KiB": reply(200, headers={"X": "y" * 65536}),
    "a thousand cookies": reply(200, headers={"X": "y\r\n" + "".join(f"Set-Cookie: c{i}=1\r\n" for i in range(1000)) + "Z: z"}),
    "compressed, which nobody undoes": reply(200, ZEROS, {"Content-Encoding": "gzip"}),
    "compressed to nothing": reply(200, b"not gzip at all", {"Content-Encoding": "gzip, br, deflate"}),
    "lines that end with LF": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\nhello", "a folded header": OK + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "a 204 with a length": b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
    "trailers": OK + CHUNKED + b"2\r\nok\r\n0\r\nX: y\r\n\r\n",
}


def nasty_for(topic, answer):
    def choose(call):
        return answer if call["topic"] == topic else reply(204)
    return choose


def test_the_bomb_is_one():
    assert len(ZEROS) < 60000 and len(gzip.decompress(ZEROS)) == 50000000


@pytest.mark.parametrize("name", NASTY)
def test_one_listener_gets_busy_in_time_and_no_other_is_delayed(name, start, backend, bus):
    backend.answer = nasty_for("nasty", closing(NASTY[name]))
    streamer = start()
    memory = streamer.prometheus()["sse_memory_resident_bytes"]
    got, begun = [], time.monotonic()
    victim = threading.Thread(target=lambda: got.append(streamer.get("/events?topic=nasty", headers=STREAM, timeout=20)))
    victim.start()
    wait_until(lambda: [call for call in backend.calls if call["topic"] == "nasty"])
    with streamer.live("good", timeout=TIMEOUT_MS / 2000) as other:  # less than the nasty one may take
        event = publish(bus, "good")
        assert other.take("x").id == event
    victim.join()
    assert time.monotonic() - begun < TIMEOUT_MS / 1000 + 2
    assert got[0].status == 200 and b"event: sse.busy\n" in got[0].body and b"sse.open" not in got[0].body
    assert streamer.prometheus()["sse_memory_resident_bytes"] < memory + 10000000
    assert streamer.prometheus()['sse_auth_calls{outcome="busy"}'] == 1


def closing(answer):
    """Bytes, and then the end of the connection, where its end must be seen."""
    return answer if callable(answer) else lambda handler: handler.wfile.write(answer)


@pytest.mark.parametrize("name", GOOD)
def test_an_answer_that_is_only_strange_counts(name, start, backend):
    backend.answer = nasty_for("nasty", closing(GOOD[name]))
    streamer = start()
    with streamer.live("nasty"):
        pass
    with streamer.live("good"):
        pass
    assert all("cookie" not in call["headers"] for call in backend.calls)


def test_a_batch_that_is_compressed_is_not_undone_and_busy(start, backend):
    backend.answer = lambda call: reply(200, gzip.compress(b'{"allow":["a"]}'), {"Content-Encoding": "gzip"})
    streamer = start(auth_mode="batch")
    assert b"event: sse.busy\n" in streamer.get("/events?topic=a", headers=STREAM).body
