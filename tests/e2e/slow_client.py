"""slow_client: a listener that reads when the test says so, behind a window as small as can be."""
import json
import socket

from http_raw import Block, request_bytes
from streamer_program import publish
from support import wait_until

STREAM = {"Accept": "text/event-stream"}
FILLING = json.dumps("x" * 16000)


def stalled(streamer, topics, target="/events?topic="):
    """A socket that has read its head and sse.open, and then nothing."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.settimeout(10)
    s.connect(streamer.address)
    s.sendall(request_bytes(target + topics, headers=STREAM))
    raw = b""
    while b"sse.open" not in raw:
        raw += s.recv(1024)
    return s


def dropped(streamer):
    return streamer.metrics()["messages"]["dropped"]


def delivered(streamer):
    return streamer.metrics()["messages"]["delivered"]


def fill(streamer, redis, topic):
    """Publishes until the one listener's socket takes no more; returns the names of the events so far."""
    names, before, had = [], streamer.metrics()["messages"]["published"], delivered(streamer)

    def refused():
        names.append(f"fill{len(names)}")
        publish(redis, topic, name=names[-1], data=FILLING)
        wait_until(lambda: streamer.metrics()["messages"]["published"] == before + len(names))
        return delivered(streamer) < had + len(names)
    wait_until(refused)
    return names


class Reader:
    """Reads a stalled socket from here on, block by block."""

    def __init__(self, s):
        self.socket, self.buffer = s, b""

    def block(self):
        while b"\n\n" not in self.buffer:
            chunk = self.socket.recv(65536)
            assert chunk, self.buffer[-500:]
            self.buffer += chunk
        part, _, self.buffer = self.buffer.partition(b"\n\n")
        return Block(part)

    def until(self, event):
        """The blocks with an event name up to that one, with it."""
        seen = []
        while not seen or seen[-1].event != event:
            block = self.block()
            if block.event and block.event not in ("sse.open", "ping"):
                seen.append(block)
        return seen
