"""chaos_listeners: some hundred clients that behave as EventSource does, in one process with one loop. Each keeps the last
id of a block that came complete, honours retry:, and comes back with its position; when it leaves is in the plan.

Run by chaos.py as `chaos_listeners.py PLAN RECORDS ADDRESSES`. Reads lines from stdin: `settle` ends all planned leaving,
`finish {topic: position}` waits until every listener is there and then says so on stdout; the end of stdin ends it all."""
import heapq
import itertools
import json
import os
import selectors
import socket
import struct
import sys
import time
from urllib.parse import quote

from chaos_plan import data_number, data_text
from chaos_records import Writer, parse
from http_raw import Block, request_bytes

LONGEST_RETRY_MS = 1000  # a retry: that asks for more is cut to this, or a busy listener would sleep through the run


class Listener:
    """One listener. now: what the current connection is: its socket, bytes, step of the plan."""

    def __init__(self, loop, number, spec):
        self.loop, self.number, self.spec = loop, number, spec
        self.life = self.connections = 0
        self.position = self.first_position = None  # as texts; of this life
        self.retry_ms = 100
        self.socket = None
        self.serial = 0  # of the connection, so that a timer of an earlier one is known
        loop.after(spec["start_ms"] / 1000, self.connect)

    @property
    def step(self):
        return self.spec["steps"][self.connections % len(self.spec["steps"])]

    def record(self, kind, *rest):
        self.loop.records.write(f"{self.number}.{self.life}", self.connections, kind, round(time.monotonic(), 6), *rest)

    # ---- connecting ----

    def connect(self):
        self.serial += 1
        self.head, self.buffer, self.events, self.received = False, b"", 0, 0
        address = self.loop.address_of(self.spec)
        self.socket = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        if self.spec["small_buffer"] and not isinstance(address, str):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.setblocking(False)
        try:
            self.socket.connect(address)
        except BlockingIOError:
            if isinstance(address, str):  # the line of a unix socket is full
                self.not_connected()
                return
        except OSError:
            self.not_connected()
            return
        self.loop.watch(self, selectors.EVENT_WRITE)

    def not_connected(self):
        self.loop.forget(self)
        self.socket = None
        self.loop.after(self.retry_ms / 1000, self.connect)

    def on_writable(self):
        if self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0:
            self.not_connected()
            return
        self.record("connect", self.step["topics"], self.spec["filter"], self.position)
        try:
            self.socket.send(self.request())
        except OSError:
            self.close("refused")
            return
        self.loop.watch(self, selectors.EVENT_READ)
        self.plan_end()

    def request(self):
        """The same in three ways."""
        topics, names, way = self.step["topics"], self.spec["filter"], self.spec["way"]
        headers = {"Accept": "text/event-stream"}
        if way == "post":
            asked = {"topics": topics, **({"events": names} if names else {}),
                     **({"last_event_id": self.position} if self.position else {})}
            headers["Content-Type"] = "application/json"
            return request_bytes("/events", "POST", headers, json.dumps(asked).encode())
        target = "/events?topic=" + ",".join(quote(topic, safe="") for topic in topics)
        if names:
            target += "&events=" + ",".join(names)
        if self.position and way == "query":
            target += "&last_event_id=" + self.position
        elif self.position:
            headers["Last-Event-ID"] = self.position
        return request_bytes(target, headers=headers)

    # ---- leaving ----

    def plan_end(self):
        if self.loop.settled:
            return
        kind, amount = self.step["end"]
        if kind == "ms":
            self.loop.after(amount / 1000, self.leave, self.serial)
        elif kind == "bytes" and amount == 0:
            self.leave(self.serial)
            return
        if self.step["slow_ms"]:
            self.loop.after(0.05, self.pause, self.serial)

    def leave(self, serial):
        if serial == self.serial and self.socket and not self.loop.settled:
            if self.step["reset"]:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close("left")

    def pause(self, serial):
        """Reads nothing for a while."""
        if serial == self.serial and self.socket:
            self.loop.watch(self, 0)
            self.loop.after(self.step["slow_ms"] / 1000, self.unpause, serial)

    def unpause(self, serial):
        if serial == self.serial and self.socket:
            self.loop.watch(self, selectors.EVENT_READ)

    def close(self, why):
        """The connection is over; what is in the buffer was no complete block and counts for nothing."""
        self.record("end", why)
        self.loop.forget(self)
        self.socket = None
        wait = min(self.retry_ms, LONGEST_RETRY_MS) + (0 if self.loop.settled else self.step["away_ms"])
        again = "resume" if self.loop.settled else self.step["again"]
        self.connections += 1
        if again != "resume":
            self.life += 1
            self.position = self.first_position if again == "rewind" else None
            self.first_position = self.position
        self.loop.after(wait / 1000, self.connect)

    # ---- reading ----

    def on_readable(self):
        try:
            data = self.socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            self.close("broken")
            return
        if not data:
            self.close("ended")
            return
        kind, amount = self.step["end"]
        full = kind == "bytes" and not self.loop.settled and self.received + len(data) >= amount
        if full:
            data = data[:amount - self.received]  # the rest is on its way, and never arrives
        self.received += len(data)
        serial = self.serial
        self.take(data)
        if full:
            self.leave(serial)

    def take(self, data):
        self.buffer += data
        if not self.head:
            head, end, rest = self.buffer.partition(b"\r\n\r\n")
            if not end:
                return
            self.head, self.buffer = True, rest
            if not head.startswith(b"HTTP/1.1 200 "):
                self.record("wrong", f"an EventSource gives up for ever on {head[:40]!r} {rest[:200]!r}")
        serial = self.serial
        *blocks, self.buffer = self.buffer.split(b"\n\n")
        for block in blocks:
            self.on_block(Block(block))
            if serial != self.serial or not self.socket:
                return

    def on_block(self, block):
        """One complete block: what EventSource would do, and a record of it."""
        self.keep(block.id)
        if block.retry:
            self.retry_ms = int(block.retry)
        if block.event == "sse.open":
            self.record("open", block.id, block.json)
        elif block.event == "sse.reset":
            self.record("reset", block.json["topics"], block.json["reason"])
        elif block.event in ("sse.busy", "sse.bye"):
            self.record(block.event[4:])
        elif block.data is not None:
            self.on_event(block)
        elif block.id is not None:
            self.record("id", block.id)

    def keep(self, id):
        if id is not None:
            self.position = id
            self.first_position = self.first_position or id
            self.loop.arrived(self)

    def on_event(self, block):
        text = block.data.decode("utf-8", "replace")
        n = data_number(text)
        known = self.loop.plan_event(n)
        if known is None or text != data_text(n, *known[2:]) or block.event != known[1]:
            self.record("wrong", f"no event of ours: {block.text[:200]!r} … {block.text[-80:]!r}")
            return
        self.record("event", block.id, n)
        self.events += 1
        kind, amount = self.step["end"]
        if kind == "events" and self.events == amount:
            self.leave(self.serial)


class Loop:
    """All listeners, their sockets and timers."""

    def __init__(self, plan, records, addresses):
        self.plan, self.records, self.addresses = plan, records, addresses
        self.poll, self.timers, self.order = selectors.EpollSelector(), [], itertools.count()
        self.settled, self.goal, self.missing = False, None, set()
        self.poll.register(sys.stdin.fileno(), selectors.EVENT_READ)
        self.watched, self.typed, self.over = {}, b"", False
        self.listeners = [Listener(self, i, spec) for i, spec in enumerate(plan["listeners"])]

    def address_of(self, spec):
        return self.addresses["front" if spec["front"] else "unix" if spec["unix"] else "tcp"]

    def plan_event(self, n):
        return self.plan["events"][n] if n is not None and n < len(self.plan["events"]) else None

    def after(self, seconds, call, *arguments):
        heapq.heappush(self.timers, (time.monotonic() + seconds, next(self.order), call, arguments))

    def watch(self, listener, what):
        """what: 0 keeps the socket and looks at nothing."""
        if self.watched.get(listener):
            self.poll.unregister(listener.socket)
        if what:
            self.poll.register(listener.socket, what, listener)
        self.watched[listener] = what

    def forget(self, listener):
        self.watch(listener, 0)
        listener.socket.close()

    # ---- the end ----

    def command(self, line):
        word, _, rest = line.partition(" ")
        self.settled = True
        for listener in self.listeners:
            if word == "settle" and listener.socket and self.watched[listener] == 0:
                listener.unpause(listener.serial)
        if word == "finish":
            self.goal = {topic: parse(position) for topic, position in json.loads(rest).items()}
            self.missing = set(self.listeners)
            for listener in self.listeners:
                self.arrived(listener)

    def arrived(self, listener):
        """Takes a listener off the list of those that are still behind."""
        if self.goal is None or listener not in self.missing or listener.position is None:
            return
        position = parse(listener.position)
        if all(position.get(partition, 0) >= id for topic in listener.step["topics"] for partition, id in self.goal[topic].items()):
            self.missing.remove(listener)

    def say(self):
        """One line that says how many are still behind, and who."""
        behind = [f"listener {listener.number}.{listener.life} connection {listener.connections} on "
                  f"{','.join(listener.step['topics'])} is at {listener.position}, "
                  f"{'connected' if listener.socket else 'not connected'}"
                  for listener in sorted(self.missing, key=lambda listener: listener.number)]
        sys.stdout.write(json.dumps({"behind": behind}) + "\n")
        sys.stdout.flush()

    def on_stdin(self):
        data = os.read(sys.stdin.fileno(), 65536)
        self.over = not data
        *lines, self.typed = (self.typed + data).split(b"\n")
        for line in lines:
            if line == b"say":
                self.say()
            else:
                self.command(line.decode())

    def run(self):
        while not self.over:
            wait = max(0, self.timers[0][0] - time.monotonic()) if self.timers else 1
            for key, what in self.poll.select(min(wait, 1)):
                self.serve(key, what)
            now = time.monotonic()
            while self.timers and self.timers[0][0] <= now:
                _, _, call, arguments = heapq.heappop(self.timers)
                call(*arguments)

    def serve(self, key, what):
        listener = key.data
        if listener is None:
            self.on_stdin()
        elif listener.socket is not None and key.fileobj is listener.socket:
            if what & selectors.EVENT_WRITE:
                listener.on_writable()
            else:
                listener.on_readable()


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        plan = json.load(file)
    addresses = {name: tuple(address) if isinstance(address, list) else address
                 for name, address in json.loads(sys.argv[3]).items()}
    records = Writer(sys.argv[2])
    try:
        Loop(plan, records, addresses).run()
    finally:
        records.close()


if __name__ == "__main__":
    main()
