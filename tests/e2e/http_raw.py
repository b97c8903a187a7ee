"""http_raw: HTTP by hand over TCP or a unix socket: what is sent and what comes back are bytes that a test can see."""
import json
import socket
import time


def connect(address, timeout=10):
    """address: (host, port), or the path of a unix socket."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM)
    s.settimeout(timeout)
    s.connect(address)
    return s


def request_bytes(target, method="GET", headers=None, body=None, version="1.1"):
    lines = {"Host": "localhost", **(headers or {})}
    if body is not None:
        lines.setdefault("Content-Length", str(len(body)))
    head = f"{method} {target} HTTP/{version}\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items() if v is not None)
    return head.encode("latin-1") + b"\r\n" + (body or b"")


class Chunks:
    """Takes Transfer-Encoding: chunked off a body, as it comes (RFC 9112 section 7.1)."""

    def __init__(self):
        self.raw, self.left = b"", 0

    def feed(self, raw):
        self.raw += raw
        out = []
        while self.raw:
            if self.left == 0:
                line, end, rest = self.raw.lstrip(b"\r\n").partition(b"\r\n")
                if not end:
                    break
                self.left, self.raw = int(line.split(b";")[0], 16), rest
                if self.left == 0:
                    break
            part = self.raw[:self.left]
            self.raw = self.raw[len(part):]
            self.left -= len(part)
            out.append(part)
        return b"".join(out)


class Answer:
    """status, headers (lower-case names, last one wins), body."""

    def __init__(self, raw):
        self.raw = raw
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status_line = lines[0]
        self.status = int(lines[0].split(" ")[1]) if lines[0] else 0
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()
        if self.chunked:
            self.body = Chunks().feed(self.body)

    @property
    def chunked(self):
        return self.headers.get("transfer-encoding", "").lower() == "chunked"

    @property
    def json(self):
        return json.loads(self.body)


def read_all(s):
    chunks = []
    while True:
        try:
            chunk = s.recv(65536)
        except ConnectionResetError:
            break
        if not chunk:
            break
        chunks.append(chunk)
    return b"".join(chunks)


def exchange(address, raw, timeout=10):
    """Sends raw bytes and reads until the other side closes."""
    with connect(address, timeout) as s:
        s.sendall(raw)
        return Answer(read_all(s))


def fetch(address, target, method="GET", headers=None, body=None, version="1.1", timeout=10):
    headers = {"Connection": "close", **(headers or {})}
    return exchange(address, request_bytes(target, method, headers, body, version), timeout)


class Block:
    """One block of an event stream: fields as they stood, data lines joined."""

    def __init__(self, text):
        self.text = text
        self.event = self.id = self.retry = None
        self.comments, data = [], []
        for line in text.split(b"\n"):
            name, _, value = line.partition(b":")
            value = value[1:] if value.startswith(b" ") else value
            if name == b"":
                self.comments.append(value.decode())
            elif name == b"data":
                data.append(value)
            elif name in (b"event", b"id", b"retry"):
                setattr(self, name.decode(), value.decode())
        self.data = b"\n".join(data) if data else None

    @property
    def json(self):
        return json.loads(self.data)

    def __repr__(self):
        return f"Block({self.text!r})"


class Stream:
    """One subscription, read as it comes. Blocks are kept in order; `take` waits for the next one that matches."""

    def __init__(self, address, target, method="GET", headers=None, body=None, version="1.1", timeout=10):
        self.timeout = timeout
        self.socket = connect(address, timeout)
        self.socket.sendall(request_bytes(target, method, {"Accept": "text/event-stream", **(headers or {})}, body, version))
        self.buffer = b""
        self.raw = b""
        self.closed = False
        self.chunks = None
        self.head = Answer(self._until(b"\r\n\r\n") + b"\r\n\r\n")
        if self.head.chunked:
            self.chunks = Chunks()
            self.buffer = self.chunks.feed(self.buffer)

    def _more(self, end):
        left = end - time.monotonic()
        if left <= 0:
            raise AssertionError(f"not in time; so far: {self.raw[-2000:]!r}")
        self.socket.settimeout(left)
        try:
            chunk = self.socket.recv(65536)
        except socket.timeout:
            return self._more(end)
        except ConnectionResetError:
            chunk = b""
        if not chunk:
            self.closed = True
        self.raw += chunk
        self.buffer += self.chunks.feed(chunk) if self.chunks else chunk

    def _until(self, mark, timeout=None):
        end = time.monotonic() + (timeout or self.timeout)
        while mark not in self.buffer:
            if self.closed:
                raise EOFError(f"closed; so far: {self.raw[-2000:]!r}")
            self._more(end)
        part, _, self.buffer = self.buffer.partition(mark)
        return part

    def block(self, timeout=None):
        return Block(self._until(b"\n\n", timeout))

    def take(self, event, timeout=None):
        """The next block with that event name; others before it are passed over (but never another named event when
        it is an event of a topic)."""
        while True:
            block = self.block(timeout)
            if block.event == event:
                return block
            if block.event and not block.event.startswith(("sse.", "ping")):
                raise AssertionError(f"{block!r} came before {event}")

    def opened(self):
        return self.take("sse.open")

    def events_until(self, name):
        """All blocks with an event name up to the one called name, without it."""
        seen = []
        while True:
            block = self.block()
            if block.event == name:
                return seen
            if block.event:
                seen.append(block)

    def wait_closed(self, timeout=None):
        end = time.monotonic() + (timeout or self.timeout)
        while not self.closed:
            self._more(end)
        return self.raw

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
