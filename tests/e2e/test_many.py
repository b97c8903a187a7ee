"""Many listeners of many topics while clients come and go: every event reaches exactly its listeners, in order."""
import random
import selectors
import socket

from http_raw import Block, request_bytes
from streamer_program import Streamer, publish
from support import wait_until

TOPICS = [f"topic:{i}" for i in range(50)]


class Listener:
    def __init__(self, streamer, topics):
        self.topics = topics
        self.socket = socket.create_connection(streamer.address)
        self.socket.sendall(request_bytes("/events?topic=" + ",".join(topics), headers={"Accept": "text/event-stream"}))
        self.socket.setblocking(False)
        self.buffer, self.position, self.seen = b"", None, []

    def read(self):
        try:
            chunk = self.socket.recv(262144)
        except BlockingIOError:
            return
        assert chunk, "a listener was closed"
        self.buffer += chunk
        *blocks, self.buffer = self.buffer.split(b"\n\n")
        for text in blocks:
            block = Block(text)
            if block.event == "sse.open":
                self.position = number(block.id)
            elif block.event == "n":
                self.seen.append(number(block.id))


class Crowd:
    def __init__(self, streamer, chance):
        self.streamer, self.chance = streamer, chance
        self.selector = selectors.DefaultSelector()
        self.listeners = []

    def add(self):
        listener = Listener(self.streamer, self.chance.sample(TOPICS, self.chance.randint(1, 5)))
        self.selector.register(listener.socket, selectors.EVENT_READ, listener)
        self.listeners.append(listener)
        return listener

    def remove(self, listener):
        self.selector.unregister(listener.socket)
        listener.socket.close()
        self.listeners.remove(listener)

    def read(self, timeout=0.0):
        for key, _ in self.selector.select(timeout):
            key.data.read()

    def close(self):
        for listener in list(self.listeners):
            self.remove(listener)


def number(event_id):
    ms, n = event_id.split("-")
    return int(ms), int(n)


def expected(listener, published):
    return [event_id for event_id, topics in published
            if event_id > listener.position and not topics.isdisjoint(listener.topics)]


def test_every_event_reaches_exactly_its_listeners_in_order_while_clients_come_and_go(
        streamer_program, processes, redis, tmp):
    seed = random.SystemRandom().randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    streamer = Streamer(streamer_program, processes, redis.url, tmp, max_queue_size=1000).start()
    crowd, published = Crowd(streamer, chance), []
    for _ in range(500):
        crowd.add()
    wait_until(lambda: crowd.read(0.1) or all(one.position for one in crowd.listeners), timeout=30)
    with redis.connect() as bus:
        for i in range(600):
            topics = chance.sample(TOPICS, chance.choice([1, 1, 1, 2, 4]))
            published.append((number(publish(bus, *topics, name="n", data=str(i))), set(topics)))
            if i % 3 == 0:
                crowd.remove(chance.choice(crowd.listeners))
                crowd.add()
            crowd.read()
    wait_until(lambda: crowd.read(0.1) or all(
        one.position and len(one.seen) >= len(expected(one, published)) for one in crowd.listeners), timeout=30)
    for listener in crowd.listeners:
        assert listener.seen == expected(listener, published)
    assert sum(len(one.seen) for one in crowd.listeners) > 5000
    crowd.close()
    wait_until(lambda: streamer.metrics()["connections"]["current"] == 0)
