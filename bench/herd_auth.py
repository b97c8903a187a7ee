#!/usr/bin/python3
"""herd_auth: how long it takes until 10,000 listeners of two topics, who come back at once, have been let in by a PHP page, and how
often that page is asked.

  TIDINGS_BUILD=<build folder> bench/herd_auth.py [listeners] [rounds]

The page is asked through nginx, takes 20 ms, and php-fpm has 5 processes: 250 answers a second. Each listener has missed 5 events.
Cases: 500 users with 20 windows each, whose answers count for 30 seconds, or once alone; and, once, as many users as listeners whose
answers count once, so that nothing can be spared. Everything that it starts ends with it, in less than 5 minutes."""
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "tests", "e2e"))

from fronts import Nginx, Place  # noqa: E402
from php_fpm import PhpFpm  # noqa: E402
from redis_server import RedisServer  # noqa: E402
from streamer_program import Streamer, publish  # noqa: E402
from support import Processes, built  # noqa: E402

MISSED, USERS, CHILDREN, LIMIT_SECONDS = 5, 500, 5, 150
PAGE = """<?php
usleep(20000);
header('Cache-Control: %s');
header('Content-Type: application/json');
echo json_encode(['allow' => json_decode(file_get_contents('php://input'), true)['topics'] ?? []]);
"""
PAGES = {"30.php": PAGE % "private, max-age=30", "once.php": PAGE % "no-store"}
CASES = {  # name -> page, users (None: one a listener), settings
    "answers count for 30 s, 1 worker": ("30.php", USERS, {}),
    "answers count for 30 s, 2 workers": ("30.php", USERS, {"workers": 2}),
    "the same, auth_mode = batch, 1 worker": ("30.php", USERS, {"auth_mode": "batch"}),
    "the same, auth_mode = batch, 2 workers": ("30.php", USERS, {"auth_mode": "batch", "workers": 2}),
    "answers count once, 1 worker": ("once.php", USERS, {}),
}
BASELINE = "nothing can be spared, 1 worker"


class Site:
    """nginx before php-fpm, with a line in its log for each call."""

    def __init__(self, folder, processes):
        self.place = Place(folder, built("publisher/publish"))
        self.place.write_settings(publish_auth="none", redis_url="redis://127.0.0.1:1")
        for name, text in PAGES.items():
            self.place.write("www/" + name, text)
        php = PhpFpm(folder, self.place.run, processes, children=CHILDREN, ini=True).start()
        self.calls_path = os.path.join(folder, "calls")
        self.nginx = Nginx(self.place, processes)
        self.nginx.more = f"""location ~ \\.php$ {{
            access_log {self.calls_path}; include /etc/nginx/fastcgi.conf; fastcgi_pass unix:{php.path};
        }}"""
        self.nginx.start()

    def calls(self):
        with open(self.calls_path, encoding="ascii", errors="replace") as file:
            return sum(1 for _ in file)


def once(site, processes, redis, bus, count, case):
    page, users, settings = case
    cursor = publish(bus, "news")
    for _ in range(MISSED):
        publish(bus, "news")
    streamer = Streamer(built("streamer/streamer"), processes, "unix:" + redis.path, site.place.folder, auth="url",
                        auth_url=f"http://127.0.0.1:{site.nginx.port}/{page}", **settings).start()
    before = site.calls()
    ran = subprocess.run([built("bench/herd"), *map(str, streamer.address), str(count), str(MISSED), cursor,
                          "/events?topic=news,alerts", str(users or count), str(LIMIT_SECONDS)], capture_output=True, text=True,
                         check=False)
    seen, calls = streamer.prometheus(), site.calls() - before
    streamer.stop()
    if ran.returncode:
        raise SystemExit(f"{case}: {ran.stdout}{ran.stderr}{streamer.log()[-2000:]}")
    result = json.loads(ran.stdout)
    assert result["events"] == count * MISSED and result["resumed"] == count, result
    return {**result, "calls": calls, "joined": seen["sse_auth_joined"], "reused": seen["sse_auth_reused"]}


FIGURES = (("calls", "calls of the page", 0), ("joined", "spared: joined", 0), ("reused", "spared: used again", 0),
           ("busy", "busy", 0), ("open_p50_s", "p50 to sse.open, s", 2), ("open_p99_s", "p99, s", 2), ("last_s", "all back, s", 2))


def main():
    count, rounds = (int(word) for word in (sys.argv[1:] + ["10000", "3"][len(sys.argv) - 1:]))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    folder, processes = tempfile.mkdtemp(prefix="td.", dir="/tmp"), Processes()
    runs, redis = {name: [] for name in [*CASES, BASELINE]}, RedisServer(folder)
    try:
        site = Site(os.path.join(folder), processes)
        with redis.connect() as bus:
            for _ in range(rounds):
                for name, case in CASES.items():
                    runs[name].append(once(site, processes, redis, bus, count, case))
            runs[BASELINE].append(once(site, processes, redis, bus, count, ("once.php", None, {})))
    finally:
        processes.stop_all()
        redis.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{count} listeners, median of {rounds} rounds (the last one: of 1)\n")
    print("| | " + " | ".join(head for _, head, _ in FIGURES) + " |\n" + "|---" * (len(FIGURES) + 1) + "|")
    for name, mine in runs.items():
        cells = [f"{statistics.median(run[figure] for run in mine):.{digits}f}" for figure, _, digits in FIGURES]
        print(f"| {name} | " + " | ".join(cells) + " |")


main()
