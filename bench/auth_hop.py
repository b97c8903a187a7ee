#!/usr/bin/python3
"""auth_hop: what the web server between the streamer and php-fpm costs an auth call, beside FastCGI straight to php-fpm.

  TIDINGS_BUILD=<build folder> bench/auth_hop.py [seconds] [rounds]

The same PHP page on the same php-fpm (opcache as Debian has it), asked through nginx and lighttpd over connections that are kept, as
auth_http does it, and by FastCGI itself: a page that answers at once, and one that takes 20 ms. CPU is that of each program's
processes (/proc/PID/task/*/schedstat) over the calls. Everything that it starts ends with it."""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "tests", "e2e"))

from fronts import Lighttpd, Nginx, Place  # noqa: E402
from measures import cpu_ns  # noqa: E402
from php_fpm import PhpFpm  # noqa: E402
from servers import tree  # noqa: E402
from support import Processes, built  # noqa: E402

UNDER_WAY = 8
PAGES = {"answers at once": ("at_once.php", "<?php http_response_code(204);"),
         "takes 20 ms": ("slow.php", "<?php usleep(20000); http_response_code(204);")}


class HopNginx(Nginx):
    def with_php(self, php):
        self.more = f"""keepalive_requests 1000000000;
        location ~ \\.php$ {{ include /etc/nginx/fastcgi.conf; fastcgi_pass unix:{php.path}; }}
        listen unix:{self.place.run}/nginx.sock;"""
        return self


class HopLighttpd(Lighttpd):
    def with_php(self, php):
        self.more = f"""static-file.exclude-extensions = ( ".php" )
server.max-keep-alive-requests = 60000
fastcgi.server += ( ".php" => (( "socket" => "{php.path}" )) )"""
        return self


class Site:
    """php-fpm and both web servers before it; ways: name -> (words of the load generator, the web server's process or None)."""

    def __init__(self, folder, processes):
        place = Place(folder, built("publisher/publish"))
        place.write_settings(publish_auth="none", redis_url="redis://127.0.0.1:1")
        for name, text in PAGES.values():
            place.write("www/" + name, text)
        self.php = PhpFpm(folder, place.run, processes, children=UNDER_WAY, ini=True).start()
        nginx, lighttpd = (kind(place, processes).with_php(self.php).start() for kind in (HopNginx, HopLighttpd))
        at = "127.0.0.1:%d"
        self.www = os.path.join(folder, "www")
        self.ways = {
            "nginx, over TCP": (["http", at % nginx.port, ""], nginx),
            "nginx, over a unix socket": (["http", f"{place.run}/nginx.sock", ""], nginx),
            "lighttpd, over TCP": (["http", at % lighttpd.port, ""], lighttpd),
            "FastCGI, a connection a call": (["fcgi", self.php.path, self.www], None),
            "FastCGI, connections kept": (["fcgi-kept", self.php.path, self.www], None),
        }

    def measure(self, way, page, seconds):
        (kind, address, folder), front = self.ways[way]
        used = {"php": tree(self.php.process.pid), "web": tree(front.process.pid) if front else []}
        before = {name: cpu_ns(pids) for name, pids in used.items()}
        ran = subprocess.run([built("bench/hop"), kind, address, f"{folder}/{page}", str(UNDER_WAY), str(seconds)],
                             capture_output=True, text=True, check=False, timeout=seconds + 30)
        if ran.returncode:
            raise SystemExit(f"{way}: {ran.stdout}{ran.stderr}{self.php.log()}")
        result = json.loads(ran.stdout)
        for name, pids in used.items():
            result[name + "_us"] = (cpu_ns(pids) - before[name]) / 1e3 / result["calls"]
        result["all_us"] = result["php_us"] + result["web_us"] + result["cpu_us"]
        return result


FIGURES = (("calls_per_s", "calls/s", 0), ("p50_us", "p50 µs", 0), ("p99_us", "p99 µs", 0), ("web_us", "web server", 1),
           ("php_us", "php-fpm", 1), ("cpu_us", "asking", 1), ("all_us", "all", 1))
BASE = "nginx, over TCP"


def table(title, runs):
    print(f"\n**A page that {title}**\n\n| | " + " | ".join(head for _, head, _ in FIGURES) + " | calls/s of nginx | CPU of nginx |")
    print("|---" * (len(FIGURES) + 3) + "|")
    for way, mine in runs.items():
        cells = [f"{statistics.median(run[name] for run in mine):.{digits}f}" for name, _, digits in FIGURES]
        ratios = [statistics.median(a[name] / b[name] for a, b in zip(mine, runs[BASE])) for name in ("calls_per_s", "all_us")]
        print(f"| {way} | " + " | ".join(cells) + "".join(f" | {ratio:.2f}" for ratio in ratios) + " |")


def main():
    seconds, rounds = (int(word) for word in (sys.argv[1:] + ["1", "3"][len(sys.argv) - 1:]))
    folder, processes = tempfile.mkdtemp(prefix="td.", dir="/tmp"), Processes()
    try:
        site = Site(folder, processes)
        runs = {title: {way: [] for way in site.ways} for title in PAGES}
        for way in site.ways:
            site.measure(way, PAGES["answers at once"][0], 1)  # the page is compiled, all connections have been made
        for _ in range(rounds):
            for title, (page, _) in PAGES.items():
                for way in site.ways:
                    runs[title][way].append(site.measure(way, page, seconds))
    finally:
        processes.stop_all()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{UNDER_WAY} calls under way, as many processes of php-fpm; median of {rounds} rounds of {seconds} s; CPU µs a call")
    for title in PAGES:
        table(title, runs[title])


main()
