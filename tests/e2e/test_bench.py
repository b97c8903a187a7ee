"""The bench measures what it says: its load generator finds every loss, its servers run, its tables are right. Small numbers,
for a second or two: no figure of these runs means anything."""
import json
import os
import socket
import socketserver
import subprocess
import sys
import threading

import pytest

from auth_backend import reply
from support import TOP, built, need

sys.path.insert(0, os.path.join(TOP, "bench"))

import measures  # noqa: E402
import plots  # noqa: E402
import report  # noqa: E402
import rows  # noqa: E402
import servers  # noqa: E402


@pytest.fixture(autouse=True)
def programs():
    need("redis-server")
    built("bench/load")
    built("bench/floor")


def all_came(result):
    assert result["lost"] == result["doubled"] == result["disorder"] == result["failed"] == result["ended"] == 0, result
    assert not result["stuck"] and result["deliveries"] == result["expected"] > 0, result
    return result


# ---- each mode, on each server that is always there ----

@pytest.fixture(scope="module", params=[servers.Floor, servers.FloorCoalescing, servers.FloorRedis, servers.Tidings,
                                        servers.TidingsLog], ids=lambda server: server.name)
def server(request):
    with request.param() as running:
        yield running


PREFIXES = iter(range(1000))


def prefix():
    """Of topics that were not there before: nothing of an earlier run is met."""
    return f"p{next(PREFIXES)}."


def test_events_at_a_rate_reach_everybody_and_their_delay_is_told(server):
    result = all_came(measures.latency(server, streams=20, stalled=3, rate=100, events=30, prefix=prefix()))
    assert result["published"] == 30 and result["deliveries"] == 600
    assert 0 < result["p50_ms"] <= result["p99_ms"] <= result["max_ms"] < 10000
    assert 0 < result["cpu_s"] < 10 and result["cpu_us_per_delivery"] == pytest.approx(result["cpu_s"] * 1e6 / 600, rel=0.01)


@pytest.mark.parametrize("window", (1, 16))
def test_as_fast_as_possible_nothing_is_lost(server, window):
    result = all_came(measures.fan(server, streams=20, window=window, events=200, seconds=5, prefix=prefix()))
    assert result["published"] == 200 and result["deliveries"] == 4000


def test_a_topic_for_each_and_many_topics_for_each(server):
    each = all_came(measures.fan(server, streams=30, topics=30, window=64, events=300, seconds=5, prefix=prefix()))
    assert each["deliveries"] == 300
    many = all_came(measures.fan(server, streams=20, topics=10, per=4, window=64, events=300, seconds=5, prefix=prefix()))
    assert many["deliveries"] == 300 * 20 * 4 / 10


def test_long_events_come_whole(server):
    result = all_came(measures.fan(server, streams=5, bytes=20000, window=4, events=50, seconds=5, prefix=prefix()))
    assert result["deliveries"] == 250


def test_several_processes_of_the_generator_count_together(server):
    result = all_came(measures.fan(server, streams=31, processes=4, window=4, events=100, seconds=5, prefix=prefix()))
    assert result["deliveries"] == 3100


def test_connects_are_counted(server):
    result = measures.connect(server, streams=200, under_way=16)
    assert result["opened"] == 200 and result["connects_per_s"] > 0 and result["cpu_us_per_connect"] > 0


def test_streams_at_rest_are_weighed(server):
    result = measures.idle(server, 50)
    assert result["opened"] == 50 and result["kb"] > 100


def test_growth_tells_rest_and_delay(server):
    result = all_came(measures.grow(server, 50, 100, 1, rest_seconds=0.05, events=10, prefix=prefix()))
    assert result["pss_mb"] > 0.1 and 0 <= result["idle_cpu_percent"] < 100 and result["open_s"] > 0


def test_six_processes_of_the_floor_share_the_streams():
    with servers.Floor(workers=6) as floor:
        assert len(floor.pids()) == 6
        all_came(measures.fan(floor, streams=60, window=4, events=50, seconds=5))


def test_publishing_through_the_script_is_counted():
    with servers.TidingsLog() as tidings:
        result = measures.publish(tidings, streams=0, topics=10, window=16, seconds=1)
        assert result["answered"] == result["published"] > 16 and result["refused"] == 0
        with tidings.redis.connect() as bus:
            assert bus.call("XLEN", "sse:log:3") == min(100, (result["answered"] + 6) // 10)


def test_publishing_through_nginx_is_counted():
    need("nginx")
    built("publisher/publish")
    with servers.PublishSite() as site:
        result = measures.publish(site, streams=0, topics=10, window=16, connections=16, seconds=1)
        assert result["answered"] == result["published"] > 16 and result["refused"] == 0


# ---- what is wrong is found ----

class Faulty:
    """Speaks as the floor does, for one listener, and passes each event on as fault(number) says: how often, and after how
    many further ones."""

    path, opened, most_streams, other_options = "/events?topic=%s", None, 100, {}

    def __init__(self, fault, answer=b"HTTP/1.1 200 OK\r\n\r\n"):
        self.fault, self.answer = fault, answer
        self.listener, self.control = socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def pids(self):
        return [os.getpid()]

    def log(self):
        return ""

    def publishing(self):
        return ["--to", f"floor:127.0.0.1:{self.control.getsockname()[1]}"]

    def serve(self):
        stream, _ = self.listener.accept()
        stream.recv(4096)
        stream.sendall(self.answer)
        source, _ = self.control.accept()
        file, number, kept = source.makefile("rb"), 0, []
        while line := file.readline():
            times, late = self.fault(number)
            kept = [(left - 1, what) for left, what in kept]
            frame = b"data: " + file.read(int(line.split()[1])) + b"\n\n"
            if late:
                kept.append((late, frame))
            else:
                stream.sendall(frame * times)
            stream.sendall(b"".join(what for left, what in kept if left == 0))
            number += 1


@pytest.mark.parametrize("fault, lost, doubled, disorder", [
    (lambda n: (1, 0), 0, 0, 0),
    (lambda n: (0 if n == 5 else 1, 0), 1, 0, 0),
    (lambda n: (2 if n in (5, 7) else 1, 0), 0, 2, 0),
    (lambda n: (1, 3 if n == 5 else 0), 0, 0, 1),
], ids=["right", "lost", "doubled", "late"])
def test_the_load_generator_finds(fault, lost, doubled, disorder):
    result = measures.latency(Faulty(fault), streams=1, rate=100, events=30)
    assert (result["lost"], result["doubled"], result["disorder"]) == (lost, doubled, disorder), result
    assert result["deliveries"] == 30 - lost and result["stuck"] == bool(lost)


def test_an_answer_that_is_no_stream_is_not_measured():
    with pytest.raises(servers.CannotMeasure):
        measures.connect(Faulty(None, b"HTTP/1.1 503 Service Unavailable\r\n\r\n"), streams=1)


# ---- rows and tables ----

def test_a_row_from_command_to_table(tmp):
    """What needs nothing that may be missing; raw figures go to a folder of the test's own."""
    for program in ("bench/load", "bench/floor", "streamer/streamer", "publisher/publish"):
        os.makedirs(os.path.join(tmp, os.path.dirname(program)), exist_ok=True)
        os.symlink(os.path.abspath(built(program)), os.path.join(tmp, program))
    ran = subprocess.run([os.path.join(TOP, "bench", "run"), "quick", "lat1k", "--divide", "100"], text=True, check=False,
                         capture_output=True, env={**os.environ, "TIDINGS_BUILD": tmp, "PYTHONDONTWRITEBYTECODE": "1"})
    assert ran.returncode == 0, ran.stderr
    assert "A quick look" in ran.stdout and "A trial of the bench" in ran.stdout
    for name in ("tidings", "floor", "floor, coalescing 64"):
        assert f"\n| {name} | " in ran.stdout, ran.stdout + ran.stderr
    assert ("\n| nchan | " in ran.stdout) != ("nchan was left out: " in ran.stdout)
    assert os.path.exists(os.path.join(tmp, "bench-results.json"))


def test_every_row_names_figures_and_servers_that_it_has():
    names = [row.name for row in rows.all_rows()]
    assert len(names) == len(set(names))
    for row in rows.all_rows():
        measured = [server.name for server in row.servers]
        for reach in row.reach:
            assert (reach.most is None) != (reach.least is None)
            assert reach.who in measured and reach.of in (None, *measured)
            assert reach.figure in [figure for figure, _, _ in row.figures]


def made_up(**servers_of_row):
    return {"title": "work", "group": None, "x": 0, "figures": [("ms", "ms", 1)], "servers": servers_of_row, "reach": []}


def runs(*figures):
    return [{"missing": "gone"} if figure is None else {"ms": figure} for figure in figures]


def test_ratios_are_of_the_same_round():
    row = made_up(tidings=runs(2, 9, 40), floor=runs(1, 3, 10))
    assert report.ratios(row, "tidings", "floor", "ms") == [2, 3, 4]
    assert report.row_table(row)[4:6] == ["| tidings | 9.0 (2.0..40.0) | 3.00 (2.00..4.00) | – |",
                                          "| floor | 3.0 (1.0..10.0) | 1.00 | – |"]
    assert report.ratios(made_up(tidings=runs(2, None, 40), floor=runs(1, 3, None)), "tidings", "floor", "ms") == [2]


@pytest.mark.parametrize("most, least, of, found", [
    (3, None, "floor", ("≤ 3 × floor", "3.00 (2.00..4.00)", True)),
    (2.9, None, "floor", ("≤ 2.9 × floor", "3.00 (2.00..4.00)", False)),
    (None, 3.1, "floor", ("≥ 3.1 × floor", "3.00 (2.00..4.00)", False)),
    (None, 9, None, ("≥ 9", "9.00 (2.00..40.00)", True)),
    (1, None, "nchan", ("≤ 1 × nchan", "not measured", None)),
])
def test_what_is_reached_is_judged_by_the_median(most, least, of, found):
    row = made_up(tidings=runs(2, 9, 40), floor=runs(1, 3, 10))
    assert report.judged(row, {"figure": "ms", "most": most, "least": least, "of": of, "who": "tidings"}) == found


def test_who_was_not_measured_is_named():
    results = {"head": "head", "absent": {"nchan": "nginx is not installed"},
               "rows": {"a": made_up(tidings=runs(None), floor=runs(1))}}
    text = report.report(results)
    assert "tidings: not measured, gone." in text and "nchan was left out: nginx is not installed." in text
    assert "| floor | 1.0 | 1.00 | – |" in text


def test_what_went_wrong_is_told_of_each_server():
    def row(tidings, floor):
        return {**made_up(tidings=[{"wrong": tidings, "expected": 1000}], floor=[{"wrong": floor, "expected": 10}, {}]), "reach": []}
    assert "Nothing was lost" in report.wrong_line([row(0, 0), row(0, 0)]) and "2,020 deliveries" in report.wrong_line(
        [row(0, 0), row(0, 0)])
    assert report.wrong_line([row(0, 2), row(0, 1)]) == "**Lost, doubled or out of order**: floor 3 of 20 deliveries."
    assert report.wrong_line([made_up(tidings=runs(1))]) is None


def test_the_table_takes_the_place_between_its_marks_alone():
    text = f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n"
    assert report.put_between(text, "new\n") == f"before\n{report.BEGIN}\nnew\n{report.END}\nafter\n"
    with pytest.raises(ValueError):
        report.put_between("before\n", "new\n")


def test_the_page_of_results_has_room_for_them():
    with open(os.path.join(TOP, "bench", "RESULTS.md"), encoding="utf-8") as file:
        assert report.put_between(file.read(), "x\n").count("x\n" + report.END) == 1


def test_lines_of_a_plot_leave_out_what_is_not_known():
    grown = [{**made_up(tidings=runs(n, n + 2), floor=runs(None)), "group": "listeners", "x": n} for n in (1, 10)]
    assert plots.lines_of(grown, [("ms", "p50")]) == [("tidings p50", [(1, 2), (10, 11)])]


@pytest.mark.parametrize("status, code", [(204, 0), (403, 1)])
def test_what_asks_a_page_counts_its_answers_and_takes_no_other(status, code, backend):
    backend.answer = lambda call: reply(status)
    ran = subprocess.run([built("bench/hop"), "http", "127.0.0.1:%d" % backend.server.server_address[1], "/auth.php", "3", "1"],
                         capture_output=True, text=True, check=False, timeout=20)
    result = json.loads(ran.stdout)
    assert ran.returncode == code and (result["calls"] > 0) == (status == 204) and (result["other"] > 0) == (status == 403)
    assert len(backend.calls) == result["calls"] + result["other"] and backend.most <= 3


def test_a_herd_comes_back_when_it_is_told_to_and_says_how_often_it_was():
    """Every second request is answered busy; the cookies are shared out."""
    asked, lock = [], threading.Lock()

    class Busy(socketserver.StreamRequestHandler):
        def handle(self):
            head = [line.strip() for line in iter(self.rfile.readline, b"\r\n")]
            with lock:
                asked.append(next(line for line in head if line.startswith(b"Cookie: ")))
                busy = len(asked) % 2
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\nretry: 20\n" + (
                b'event: sse.busy\ndata: {"detail":"x"}\n\n' if busy else b'\nevent: sse.open\ndata: {"topics":["a"]}\nid: 1-0\n\n'))
            if not busy:
                self.rfile.read()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Busy) as listening:
        listening.daemon_threads = True
        threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True).start()
        ran = subprocess.run([built("bench/herd"), "127.0.0.1", str(listening.server_address[1]), "20", "0", "-", "/events?topic=a",
                              "5", "10"], capture_output=True, text=True, check=False, timeout=20)
        listening.shutdown()
    result = json.loads(ran.stdout)
    assert ran.returncode == 0 and result["wrong"] == 0 and result["listeners"] == 20, ran.stdout
    assert result["busy"] > 0 and len(asked) == 20 + result["busy"] and set(asked) == {b"Cookie: s=%d" % n for n in range(5)}
