"""fastcgi: the web server's side of FastCGI, as far as tests need it: one responder request a connection."""
import socket
import struct

BEGIN, END, PARAMS, STDIN, STDOUT, STDERR = 1, 3, 4, 5, 6, 7


def record(kind, content=b""):
    return struct.pack("!BBHHBx", 1, kind, 1, len(content), 0) + content


def length(n):
    return struct.pack("!B", n) if n < 128 else struct.pack("!I", n | 0x80000000)


def encode_params(params):
    text = b""
    for name, value in params.items():
        name, value = name.encode(), value if isinstance(value, bytes) else value.encode()
        text += length(len(name)) + length(len(value)) + name + value
    return text


class Request:
    """One request on its way; send_body may be called piece by piece, end_body once."""

    def __init__(self, path, params, timeout=20):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.socket.sendall(record(BEGIN, struct.pack("!HB5x", 1, 0)) + record(PARAMS, encode_params(params))
                            + record(PARAMS))
        self.reader = self.socket.makefile("rb")

    def send_body(self, body):
        for at in range(0, len(body), 65535):
            self.socket.sendall(record(STDIN, body[at:at + 65535]))
        return self

    def end_body(self):
        self.socket.sendall(record(STDIN))
        return self

    def answer(self):
        """What the program wrote to stdout, once it says that the request is done."""
        out = b""
        try:
            while True:
                kind, size, padding = struct.unpack("!xBxxHBx", self._read(8))
                content = self._read(size)
                self._read(padding)
                if kind == STDOUT:
                    out += content
                if kind == END:
                    return out
        finally:
            self.close()

    def _read(self, n):
        text = self.reader.read(n)
        if len(text) != n:
            raise ConnectionError("the program closed the connection before the end of its answer")
        return text

    def close(self):
        self.reader.close()
        self.socket.close()
