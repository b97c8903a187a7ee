"""R13: names that do not resolve, or only when they like, hold up nobody: the streamer serves, and tries again.

The programs run with a resolv.conf of their own, in a mount namespace (root alone may make one)."""
import os
import shutil
import socket
import struct
import threading
import time

import pytest

from http_raw import fetch
from private_redis import PrivateRedis
from publish_program import FastCgi
from streamer_program import Streamer, publish as emit
from support import free_port, missing, need, wait_until

NAME = "redis.tidings.example"


class NameServer:
    """UDP on port 53 of an address of its own. answers: None (every question is swallowed), "refused", or
    addresses."""

    def __init__(self, answers=None):
        self.answers, self.questions = answers, 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.address = self._bind()
        threading.Thread(target=self._run, daemon=True).start()

    def _bind(self):
        for last in range(2, 250):  # others may run the same test
            try:
                self.socket.bind((f"127.0.53.{last}", 53))
                return f"127.0.53.{last}"
            except PermissionError:
                missing("port 53 is for root")
            except OSError:
                continue
        return missing("no address for a name server is free")

    def _run(self):
        while True:
            try:
                question, peer = self.socket.recvfrom(1024)
            except OSError:
                return
            self.questions += 1
            answers = self.answers
            if answers:
                self.socket.sendto(reply(question, answers), peer)

    def close(self):
        self.socket.close()


def reply(question, answers):
    """To one DNS question: REFUSED, or the addresses for A and nothing for others (RFC 1035, section 4)."""
    end = question.index(b"\0", 12) + 5
    kind = struct.unpack(">H", question[end - 4:end - 2])[0]
    if answers == "refused":
        return question[:2] + b"\x81\x85\0\1\0\0\0\0\0\0" + question[12:end]
    records = [b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + socket.inet_aton(address) for address in answers if kind == 1]
    return (question[:2] + b"\x81\x80\0\1" + struct.pack(">H", len(records)) + b"\0\0\0\0" + question[12:end]
            + b"".join(records))


@pytest.fixture
def names():
    server = NameServer()
    yield server
    server.close()


@pytest.fixture
def within(names, tmp):
    """within(program): a script that runs it where `names` is the only name server."""
    need("unshare", "mount")
    if os.geteuid() != 0:
        missing("only root may make a mount namespace")
    conf, hosts = os.path.join(tmp, "resolv.conf"), os.path.join(tmp, "nsswitch.conf")
    with open(conf, "w", encoding="ascii") as file:
        file.write(f"nameserver {names.address}\noptions timeout:30 attempts:1\n")
    with open(hosts, "w", encoding="ascii") as file:
        file.write("hosts: files dns\n")

    def wrap(program):
        path = os.path.join(tmp, os.path.basename(program) + ".sh")
        with open(path, "w", encoding="ascii") as file:
            file.write(f"#!/bin/sh\nmount --bind {conf} /etc/resolv.conf && mount --bind {hosts} /etc/nsswitch.conf "
                       f"&& exec {program} \"$@\"\n")
        os.chmod(path, 0o755)
        outer = path + ".outer"
        with open(outer, "w", encoding="ascii") as file:
            file.write(f"#!/bin/sh\nexec {shutil.which('unshare')} -m {path} \"$@\"\n")
        os.chmod(outer, 0o755)
        return outer

    return wrap


@pytest.fixture
def far(tmp):
    """A Redis that is reached by a name."""
    folder = os.path.join(tmp, "far")
    os.mkdir(folder)
    port = free_port()
    server = PrivateRedis(folder, "--port", str(port))
    server.name_url = f"redis://{NAME}:{port}/0"
    yield server
    server.stop()


@pytest.fixture
def running(within, far, streamer_program, processes, tmp):
    """A streamer that has to ask for its Redis's name."""
    return Streamer(within(streamer_program), processes, far.name_url, tmp, redis_timeout_ms=300).start(ready=False)


def assert_alive(running, seconds):
    """It answers at once all the time, also whoever wants a stream."""
    end = time.monotonic() + seconds
    slowest = 0
    while time.monotonic() < end:
        started = time.monotonic()
        assert fetch(running.admin, "/health").status == 200
        assert fetch(running.address, "/nowhere").status == 404
        slowest = max(slowest, time.monotonic() - started)
    assert slowest < 1, slowest


def test_a_name_server_that_swallows_everything_does_not_stop_the_loop(names, running):
    with running.open("a") as stream:
        assert stream.head.status == 200
        wait_until(lambda: "no address for the name in time" in running.log(), what="the streamer says why")
        asked = names.questions
        while names.questions < asked + 3:  # new attempts begin while the old ones hang
            assert_alive(running, 0.2)
        assert fetch(running.admin, "/health/ready").status == 503
        names.answers = ("127.0.0.1",)
        stream.opened()
    assert running.stop() == 0


def test_it_stops_at_once_while_a_question_hangs(names, running):
    wait_until(lambda: names.questions >= 1, what="a question is open")
    started = time.monotonic()
    assert running.stop() == 0
    assert time.monotonic() - started < 2


def test_a_name_that_nobody_knows_is_tried_again(names, running):
    names.answers = "refused"
    wait_until(lambda: "connection is down" in running.log(), what="the streamer says why")
    assert_alive(running, 0.2)
    names.answers = ("127.0.0.1",)
    running.wait_ready()


def test_live_streams_go_on_when_the_name_is_gone_after_a_loss(names, running, far):
    names.answers = ("127.0.0.1",)
    running.wait_ready()
    with running.live("a") as stream, far.connect() as bus:
        names.answers = None
        bus.call("CLIENT", "KILL", "TYPE", "pubsub")
        wait_until(lambda: fetch(running.admin, "/health/ready").status == 503, what="the loss is noticed")
        wait_until(lambda: "no address for the name in time" in running.log(), what="the name is gone")
        assert_alive(running, 0.2)
        names.answers = ("127.0.0.1",)
        wait_until(lambda: running.metrics()["redis"]["reconnects"] == 1, what="it comes back")
        emit(bus, "a")
        stream.take("x")


def test_publish_says_that_the_name_is_not_known(names, within, far, publish_program, processes, tmp):
    names.answers = "refused"
    publish = FastCgi(within(publish_program), processes, tmp, redis_url=far.name_url)
    answer = publish.event("a")
    assert answer.status == 503 and "Redis can't be reached" in answer.detail
    names.answers = ("127.0.0.1",)
    assert publish.event("a").status == 200


class Hole:
    """A port that nobody can connect to, and that does not say so: whoever is not accepted waits for ever."""

    def __init__(self, host):
        self.listener = socket.socket()
        self.listener.bind((host, 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self.fillers = [socket.socket() for _ in range(3)]
        for filler in self.fillers:
            filler.setblocking(False)
            filler.connect_ex((host, self.port))

    def close(self):
        for filler in (*self.fillers, self.listener):
            filler.close()


@pytest.mark.parametrize("hole_at, redis_at", [("127.0.53.1", "127.0.53.251"), ("127.0.53.251", "127.0.53.1")])
def test_an_address_that_swallows_everything_leaves_time_for_the_others(names, within, hole_at, redis_at, streamer_program,
                                                                         publish_program, processes, tmp):
    """Whichever of the two is tried first: in one of the cases it is the hole."""
    hole = Hole(hole_at)
    folder = os.path.join(tmp, "p")
    os.mkdir(folder)
    server = PrivateRedis(folder, "--port", str(hole.port), "--bind", redis_at)
    names.answers = (hole_at, redis_at)
    try:
        url = f"redis://{NAME}:{hole.port}/0"
        Streamer(within(streamer_program), processes, url, tmp, redis_timeout_ms=1000).start()
        publish = FastCgi(within(publish_program), processes, tmp, redis_url=url, redis_timeout_ms=1000)
        answer = publish.event("a")
        assert answer.status == 200 and answer.seconds < 1, answer
    finally:
        hole.close()
        server.stop()
