"""Verdicts that come late and out of order, one for one and all at once, for clients that stay, are refused, leave in mid-call and
come again, while events flow on all topics: nobody ever gets an event that was published before the auth URL had let exactly that
visitor hear exactly that topic. What is random is so by its seed."""
import asyncio
import itertools
import json
import random

import pytest

from streamer_program import Streamer, publish
from support import free_port, wait_until

CLIENTS, ATTEMPTS, TOPICS = 200, 5, [f"t{n}" for n in range(12)]
TIMEOUT_MS = 500
KINDS = ("allow", "deny", "fail", "cut", "reset", "late")
WEIGHTS = (66, 14, 7, 5, 4, 4)


class Backend:
    """Answers each call in its own time. answers: (visitor, topic, allowed, moment), the moment taken before the first byte goes."""

    def __init__(self, chance, moments):
        self.chance, self.moments, self.answers = chance, moments, []

    async def serve(self, reader, writer):
        try:
            while await self.answer(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass  # the streamer has left: the call was cancelled
        writer.close()

    async def answer(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in head[1:] if ": " in line)
        body = await reader.readexactly(int(headers.get("Content-Length", 0)))
        topics = json.loads(body)["topics"] if body else [headers["X-SSE-Topic"]]
        kind, = self.chance.choices(KINDS, WEIGHTS)
        status = self.chance.choice((401, 403)) if kind == "deny" else 500 if kind == "fail" else 200
        allowed = [topic for topic in topics if not body or self.chance.random() < 0.9]
        await asyncio.sleep(self.chance.uniform(0.9, 1.5) * TIMEOUT_MS / 1000 if kind == "late" else self.chance.expovariate(20))
        if kind == "reset":
            writer.transport.abort()
            return False
        text = json.dumps({"allow": allowed, "deny": [t for t in topics if t not in allowed], "detail": "no"}).encode()
        for topic in topics:
            self.answers.append((headers["Cookie"], topic, kind in ("allow", "late") and topic in allowed, next(self.moments)))
        length = len(text) + (kind == "cut")
        writer.write(f"HTTP/1.1 {status} x\r\nContent-Length: {length}\r\n\r\n".encode() + text)
        await writer.drain()
        return kind != "cut"


class Attempt:
    """One request of a visitor: how it began and ended, and which events came."""

    def __init__(self, visitor, topics, began):
        self.visitor, self.topics, self.began, self.status, self.opened, self.raw = visitor, topics, began, None, False, b""

    async def run(self, address, patience):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(f"GET /events?topic={','.join(self.topics)} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n"
                     f"Cookie: {self.visitor}\r\n\r\n".encode())
        try:
            async with asyncio.timeout(patience):
                while chunk := await reader.read(65536):
                    self.raw += chunk
        except (TimeoutError, ConnectionResetError):
            pass
        writer.transport.abort()
        self.status = int(self.raw[9:12]) if self.raw else None
        self.opened = b"event: sse.open" in self.raw

    def events(self):
        """(topic, number of its publishing) of each."""
        for block in self.raw.split(b"\n\n")[:-1]:
            if b"event: x\n" in block:
                data = json.loads(block.split(b"data: ", 1)[1].split(b"\n")[0])
                yield data["topic"], data["moment"]


class Run:
    """All of it in one loop, so that moments are in one order."""

    def __init__(self, seed):
        self.seed, self.chance, self.moments = seed, random.Random(seed), itertools.count(1)
        self.backend = Backend(random.Random(seed + 1), self.moments)
        self.attempts, self.published, self.over = [], 0, False

    async def client(self, n, address):
        visitor = f"s={n % (CLIENTS - 20)}"  # some share their credentials and what they want, so that their calls are joined
        for i in range(ATTEMPTS):
            wants = random.Random(f"{self.seed} {visitor} {i}")
            attempt = Attempt(visitor, wants.sample(TOPICS, wants.choice((1, 1, 2, 3))), next(self.moments))
            self.attempts.append(attempt)
            await attempt.run(address, self.chance.choice((0.01, 0.05, 0.2, 0.8, 0.8)))

    async def publish(self, bus):
        while not self.over:
            topic = self.chance.choice(TOPICS)
            publish(bus, topic, data=json.dumps({"topic": topic, "moment": next(self.moments)}))
            self.published += 1
            await asyncio.sleep(0.002)

    async def all(self, address, port, bus):
        server = await asyncio.start_server(self.backend.serve, "127.0.0.1", port, backlog=512)
        publisher = asyncio.create_task(self.publish(bus))
        await asyncio.gather(*(self.client(n, address) for n in range(CLIENTS)))
        self.over = True
        await publisher
        server.close()


def verdicts(run):
    """(visitor, topic) -> [(allowed, moment)]"""
    found = {}
    for visitor, topic, allowed, moment in run.backend.answers:
        found.setdefault((visitor, topic), []).append((allowed, moment))
    return found


def judge(run):
    """What went wrong, in words."""
    found = verdicts(run)
    for attempt in run.attempts:
        told = {topic: [(allowed, moment) for allowed, moment in found.get((attempt.visitor, topic), ()) if moment > attempt.began]
                for topic in attempt.topics}
        if attempt.opened and not all(any(allowed for allowed, _ in told[topic]) for topic in attempt.topics):
            yield f"{attempt.visitor} was let in to {attempt.topics}, told was {told}"
        if attempt.status in (401, 403) and all(allowed for each in told.values() for allowed, _ in each):
            yield f"{attempt.visitor} was refused {attempt.topics}, told was {told}"
        for topic, moment in attempt.events():
            if not any(allowed and answered < moment for allowed, answered in told.get(topic, ())):
                yield f"{attempt.visitor} got the event of moment {moment} on {topic}, told was {told}"
        if not attempt.opened and b"event: x" in attempt.raw:
            yield f"{attempt.visitor} got events without sse.open: {attempt.raw}"


@pytest.mark.parametrize("mode", ["topic", "batch"])
@pytest.mark.parametrize("seed", [1, 2])
def test_no_event_is_delivered_that_was_published_before_its_verdict(mode, seed, streamer_program, processes, redis, bus, tmp):
    port, run = free_port(), Run(seed)
    streamer = Streamer(streamer_program, processes, redis.url, tmp, auth="url", auth_mode=mode, auth_timeout_ms=TIMEOUT_MS,
                        auth_url=f"http://127.0.0.1:{port}/auth", auth_max_inflight=48).start()
    asyncio.run(run.all(streamer.address, port, bus))
    assert list(judge(run)) == []
    statuses = [attempt.status for attempt in run.attempts]
    busy = sum(b"sse.busy" in attempt.raw for attempt in run.attempts)
    opened = [attempt for attempt in run.attempts if attempt.opened]
    got = sum(len(list(attempt.events())) for attempt in opened)
    print(f"{len(opened)} opened, {statuses.count(401) + statuses.count(403)} refused, {busy} busy, {statuses.count(None)} left "
          f"before an answer, {got} deliveries of {run.published} events, {len(run.backend.answers)} verdicts")
    assert min(len(opened), statuses.count(401) + statuses.count(403), busy, statuses.count(None)) > 30 and got > 1000
    wait_until(lambda: streamer.metrics()["connections"]["current"] == 0)
    seen = streamer.prometheus()
    assert (seen["sse_auth_inflight"], seen["sse_auth_waiting"], seen["sse_auth_joined"] > 0) == (0, 0, True)
    assert streamer.stop() == 0
