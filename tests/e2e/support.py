"""support: what every end-to-end test needs: the built programs, waiting for a condition, free ports, and processes
that end with their test."""
import itertools
import os
import random
import shutil
import signal
import socket
import subprocess
import time

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def missing(text):
    """Skips the test; with REQUIRE_ALL=1, as on the build server, it fails instead."""
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(text)
    pytest.skip(text)


def need(*programs):
    """Skips where a program of the machine is missing."""
    for program in programs:
        if shutil.which(program, path=PATH) is None:
            missing(f"{program} is not installed")


def built(path):
    """A program of ours, e.g. publisher/publish: below TIDINGS_BUILD, else ../../build, else in the clone itself."""
    named = os.environ.get("TIDINGS_BUILD")
    for folder in [named] if named else [os.path.join(TOP, "build"), TOP]:
        program = os.path.join(folder, path)
        if os.access(program, os.X_OK):
            return program
    return missing(f"{path} is not built (TIDINGS_BUILD={named or ''})")


def wait_until(condition, timeout=10, what="the condition"):
    """Looks again and again until condition() is true, and returns what it gave."""
    end = time.monotonic() + timeout
    while True:
        seen = condition()
        if seen:
            return seen
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout} s: {what}")
        time.sleep(0.01)


def state_and_parent(pid):
    """Of a process, by its letter in /proc; None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            words = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return words[0], int(words[1])


def is_running(pid):
    """Also false of one that waits to be buried by its parent."""
    found = state_and_parent(pid)
    return found is not None and found[0] not in "ZX"


def children(pid):
    """The running children of a process."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and
            (state_and_parent(name) or ("Z", 0))[1] == pid and is_running(name)]


def ports():
    """Ports that no outgoing connection is given: while a server is away, nobody else must sit on its port, nor a client that
    tries to connect be connected to itself. Each comes once, and test runs beside this one (pytest -n) choose from others."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        highest = max(int(file.read().split()[0]), 20480)
    worker, workers = os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:], os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")
    share = (highest - 10240) // int(workers)
    first = random.SystemRandom().randrange(share)
    for i in itertools.count():
        yield 10240 + share * int(worker) + (first + i) % share


PORTS = ports()


def free_port():
    while True:
        port = next(PORTS)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def clean_environment(**settings):
    """A small environment for programs of ours: nothing of the machine's settings gets in, but where a sanitizer shall
    write its reports."""
    kept = {name: value for name, value in os.environ.items() if name in ("ASAN_OPTIONS", "UBSAN_OPTIONS")}
    return {"PATH": PATH, "LC_ALL": "C.UTF-8", **kept, **settings}


class Processes:
    """Starts processes and ends each of them, by its id, whatever becomes of the test."""

    def __init__(self):
        self.running = []
        self.checks = []  # each is called when all have ended, and may raise

    def start(self, *command, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        process = subprocess.Popen([str(word) for word in command], **options)
        self.running.append(process)
        return process

    def stop(self, process, how=signal.SIGTERM, timeout=10):
        """Asks the process to end and returns its exit code."""
        if process.poll() is None:
            process.send_signal(how)
        return process.wait(timeout)

    def stop_all(self):
        for process in reversed(self.running):  # together: some wait for a stream that another one holds open
            process.send_signal(signal.SIGCONT)
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in reversed(self.running):
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream:
                    stream.close()
        for check in self.checks:
            check()
