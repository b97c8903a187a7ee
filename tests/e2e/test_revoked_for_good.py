"""Whoever is revoked hears nothing that is published after the revocation was acknowledged, and does not come back: with several
workers, while Redis and workers are killed, connections cut, and listeners come and go. By seed, so that a run can be repeated."""
import contextlib
import os
import random
import signal
import threading
import time

import pytest

from auth_backend import reply
from http_raw import Stream
from publish_program import FastCgi
from streamer_program import Streamer
from support import wait_until

USERS = [f"u{n}" for n in range(5)]
TOPICS = [f"t{n}" for n in range(6)]
STEPS = 500


class Listener(threading.Thread):
    """A window of a user: comes back with its position until it is refused. got: (topic, number) of every event."""

    def __init__(self, streamer, user, topics, seed):
        super().__init__(daemon=True)
        self.streamer, self.user, self.topics, self.chance = streamer, user, topics, random.Random(seed)
        self.got, self.refused, self.position, self.done = [], False, None, threading.Event()
        self.start()

    def run(self):
        while not self.refused and not self.done.is_set():
            try:
                self.listen()
            except (OSError, EOFError, AssertionError, ValueError):  # closed, refused a connection, silent
                time.sleep(0.05)

    def listen(self):
        headers = {"Cookie": f"s={self.user}", **({"Last-Event-ID": self.position} if self.position else {})}
        leaves = self.chance.randint(1, 40)
        with Stream(self.streamer.address, "/events?topic=" + ",".join(self.topics), headers=headers, timeout=5) as stream:
            self.refused = stream.head.status == 403
            while not self.refused and leaves and not self.done.is_set():
                block = stream.block()
                self.position = block.id or self.position
                if block.event == "x":
                    topic, number = block.data.decode().split()
                    self.got.append((topic, int(number)))
                    leaves -= 1


class Run:
    def __init__(self, redis, streamer, publish, seed):
        self.redis, self.streamer, self.publish, self.chance = redis, streamer, publish, random.Random(seed)
        self.number, self.revoked = 0, {}  # (user, topic) → the number of the last event before it was acknowledged
        self.listeners = [Listener(streamer, user, self.chance.sample(TOPICS, self.chance.randint(1, 4)), seed * 100 + n)
                          for n, user in enumerate(USERS * 4)]

    def until_taken(self, ask):
        wait_until(lambda: ask().status == 200, timeout=30, what="Redis takes it")

    def event(self, topic):
        self.number += 1
        self.until_taken(lambda: self.publish.event(topic, event="x", data=f"{topic} {self.number}",
                                                    idempotency_key=f"{self.number}"))

    def revoke(self):
        user, topic = self.chance.choice(USERS[1:]), self.chance.choice(TOPICS)
        self.until_taken(lambda: self.publish.control({"revoke": {"user": user, "topic": topic, "seconds": 3600}}))
        self.revoked.setdefault((user, topic), self.number)

    def fault(self):
        kind = self.chance.choice(("pubsub", "normal", "worker", "redis"))
        if kind == "redis":
            self.redis.kill()
            self.redis.start()
        elif kind == "worker":
            for pid in self.streamer.worker_pids():
                with contextlib.suppress(ProcessLookupError):  # it died of the fault before
                    os.kill(pid, signal.SIGKILL)
        else:
            with self.redis.connect() as bus:
                bus.call("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")

    def go(self):
        for _ in range(STEPS):
            what = self.chance.random()
            if what < .06:
                self.fault()
            elif what < .16:
                self.revoke()
            else:
                self.event(self.chance.choice(TOPICS))
        self.streamer.wait_ready()
        for topic in TOPICS:
            self.event(topic)
        last = {topic: self.number - len(TOPICS) + 1 + n for n, topic in enumerate(TOPICS)}
        for listener in self.listeners:
            wait_until(lambda: listener.refused or set((topic, last[topic]) for topic in listener.topics) <= set(listener.got),
                       timeout=30, what=f"{listener.user} hears the last events of {listener.topics}, or is refused")

    def judge(self):
        for listener in self.listeners:
            lost = {topic for topic in listener.topics if (listener.user, topic) in self.revoked}
            assert bool(lost) == listener.refused, (listener.user, listener.topics, self.revoked)
            for topic, number in listener.got:
                assert number <= self.revoked.get((listener.user, topic), number), (listener.user, topic, number, self.revoked)
            assert len(set(listener.got)) == len(listener.got)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_breaks_who_is_revoked_hears_nothing_of_later_and_is_not_let_in_again(
        redis, backend, streamer_program, publish_program, processes, tmp, seed):
    backend.answer = lambda call: reply(204, headers={"X-SSE-User": call["headers"]["cookie"].partition("=")[2],
                                                      "Cache-Control": "max-age=3600"})
    streamer = Streamer(streamer_program, processes, redis.url, tmp, auth="url", auth_url=backend.url, workers=3,
                        redis_timeout_ms=500, retry_ms=100, history_size=1000).start()
    streamer.workers_may_die = True
    publish = FastCgi(publish_program, processes, tmp, tokens="boss bossy +control\n", redis_url=redis.url)
    run = Run(redis, streamer, publish, seed)
    try:
        wait_until(lambda: streamer.metrics()["connections"]["current"] == len(run.listeners), timeout=20)
        run.go()
        run.judge()
    finally:
        for listener in run.listeners:
            listener.done.set()
