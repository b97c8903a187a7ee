#!/usr/bin/python3
"""scale: what more nodes of a Redis Cluster and more streamers bring, and what one Redis can do at most.

  TIDINGS_BUILD=<build folder> bench/scale.py [seconds] [rounds]

First 1, 2 and 3 nodes beside 1, 2 and 4 streamers, interleaved: events that publish takes, deliveries, and the CPU that each
part used for them. Then one Redis alone, asked through append.lua as fast as it answers: with subscribers, many topics, many
subscriptions; and what a subscription takes. All on 127.0.0.1, and everything that it starts ends with it."""
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "tests", "e2e"))

import redis_script  # noqa: E402
from partitions import key_of, partition_of  # noqa: E402
from private_cluster import PrivateCluster  # noqa: E402
from publish_program import FastCgi  # noqa: E402
from redis_server import RedisServer  # noqa: E402
from resp import Redis  # noqa: E402
from streamer_program import Streamer  # noqa: E402
from support import Processes, built  # noqa: E402

NODES, STREAMERS = (1, 2, 3), (1, 2, 4)
TOPICS, BYTES, PUBLISHERS, LISTENERS = 100, 150, 2, 400
TICK = os.sysconf("SC_CLK_TCK")


def cpu_of(pid):
    """Seconds of CPU that a process has used."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        words = file.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / TICK


# ---- nodes and streamers ----

class Site:
    """A Cluster of so many nodes, and publish and streamers on it."""

    def __init__(self, stack, nodes, streamers):
        self.folder, self.processes = tempfile.mkdtemp(prefix="td.", dir="/tmp"), Processes()
        stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.cluster = PrivateCluster(self.folder, "--appendonly", "no", masters=nodes, timeout_ms=5000)
        stack.callback(self.cluster.close)
        stack.callback(self.processes.stop_all)
        self.publish = FastCgi(built("publisher/publish"), self.processes, self.folder, count=PUBLISHERS,
                               redis_url=self.cluster.url)
        self.streamers = [Streamer(built("streamer/streamer"), self.processes, self.cluster.url, self.folder).start()
                          for _ in range(streamers)]
        self.listeners = [self.listen(streamer, LISTENERS // streamers) for streamer in self.streamers]
        for listener in self.listeners:
            assert listener.stdout.readline() == b"open\n"

    def listen(self, streamer, count):
        return self.processes.start(built("bench/listen"), *streamer.address, count, TOPICS, stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE)

    def parts(self):
        """Seconds of CPU up to now, of each process."""
        return {"redis": [cpu_of(node.server.process.pid) for node in self.cluster.nodes],
                "streamer": [cpu_of(streamer.worker_pid()) for streamer in self.streamers],
                "publish": [cpu_of(process.pid) for process in self.publish.running]}

    def run(self, seconds):
        before = self.parts()
        ran = subprocess.run([built("bench/fastcgi_load"), self.publish.path, str(2 * PUBLISHERS), str(seconds), str(TOPICS),
                              str(BYTES), "1"], capture_output=True, text=True, check=True)
        loaded = json.loads(ran.stdout)
        assert loaded["other"] == 0, ran.stderr
        self.wait_quiet()
        used = {part: [after - was for after, was in zip(self.parts()[part], before[part])] for part in before}
        got = 0
        for listener in self.listeners:
            listener.stdin.close()
            got += int(listener.stdout.readline())
        assert got == loaded["events"] * LISTENERS / TOPICS, f"{got} deliveries of {loaded['events']} events"
        return {"events": loaded["events"] / loaded["seconds"], "deliveries": got / loaded["seconds"],
                **{part: [seconds / loaded["seconds"] for seconds in used[part]] for part in used},
                "redis_us": 1e6 * sum(used["redis"]) / loaded["events"],
                "busiest_us": 1e6 * max(used["redis"]) / loaded["events"], "streamer_us": 1e6 * sum(used["streamer"]) / got,
                "publish_us": 1e6 * sum(used["publish"]) / loaded["events"]}

    def wait_quiet(self):
        """Until what was published has come: the streamers' counters stand still."""
        seen = None
        while seen != (seen := [streamer.metrics()["messages"]["delivered"] for streamer in self.streamers]):
            time.sleep(0.2)


def measure_sites(seconds, rounds):
    runs = {}
    for _ in range(rounds):
        for nodes in NODES:
            for streamers in STREAMERS:
                with ExitStack() as stack:
                    runs.setdefault((nodes, streamers), []).append(Site(stack, nodes, streamers).run(seconds))
    print(f"{TOPICS} topics, {LISTENERS} listeners, {PUBLISHERS} publish processes; median of {rounds} rounds of {seconds} s; "
          "cores used by each node, by each streamer; microseconds of CPU")
    print("| nodes | streamers | events/s | deliveries/s | cores of each node | of each streamer | Redis, an event | "
          "its busiest node | streamers, a delivery | publish, an event |\n|---|---|---|---|---|---|---|---|---|---|")
    for (nodes, streamers), mine in runs.items():
        def median(name):
            return statistics.median(run[name] for run in mine)
        cores = {part: " ".join(f"{statistics.median(shares):.2f}" for shares in zip(*(run[part] for run in mine)))
                 for part in ("redis", "streamer")}
        print(f"| {nodes} | {streamers} | {median('events'):.0f} | {median('deliveries'):.0f} | {cores['redis']} | "
              f"{cores['streamer']} | {median('redis_us'):.1f} | {median('busiest_us'):.1f} | {median('streamer_us'):.2f} | "
              f"{median('publish_us'):.1f} |", flush=True)


# ---- one Redis ----

class Recorder:
    """Takes down a call of append.lua in the place of making it."""

    def call(self, *words):
        self.words = words


def command(words):
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


class Asker:
    """Publishes as one publisher does, but as many requests at a time as fit into a pipeline of DEPTH."""

    DEPTH, NUMBER, TOPIC = 64, b"#00000000000", b"topic:00000000"

    def __init__(self, bus, **settings):
        self.bus, self.asked = bus, 0
        recorder = Recorder()
        topic = self.TOPIC.decode()
        redis_script.append(recorder, redis_script.event(topic, name="changed", data='"%s"' % ("x" * BYTES)), once="bench",
                            digest=self.NUMBER.decode(), **settings)
        sha = bus.call("SCRIPT", "LOAD", recorder.words[1])
        text = command(("EVALSHA", sha, *recorder.words[2:]))
        assert text.count(self.NUMBER) == 1
        self.template = text.replace(b"%", b"%%").replace(self.NUMBER, b"#%(n)011d").replace(self.TOPIC, b"topic:%(topic)08d")

    def ask(self, topics, seconds):
        """Returns requests a second, and the CPU of Redis that one took, in microseconds."""
        pid = int(next(line for line in self.bus.call("INFO", "server").decode().splitlines()
                       if line.startswith("process_id:")).split(":")[1])
        began, used, asked, taken = time.monotonic(), cpu_of(pid), self.asked, 0
        self.send(topics)
        while time.monotonic() < began + seconds:
            self.send(topics)  # a pipeline is under way while the next one is made
            taken += self.receive()
        taken += self.receive()
        took, used = time.monotonic() - began, cpu_of(pid) - used
        assert taken == self.asked - asked
        return taken / took, 1e6 * used / taken, used / took

    def send(self, topics):
        commands = [self.template % {b"n": n, b"topic": n % topics} for n in range(self.asked + 1, self.asked + 1 + self.DEPTH)]
        self.asked += self.DEPTH
        self.bus.socket.sendall(b"".join(commands))

    def receive(self):
        for _ in range(self.DEPTH):
            assert self.bus.receive()[0] == b"new"
        return self.DEPTH


class Subscribers:
    """Processes that subscribe to topics and read everything, as streamers do, at no cost that could be seen."""

    CODE = """
import socket, sys
link = socket.socket(socket.AF_UNIX)
link.connect(sys.argv[1])
for first in range(0, int(sys.argv[2]), 100):
    names = [b"topic:%08d" % i for i in range(first, first + 100)]
    link.sendall(b"*101\\r\\n$9\\r\\nSUBSCRIBE\\r\\n" + b"".join(b"$14\\r\\n%s\\r\\n" % name for name in names))
while link.recv(1 << 20):
    pass
"""

    def __init__(self, processes, path, count, topics):
        self.running = [processes.start(sys.executable, "-c", self.CODE, path, topics) for _ in range(count)]
        with Redis(path) as redis:
            while redis.call("PUBSUB", "NUMSUB", "topic:%08d" % (topics - 1))[1] != count:
                time.sleep(0.02)


def with_redis(look):
    """Calls look(server, processes) on a Redis of its own."""
    folder, processes = tempfile.mkdtemp(prefix="td.", dir="/tmp"), Processes()
    server = RedisServer(folder)
    try:
        return look(server, processes)
    finally:
        processes.stop_all()
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def measure_ceiling(seconds):
    """(what, topics, subscribers, subscriptions besides, settings)"""
    cases = [("log of 100", 100, 0, 0, {}), ("no log", 100, 0, 0, {"history_size": 0}), ("log, 1 subscriber", 100, 1, 0, {}),
             ("log, 4 subscribers", 100, 4, 0, {}), ("log, 100000 topics", 100000, 0, 0, {}),
             ("log, 1 subscriber of 100000 channels", 100, 1, 100000, {})]
    print(f"\none Redis, asked by one connection in pipelines of {Asker.DEPTH}; {seconds} s each")
    print("| | events/s | cores of Redis | Redis, µs an event |\n|---|---|---|---|")
    for what, topics, count, channels, settings in cases:
        def look(server, processes):
            Subscribers(processes, server.path, count, max(topics, channels))
            with server.connect() as bus:
                return Asker(bus, **settings).ask(topics, seconds)
        rate, micros, cores = with_redis(look)
        print(f"| {what} | {rate:.0f} | {cores:.2f} | {micros:.1f} |", flush=True)


def measure_subscriptions(count=100000):
    """Of the same channels twice: the first subscriber's make the channels."""
    def taken(bus, pid, subscribe):
        memory, used = number(bus, "memory", "used_memory"), cpu_of(pid)
        subscribe()
        return (number(bus, "memory", "used_memory") - memory) / count, 1e6 * (cpu_of(pid) - used) / count

    def look(address, pid, kind, name):
        with Redis(address) as bus, Redis(address) as first, Redis(address) as second:
            for what, link in (("first", first), ("second", second)):
                def subscribe():
                    for begin in range(0, count, 100):
                        for i in range(begin, begin + 100):
                            link.send(kind, name(i))
                        for i in range(100):
                            link.receive()
                memory, micros = taken(bus, pid, subscribe)
                print(f"| {kind}, {what} subscriber of a channel | {memory:.0f} | {micros:.1f} |", flush=True)

    print(f"\n{count} subscriptions\n| | bytes of Redis's memory | µs of its CPU |\n|---|---|---|")
    with_redis(lambda server, _: look(server.path, server.process.pid, "SUBSCRIBE", lambda i: f"topic:{i:08d}"))
    folder = tempfile.mkdtemp(prefix="td.", dir="/tmp")
    cluster = PrivateCluster(folder, "--appendonly", "no", masters=1)
    try:
        look(cluster.nodes[0].address, cluster.nodes[0].server.process.pid, "SSUBSCRIBE",
             lambda i: key_of(f"topic:{i:08d}", partition_of(f"topic:{i:08d}")))
    finally:
        cluster.close()
        shutil.rmtree(folder, ignore_errors=True)


def number(bus, section, name):
    return int(next(line for line in bus.call("INFO", section).decode().splitlines()
                    if line.startswith(name + ":")).split(":")[1])


def main():
    seconds, rounds = (int(word) for word in (sys.argv[1:] + ["3", "3"][len(sys.argv) - 1:]))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    measure_sites(seconds, rounds)
    measure_ceiling(seconds)
    measure_subscriptions()


if __name__ == "__main__":
    main()
