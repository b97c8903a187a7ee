"""Clients that send slowly, vanish, reset, stay silent or never read: each costs what it costs for a moment, and nothing is
left behind."""
import os
import select
import socket
import struct
import time

import pytest

from http_raw import Answer, connect, fetch, read_all, request_bytes
from streamer_program import Streamer, publish
from support import wait_until

STREAM = {"Accept": "text/event-stream"}
REQUEST = request_bytes("/events?topic=a", headers=STREAM)


@pytest.fixture
def streamer(streamer_program, processes, redis, tmp):
    return Streamer(streamer_program, processes, redis.url, tmp).start()


def descriptors(streamer):
    return len(os.listdir(f"/proc/{streamer.worker_pid()}/fd"))


def resident(streamer):
    with open(f"/proc/{streamer.worker_pid()}/statm", encoding="ascii") as file:
        size, pages = file.read().split()[:2]
    if int(size) * 4096 > 1 << 40:
        return 0  # a sanitizer's memory is its own
    return int(pages) * 4096


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def is_over(streamer, quiet):
    streamer.get("/health")  # stood in line behind all of them
    wait_until(lambda: descriptors(streamer) <= quiet, timeout=20, what="descriptors are back")
    assert streamer.metrics()["connections"]["current"] == 0


def leaves_nothing(streamer, storm):
    """The same storm three times: descriptors are back, and the later ones take no more memory than the first did."""
    quiet = descriptors(streamer)
    storm()
    is_over(streamer, quiet)
    after_one = resident(streamer)
    storm()
    storm()
    is_over(streamer, quiet)
    assert resident(streamer) < after_one + 2 * 1048576


def test_a_request_in_single_bytes_is_cut_off_at_an_absolute_time(streamer):
    """However busily it trickles: the limit runs from the connect."""
    with connect(streamer.address) as s:
        begun, sent = time.monotonic(), 0
        while not select.select([s], [], [], 0.05)[0]:
            s.sendall((REQUEST[:-2] + b"X: " + b"y" * 8000)[sent:sent + 1])
            sent += 1
        assert Answer(read_all(s)).status == 408
        assert time.monotonic() - begun < 15  # its 8 KiB would have taken minutes


def test_a_body_in_single_bytes_is_cut_off_too_and_read_once(streamer):
    with connect(streamer.address) as s:
        s.sendall(request_bytes("/events?topic=a", "POST", {"Content-Length": "65536", **STREAM}))
        while not select.select([s], [], [], 0.01)[0]:
            s.sendall(b"x")
        assert Answer(read_all(s)).status == 408


def test_a_body_in_pieces_is_one_body(streamer):
    body = b'{"topics":["a","b"]}'
    whole = request_bytes("/events", "POST", {"Content-Type": "application/json", **STREAM}, body)
    for cut in range(len(whole) - len(body) - 3, len(whole)):
        with connect(streamer.address) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            s.sendall(whole[:cut])
            fetch(streamer.admin, "/health")  # a round trip later
            s.sendall(whole[cut:])
            raw = b""
            while b"sse.open" not in raw or not raw.endswith(b"\n\n"):
                raw += s.recv(4096)
            assert b'"topics":["a","b"]' in raw


def test_two_thousand_who_connect_and_close_leave_nothing(streamer):
    def storm():
        for _ in range(2000):
            connect(streamer.address).close()
    leaves_nothing(streamer, storm)


@pytest.mark.parametrize("sent", [b"", REQUEST[:10], REQUEST[:-1], REQUEST, REQUEST + b"more",
                                  request_bytes("/health"), request_bytes("/events"), b"garbage\n"],
                         ids=["nothing", "begun", "almost", "stream", "and_more", "health", "400", "garbage"])
def test_a_storm_of_resets_leaves_nothing(streamer, sent):
    def storm():
        for _ in range(300):
            s = connect(streamer.address)
            s.sendall(sent)
            reset(s)
    leaves_nothing(streamer, storm)


def test_streams_that_are_reset_in_the_midst_of_events_leave_nothing(streamer, bus):
    def storm():
        streams = [streamer.live("a") for _ in range(100)]
        for i in range(20):
            publish(bus, "a", data='"' + "x" * 8000 + '"')
            for stream in streams[i * 5:i * 5 + 5]:
                reset(stream.socket)
    leaves_nothing(streamer, storm)


def test_who_closes_its_sending_half_gets_its_answer_when_it_asked_for_one(streamer):
    for target, status in [("/health", 200), ("/events", 400), ("/nothing", 404)]:
        with connect(streamer.address) as s:
            s.sendall(request_bytes(target))
            s.shutdown(socket.SHUT_WR)
            assert Answer(read_all(s)).status == status


def test_a_listener_that_closes_its_sending_half_has_left(streamer):
    quiet = descriptors(streamer)
    with connect(streamer.address) as s:
        s.sendall(REQUEST)
        s.shutdown(socket.SHUT_WR)
        read_all(s)
        wait_until(lambda: descriptors(streamer) <= quiet)
    assert streamer.metrics()["connections"]["current"] == 0


def test_those_who_never_read_their_answer_are_not_waited_for(streamer):
    quiet = descriptors(streamer)
    idle = []
    for target in ["/health", "/events", "/nothing", "/events?topic=*"] * 25:
        s = connect(streamer.address)
        s.sendall(request_bytes(target))
        idle.append(s)
    wait_until(lambda: descriptors(streamer) <= quiet, timeout=20, what="descriptors are back")
    for s in idle:
        s.close()


def test_a_full_queue_whose_stream_is_over_does_not_stay_for_ever(streamer_program, processes, redis, tmp, bus):
    """On a unix socket no time-out of the system would ever end it."""
    streamer = Streamer(streamer_program, processes, redis.url, tmp, address=tmp + "/s.sock", max_queue_size=1000).start()
    with connect(streamer.address) as s:
        s.sendall(REQUEST)
        raw = b""
        while b"sse.open" not in raw:
            raw += s.recv(1024)
        for _ in range(60):
            publish(bus, "a", data='"' + "x" * 8000 + '"')
        redis.call("ACL", "SETUSER", "default", "resetchannels")  # on its return Redis refuses the subscription
        redis.call("CLIENT", "KILL", "TYPE", "pubsub")
        wait_until(lambda: "refuses a subscription" in streamer.log())
        wait_until(lambda: streamer.metrics()["connections"]["current"] == 0, timeout=20)


def test_a_thousand_who_say_nothing_are_sent_away_and_cost_nobody_else(streamer, bus):
    quiet = descriptors(streamer)
    with streamer.live("a") as stream:
        idle = [connect(streamer.address) for _ in range(1000)]
        publish(bus, "a")
        stream.take("x")
        with streamer.live("a") as new:
            publish(bus, "a", name="y")
            new.take("y"), stream.take("y")
        for s in idle:
            assert Answer(read_all(s)).status == 408
            s.close()
    wait_until(lambda: descriptors(streamer) <= quiet, timeout=20, what="descriptors are back")


def test_health_is_answered_in_a_full_house(streamer_program, processes, redis, tmp):
    streamer = Streamer(streamer_program, processes, redis.url, tmp, max_connections=1).start()
    idle = [connect(streamer.address) for _ in range(200)]
    wait_until(lambda: descriptors(streamer) > 65, what="one place and 64 of those who only want an answer are taken")
    before = descriptors(streamer)
    for _ in range(30):
        assert fetch(streamer.admin, "/health").status == 200
    assert select.select(idle, [], [], 0)[0] == []  # nobody had to go for the answers (408 comes after 5 seconds)
    assert before < 120 and descriptors(streamer) < before + 10  # and nobody was let in meanwhile
    for s in idle:
        s.close()


def test_who_was_denied_or_asked_for_the_head_alone_holds_no_place(streamer_program, processes, redis, tmp):
    streamer = Streamer(streamer_program, processes, redis.url, tmp, max_connections=1).start()
    with connect(streamer.address) as s:  # reads its answer and does not close
        s.sendall(request_bytes("/events?topic=a", "HEAD", STREAM))
        assert b"200 OK" in s.recv(4096)
        with streamer.live("a"):
            pass


def test_a_filter_keeps_its_names_and_not_the_request_they_came_in(streamer, bus):
    quiet = resident(streamer)
    filler = b"&".join(b"x%d=%s" % (i, b"y" * 60) for i in range(990))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    streams = [streamer.live("a", method="POST", headers=headers, body=b"events=wanted," + b"n" * 100 + b"&" + filler)
               for _ in range(200)]
    assert resident(streamer) < quiet + 8 * 1048576  # 200 bodies alone would be 13 MB
    publish(bus, "a", name="other")
    publish(bus, "a", name="wanted")
    for stream in streams:
        stream.take("wanted")
        stream.close()


def test_a_path_to_listen_at_that_is_no_socket_is_left_alone(streamer_program, processes, redis, tmp):
    path = os.path.join(tmp, "precious")
    with open(path, "w", encoding="ascii") as file:
        file.write("mine")
    streamer = Streamer(streamer_program, processes, redis.url, tmp, address=path)
    with pytest.raises(AssertionError, match="cannot listen at unix:"):
        streamer.start()
    assert streamer.process.wait(10) == 1
    with open(path, encoding="ascii") as file:
        assert file.read() == "mine"
