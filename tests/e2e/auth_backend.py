"""auth_backend: an auth URL that answers what a test tells it to, also what no decent backend would."""
import socketserver
import threading

from http_raw import connect, request_bytes

STREAM = {"Accept": "text/event-stream"}


class AuthBackend:
    """answer(call) -> bytes of a whole HTTP answer, None for none at all, or a function of the connection's handler that does
    what it wants, after which it is closed. call: a dict with method, target, topic, headers, body, and head, its lines as they
    came. calls keeps them all, in order of arrival; `most` is how many were under way at once."""

    def __init__(self, address):
        self.address = address
        self.calls, self.lock = [], threading.Lock()
        self.now = self.most = 0
        self.answer = lambda call: reply(204)
        self.closing = threading.Event()
        kind = socketserver.ThreadingUnixStreamServer if isinstance(address, str) else socketserver.ThreadingTCPServer
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                outer.serve(self)

        class Server(kind):
            allow_reuse_address = True
            daemon_threads = True
            request_queue_size = 512

        self.server = Server(address, Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self):
        if isinstance(self.address, str):
            return f"unix:{self.address}:/auth"
        return "http://127.0.0.1:%d/auth" % self.server.server_address[1]

    def serve(self, handler):
        while True:
            call = read_call(handler.rfile)
            if call is None:
                return
            with self.lock:
                self.calls.append(call)
                self.now += 1
                self.most = max(self.most, self.now)
            try:
                answer = self.answer(call)
                if answer is None:
                    self.closing.wait(30)
                    return
                if callable(answer):
                    answer(handler)
                    return
                handler.wfile.write(answer)
                handler.wfile.flush()
            except OSError:
                return
            finally:
                with self.lock:
                    self.now -= 1

    def close(self):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()


def read_call(file):
    line = file.readline()
    if not line:
        return None
    head = [line.decode("latin-1")]
    method, target, _ = head[0].split(" ", 2)
    headers = {}
    while True:
        line = file.readline().decode("latin-1")
        if line in ("\r\n", ""):
            break
        head.append(line)
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = file.read(int(headers.get("content-length", 0)))
    return {"method": method, "target": target, "headers": headers, "topic": headers.get("x-sse-topic"), "body": body,
            "head": [line.rstrip("\r\n") for line in head]}


def reply(status, body=b"", headers=None):
    lines = {"Content-Length": str(len(body)), **(headers or {})}
    head = f"HTTP/1.1 {status} Whatever\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items())
    return head.encode("latin-1") + b"\r\n" + body


class Connecting:
    """A stream whose head has not come yet."""

    def __init__(self, streamer, topics, cookie=None, **headers):
        self.socket = connect(streamer.address)
        if cookie is not None:
            headers["Cookie"] = f"s={cookie}"
        self.socket.sendall(request_bytes(f"/events?topic={topics}", headers={**STREAM, **headers}))

    def result(self):
        self.socket.settimeout(10)
        assert self.socket.recv(15) == b"HTTP/1.1 200 OK"
        return self.socket

    def abandon(self):
        self.socket.close()
