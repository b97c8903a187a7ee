"""chaos_verdict: was every acknowledged event seen exactly once and in order by whoever had to see it, or was the hole told?
Judges the records of a run alone; knows nothing of how they came about.

A listener must see an event of a topic when it listened to that topic while its position went from below the event's id
to it or past it. It may miss it only after an sse.reset that names the topic, that came while its position was still
below, and when the event's publishing had begun: whoever fetches anew then has it.

On a Cluster all of this holds for each partition, whose ids are its own. An event of several topics is due once, by its
copy on the first of its topics that the listener hears; since that is another one for other topics, whoever changes its
topics may get such an event in another partition once more."""
from bisect import bisect_right
from collections import Counter

from chaos_records import spell, unpack

READ_SECONDS = 5.5  # what was read from a log serves those who come within 5 s; what is newer follows as it came live


class Verdict:
    """violations: (rule, text); counts: what happened how often."""

    def __init__(self, records):
        self.records, self.violations, self.counts = records, [], Counter()
        self.held = Counter(records.logged)
        self.due = self.index_by_topic()
        self.gone = self.find_gone() if records.whole else {}
        self.coming = self.lowest_ids_to_come()
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
            for partition, id in event.ids.items():
                if owner.setdefault((partition, id), event) is not event:
                    self.add("ids", f"{event} and {owner[partition, id]} have one id")
                if event.again.get(partition, id) != id and not self.may_be_lost(event, partition):
                    self.add("ids", f"{event} was published again as {spell(event.again)} for the same key")

    def judge_logs(self):
        """Logs hold every acknowledged event that was not lost once for each of its topics, and nothing but events."""
        for event in self.records.events.values():
            if event.outcome == "acknowledged":
                for topic in event.topics:
                    held = self.held[event.n, self.id_on(event, topic), topic]
                    if held != 1 and topic not in self.gone.get(event.n, ()):
                        self.add("log", f"the log of {topic} holds {event} {held} times")
        for n, id, topic in self.held:
            event = self.records.events.get(n)
            if event is None or topic not in event.topics or (
                    self.id_on(event, topic) != id and not self.may_be_lost(event, self.records.partition(topic))):
                self.add("log", f"the log of {topic} holds {unpack(id)}, event {n}, which is {event}")

    def id_on(self, event, topic):
        return event.ids.get(self.records.partition(topic))

    # ---- what Redis lost ----

    def may_be_lost(self, event, partition):
        """Did Redis lose its memory while it was published, and with it what it knew of keys and nonces?"""
        return any(loss.covers(partition) and loss.begin <= event.until and loss.end >= event.begin
                   for loss in self.records.losses)

    def may_reset(self, partition, t, position):
        """Was something lost by then that a position like this may have to be told of?"""
        return any(loss.covers(partition) and loss.begin <= t and position < loss.marks.get(partition, position + 1)
                   for loss in self.records.losses)

    def find_gone(self):
        """{n: topics in whose logs it is not} of events that were acknowledged, and lost."""
        gone = {}
        for event in self.records.events.values():
            if event.outcome == "acknowledged":
                topics = {topic for topic in event.topics if not self.held[event.n, self.id_on(event, topic), topic]
                          and self.may_be_lost(event, self.records.partition(topic))}
                if topics:
                    gone[event.n] = topics
                    self.counts["lost"] += 1
        return gone

    # ---- what there is to see ----

    def index_by_topic(self):
        """topic -> ([ids], [events]) in the order of ids: whatever is known to have an id."""
        found = {}
        for event in self.records.events.values():
            for topic in event.topics:
                if self.records.partition(topic) in event.ids:
                    found.setdefault(topic, []).append((self.id_on(event, topic), event))
        for topic, known in found.items():
            known.sort(key=lambda pair: pair[0])
            found[topic] = [id for id, _ in known], [event for _, event in known]
        return found

    def lowest_ids_to_come(self):
        """partition -> ([begin], [the lowest id of all its events that begin then or later]): no position handed out earlier
        may reach it. What a server took after another one had gone on in its place is lost, and not in it."""
        found = {}
        for event in sorted(self.records.events.values(), key=lambda event: -event.begin):
            lost = {self.records.partition(topic) for topic in self.gone.get(event.n, ())}
            for partition, id in event.ids.items():
                begins, lowest = found.setdefault(partition, ([], []))
                if partition not in lost:
                    begins.append(event.begin)
                    lowest.append(min(id, lowest[-1]) if lowest else id)
        return {partition: (begins[::-1], lowest[::-1]) for partition, (begins, lowest) in found.items()}


class LifeJudge:
    """One listener from a new page on."""

    def __init__(self, verdict, life):
        self.verdict, self.life, self.records = verdict, life, verdict.records
        self.position, self.seen, self.walks = None, {}, []

    def judge(self):
        for connection in self.life.connections:
            if self.position is None:
                self.position = connection.cursor  # a page that came with one
            elif connection.cursor != self.position:
                self.add("judge", connection, f"it asked from {spell(connection.cursor)}, and was at {spell(self.position)}")
            self.verdict.counts["connections"] += 1
            self.judge_connection(connection)
        if self.life.last:
            self.look_for_overtaken()

    def add(self, rule, connection, text):
        self.verdict.add(rule, f"listener {self.life.name} connection {connection.number} on "
                               f"{','.join(connection.topics)}: {text}")

    def judge_connection(self, connection):
        walk = Walk(self, connection)
        for block in connection.blocks:
            getattr(walk, "on_" + block[0])(*block[1:])
        walk.look_for_holes()
        self.position = walk.position
        self.walks.append(walk)

    def look_for_overtaken(self):
        """An event that was lost because a server took it after another one had gone on in its place: positions of that
        other one are above its id before it is published. Whoever has one, and stays, is told some time."""
        for n, topics in self.verdict.gone.items():
            event = self.records.events[n]
            since = [walk for walk in self.walks if walk.ended_after(event.begin)]
            for topic in topics:
                if since and n not in self.seen and all(walk.is_due(event, topic) for walk in since) \
                        and since[0].had_passed(event, topic) and not any(walk.is_told_late(event, topic) for walk in since):
                    self.add("hole", since[-1].connection, f"{event} of {topic} was lost, below {spell(since[0].position)}, and "
                                                           "it was never told")


class Walk:
    """One connection, block by block, as its listener met it."""

    def __init__(self, judge, connection):
        self.judge, self.verdict, self.connection = judge, judge.verdict, connection
        self.records = judge.records
        self.partitions = {self.records.partition(topic) for topic in connection.topics}
        self.start = self.position = connection.cursor
        self.unknown = set()  # partitions that the cursor says nothing of
        if connection.cursor is not None:
            self.unknown = self.partitions - connection.cursor.keys()
        self.steps = []   # (t, position, what carried it): how the position rose
        self.resets = []  # (t, position before, topics)
        self.got = set()  # numbers of the events seen here
        self.may_go_back = set()  # partitions: Redis has lost something, as a worker says that knows another master
        self.opened = self.promised = None
        self.through = self.cut_short = False  # the replay

    def add(self, rule, text):
        self.judge.add(rule, self.connection, text)

    def at(self, partition):
        """The position in a partition; 0 where there is none yet."""
        return (self.position or {}).get(partition, 0)

    def move(self, t, position, what):
        """The position moves. It is one of all partitions, which never goes back, and never ahead of what is still to come.
        Only sse.open may be without those that the cursor said nothing of: they are told by the reset."""
        for partition in self.unknown & position.keys():
            self.start.setdefault(partition, position[partition])
        if not self.partitions - (self.unknown if what == "sse.open" else set()) <= position.keys() <= self.partitions:
            self.add("position", f"{what} {spell(position)} is not of the partitions {sorted(self.partitions)}")
        for partition, id in position.items():
            if id < self.at(partition) and partition not in self.may_go_back:
                self.add("disorder", f"{what} {spell(position)} after {spell(self.position)}")
            begins, lowest = self.verdict.coming.get(partition, ([], []))
            at = bisect_right(begins, t)
            if at < len(lowest) and lowest[at] <= id:
                self.add("position", f"{what} {spell(position)} came before {unpack(lowest[at])} began to be published")
        self.steps.append((t, position, what))
        self.position = {partition: id if partition in self.may_go_back else max(id, self.at(partition))
                         for partition, id in position.items()}
        self.may_go_back -= position.keys()

    # ---- blocks ----

    def on_wrong(self, t, what):
        self.add("wrong", what)

    def on_event(self, t, position, n):
        event = self.records.events.get(n)
        self.verdict.counts["deliveries"] += 1
        if self.opened is None:
            self.add("open", f"event {n} came before sse.open")
        copy = event and self.records.copy_for(event, self.connection.topics)
        partition = self.records.partition(copy) if copy else None
        id = position.get(partition) if position else None
        self.is_expected(event, partition, id, n)
        self.is_new(event, partition, id, n)
        self.got.add(n)
        if position is not None:
            if self.position is not None and partition is not None and id == self.at(partition):
                self.add("disorder", f"event {n} has the id {unpack(id)} that was the position already")
            self.move(t, position, "event")

    def is_expected(self, event, partition, id, n):
        """Published, with this id, on a topic of this connection, and not filtered out."""
        if event is None or event.outcome == "refused":
            self.add("ghost", f"event {n} ({unpack(id)}) was never published")
        elif partition is None:
            self.add("ghost", f"{event} is of no topic of it")
        elif self.connection.names is not None and event.name not in self.connection.names:
            self.add("filter", f"{event} is named {event.name}")
        elif event.ids.get(partition) != id and not self.verdict.may_be_lost(event, partition):
            self.add("ids", f"{event} came with the id {unpack(id)}")

    def is_new(self, event, partition, id, n):
        """Seen once. An event whose request was repeated over a loss of Redis's memory may be published twice, and one of
        several partitions may come by another one to whoever has changed its topics."""
        this = (self.connection.number, partition, id)
        first = self.judge.seen.setdefault(n, this)
        if first == this and n not in self.got:
            return
        if event is not None and first[1] != partition and first[0] != this[0]:
            self.verdict.counts["came by another partition"] += 1
        elif event is None or first[2] == id or not self.verdict.may_be_lost(event, partition):
            self.add("double", f"event {n} ({unpack(id)}) again; first ({unpack(first[2])}) on connection {first[0]}")

    def on_open(self, t, position, data):
        position = position or {}
        self.verdict.counts["opens"] += 1
        if self.opened is not None:
            self.add("open", "a second sse.open")
        self.opened, self.promised = data, list(data["reset"])
        if self.connection.cursor is None:
            self.start = position
            right = {"topics": self.connection.topics, "resumed": False, "replayed": 0, "reset": []}
            if data != right:
                self.add("open", f"without a cursor: {data}")
        else:
            self.start = dict(self.connection.cursor)
            self.is_resumed(position, data)
            self.is_replayed(t, data)
        if position or not self.unknown:
            self.move(t, position, "sse.open")

    def is_resumed(self, position, data):
        kept = set(self.connection.topics) - set(data["reset"])
        if data["topics"] != self.connection.topics:
            self.add("open", f"topics {data['topics']}")
        if not set(data["reset"]) <= set(self.connection.topics):
            self.add("open", f"reset {data['reset']}")
        if data["resumed"] != bool(kept):
            self.add("open", f"resumed {data['resumed']} with reset {data['reset']}")
        unknown = sorted(topic for topic in kept if self.records.partition(topic) in self.unknown)
        if unknown:
            self.add("open", f"{unknown} were resumed, of whose partitions the cursor says nothing")
        if data["resumed"]:
            self.verdict.counts["resumed"] += 1
            self.verdict.counts["replayed"] += data["replayed"]
            for partition in {self.records.partition(topic) for topic in kept} - self.unknown:
                if position.get(partition) != self.connection.cursor[partition]:
                    self.add("open", f"its id is {spell(position)}, the cursor was {spell(self.connection.cursor)}")

    def is_replayed(self, t, data):
        """replayed counts what the logs held when they were read."""
        sure = maybe = 0
        wanted = [topic for topic in self.connection.topics if topic not in data["reset"]]
        for event, topic in self.wanted(wanted, self.connection.cursor, None):
            lost = topic in self.verdict.gone.get(event.n, ())
            sure += event.outcome == "acknowledged" and event.end < self.connection.began - READ_SECONDS and not lost
            maybe += event.begin < t
        if not sure <= data["replayed"] <= maybe:
            self.add("open", f"replayed {data['replayed']}, but the logs held {sure} to {maybe}")

    def is_through(self):
        """The first position of its own ends the replay, unless a filter moved it, or another partition; as many came as
        were announced, if nothing was lost meanwhile."""
        announced = self.opened["replayed"] if self.opened and not self.connection.names and len(self.partitions) == 1 else 0
        if not self.through and not self.cut_short and len(self.got) < announced:
            self.add("open", f"replayed {announced}, and {len(self.got)} came")
        self.through = True

    def on_reset(self, t, topics, reason):
        self.verdict.counts["resets"] += 1
        first = self.promised
        if self.opened is None:
            self.add("open", "sse.reset before sse.open")
        elif self.promised and topics != self.promised:
            self.add("open", f"reset {self.promised} was announced, sse.reset says {topics}")
        self.promised = None
        if not set(topics) <= set(self.connection.topics) or not topics:
            self.add("reset", f"sse.reset of {topics}")
        self.resets.append((t, self.position or {}, set(topics)))
        self.cut_short |= not first
        unknown = {topic for topic in topics if self.records.partition(topic) in self.unknown} if first else set()
        if reason == "redis_lost" and self.records.several:
            self.may_go_back |= {self.records.partition(topic) for topic in topics}
        if reason == "unknown" and not unknown:
            self.add("reset", f"{topics} were reset as unknown, with the cursor {spell(self.connection.cursor)}")
        for topic in topics:
            if topic not in unknown:
                self.is_needed(t, topic, reason)

    def is_needed(self, t, topic, reason):
        """A log that was never lost holds the last history_size events; only what came before them may be reset."""
        at = self.at(self.records.partition(topic))
        if reason == "slow" and not self.records.drops:
            self.add("reset", f"{topic} was reset as slow, which closes here")
        if reason == "slow":
            return
        if self.verdict.may_reset(self.records.partition(topic), t, at):
            return
        ids, events = self.verdict.due.get(topic, ([], []))
        after = [event for event in events[bisect_right(ids, at):] if event.begin < t]
        if len(after) + self.maybe_logged(t, topic, at) <= self.records.history_size:
            self.add("reset", f"{topic} was reset ({reason}) at {unpack(at)}, {len(after)} events behind; its log holds "
                              f"{self.records.history_size}")

    def maybe_logged(self, t, topic, at):
        """How many events of unknown outcome may have stood in the log behind that position, though nobody has seen them."""
        ids, events = self.verdict.due.get(topic, ([], []))
        before = bisect_right(ids, at)
        since = events[before - 1].begin if before else 0
        return sum(since <= event.begin < t and not event.ids for event in self.records.events.values()
                   if event.outcome == "unknown" and topic in event.topics)

    def on_id(self, t, position):
        self.verdict.counts["lone ids"] += 1
        if self.opened is None:
            self.add("open", f"position {spell(position)} before sse.open")
        self.is_through()
        self.move(t, position, "lone position")

    def on_busy(self, _):
        self.verdict.counts["busy"] += 1

    def on_bye(self, _):
        self.verdict.counts["bye"] += 1

    # ---- what is missing ----

    def is_due(self, event, topic):
        """Whether this topic's copy of the event is the one for this listener."""
        if self.connection.names is not None and event.name not in self.connection.names:
            return False
        if not self.records.partitions:
            return topic in self.connection.topics
        return topic == self.records.copy_for(event, self.connection.topics)

    def wanted(self, topics, above, up_to):
        """[(event, topic)] of these topics with ids in (above, up_to] that are due; of one Redis, each event once."""
        found = {}
        for topic in topics:
            partition = self.records.partition(topic)
            if partition in above:
                ids, events = self.verdict.due.get(topic, ([], []))
                last = len(ids) if up_to is None else bisect_right(ids, up_to.get(partition, 0))
                for event in events[bisect_right(ids, above[partition]):last]:
                    if self.is_due(event, topic):
                        found[event.n] = event, topic
        return found.values()

    def look_for_holes(self):
        if self.promised and self.got:
            self.add("open", f"reset {self.promised} was announced, and events came instead")
        if self.start is None or self.position is None:
            return
        for topic in self.connection.topics:
            for event, _ in self.wanted([topic], self.start, self.position):
                overtaken = topic in self.verdict.gone.get(event.n, ()) and self.had_passed(event, topic)
                if event.n not in self.got and not overtaken and not self.is_told(event, topic):
                    self.add_hole(event, topic)

    def is_told(self, event, topic):
        partition = self.records.partition(topic)
        return any(topic in topics and before.get(partition, 0) < event.ids[partition] and event.begin < t
                   for t, before, topics in self.resets)

    def add_hole(self, event, topic):
        partition = self.records.partition(topic)
        id = event.ids[partition]
        steps = [(position.get(partition, 0), what) for _, position, what in self.steps]
        before = max((step for step in steps if step[0] < id), default=(self.start[partition], "cursor"))
        after = next(step for step in steps if step[0] >= id)
        rule = "hole" if after[1] == "event" else "position"
        self.add(rule, f"{event} of {topic} is missing between {before[1]} {unpack(before[0])} and {after[1]} {unpack(after[0])}")

    # ---- what was lost below a position ----

    def ended_after(self, t):
        return bool(self.steps) and self.steps[-1][0] > t

    def had_passed(self, event, topic):
        """Whether the position was at the event's id or above it before it began to be published."""
        partition = self.records.partition(topic)
        before = [self.connection.cursor or {}] + [position for t, position, _ in self.steps if t < event.begin]
        return self.connection.began < event.begin and max(
            position.get(partition, 0) for position in before) >= event.ids[partition]

    def is_told_late(self, event, topic):
        return any(topic in topics and event.begin < t for t, _, topics in self.resets)
