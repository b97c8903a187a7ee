"""redis_server: a private redis-server on a unix socket in a temporary folder, with nothing of the machine's own."""
import os
import subprocess
import time

from resp import Redis, RedisError


class RedisServer:
    def __init__(self, folder, *settings):
        self.path = os.path.join(str(folder), "redis.sock")
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.path, "--dir", str(folder),
             "--save", "", "--appendonly", "no", *settings],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self._wait_until_it_answers()

    def _wait_until_it_answers(self, seconds=20):
        end = time.monotonic() + seconds
        while True:
            try:
                with self.connect() as redis:
                    redis.call("PING")
                    return
            except (OSError, RedisError):  # not there yet, or LOADING
                if self.process.poll() is not None or time.monotonic() > end:
                    self.stop()
                    raise
                time.sleep(0.01)

    def connect(self):
        return Redis(self.path)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
