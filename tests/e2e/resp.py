"""resp: just enough of the Redis protocol for tests, over a unix socket or TCP; no client library, so that a test
sees exactly what went over the wire. Bytes in, bytes out."""
import socket


class RedisError(Exception):
    """An error reply; str() is its text, code its first word."""

    @property
    def code(self):
        return str(self).split(" ", 1)[0]


class Redis:
    """One connection. address: the path of a unix socket, or (host, port)."""

    def __init__(self, address, timeout=10):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        try:
            self.socket.connect(address)
        except OSError:
            self.socket.close()
            raise
        self.reader = self.socket.makefile("rb")

    def close(self):
        self.reader.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, *words):
        parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        self.socket.sendall(b"*%d\r\n" % len(parts)
                            + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))

    def call(self, *words):
        self.send(*words)
        return self.receive()

    def receive(self):
        """The next reply: bytes, int, list or None; raises RedisError for an error reply."""
        reply = self._read()
        if isinstance(reply, RedisError):
            raise reply
        return reply

    def _read(self):
        line = self.reader.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest
        if kind == b"-":
            return RedisError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return self._read_bulk(int(rest))
        if kind == b"*":
            return None if rest == b"-1" else [self._read() for _ in range(int(rest))]
        raise ConnectionError(f"not a reply of RESP2: {line!r}")

    def _read_bulk(self, length):
        if length < 0:
            return None
        text = self.reader.read(length + 2)
        if len(text) != length + 2:
            raise ConnectionError("Redis closed the connection within a reply")
        return text[:-2]
