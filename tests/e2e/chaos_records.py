"""chaos_records: what was recorded of a run: what became of each event, and what each listener saw. Written as lines of
JSON while it happens, read by the verdict when it is over. Times are those of the machine's monotonic clock."""
import json
import os


def pack(text):
    """An id as a number that compares as ids do."""
    ms, _, n = text.partition("-")
    return int(ms) << 20 | int(n)


def unpack(number):
    return "none" if number is None else f"{number >> 20}-{number & 0xfffff}"


class Event:
    """One event that was published, or tried to be. id: what Redis gave it, None where nobody knows of one. outcome:
    acknowledged (answer 200), refused (certainly not published), unknown, foreign (past publish, without id)."""

    def __init__(self, n, topics, name, outcome, begin, end, id=None, until=None, again=None):
        self.n, self.topics, self.name, self.outcome = n, topics, name, outcome
        self.begin, self.end = begin, end        # of the first try, and when the first 200 was there
        self.until = end if until is None else until  # the last answer, when it was asked again after that
        self.id = pack(id) if isinstance(id, str) else id
        self.again = pack(again) if isinstance(again, str) else again  # what the same request got then

    def __repr__(self):
        return f"event {self.n} ({unpack(self.id)} on {','.join(self.topics)}, {self.outcome})"


class Connection:
    """One connection of a listener that sent its request. blocks, in the order in which they came complete:
    ("open", t, id, data), ("event", t, id, n), ("id", t, id), ("reset", t, topics, reason), ("wrong", t, what)."""

    def __init__(self, number, began, topics, names, cursor, blocks=(), ended=""):
        self.number, self.began, self.topics = number, began, topics
        self.names = set(names) if names is not None else None  # the filter
        self.cursor = pack(cursor) if isinstance(cursor, str) else cursor
        self.blocks = [tuple([block[0], block[1], pack(block[2]) if isinstance(block[2], str) and block[0] in
                              ("open", "event", "id") else block[2], *block[3:]]) for block in blocks]
        self.ended = ended  # why


class Life:
    """A listener from a new page on: its connections have one position between them."""

    def __init__(self, name, connections=()):
        self.name, self.connections = name, list(connections)


class Records:
    """Everything that the verdict looks at. losses: moments (begin, end) in which Redis lost what it held. wrong: what
    was seen to be wrong at once, in words. unfinished: listeners that did not reach the end, in words. logged: [n, id,
    topic] of what Redis's logs held at the end; whole: they must hold everything that was acknowledged."""

    def __init__(self, events=(), lives=(), losses=(), wrong=(), unfinished=(), history_size=0, logged=(), whole=False):
        self.events = {event.n: event for event in events}
        self.lives, self.losses = list(lives), list(losses)
        self.wrong, self.unfinished = list(wrong), list(unfinished)
        self.history_size, self.whole = history_size, whole
        self.logged = [(n, pack(id) if isinstance(id, str) else id, topic) for n, id, topic in logged]
        self.learn_ids()

    def learn_ids(self):
        """Whether a request of unknown outcome was carried out is known when its event is in a log, or was seen."""
        for n, id, _ in self.logged:
            self.learn_id(n, id)
        for life in self.lives:
            for connection in life.connections:
                for block in connection.blocks:
                    if block[0] == "event":
                        self.learn_id(block[3], block[2])

    def learn_id(self, n, id):
        event = self.events.get(n)
        if event and event.outcome == "unknown" and event.id is None:
            event.id = id


class Writer:
    """Lines into a file, from one thread."""

    def __init__(self, path):
        self.file = open(path, "w", encoding="utf-8")

    def write(self, *record):
        self.file.write(json.dumps(record, separators=(",", ":")) + "\n")

    def close(self):
        self.file.close()


def read_lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def read_lives(path):
    """The lives in a listeners' file: lines [life, connection, kind, t, …]; kind "connect" begins a connection."""
    lives, connections = {}, {}
    for life, number, kind, t, *rest in read_lines(path):
        if kind == "connect":
            connection = Connection(number, t, *rest)
            connections[life, number] = connection
            lives.setdefault(life, Life(life)).connections.append(connection)
        elif kind == "end":
            connections[life, number].ended = rest[0]
        else:
            if kind in ("open", "event", "id") and rest[0] is not None:
                rest[0] = pack(rest[0])
            connections[life, number].blocks.append((kind, t, *rest))
    return list(lives.values())


def read_events(folder):
    """All events of the publishers' files in the folder."""
    for name in sorted(os.listdir(folder)):
        if name.startswith("published."):
            for record in read_lines(os.path.join(folder, name)):
                yield Event(*record)
