"""streamer_program: one streamer of a test's own, and publishing past the publisher: the same script on the same Redis."""
import os
import signal

from http_raw import Stream, fetch
from support import children, clean_environment, free_port, is_running, wait_until
from test_redis_script import append, event


class Streamer:
    """Runs with auth public unless told otherwise; address and admin are where to connect to."""

    def __init__(self, program, processes, redis_url, folder, **settings):
        self.program, self.processes = program, processes
        self.log_path = os.path.join(folder, f"streamer.{id(self):x}.log")
        self.address = settings.pop("address", ("127.0.0.1", free_port()))
        self.admin = ("127.0.0.1", free_port())
        listen = "unix:" + self.address if isinstance(self.address, str) else "%s:%d" % self.address
        self.settings = {"redis_url": redis_url, "listen": listen, "admin_listen": "%s:%d" % self.admin,
                         "auth": "public", "workers": 1, **settings}
        self.preexec, self.environment = None, {}
        self.workers_may_die = False  # a test that kills them says so
        processes.checks.append(self.check_workers)

    def start(self, ready=True):
        words = [f"--set={name}={value}" for name, value in self.settings.items()]
        with open(self.log_path, "ab") as log:
            self.process = self.processes.start(self.program, *words, env=clean_environment(**self.environment), stderr=log, stdout=log,
                                                preexec_fn=self.preexec)
        wait_until(self.answers, what="the streamer's health")
        if ready:
            self.wait_ready()
        return self

    def check_workers(self):
        """A worker that ends by itself is replaced, so that nothing else would show it."""
        died = [line for line in self.log().splitlines() if "its successor starts" in line]
        assert self.workers_may_die or not died, died

    def worker_pids(self):
        """The processes that serve; the one that was started only looks after them."""
        return children(self.process.pid)

    def worker_pid(self):
        """The one worker."""
        pid, = self.worker_pids()
        return pid

    def signal_workers(self, number):
        for pid in self.worker_pids():
            os.kill(pid, number)

    def answers(self):
        assert self.process.poll() is None, self.log()
        try:
            return fetch(self.admin, "/health").status == 200
        except OSError:
            return False

    def wait_ready(self):
        wait_until(lambda: fetch(self.admin, "/health/ready").status == 200, what="the streamer is ready")

    def open(self, topics, **options):
        return Stream(self.address, f"/events?topic={topics}", **options)

    def live(self, topics, **options):
        """A stream that has been opened."""
        stream = self.open(topics, **options)
        assert stream.head.status == 200, stream.head.raw
        stream.opened()
        return stream

    def get(self, target, **options):
        return fetch(self.address, target, **options)

    def metrics(self):
        return fetch(self.admin, "/metrics").json

    def prometheus(self):
        """{name or name{label}: value}"""
        text = fetch(self.admin, "/metrics/prometheus").body.decode()
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
                for line in text.splitlines() if line and not line.startswith("#")}

    def log(self):
        if not os.path.exists(self.log_path):
            return ""
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self, how=signal.SIGTERM):
        """Returns the exit code, once the workers are gone, too: killed, the supervisor is before them."""
        workers = self.worker_pids()
        code = self.processes.stop(self.process, how)
        wait_until(lambda: not any(map(is_running, workers)), what="the workers are gone")
        if code != 0:
            print(self.log())  # of a test that fails for it, pytest shows why
        return code


def publish(redis, *topics, name="x", data="{}", key=None, **options):
    """One event as publish gives it to Redis; returns its id."""
    return append(redis, event(*topics, name=name, data=data, key=key), **options)[1].decode()
