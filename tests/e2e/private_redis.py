"""private_redis: a redis-server of the test's own that can be stopped, killed, frozen and started again."""
import signal

from redis_server import RedisServer
from resp import RedisError
from support import free_port


class PrivateRedis:
    """Listens on the unix socket `path` below folder; settings are words for redis-server's command line. What it
    holds survives stop() and start(), and kill() too: every write is on disk before its answer."""

    def __init__(self, folder, *settings):
        self.folder = folder
        self.settings = ("--appendonly", "yes", "--appendfsync", "always", *settings)
        self.server, self.frozen = None, False
        self.start()

    @property
    def path(self):
        return self.server.path

    @property
    def url(self):
        return "unix:" + self.path

    def start(self, *settings):
        """settings: further ones, for this time."""
        assert self.server is None or not self.running()
        self.server, self.frozen = RedisServer(self.folder, *self.settings, *settings), False

    def connect(self):
        return self.server.connect()

    def call(self, *words):
        """One command on a connection of its own."""
        with self.connect() as redis:
            return redis.call(*words)

    def running(self):
        return self.server.process.poll() is None

    def stop(self):
        """As an administrator would."""
        self.resume()
        self.server.stop()

    def kill(self):
        self.server.process.kill()
        self.server.process.wait()

    def pause(self):
        """Frozen: it is connected to and written to, and does not answer."""
        self.server.process.send_signal(signal.SIGSTOP)
        self.frozen = True

    def resume(self):
        self.frozen = False
        if self.running():
            self.server.process.send_signal(signal.SIGCONT)


class RedisNode(PrivateRedis):
    """One of several that work together, by TCP: at a port of 127.0.0.1 that stays its own while it is away."""

    def __init__(self, folder, *settings, port=None):
        self.port = port or free_port()
        super().__init__(folder, "--port", str(self.port), "--bind", "127.0.0.1", "--logfile", "redis.log",
                         "--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1", *settings)

    @property
    def address(self):
        return ("127.0.0.1", self.port)

    @property
    def name(self):
        return f"127.0.0.1:{self.port}"

    def answers(self):
        """Runs, and is not frozen."""
        return self.running() and not self.frozen

    def is_master(self):
        try:
            return self.call("ROLE")[0] == b"master"
        except (OSError, RedisError):
            return False

    def cut_replicas(self):
        """Its connections to replicas, cut: one that is frozen gets nothing of what is written from now on."""
        self.call("CLIENT", "KILL", "TYPE", "replica")
