"""fake_redis: a Redis that answers what a test tells it to, also what no Redis would; decent where it is told nothing."""
import socket
import threading


class Link:
    """One connection to it."""

    def __init__(self, fake, peer):
        self.fake, self.peer, self.file = fake, peer, peer.makefile("rb")
        self.channels, self.sent = [], 0

    def send(self, raw):
        """False once the other side has closed."""
        try:
            self.peer.sendall(raw)
        except OSError:
            return False
        self.sent += len(raw)
        return True

    def command(self):
        """The next one, as a list of words; None at the end."""
        line = self.file.readline()
        if not line:
            return None
        assert line[:1] == b"*", line
        words = []
        for _ in range(int(line[1:])):
            length = int(self.file.readline()[1:])
            words.append(self.file.read(length + 2)[:-2])
        return words

    def serve(self):
        try:
            while True:
                words = self.command()
                if words is None:
                    break
                name = words[0].upper().decode()
                answer = self.fake.answers.get(name, getattr(self.fake, "on_" + name.lower()))
                raw = answer(self, words) if callable(answer) else answer
                if raw and not self.send(raw):
                    break
        except (OSError, ValueError):
            pass
        self.fake.leave(self)


class FakeRedis:
    """Listens on a unix socket, or on a port of 127.0.0.1. answers: {command: bytes, or a function of (link, words) that returns bytes or sends
    them itself}; what is not there is answered as Redis does. met counts the connections so far."""

    def __init__(self, path=None):
        self.path, self.answers, self.met = path, {}, 0
        self.links, self.lock, self.last = [], threading.Lock(), 1764000000000
        self.listener = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self.listener.bind(path or ("127.0.0.1", 0))
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return "unix:" + self.path

    @property
    def port(self):
        return self.listener.getsockname()[1]

    @property
    def name(self):
        return f"127.0.0.1:{self.port}"

    def _accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            link = Link(self, peer)
            with self.lock:
                self.met += 1
                self.links.append(link)
            threading.Thread(target=link.serve, daemon=True).start()

    def leave(self, link):
        with self.lock:
            if link in self.links:
                self.links.remove(link)
        link.file.close()
        link.peer.close()

    def close(self):
        self.listener.close()
        with self.lock:
            links = list(self.links)
        for link in links:
            try:
                link.peer.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    # ---- as Redis answers ----

    def on_ping(self, link, words):
        text = words[1] if len(words) > 1 else b""
        if link.channels:
            return array(b"pong", text)
        return bulk(text) if text else b"+PONG\r\n"

    def on_info(self, link, words):
        return bulk(b"# Memory\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n")

    def on_evalsha(self, link, words):
        with self.lock:
            before, self.last = b"%d-0" % self.last, self.last + 1
            now = b"%d-0" % self.last
            words = b"".join(bulk(word) for word in (now, before, b"", b"1", now))
            return b"*9\r\n" + words + b"*0\r\n*0\r\n" + bulk(b"") + b"*0\r\n"

    on_eval = on_evalsha

    def on_subscribe(self, link, words):
        link.channels.append(words[1])
        return b"*3\r\n" + bulk(b"subscribe") + bulk(words[1]) + b":%d\r\n" % len(link.channels)

    def on_unsubscribe(self, link, words):
        link.channels.remove(words[1])
        return b"*3\r\n" + bulk(b"unsubscribe") + bulk(words[1]) + b":%d\r\n" % len(link.channels)

    # ---- as a node of a Cluster that has all slots, as a master, as a sentinel that names itself ----

    def on_cluster(self, link, words):
        if words[1].upper() == b"MYID":
            return bulk(b"a" * 40)
        return b"*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n" + bulk(b"127.0.0.1") + b":%d\r\n" % self.port + bulk(b"a" * 40)

    def on_role(self, link, words):
        return b"*3\r\n" + bulk(b"master") + b":1\r\n*0\r\n"

    def on_sentinel(self, link, words):
        return array(b"127.0.0.1", b"%d" % self.port)

    def on_ssubscribe(self, link, words):
        return self.on_subscribe(link, words).replace(b"$9\r\nsubscribe", b"$10\r\nssubscribe")

    def on_sunsubscribe(self, link, words):
        return self.on_unsubscribe(link, words).replace(b"$11\r\nunsubscribe", b"$12\r\nsunsubscribe")

    # ---- what it does by itself ----

    def subscriber(self, channel):
        """The link that is subscribed to it, None when there is none."""
        with self.lock:
            return next((link for link in self.links if channel in link.channels), None)

    def publish(self, channel, payload):
        return self.subscriber(channel).send(message(channel, payload))


def bulk(text):
    return b"$%d\r\n%s\r\n" % (len(text), text)


def array(*words):
    return b"*%d\r\n" % len(words) + b"".join(bulk(word) for word in words)


def message(channel, payload):
    return array(b"message", channel, payload)
