"""chaos_faults: does to Redis, the streamer, publish and the connections between them what the plan says, each fault at its
moment. Two lanes run beside each other: what befalls Redis, and what befalls the rest."""
import itertools
import os
import signal
import threading
import time

from chaos_plan import BULK
from chaos_records import Writer
from faultproxy import DOWN, UP, FaultProxy


class ChaosProxy(FaultProxy):
    """A fault proxy whose open connections can be cut, or swallowed, at any moment. delays: seconds up and down for one
    connection after the other, from the beginning again when all had their turn."""

    def __init__(self, server, listen=None, delays=((0, 0),)):
        self.live, self.dark, self.delays = [], False, itertools.cycle(delays)
        super().__init__(server, listen)

    def _serve(self, client, fault):
        with self.lock:
            fault.swallow = self.dark
            fault.delay[UP], fault.delay[DOWN] = next(self.delays)
            self.live.append(fault)
        try:
            super()._serve(client, fault)
        finally:
            with self.lock:
                self.live.remove(fault)

    def cut(self, way, size):
        """All connections of now end after so many more bytes."""
        with self.lock:
            for fault in self.live:
                fault.left[way] = size

    def black_hole(self, seconds):
        """Everything is swallowed; then what was in it is gone with its connections."""
        self._darken(True)
        time.sleep(seconds)
        self._darken(False)
        with self.lock:
            links = list(self.open_links)
        for link in links:
            self._end(link)

    def _darken(self, dark):
        with self.lock:
            self.dark = dark
            for fault in self.live:
                fault.swallow = fault.swallow or dark


class Lane(threading.Thread):
    """Carries out faults one after the other; each is a method named as its kind."""

    def __init__(self, faults, folder, name, begun, stop):
        super().__init__(daemon=True)
        self.faults, self.begun, self.stop = faults, begun, stop
        self.records = Writer(os.path.join(folder, f"faults.{name}"))
        self.done, self.wrong = 0, []

    def run(self):
        try:
            for fault in self.faults:
                if self.stop.wait(max(0, self.begun + fault["at"] - time.monotonic())):
                    break
                began = time.monotonic()
                self.carry_out(fault)
                self.records.write(fault["kind"], began, time.monotonic(), fault["seconds"], fault["bytes"])
                self.done += 1
        except Exception as error:  # pylint: disable=broad-except
            self.wrong.append(f"fault {fault}: {error!r}")
        finally:
            self.records.close()


    def carry_out(self, fault):
        getattr(self, fault["kind"])(fault)


class RedisLane(Lane):
    """What befalls one Redis. losses: when it lost what it held."""

    def __init__(self, servers, persist, streamer, bulk, *arguments):
        super().__init__(*arguments)
        self.servers, self.redis = servers, servers.redis
        self.persist, self.streamer, self.bulk = persist, streamer, bulk
        self.losses = []

    def redis_kill(self, fault):
        self.end(self.redis.kill, fault)

    def redis_stop(self, fault):
        self.end(self.redis.stop, fault)

    def end(self, how, fault):
        began = time.monotonic()
        how()
        time.sleep(fault["seconds"])
        self.redis.start()
        if not self.persist:
            self.losses.append((began, time.monotonic()))

    def redis_freeze(self, fault):
        self.redis.pause()
        time.sleep(fault["seconds"])
        self.redis.resume()

    def node(self, _fault):
        return self.redis

    def kill_pubsub(self, _):
        self.redis.call("CLIENT", "KILL", "TYPE", "pubsub")

    def kill_normal(self, _):
        self.redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    def memory_full(self, fault):
        with self.node(fault).connect() as redis:
            redis.call("CONFIG", "SET", "maxmemory", 1)
            time.sleep(fault["seconds"])
            redis.call("CONFIG", "SET", "maxmemory", 0)

    def output_kick(self, fault):
        """The streamer reads nothing while so much is published that Redis gives it up."""
        with self.servers.node_of(BULK).connect() as redis:
            redis.call("CONFIG", "SET", "client-output-buffer-limit", "pubsub 65536 0 0")
            with self.streamer.lock:
                self.streamer.freeze()
                try:
                    self.bulk({"events": fault["events"], "keyed": True, "repeat": False, "form": False, "batch": True})
                    time.sleep(fault["seconds"])
                finally:
                    self.streamer.thaw()
            redis.call("CONFIG", "SET", "client-output-buffer-limit", "pubsub 33554432 8388608 60")


class StreamerLane(Lane):
    """What befalls the streamer, publish, and the connections of both."""

    def __init__(self, streamer, publishers, proxies, undisturbed, *arguments):
        """undisturbed: a lock; while another one holds it, no publisher is killed."""
        super().__init__(*arguments)
        self.streamer, self.publishers, self.proxies = streamer, publishers, proxies
        self.undisturbed = undisturbed
        self.turn = 0

    def cut_down(self, fault):
        self.proxies["streamer"].cut(DOWN, fault["bytes"])

    def cut_up(self, fault):
        self.proxies["streamer"].cut(UP, fault["bytes"] % 300)

    def black_hole(self, fault):
        self.proxies["streamer"].black_hole(fault["seconds"])

    def publish_cut(self, fault):
        self.proxies["publish"].cut(UP if fault["bytes"] % 2 else DOWN, fault["bytes"] % 500)

    def front_cut(self, fault):
        self.proxies["front"].cut(DOWN, fault["bytes"])

    def streamer_kill(self, fault):
        self.streamer.again(signal.SIGKILL, fault["seconds"])

    def worker_kill(self, fault):
        self.streamer.kill_worker(fault["bytes"])

    def streamer_stop(self, fault):
        self.streamer.again(signal.SIGTERM, fault["seconds"])

    def streamer_freeze(self, fault):
        with self.streamer.lock:
            self.streamer.freeze()
            time.sleep(fault["seconds"])
            self.streamer.thaw()

    def publish_kill(self, _):
        self.turn += 1
        publish = self.publishers[self.turn % len(self.publishers)]
        with self.undisturbed:
            code = publish.kill()
            publish.start()
        if code is not None:
            self.wrong.append(f"publish had ended by itself with {code}")


class StreamerHandle:
    """The one streamer, which both lanes touch: whoever does holds the lock."""

    def __init__(self, streamer):
        self.streamer, self.lock, self.wrong = streamer, threading.Lock(), []
        self.killed = 0

    def freeze(self):
        self.streamer.signal_workers(signal.SIGSTOP)

    def thaw(self):
        self.streamer.signal_workers(signal.SIGCONT)

    def look(self):
        """A streamer that ended without being asked to is a fault of its own."""
        code = self.streamer.process.poll()
        if code is not None:
            self.wrong.append(f"the streamer had ended by itself with {code}")
        if self.streamer.log().count("its successor starts") > self.killed:
            self.wrong.append("a worker of the streamer had ended by itself")

    def kill_worker(self, chance):
        """One of them, which the supervisor replaces."""
        with self.lock:
            workers = self.streamer.worker_pids()
            if workers:
                self.killed += 1
                os.kill(workers[chance % len(workers)], signal.SIGKILL)

    def again(self, how, seconds):
        """Ends it, and starts its successor."""
        with self.lock:
            self.look()
            code = self.streamer.stop(how)
            if how == signal.SIGTERM and code != 0:
                self.wrong.append(f"the streamer ended with {code} when it was asked to stop")
            time.sleep(seconds)
            self.streamer.start(ready=False)
