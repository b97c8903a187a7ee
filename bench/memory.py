#!/usr/bin/python3
"""memory: what topics and their events take in Redis: used_memory before and after, so that everything is in it.

  bench/memory.py [topics]

Publishes through append.lua as publish does, into a private Redis without persistence, and prints a table."""
import os
import shutil
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "tests", "e2e"))

from redis_script import append, event  # noqa: E402
from redis_server import RedisServer  # noqa: E402

CASES = [(events, size) for size in (150, 1024) for events in (1, 10, 100)]


def used(bus):
    return int(next(line for line in bus.call("INFO", "memory").decode().splitlines()
                    if line.startswith("used_memory:")).split(":")[1])


def once(bus, topics, events, size, **settings):
    bus.call("FLUSHALL")
    before = used(bus)
    batch = [event(f"topic:{topic}", name="changed", data='"%s"' % ("x" * size)) for topic in range(topics) for _ in range(events)]
    for at in range(0, len(batch), 1000):
        append(bus, *batch[at:at + 1000], index_size=100000, **settings)
    for key in bus.call("KEYS", "sse:once:*"):
        bus.call("DEL", key)
    return used(bus) - before


def main():
    topics = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
    folder = tempfile.mkdtemp(prefix="td.", dir="/tmp")
    redis = RedisServer(folder)
    try:
        with redis.connect() as bus:
            index = once(bus, topics, 1, 150, history_size=0) / topics
            print(f"{topics} topics; bytes of Redis's memory\n| events a topic | bytes of data | a topic | an event |\n|---|---|---|---|")
            print(f"| none kept (history_size = 0) | | {index:.0f} | |")
            for events, size in CASES:
                taken = once(bus, topics if events < 100 else topics // 10, events, size)
                taken /= topics if events < 100 else topics // 10
                print(f"| {events} | {size} | {taken:.0f} | {taken / events:.0f} |")
            bus.call("FLUSHALL")
            before = used(bus)
            for i in range(1000):
                append(bus, event("a"), once=f"{i:064d}", digest="0" * 64)
            print(f"a remembered idempotency key: {(used(bus) - before) / 1000:.0f} bytes, for 5 minutes")
    finally:
        redis.stop()
        shutil.rmtree(folder, ignore_errors=True)


main()
