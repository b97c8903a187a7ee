"""private_sentinel: a master, its replicas and the sentinels that watch them, all of a test's own: each can be killed,
frozen and started again; and a sentinel that lies."""
import os
import signal
import socketserver
import subprocess
import threading
import time

from private_redis import RedisNode
from resp import Redis, RedisError
from support import free_port, wait_until

NAME = "mymaster"
# Sentinels look, ask and tell more often than they would, so that a test does not wait for them.
# (A replica can be promoted while its last INFO is younger than 5 ping-periods, and INFO comes once a second then.)
HURRIED = ("ping-period", 300, "info-period", 200, "ask-period", 100, "publish-period", 200, "tilt-period", 500)


class Sentinel:
    """One sentinel. It writes what it knows into its own configuration, and reads it when it is started again."""

    def __init__(self, folder, master, down_after_ms, failover_ms, quorum, settings=()):
        os.mkdir(folder)
        self.port = free_port()
        self.path = os.path.join(folder, "sentinel.conf")
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(f"port {self.port}\nbind 127.0.0.1\ndir {folder}\nlogfile sentinel.log\n"
                       f"sentinel monitor {NAME} {master.address[0]} {master.port} {quorum}\n"
                       f"sentinel down-after-milliseconds {NAME} {down_after_ms}\n"
                       f"sentinel failover-timeout {NAME} {failover_ms}\nsentinel parallel-syncs {NAME} 8\n"
                       + "".join(f"{line}\n" for line in settings))
        self.start()

    @property
    def name(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        self.frozen = False
        self.process = subprocess.Popen(["redis-server", self.path, "--sentinel"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL)
        wait_until(self.answers, what="the sentinel answers")
        self.call("SENTINEL", "DEBUG", *HURRIED)

    def call(self, *words):
        with Redis(("127.0.0.1", self.port)) as connection:
            return connection.call(*words)

    def answers(self):
        assert self.process.poll() is None, "the sentinel ended"
        try:
            return self.call("PING") == b"PONG"
        except OSError:
            return False

    def fields(self):
        """What it knows of the master."""
        words = [word.decode() for word in self.call("SENTINEL", "MASTER", NAME)]
        return dict(zip(words[::2], words[1::2]))

    def master(self):
        """host:port of the master, as it says."""
        return b":".join(self.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)).decode()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)
        self.frozen = True

    def resume(self):
        self.frozen = False
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)


class PrivateSentinel:
    """nodes[0] begins as the master, and every sentinel knows the rest when this is there. settings are for the nodes."""

    def __init__(self, folder, *settings, replicas=1, sentinels=3, down_after_ms=500, failover_ms=2000):
        self.nodes, self.sentinels = [], []
        try:
            for i in range(1 + replicas):
                os.mkdir(os.path.join(folder, f"n{i}"))
                self.nodes.append(self._start_node(os.path.join(folder, f"n{i}"), settings))
                if i:
                    self.nodes[i].call("REPLICAOF", *self.nodes[0].address)
            for i in range(sentinels):
                self.sentinels.append(self._start_sentinel(os.path.join(folder, f"s{i}"), self.nodes[0], down_after_ms,
                                                           failover_ms, sentinels // 2 + 1))
            self.wait_ready()
        except BaseException:
            self.close()
            raise

    @staticmethod
    def _start_node(folder, settings):
        return RedisNode(folder, *settings)

    @staticmethod
    def _start_sentinel(*words):
        return Sentinel(*words)

    @property
    def url(self):
        return f"redis+sentinel://{','.join(sentinel.name for sentinel in self.sentinels)}/{NAME}/0"

    # ---- who is what ----

    @property
    def watching(self):
        """The sentinels that run."""
        return [sentinel for sentinel in self.sentinels if sentinel.process.poll() is None and not sentinel.frozen]

    @property
    def master(self):
        """The node that the sentinels call the master."""
        named = self.watching[0].master()
        return next(node for node in self.nodes if node.name == named)

    @property
    def replicas(self):
        master = self.master
        return [node for node in self.nodes if node is not master]

    def call(self, *words):
        """One command at the master."""
        return self.master.call(*words)

    # ---- what befalls them ----

    def kill_master(self):
        """kill -9; returns the node, which restart brings back."""
        master = self.master
        master.kill()
        return master

    def restart(self, node):
        """A node that was killed or stopped comes back as a replica, as an administrator would see to."""
        master = self.master
        node.start(*(() if node is master else ("--replicaof", *map(str, master.address))))

    def promote(self):
        """SENTINEL FAILOVER: by hand, with everything replicated; returns the former master when it is over."""
        master = self.master
        for _ in range(10):
            if self.master is master:
                wait_until(self._asked_to_fail_over, 30, "a sentinel that fails over")
            end = time.monotonic() + 5  # one that gave up, or was turned back, is asked again; one that is through must not be
            while time.monotonic() < end:
                if self._is_over(master):
                    return master
                time.sleep(0.01)
        raise AssertionError("no failover by hand")

    def _is_over(self, former):
        return self._agreed() not in (None, former.name) and self.master.is_master()

    def _asked_to_fail_over(self):
        try:
            return self.watching[0].call("SENTINEL", "FAILOVER", NAME) == b"OK"
        except RedisError:  # INPROG, or NOGOODSLAVE: not yet
            return False

    def wait_failover(self, former, timeout=30):
        """Until every sentinel that runs names another master than that node, and it is one; returns former."""
        wait_until(lambda: self._is_over(former), timeout, "the sentinels' failover")
        return former

    def wait_ready(self, timeout=30):
        """Until every node is what the sentinels say, replicas have everything, and the sentinels know each other."""
        wait_until(self._ready, timeout, "sentinels and replicas know each other")

    def _agreed(self):
        names = {sentinel.master() for sentinel in self.watching}
        return names.pop() if len(names) == 1 else None

    def _ready(self):
        try:
            agreed = self._agreed()
            if agreed is None or not self.master.is_master():
                return False
            roles = [node.call("ROLE") for node in self.replicas if node.answers()]
            return (all(role[0] == b"slave" and role[3] == b"connected"
                        and f"127.0.0.1:{role[2]}" == agreed for role in roles)
                    and all(self._knows(sentinel, len(roles)) for sentinel in self.watching))
        except (OSError, RedisError):
            return False

    def _knows(self, sentinel, replicas):
        fields = sentinel.fields()
        return (int(fields["num-slaves"]) >= replicas and int(fields["num-other-sentinels"]) == len(self.sentinels) - 1
                and fields["flags"] == "master" and self._linked(sentinel, replicas))

    @staticmethod
    def _linked(sentinel, replicas):
        """It would find so many replicas that can be promoted."""
        found = 0
        for words in sentinel.call("SENTINEL", "REPLICAS", NAME):
            fields = dict(zip(words[::2], words[1::2]))
            found += fields[b"flags"] == b"slave" and fields[b"master-link-status"] == b"ok"
        return found >= replicas

    def close(self):
        """Everything ends at once: nothing of it is needed any more."""
        for one in (*self.sentinels, *self.nodes):
            one.kill()


class LyingSentinel:
    """Answers whoever asks for the master with what address() gives, whatever is true. asked counts them."""

    def __init__(self, address):
        sentinel = self
        self.address, self.asked = address, 0

        class Handler(socketserver.StreamRequestHandler):
            """Reads a command of RESP, answers it, and so on."""

            def handle(self):
                try:
                    while words := self.read_command():
                        self.wfile.write(sentinel.reply(words))
                except ConnectionError:
                    pass

            def read_command(self):
                head = self.rfile.readline()
                if not head:
                    return None
                return [self.rfile.read(int(self.rfile.readline()[1:]) + 2)[:-2] for _ in range(int(head[1:]))]

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def name(self):
        return "127.0.0.1:%d" % self.server.server_address[1]

    def reply(self, words):
        words = [word.lower() for word in words]
        if words[:2] != [b"sentinel", b"get-master-addr-by-name"]:
            return b"-ERR unknown command\r\n" if words[0] != b"ping" else b"+PONG\r\n"
        self.asked += 1
        host, port = (str(part).encode() for part in self.address())
        return b"*2\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n" % (len(host), host, len(port), port)

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
