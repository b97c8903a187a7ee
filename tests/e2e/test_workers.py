"""Several workers under one supervisor: what the outside sees is one streamer, also while one of them dies."""
import ctypes
import os
import resource
import signal
import socket
import subprocess

import pytest

from auth_backend import AuthBackend
from http_raw import Stream, connect, fetch, read_all, request_bytes
from resuming import resume
from streamer_program import Streamer, publish
from support import clean_environment, free_port, is_running, wait_until

STREAM = {"Accept": "text/event-stream"}


@pytest.fixture
def start(streamer_program, processes, redis, tmp):
    def run(**settings):
        return Streamer(streamer_program, processes, redis.url, tmp, **{"workers": 3, "retry_ms": 1000, **settings}).start()
    return run


def sockets_of(pid):
    """The inodes of a process's sockets."""
    found = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{fd}")
        except OSError:
            continue
        if target.startswith("socket:["):
            found.add(target[8:-1])
    return found


def worker_of(streamer, stream):
    """The worker that has the other end of a stream over TCP."""
    port = stream.socket.getsockname()[1]
    with open("/proc/net/tcp", encoding="ascii") as file:
        inode = next(words[9] for words in map(str.split, list(file)[1:])
                     if words[2].endswith(":%04X" % port) and words[1].endswith(":%04X" % streamer.address[1]))
    return next(pid for pid in streamer.worker_pids() if inode in sockets_of(pid))


def one_of_each(streamer, topics="a"):
    """{worker: stream}: as many streams as it takes until each worker has one; the others are closed."""
    found = {}

    def complete():
        stream = streamer.live(topics)
        pid = worker_of(streamer, stream)
        if pid in found:
            stream.close()
        else:
            found[pid] = stream
        return len(found) == len(streamer.worker_pids())
    wait_until(complete, what="each worker has a stream")
    wait_until(lambda: streamer.metrics()["connections"]["current"] == len(found), what="the others are gone")
    return found


def close_all(streams):
    for stream in streams:
        stream.close()


def kill_worker(streamer, pid):
    """Kills it, and waits for its successor."""
    streamer.workers_may_die = True
    others = [other for other in streamer.worker_pids() if other != pid]
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: pid not in streamer.worker_pids() and len(streamer.worker_pids()) == len(others) + 1,
               what="its successor is there")
    assert set(others) < set(streamer.worker_pids())
    streamer.wait_ready()


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


# ---- limits ----

def test_max_connections_holds_for_all_workers_together_also_after_one_died(start):
    streamer = start(max_connections=10)
    streams = [streamer.live("a") for _ in range(10)]
    by_worker = {}
    for stream in streams:
        by_worker.setdefault(worker_of(streamer, stream), []).append(stream)
    for _ in range(10):
        assert b"Server connection limit" in streamer.get("/events?topic=a", headers=STREAM).body
    assert streamer.metrics()["connections"]["current"] == 10
    assert fetch(streamer.admin, "/health/ready").json["reason"] == "full"
    victim = next(iter(by_worker))
    streamer.workers_may_die = True
    os.kill(victim, signal.SIGKILL)
    freed = len(by_worker[victim])
    close_all(by_worker.pop(victim))
    wait_until(lambda: streamer.metrics()["connections"]["current"] == 10 - freed)
    again = [streamer.live("a") for _ in range(freed)]
    for _ in range(10):
        assert b"Server connection limit" in streamer.get("/events?topic=a", headers=STREAM).body
    close_all(again + sum(by_worker.values(), []))


def test_max_connections_per_ip_holds_for_all_workers_together_also_after_one_died(start):
    streamer = start(max_connections_per_ip=3)
    one, two = ({**STREAM, "X-Forwarded-For": f"203.0.113.{i}"} for i in (1, 2))
    streams = [streamer.live("a", headers=one) for _ in range(3)]
    for _ in range(10):
        assert b"limit of your address" in streamer.get("/events?topic=a", headers=one).body
    with streamer.live("a", headers=two):
        pass
    workers = [worker_of(streamer, stream) for stream in streams]
    kill_worker(streamer, workers[0])
    for _ in range(workers.count(workers[0])):
        streams.append(streamer.live("a", headers=one))
    for _ in range(10):
        assert b"limit of your address" in streamer.get("/events?topic=a", headers=one).body
    close_all(streams)


def test_calls_of_the_auth_url_are_limited_over_all_workers(start):
    backend = AuthBackend(("127.0.0.1", 0))
    backend.answer = lambda call: None
    streamer = start(auth="url", auth_url=backend.url, auth_timeout_ms=60000, auth_max_inflight=5)
    waiting = [connect(streamer.address) for _ in range(40)]
    for n, s in enumerate(waiting):
        s.sendall(request_bytes("/events?topic=a", headers={**STREAM, "Cookie": f"s={n}"}))

    def figures():
        seen = streamer.prometheus()
        return seen["sse_auth_inflight"], seen["sse_auth_waiting"]
    wait_until(lambda: sum(figures()) == 40)
    assert figures() == (5, 35)
    for s in waiting:
        s.close()
    backend.close()


# ---- sockets ----

def test_connects_to_a_unix_socket_are_taken_by_any_worker(start, bus, tmp):
    streamer = start(address=f"{tmp}/s.sock")
    streams = [streamer.live("a") for _ in range(30)]
    event = publish(bus, "a")
    for stream in streams:
        assert stream.take("x").id == event
    kill_worker(streamer, streamer.worker_pids()[0])
    with streamer.live("a"):
        pass
    close_all(streams)
    assert streamer.stop() == 0
    assert not os.path.exists(streamer.address)


def duplicate(pid, port):
    """The accepted socket of a process whose peer has that port."""
    libc = ctypes.CDLL(None, use_errno=True)
    pidfd = os.pidfd_open(pid)
    try:
        for fd in map(int, os.listdir(f"/proc/{pid}/fd")):
            own = libc.syscall(438, pidfd, fd, 0)  # pidfd_getfd
            if own < 0:
                continue
            try:
                s = socket.socket(fileno=own)
            except OSError:
                os.close(own)
                continue
            try:
                if s.getpeername()[1] == port:
                    return s
            except (OSError, IndexError):
                pass
            s.close()
    finally:
        os.close(pidfd)
    return None


def test_what_is_accepted_inherits_what_the_listening_socket_was_tuned_to(start):
    streamer = start(workers=1)
    with streamer.live("a") as stream:
        accepted = duplicate(streamer.worker_pid(), stream.socket.getsockname()[1])
        if accepted is None:
            pytest.skip("this kernel gives no descriptors of other processes")
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 2 * 65536
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60000


def test_an_address_that_another_streamer_shares_among_its_workers_is_in_use(start, streamer_program, processes, redis, tmp):
    streamer = start()
    log = f"{tmp}/second.log"
    with open(log, "wb") as file:
        second = processes.start(streamer_program, "--set=auth=public", f"--set=redis_url={redis.url}", "--set=workers=3",
                                 "--set=listen=%s:%d" % streamer.address, env=clean_environment(), stderr=file)
        assert second.wait(10) == 1
    with open(log, encoding="utf-8") as file:
        assert "cannot listen at %s:%d: Address already in use" % streamer.address in file.read()


def test_port_0_is_one_port_of_all_workers_which_the_log_names(start):
    streamer = start()
    port = streamer.address[1]
    streamer.stop()
    streamer.settings["listen"] = "127.0.0.1:0"
    streamer.start()
    said = [line for line in streamer.log().splitlines() if "streams at 127.0.0.1:" in line][-1]
    streamer.address = ("127.0.0.1", int(said.rpartition(":")[2]))
    assert streamer.address[1] not in (0, port)
    close_all(one_of_each(streamer).values())


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


# ---- how many ----

def said_at_start(streamer_program, processes, redis, tmp, limit, **settings):
    streamer = Streamer(streamer_program, processes, redis.url, tmp, **settings)
    streamer.preexec = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    streamer.start()
    return streamer


def test_auto_is_as_many_workers_as_max_connections_needs_files_for(streamer_program, processes, redis, tmp):
    streamer = said_at_start(streamer_program, processes, redis, tmp, 1193, workers="auto", max_connections=5000)
    assert len(streamer.worker_pids()) == 6  # 1000 of each, of which 950 are counted on
    assert "6 workers: 5000 streams (max_connections) do not fit into 1193 open files a process" in streamer.log()
    assert "warn" not in streamer.log()
    assert streamer.prometheus()["sse_workers"] == 6


def test_auto_is_a_worker_a_core_where_files_suffice(streamer_program, processes, redis, tmp):
    streamer = Streamer(streamer_program, processes, redis.url, tmp, workers="auto", max_connections=500)
    streamer.preexec = lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    streamer.start()
    assert len(streamer.worker_pids()) == 1
    assert "1 worker: one a core" in streamer.log()


def test_a_limit_of_files_that_is_too_low_for_all_is_said(streamer_program, processes, redis, tmp):
    streamer = said_at_start(streamer_program, processes, redis, tmp, 294, workers=2, max_connections=5000)
    assert "2 workers, as set" in streamer.log()
    assert "at most 264 streams of all workers together, not the 5000 of max_connections" in streamer.log()


def test_where_one_process_may_hardly_have_files_more_of_them_are_no_help(streamer_program, processes, redis, tmp):
    streamer = said_at_start(streamer_program, processes, redis, tmp, 200, workers="auto", max_connections=5000)
    assert len(streamer.worker_pids()) == len(os.sched_getaffinity(0))
    assert "the limit of open files is 200: at most" in streamer.log()


def test_a_file_that_is_no_socket_is_left_alone_and_named(streamer_program, redis, tmp):
    path = os.path.join(tmp, "file")
    with open(path, "w", encoding="ascii") as file:
        file.write("mine")
    done = subprocess.run([streamer_program, f"--set=redis_url={redis.url}", "--set=auth=public", f"--set=listen=unix:{path}",
                           f"--set=admin_listen=127.0.0.1:{free_port()}"], env=clean_environment(), capture_output=True,
                          text=True, timeout=20, check=False)
    assert done.returncode == 1 and f"cannot listen at unix:{path}: File exists" in done.stderr
    with open(path, encoding="ascii") as file:
        assert file.read() == "mine"
