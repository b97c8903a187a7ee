"""private_redis: a redis-server of the test's own that can be stopped, killed, frozen and started again."""
import signal

from redis_server import RedisServer


class PrivateRedis:
    """Listens on the unix socket `path` below folder; settings are words for redis-server's command line. What it
    holds survives stop() and start(), and kill() too: every write is on disk before its answer."""

    def __init__(self, folder, *settings):
        self.folder = folder
        self.settings = ("--appendonly", "yes", "--appendfsync", "always", *settings)
        self.server = None
        self.start()

    @property
    def path(self):
        return self.server.path

    @property
    def url(self):
        return "unix:" + self.path

    def start(self):
        assert self.server is None or not self.running()
        self.server = RedisServer(self.folder, *self.settings)

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

    def resume(self):
        if self.running():
            self.server.process.send_signal(signal.SIGCONT)
