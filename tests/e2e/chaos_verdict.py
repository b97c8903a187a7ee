"""chaos_verdict: was every acknowledged event seen exactly once and in order by whoever had to see it, or was the hole told?
Judges the records of a run alone; knows nothing of how they came about.

A listener must see an event of a topic when it listened to that topic while its position went from below the event's id
to it or past it. It may miss it only after an sse.reset that names the topic, that came while its position was still
below, and when the event's publishing had begun: whoever fetches anew then has it."""
from bisect import bisect_right
from collections import Counter

from chaos_records import unpack

READ_SECONDS = 5.5  # what was read from a log serves those who come within 5 s; what is newer follows as it came live


class Verdict:
    """violations: (rule, text); counts: what happened how often."""

    def __init__(self, records):
        self.records, self.violations, self.counts = records, [], Counter()
        self.due = index_by_topic(records.events.values())
        self.coming = lowest_ids_to_come(records.events.values())
        for text in records.wrong:
            self.add("wrong", text)
        for text in records.unfinished:
            self.add("stuck", text)
        self.judge_events()
        if records.whole:
            self.judge_logs()
        for life in records.lives:
            LifeJudge(self, life).judge()

    def add(self, rule, text):
        self.violations.append((rule, text))

    def judge_events(self):
        """Ids are given once."""
        owner = {}
        for event in self.records.events.values():
            self.counts[event.outcome] += 1
            if event.id is not None and owner.setdefault(event.id, event) is not event:
                self.add("ids", f"{event} and {owner[event.id]} have one id")
            if event.again not in (None, event.id) and not self.lost_within(event.begin, event.until):
                self.add("ids", f"{event} was published again as {unpack(event.again)} for the same key")

    def judge_logs(self):
        """Logs that lost nothing hold every acknowledged event once for each of its topics, and nothing but events."""
        held = Counter(self.records.logged)
        for event in self.records.events.values():
            if event.outcome == "acknowledged":
                for topic in event.topics:
                    if held[event.n, event.id, topic] != 1:
                        self.add("log", f"the log of {topic} holds {event} {held[event.n, event.id, topic]} times")
        for n, id, topic in held:
            event = self.records.events.get(n)
            if event is None or event.id != id or topic not in event.topics:
                self.add("log", f"the log of {topic} holds {unpack(id)}, event {n}, which is {event}")

    def lost_within(self, begin, end):
        """Did Redis lose its memory, and with it what it knew of keys and nonces, in that time?"""
        return any(lost <= end and back >= begin for lost, back in self.records.losses)

    def lossy(self, before):
        return any(lost <= before for lost, _ in self.records.losses)


def index_by_topic(events):
    """topic -> ([ids], [events]) in the order of ids: whatever is known to have an id."""
    found = {}
    for event in sorted((event for event in events if event.id is not None), key=lambda event: event.id):
        for topic in event.topics:
            ids, known = found.setdefault(topic, ([], []))
            ids.append(event.id)
            known.append(event)
    return found


def lowest_ids_to_come(events):
    """([begin], [the lowest id of all events that begin then or later]): no position handed out earlier may reach it."""
    begins, lowest = [], []
    for event in sorted((event for event in events if event.id is not None), key=lambda event: -event.begin):
        begins.append(event.begin)
        lowest.append(min(event.id, lowest[-1]) if lowest else event.id)
    return begins[::-1], lowest[::-1]


class LifeJudge:
    """One listener from a new page on."""

    def __init__(self, verdict, life):
        self.verdict, self.life, self.records = verdict, life, verdict.records
        self.position, self.seen = None, {}

    def judge(self):
        for connection in self.life.connections:
            if self.position is None:
                self.position = connection.cursor  # a page that came with one
            elif connection.cursor != self.position:
                self.add("judge", connection, f"it asked from {unpack(connection.cursor)}, and was at {unpack(self.position)}")
            self.verdict.counts["connections"] += 1
            self.judge_connection(connection)

    def add(self, rule, connection, text):
        self.verdict.add(rule, f"listener {self.life.name} connection {connection.number} on "
                               f"{','.join(connection.topics)}: {text}")

    def judge_connection(self, connection):
        walk = Walk(self, connection)
        for block in connection.blocks:
            getattr(walk, "on_" + block[0])(*block[1:])
        walk.look_for_holes()
        self.position = walk.position


class Walk:
    """One connection, block by block, as its listener met it."""

    def __init__(self, judge, connection):
        self.judge, self.verdict, self.connection = judge, judge.verdict, connection
        self.start = self.position = connection.cursor
        self.steps = []   # (id, what carried it): how the position rose
        self.resets = []  # (t, position before, topics)
        self.got = set()  # numbers of the events seen here
        self.opened = self.promised = None
        self.through = False  # the replay

    def add(self, rule, text):
        self.judge.add(rule, self.connection, text)

    def move(self, t, id, what):
        """The position moves. It never goes back, and never ahead of what is still to come."""
        if self.position is not None and id < self.position:
            self.add("disorder", f"{what} {unpack(id)} after {unpack(self.position)}")
        begins, lowest = self.verdict.coming
        at = bisect_right(begins, t)
        if at < len(lowest) and lowest[at] <= id:
            self.add("position", f"{what} {unpack(id)} came before {unpack(lowest[at])} began to be published")
        self.steps.append((id, what))
        self.position = id if self.position is None else max(id, self.position)

    # ---- blocks ----

    def on_wrong(self, t, what):
        self.add("wrong", what)

    def on_event(self, t, id, n):
        event = self.verdict.records.events.get(n)
        self.verdict.counts["deliveries"] += 1
        if self.opened is None:
            self.add("open", f"event {n} came before sse.open")
        self.is_expected(event, id, n)
        self.is_new(event, id, n)
        self.got.add(n)
        if id is not None:
            if self.position is not None and id == self.position:
                self.add("disorder", f"event {n} has the id {unpack(id)} that was the position already")
            self.move(t, id, "event")

    def is_expected(self, event, id, n):
        """Published, with this id, on a topic of this connection, and not filtered out."""
        if event is None or event.outcome == "refused":
            self.add("ghost", f"event {n} ({unpack(id)}) was never published")
        elif not set(event.topics) & set(self.connection.topics):
            self.add("ghost", f"{event} is of no topic of it")
        elif self.connection.names is not None and event.name not in self.connection.names:
            self.add("filter", f"{event} is named {event.name}")
        elif event.id != id and not self.verdict.lost_within(event.begin, event.until):
            self.add("ids", f"{event} came with the id {unpack(id)}")

    def is_new(self, event, id, n):
        """Seen once. An event whose request was repeated over a loss of Redis's memory may be published twice."""
        first = self.judge.seen.setdefault(n, (self.connection.number, id))
        if first == (self.connection.number, id) and n not in self.got:
            return
        if event is None or first[1] == id or not self.verdict.lost_within(event.begin, event.until):
            self.add("double", f"event {n} ({unpack(id)}) again; first ({unpack(first[1])}) on connection {first[0]}")

    def on_open(self, t, id, data):
        self.verdict.counts["opens"] += 1
        if self.opened is not None:
            self.add("open", "a second sse.open")
        self.opened, self.promised = data, list(data["reset"])
        if self.connection.cursor is None:
            self.start = id
            right = {"topics": self.connection.topics, "resumed": False, "replayed": 0, "reset": []}
            if data != right:
                self.add("open", f"without a cursor: {data}")
        else:
            self.is_resumed(id, data)
            self.is_replayed(t, data)
        self.move(t, id, "sse.open")

    def is_resumed(self, id, data):
        if data["topics"] != self.connection.topics:
            self.add("open", f"topics {data['topics']}")
        if not set(data["reset"]) <= set(self.connection.topics):
            self.add("open", f"reset {data['reset']}")
        if data["resumed"] != bool(set(self.connection.topics) - set(data["reset"])):
            self.add("open", f"resumed {data['resumed']} with reset {data['reset']}")
        if data["resumed"]:
            self.verdict.counts["resumed"] += 1
            self.verdict.counts["replayed"] += data["replayed"]
            if id != self.connection.cursor:
                self.add("open", f"its id is {unpack(id)}, the cursor was {unpack(self.connection.cursor)}")

    def is_replayed(self, t, data):
        """replayed counts what the log held when it was read."""
        sure = maybe = 0
        wanted = [topic for topic in self.connection.topics if topic not in data["reset"]]
        for event in self.wanted(wanted, self.connection.cursor, None).values():
            sure += event.outcome == "acknowledged" and event.end < self.connection.began - READ_SECONDS
            maybe += event.begin < t
        if not sure <= data["replayed"] <= maybe:
            self.add("open", f"replayed {data['replayed']}, but the log held {sure} to {maybe}")

    def is_through(self):
        """The first position of its own ends the replay, unless a filter moved it; as many came as were announced."""
        announced = self.opened["replayed"] if self.opened and not self.connection.names else 0
        if not self.through and len(self.got) < announced:
            self.add("open", f"replayed {announced}, and {len(self.got)} came")
        self.through = True

    def on_reset(self, t, topics, reason):
        self.verdict.counts["resets"] += 1
        if self.opened is None:
            self.add("open", "sse.reset before sse.open")
        elif self.promised and topics != self.promised:
            self.add("open", f"reset {self.promised} was announced, sse.reset says {topics}")
        self.promised = None
        if not set(topics) <= set(self.connection.topics) or not topics:
            self.add("reset", f"sse.reset of {topics}")
        self.resets.append((t, self.position or 0, set(topics)))
        for topic in topics:
            self.is_needed(t, topic, reason)

    def is_needed(self, t, topic, reason):
        """A log that was never lost holds the last history_size events; only what came before them may be reset."""
        if self.verdict.lossy(t):
            return
        ids, events = self.verdict.due.get(topic, ([], []))
        after = [event for event in events[bisect_right(ids, self.position or 0):] if event.begin < t]
        if len(after) <= self.verdict.records.history_size:
            self.add("reset", f"{topic} was reset ({reason}) at {unpack(self.position)}, {len(after)} events behind; its log "
                              f"holds {self.verdict.records.history_size}")

    def on_id(self, t, id):
        self.verdict.counts["lone ids"] += 1
        if self.opened is None:
            self.add("open", f"position {unpack(id)} before sse.open")
        self.is_through()
        self.move(t, id, "lone position")

    def on_busy(self, _):
        self.verdict.counts["busy"] += 1

    def on_bye(self, _):
        self.verdict.counts["bye"] += 1

    # ---- what is missing ----

    def wanted(self, topics, above, up_to):
        """{n: event} of these topics with ids in (above, up_to] that pass the filter."""
        found = {}
        for topic in topics:
            ids, events = self.verdict.due.get(topic, ([], []))
            last = len(ids) if up_to is None else bisect_right(ids, up_to)
            for event in events[bisect_right(ids, above):last]:
                if self.connection.names is None or event.name in self.connection.names:
                    found[event.n] = event
        return found

    def look_for_holes(self):
        if self.promised and self.got:
            self.add("open", f"reset {self.promised} was announced, and events came instead")
        if self.start is None or self.position is None:
            return
        for topic in self.connection.topics:
            for event in self.wanted([topic], self.start, self.position).values():
                if event.n not in self.got and not self.is_told(topic, event):
                    self.add_hole(topic, event)

    def is_told(self, topic, event):
        return any(topic in topics and before < event.id and event.begin < t for t, before, topics in self.resets)

    def add_hole(self, topic, event):
        before = max((step for step in self.steps if step[0] < event.id), default=(self.start, "cursor"))
        after = next(step for step in self.steps if step[0] >= event.id)
        rule = "hole" if after[1] == "event" else "position"
        self.add(rule, f"{event} of {topic} is missing between {before[1]} {unpack(before[0])} and {after[1]} {unpack(after[0])}")
