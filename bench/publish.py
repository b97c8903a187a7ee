#!/usr/bin/python3
"""publish: what the log costs a publisher, beside a plain PUBLISH through the same program, in the same run.

  TIDINGS_BUILD=<build folder> bench/publish.py [seconds] [rounds]

Each round asks, in turn: publish with a log of 100 events a topic, without one (history_size = 0), and publish with a plain
PUBLISH behind the seam publisher/log.h (bench/log_plain.c), each with 1, 2 and 4 processes. One Redis without persistence, on a
unix socket; events of 150 bytes for 100 topics, one a request, one FastCGI connection a request as a web server does it.
Everything that it starts ends with it."""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "tests", "e2e"))

from publish_program import FastCgi  # noqa: E402
from redis_server import RedisServer  # noqa: E402
from support import Processes, built  # noqa: E402

TOPICS, BYTES = 100, 150
KINDS = {
    "log": ("publisher/publish", {}),
    "no log": ("publisher/publish", {"history_size": 0}),
    "plain PUBLISH": ("bench/publish_plain", {}),
}
PROCESSES = (1, 2, 4)


def once(redis, kind, count, seconds, events=1):
    program, settings = KINDS[kind]
    folder, processes = tempfile.mkdtemp(prefix="td.", dir="/tmp"), Processes()
    try:
        publish = FastCgi(built(program), processes, folder, count=count, redis_url="unix:" + redis.path, **settings)
        with redis.connect() as bus:
            bus.call("FLUSHALL")
            before = cpu(bus)
            ran = subprocess.run([built("bench/fastcgi_load"), publish.path, str(2 * count), str(seconds), str(TOPICS),
                                  str(BYTES), str(events)], capture_output=True, text=True, check=True)
            result = json.loads(ran.stdout)
            assert result["other"] == 0, ran.stderr
            return {"rate": result["events"] / result["seconds"], "load": result["cpu_seconds"] / result["seconds"],
                    "redis": (cpu(bus) - before) / result["seconds"]}
    finally:
        processes.stop_all()
        shutil.rmtree(folder, ignore_errors=True)


def cpu(bus):
    text = bus.call("INFO", "cpu").decode()
    return sum(float(line.split(":")[1]) for line in text.splitlines() if line.startswith(("used_cpu_sys:", "used_cpu_user:")))


def main():
    seconds, rounds = (int(word) for word in (sys.argv[1:] + ["3", "5"][len(sys.argv) - 1:]))
    folder = tempfile.mkdtemp(prefix="td.", dir="/tmp")
    redis = RedisServer(folder)
    runs = {}
    try:
        for _ in range(rounds):
            for count in PROCESSES:
                for kind in KINDS:
                    runs.setdefault((count, kind), []).append(once(redis, kind, count, seconds))
    finally:
        redis.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"events a second, median of {rounds} rounds of {seconds} s; cores used by Redis, by the load generator")
    print("| processes | | events/s | of plain | Redis | load |\n|---|---|---|---|---|---|")
    for count in PROCESSES:
        plain = runs[count, "plain PUBLISH"]
        for kind in KINDS:
            mine = runs[count, kind]
            ratio = statistics.median(a["rate"] / b["rate"] for a, b in zip(mine, plain))
            print(f"| {count} | {kind} | {statistics.median(run['rate'] for run in mine):.0f} | {ratio:.2f} | "
                  f"{statistics.median(run['redis'] for run in mine):.2f} | "
                  f"{statistics.median(run['load'] for run in mine):.2f} |")


main()
