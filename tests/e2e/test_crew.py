"""What several workers share: limits, sockets, and how many of them there are."""
import ctypes
import os
import resource
import signal
import socket
import subprocess

import pytest

from auth_backend import AuthBackend
from crew import close_all, kill_worker, one_of_each, worker_of
from http_raw import connect, fetch, request_bytes
from streamer_program import Streamer, publish
from support import clean_environment, free_port, wait_until

STREAM = {"Accept": "text/event-stream"}


@pytest.fixture
def start(streamer_program, processes, redis, tmp):
    def run(**settings):
        return Streamer(streamer_program, processes, redis.url, tmp, **{"workers": 3, "retry_ms": 1000, **settings}).start()
    return run


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
