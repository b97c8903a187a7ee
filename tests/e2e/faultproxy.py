"""faultproxy: stands between a program and its server, on unix sockets or TCP, and does to connections what networks do:
cuts them after so many bytes in either direction, swallows everything, delays, or refuses."""
import os
import socket
import struct
import threading
import time

UP, DOWN = "up", "down"  # from the program to the server, and back


def connect(address):
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    link = socket.socket(family, socket.SOCK_STREAM)
    link.connect(address)
    return link


class Fault:
    """What happens to one connection; each of these may be None for nothing."""

    def __init__(self, cut_up=None, cut_down=None, swallow=False, delay_up=None, delay_down=None, reset=False, cut_at=None):
        self.left = {UP: cut_up, DOWN: cut_down}  # bytes that still pass before the cut
        self.cut_at = cut_at                      # (mark, n): cut n bytes behind where mark begins in what comes down
        self.swallow = swallow                    # connected, but nothing ever arrives or comes back
        self.delay = {UP: delay_up, DOWN: delay_down}  # seconds before what comes is passed on
        self.reset = reset                        # cuts are RST where the socket knows it, else a plain end


class FaultProxy:
    """Listens on `listen` (a path, or a TCP port when None) and passes on to `server`. faults: one for each connection
    to come, in their order; connections beyond them pass untouched. seen counts connections, passed bytes."""

    def __init__(self, server, listen=None, faults=()):
        self.server, self.faults = server, list(faults)
        self.seen, self.passed = 0, {UP: 0, DOWN: 0}
        self.lose = None  # bytes to bytes: what is left of each piece that comes down; None: all of it
        self.lock, self.open_links, self.closing = threading.Lock(), set(), False
        self.listener = socket.socket(socket.AF_UNIX if listen else socket.AF_INET)
        self.listener.bind(listen or ("127.0.0.1", 0))
        self.listener.listen(64)
        self.address = listen or self.listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def redis_url(self):
        return "unix:" + self.address if isinstance(self.address, str) else "redis://%s:%d" % self.address

    def close(self):
        self.closing = True
        self.listener.close()
        with self.lock:
            links = list(self.open_links)
        for link in links:
            self._end(link)
        if isinstance(self.address, str):
            os.unlink(self.address)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _accept(self):
        while not self.closing:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                fault = self.faults.pop(0) if self.faults else Fault()
                self.seen += 1
            threading.Thread(target=self._serve, args=(client, fault), daemon=True).start()

    def _serve(self, client, fault):
        try:
            server = connect(self.server)
        except OSError:
            client.close()
            return
        with self.lock:
            self.open_links |= {client, server}
        other = threading.Thread(target=self._pass, args=(server, client, DOWN, fault), daemon=True)
        other.start()
        self._pass(client, server, UP, fault)
        other.join()
        with self.lock:
            self.open_links -= {client, server}
        client.close()
        server.close()

    def _pass(self, source, target, way, fault):
        """Passes bytes one way until either side ends or the cut is reached; then both sides are ended."""
        try:
            while fault.left[way] is None or fault.left[way] > 0:
                data = source.recv(65536)
                if not data:
                    break
                if fault.swallow:
                    continue
                if fault.delay[way]:
                    time.sleep(fault.delay[way])
                if way == DOWN and self.lose:
                    data = self.lose(data)
                if way == DOWN and fault.cut_at and fault.cut_at[0] in data:
                    fault.left[DOWN] = data.index(fault.cut_at[0]) + fault.cut_at[1]
                if fault.left[way] is not None:
                    data = data[:fault.left[way]]
                    fault.left[way] -= len(data)
                with self.lock:
                    self.passed[way] += len(data)  # before anybody can act on it
                target.sendall(data)
        except OSError:
            pass
        for link in (source, target):
            self._end(link, fault.reset)

    @staticmethod
    def _end(link, reset=False):
        try:
            if reset:
                link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            link.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
