#!/usr/bin/python3
"""herd: what it costs when 10,000 listeners come back to a streamer that was killed and started again.

  TIDINGS_BUILD=<build folder> bench/herd.py [listeners] [rounds]

Each round, on the same Redis: listeners without a cursor (what opening costs), with one cursor and one set of topics, with
one cursor and 1000 sets that share a topic. Prints a table; Redis's commands are those of INFO commandstats, of Lua scripts
too. All on 127.0.0.1, and everything that it starts ends with it."""
import json
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "tests", "e2e"))

from private_redis import PrivateRedis  # noqa: E402
from streamer_program import Streamer, publish  # noqa: E402
from support import Processes, built  # noqa: E402

MISSED = 5
KINDS = {
    "no cursor": ("/events?topic=news,alerts", None),
    "a cursor, one set of topics": ("/events?topic=news,alerts", MISSED),
    "a cursor, 1000 sets that share a topic": ("/events?topic=user:%d,news", MISSED),
}
COMMANDS = ("evalsha", "eval", "xrange", "zmscore", "subscribe")


def calls(bus):
    text = bus.call("INFO", "commandstats").decode()
    return {line.split(":")[0][len("cmdstat_"):]: int(line.split("calls=")[1].split(",")[0])
            for line in text.splitlines() if line.startswith("cmdstat_")}


def once(streamer, bus, kind, count):
    target, missed = KINDS[kind]
    cursor = publish(bus, "news")
    for _ in range(MISSED):
        publish(bus, "news")
    streamer.stop(signal.SIGKILL)
    streamer.start()
    before = calls(bus)
    run = subprocess.run([built("bench/herd"), *map(str, streamer.address), str(count), str(missed or 0),
                          cursor if missed else "-", target], capture_output=True, text=True)
    after = calls(bus)
    if run.returncode:
        raise SystemExit(f"{kind}: {run.stdout}{run.stderr}{streamer.log()}")
    result = json.loads(run.stdout)
    result["commands"] = {name: after.get(name, 0) - before.get(name, 0) for name in COMMANDS}
    return result


def main():
    count, rounds = (int(word) for word in (sys.argv[1:] + ["10000", "3"][len(sys.argv) - 1:]))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    folder, processes = tempfile.mkdtemp(prefix="td.", dir="/tmp"), Processes()
    redis = PrivateRedis(folder)
    results = {kind: [] for kind in KINDS}
    try:
        with redis.connect() as bus:
            streamer = Streamer(built("streamer/streamer"), processes, redis.url, folder).start()
            for _ in range(rounds):
                for kind in KINDS:
                    results[kind].append(once(streamer, bus, kind, count))
    finally:
        processes.stop_all()
        redis.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{count} listeners at once, {MISSED} missed events each, median of {rounds} rounds")
    print("| | resumed | events | first, s | half, s | last, s | " + " | ".join(COMMANDS) + " |")
    print("|---|" + "---|" * (5 + len(COMMANDS)))
    for kind, runs in results.items():
        def median(name):
            return statistics.median(run[name] for run in runs)
        words = [f"{min(run['resumed'] for run in runs)}", f"{min(run['events'] for run in runs)}"]
        words += [f"{median(name):.3f}" for name in ("first_s", "half_s", "last_s")]
        words += [str(max(run["commands"][name] for run in runs)) for name in COMMANDS]
        print(f"| {kind} | " + " | ".join(words) + " |")


main()
