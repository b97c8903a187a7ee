"""chaos_records: what was recorded of a run: what became of each event, and what each listener saw. Written as lines of
JSON while it happens, read by the verdict when it is over. Times are those of the machine's monotonic clock."""
import json
import os

from partitions import partition_of


def pack(text):
    """An id as a number that compares as ids do."""
    ms, _, n = text.partition("-")
    return int(ms) << 20 | int(n)


def unpack(number):
    return "none" if number is None else f"{number >> 20}-{number & 0xfffff}"


def parse(text):
    """A position as {partition: id}: `ms-n`, which is that of one Redis, numbered 0, or `3:ms-n,7:ms-n` of a Cluster."""
    if ":" not in text:
        return {0: pack(text)}
    return {int(number): pack(id) for number, _, id in (pair.partition(":") for pair in text.split(","))}


def spell(position):
    """The same in words, for messages."""
    if position is None:
        return "none"
    return ",".join(unpack(id) if position.keys() == {0} else f"{number}:{unpack(id)}" for number, id in position.items())


def ids_of(given):
    """What an answer said, a text or {"3": text}, as {partition: id}; nothing of nothing."""
    if isinstance(given, dict):
        return {int(number): pack(id) for number, id in given.items()}
    return parse(given) if given else {}


class Event:
    """One event that was published, or tried to be. ids: what Redis gave it, one in each partition of its topics (0 of one
    Redis), without those that nobody knows of. outcome: acknowledged (answer 200), refused (certainly not published),
    unknown, foreign (past publish, without id)."""

    def __init__(self, n, topics, name, outcome, begin, end, id=None, until=None, again=None):
        self.n, self.topics, self.name, self.outcome = n, topics, name, outcome
        self.begin, self.end = begin, end        # of the first try, and when the first 200 was there
        self.until = end if until is None else until  # the last answer, when it was asked again after that
        self.ids = ids_of(id)
        self.again = ids_of(again)               # what the same request got then

    def __repr__(self):
        return f"event {self.n} ({spell(self.ids)} on {','.join(self.topics)}, {self.outcome})"


class Loss:
    """Redis may have lost what it held, from begin until end: all, or what was in some partitions. marks: of a partition, the
    id that whatever it lost is below, where that is known."""

    def __init__(self, begin, end, partitions=None, marks=None):
        self.begin, self.end, self.partitions = begin, end, partitions
        self.marks = {int(number): pack(id) for number, id in (marks or {}).items()}

    def covers(self, partition):
        return self.partitions is None or partition in self.partitions


POSITIONED = ("open", "event", "id")  # blocks that carry one


class Connection:
    """One connection of a listener that sent its request. blocks, in the order in which they came complete:
    ("open", t, position, data), ("event", t, position, n), ("id", t, position), ("reset", t, topics, reason),
    ("wrong", t, what). Positions, and the cursor, are what parse makes of them."""

    def __init__(self, number, began, topics, names, cursor, blocks=(), ended=""):
        self.number, self.began, self.topics = number, began, topics
        self.names = set(names) if names is not None else None  # the filter
        self.cursor = parse(cursor) if isinstance(cursor, str) else cursor
        self.blocks = [tuple([*block[:2], parse(block[2]), *block[3:]]) if block[0] in POSITIONED and isinstance(block[2], str)
                       else tuple(block) for block in blocks]
        self.ended = ended  # why


class Life:
    """A listener from a new page on: its connections have one position between them. last: none followed on it."""

    def __init__(self, name, connections=(), last=True):
        self.name, self.connections, self.last = name, list(connections), last


class Records:
    """Everything that the verdict looks at. losses: of what Redis held. wrong: what was seen to be wrong at once, in words.
    unfinished: listeners that did not reach the end, in words. logged: [n, id, topic] of what Redis's logs held at the
    end; whole: they must hold everything that was acknowledged and not lost. partitions: of a Cluster, else 0. drops: who is
    slow loses events and is told (slow_client = drop). several: workers, each of which may know another master for a while."""

    def __init__(self, events=(), lives=(), losses=(), wrong=(), unfinished=(), history_size=0, logged=(), whole=False,
                 partitions=0, drops=False, several=False):
        self.events = {event.n: event for event in events}
        self.lives, self.losses = list(lives), [Loss(*loss) for loss in losses]
        self.wrong, self.unfinished = list(wrong), list(unfinished)
        self.history_size, self.whole, self.partitions = history_size, whole, partitions
        self.drops, self.several = drops, several
        self.logged = [(n, pack(id), topic) for n, id, topic in logged]
        self.learn_ids()

    def partition(self, topic):
        return partition_of(topic, self.partitions) if self.partitions else 0

    def copy_for(self, event, topics):
        """The topic of the copy that a listener to these topics gets of the event: the first of the event's that it hears."""
        return next((topic for topic in event.topics if topic in topics), None)

    def learn_ids(self):
        """Whether a request of unknown outcome was carried out is known when its event is in a log, or was seen."""
        for n, id, topic in self.logged:
            self.learn_id(n, self.partition(topic), id)
        for life in self.lives:
            for connection in life.connections:
                for block in connection.blocks:
                    event = self.events.get(block[3]) if block[0] == "event" else None
                    copy = event and self.copy_for(event, connection.topics)
                    if copy and block[2] and self.partition(copy) in block[2]:
                        self.learn_id(event.n, self.partition(copy), block[2][self.partition(copy)])

    def learn_id(self, n, partition, id):
        event = self.events.get(n)
        if event and event.outcome == "unknown":
            event.ids.setdefault(partition, id)


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
            if kind in POSITIONED and rest[0] is not None:
                rest[0] = parse(rest[0])
            connections[life, number].blocks.append((kind, t, *rest))
    for life in lives.values():
        listener, _, number = life.name.partition(".")
        life.last = f"{listener}.{int(number) + 1}" not in lives
    return list(lives.values())


def read_events(folder):
    """All events of the publishers' files in the folder."""
    for name in sorted(os.listdir(folder)):
        if name.startswith("published."):
            for record in read_lines(os.path.join(folder, name)):
                yield Event(*record)
