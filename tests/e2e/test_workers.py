"""Several workers under one supervisor: what the outside sees is one streamer, also while one of them dies."""
import os
import resource
import signal

import pytest

from crew import close_all, kill_worker, one_of_each
from http_raw import Stream, connect, fetch, read_all, request_bytes
from resuming import resume
from streamer_program import Streamer, publish
from support import is_running, wait_until


@pytest.fixture
def start(streamer_program, processes, redis, tmp):
    def run(**settings):
        return Streamer(streamer_program, processes, redis.url, tmp, **{"workers": 3, "retry_ms": 1000, **settings}).start()
    return run


# ---- one streamer ----

def test_an_event_reaches_the_listeners_of_all_workers_once_and_counts_once(start, bus):
    streamer = start()
    streams = one_of_each(streamer, "a,b")
    assert len(streams) == 3
    single = publish(bus, "a", name="single")
    double = publish(bus, "a", "b", name="double")
    for stream in streams.values():
        assert stream.take("single").id == single
        assert stream.take("double").id == double
    end = publish(bus, "b", name="end")
    for stream in streams.values():
        assert stream.take("end").id == end
        assert stream.raw.count(b"event: double\n") == 1
    wait_until(lambda: streamer.metrics()["messages"]["delivered"] == 9)
    assert streamer.metrics()["messages"]["published"] == 3
    close_all(streams.values())


def test_a_foreign_event_counts_once_a_worker(start, bus):
    streamer = start()
    streams = one_of_each(streamer)
    bus.call("PUBLISH", "a", '{"event":"x","data":{}}')
    for stream in streams.values():
        stream.take("x")
    wait_until(lambda: streamer.metrics()["messages"]["published"] == 3)
    close_all(streams.values())


def test_the_metrics_are_one_view_whichever_worker_answers(start, bus):
    streamer = start()
    streams = one_of_each(streamer, "a,b")
    for topic in ("a", "c", "d"):
        streams[topic] = streamer.live(topic)
    event = publish(bus, "a")
    assert streams["a"].take("x").id == event
    for _ in range(20):  # each of the workers accepts at admin_listen
        seen = streamer.metrics()
        assert seen["connections"]["current"] == 6
        assert seen["topics"] == {"active": 4, "subscribers_by_topic": {"a": 4, "b": 3, "c": 1, "d": 1}}
        assert list(seen["topics"]["subscribers_by_topic"])[:2] == ["a", "b"]
        assert seen["messages"]["published"] == 1
        figures = streamer.prometheus()
        assert figures["sse_workers"] == 3 and figures["sse_worker_restarts"] == 0
        assert figures["sse_connections_current"] == 6 and figures["sse_topics_active"] == 4
        assert figures["sse_redis_up"] == 1
    close_all(streams.values())


def test_a_worker_that_stands_still_delays_the_metrics_by_a_second_at_most_and_its_figures_count(start):
    streamer = start()
    streams = one_of_each(streamer)
    frozen = next(iter(streams))
    os.kill(frozen, signal.SIGSTOP)
    try:
        assert streamer.metrics()["connections"]["current"] == 3
        assert fetch(streamer.admin, "/health").status == 200
    finally:
        os.kill(frozen, signal.SIGCONT)
    close_all(streams.values())


def test_a_worker_that_stands_still_is_not_ready_and_is_seen_in_the_lag(start):
    """It holds its share of the connects, and nobody else takes them."""
    streamer = start()
    frozen = streamer.worker_pids()[0]
    os.kill(frozen, signal.SIGSTOP)
    try:
        answer = wait_until(lambda: (found := fetch(streamer.admin, "/health/ready")).status == 503 and found)
        assert answer.json["reason"] == "a worker does not answer"
        assert streamer.prometheus()["sse_loop_lag_seconds"] > 2
    finally:
        os.kill(frozen, signal.SIGCONT)
    streamer.wait_ready()
    wait_until(lambda: streamer.prometheus()["sse_loop_lag_seconds"] < 1)


def test_who_asks_for_figures_and_leaves_before_the_answer_harms_nobody(start):
    streamer = start()
    frozen = streamer.worker_pids()[0]
    os.kill(frozen, signal.SIGSTOP)
    try:
        for _ in range(20):
            with connect(streamer.admin) as s:
                s.sendall(request_bytes("/metrics"))
        assert streamer.metrics()["connections"]["current"] == 0
    finally:
        os.kill(frozen, signal.SIGCONT)


def test_log_lines_name_the_worker_when_there_are_several(start):
    three, one = start(), start(workers=1)
    three.stop()
    one.stop()
    for number in (1, 2, 3):
        assert f" info: worker {number}: stopping: 0 streams" in three.log()
    assert " info: stopping: 0 streams" in one.log() and "worker 1: " not in one.log()


# ---- a worker dies ----

def test_a_worker_that_dies_costs_its_own_listeners_alone_and_they_resume(start, bus):
    streamer = start()
    streams = one_of_each(streamer)
    first = publish(bus, "a", name="first")
    for stream in streams.values():
        stream.take("first")
    before = streamer.metrics()
    victim = next(iter(streams))
    kill_worker(streamer, victim)
    streams.pop(victim).wait_closed()
    missed = publish(bus, "a", name="missed")
    with resume(streamer, "a", first) as back:
        assert back.opened().json["resumed"]
        assert back.take("missed").id == missed
        for stream in streams.values():
            assert stream.take("missed").id == missed
        after = streamer.metrics()
        assert after["connections"]["current"] == 3
        assert after["connections"]["total"] == before["connections"]["total"] + 1  # what it counted is not lost
        assert after["messages"]["published"] == 2
    assert streamer.prometheus()["sse_worker_restarts"] == 1
    assert f"(process {victim}) was ended by signal 9 (Killed); its successor starts at once" in streamer.log()
    close_all(streams.values())


def test_what_connects_while_a_worker_is_dead_waits_for_its_successor(start, bus):
    """Killed again and again, so that its successor waits for a moment."""
    streamer, tried = start(workers=1), 0
    streamer.workers_may_die = True
    for _ in range(3):
        pid = streamer.worker_pid()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: pid not in streamer.worker_pids())
        if not streamer.worker_pids():
            with Stream(streamer.address, "/events?topic=a") as stream:
                stream.opened()
                assert publish(bus, "a") == stream.take("x").id
            tried += 1
        wait_until(streamer.worker_pids)
        streamer.wait_ready()
    assert tried > 0


def test_a_worker_that_dies_again_and_again_is_started_at_longer_and_longer_intervals(start):
    streamer = start(workers=1)
    streamer.workers_may_die = True
    for deaths in range(1, 6):
        os.kill(wait_until(streamer.worker_pids)[0], signal.SIGKILL)
        wait_until(lambda: streamer.log().count("its successor") == deaths)
    pauses = [int(line.split("starts in ")[1].split(" ")[0]) for line in streamer.log().splitlines() if "starts in" in line]
    assert streamer.log().count("its successor starts at once") == 1
    assert len(pauses) == 4 and all(a < b for a, b in zip(pauses, pauses[1:])), pauses
    assert 200 <= pauses[0] <= 300 and 1600 <= pauses[3] <= 2400
    streamer.wait_ready()


def test_readiness_says_that_a_worker_is_missing(start):
    streamer = start(workers=2)
    streamer.workers_may_die = True
    victim = streamer.worker_pids()[0]
    for _ in range(4):
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: victim not in streamer.worker_pids())
        if len(streamer.worker_pids()) == 1:
            answer = fetch(streamer.admin, "/health/ready")
            assert answer.status in (200, 503)
            if answer.status == 503:
                assert answer.json["reason"] in ("a worker is starting", "redis is not connected")
                break
        other, = [pid for pid in streamer.worker_pids() if pid != victim][:1]
        victim = wait_until(lambda: [pid for pid in streamer.worker_pids() if pid != other])[0]
    else:
        raise AssertionError("it was ready all the time")
    streamer.wait_ready()


def test_a_worker_that_is_asked_to_stop_says_bye_and_is_replaced(start):
    streamer = start()
    streams = one_of_each(streamer)
    pid, stream = next(iter(streams.items()))
    streamer.workers_may_die = True
    os.kill(pid, signal.SIGTERM)
    assert stream.take("sse.bye").retry
    wait_until(lambda: pid not in streamer.worker_pids() and len(streamer.worker_pids()) == 3)
    close_all(streams.values())
    successor, = set(streamer.worker_pids()) - set(streams)
    wait_until(lambda: f"is process {successor} now" in streamer.log())
    assert f"(process {pid}) was asked to stop; its successor starts at once" in streamer.log()
    assert "error" not in streamer.log()


def test_a_supervisor_that_is_killed_takes_its_workers_with_it(start, streamer_program):
    streamer = start()
    stream = streamer.live("a")
    workers = streamer.worker_pids()
    streamer.process.kill()
    streamer.process.wait()
    wait_until(lambda: not any(map(is_running, workers)), what="the workers are gone")
    stream.wait_closed()
    streamer.start()
    with streamer.live("a"):
        pass


# ---- the end ----

def test_a_stop_says_bye_to_all_and_leaves_no_process(start):
    streamer = start()
    streams = [streamer.live("a") for _ in range(30)]
    workers = streamer.worker_pids()
    assert streamer.stop() == 0
    for stream in streams:
        assert stream.take("sse.bye").retry
        stream.wait_closed()
    assert not any(map(is_running, workers))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_that_is_sent_to_all_processes_is_one_stop(start, how):
    """As a terminal's Ctrl-C, or systemd."""
    streamer = start()
    streams = [streamer.live("a") for _ in range(10)]
    for pid in [streamer.process.pid, *streamer.worker_pids()]:
        os.kill(pid, how)
    assert streamer.process.wait(5) == 0
    for stream in streams:
        assert stream.take("sse.bye").retry


def test_a_worker_that_stands_still_does_not_hold_a_stop_up(start):
    streamer = start()
    streamer.signal_workers(signal.SIGSTOP)
    assert streamer.stop() == 0


def test_a_second_signal_ends_all_at_once(start):
    streamer = start(workers=2)
    sockets = [connect(streamer.address) for _ in range(20)]
    streamer.process.send_signal(signal.SIGTERM)
    streamer.process.send_signal(signal.SIGINT)
    assert streamer.process.wait(5) == 0
    for s in sockets:
        read_all(s)
        s.close()


def test_workers_that_cannot_start_are_no_storm(streamer_program, processes, redis, tmp):
    """No descriptor is left for an event loop (three standard files, three bells, two sockets): each ends at its start, so
    all of it does."""
    streamer = Streamer(streamer_program, processes, redis.url, tmp, workers=3, address=f"{tmp}/s.sock")
    streamer.workers_may_die = True
    streamer.preexec = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8))
    with pytest.raises(AssertionError, match="no worker could start"):
        streamer.start()
    assert streamer.process.wait(10) == 1
    assert streamer.log().count("cannot start the event loop") == 3
    assert not os.path.exists(streamer.address)
