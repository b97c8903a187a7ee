"""rows: what is measured, on whom, and what is wanted of it."""
from dataclasses import dataclass, field

from measures import connect, fan, grow, herd, idle, instructions, latency, publish, rest
from servers import (Floor, FloorCoalescing, FloorRedis, Nchan, NchanNostore, NchanStoring, Node, PublishNchan, PublishSite,
                     Tidings, TidingsLog, TidingsUnstalled)
from under_callgrind import FloorCounted, TidingsCounted

FLOORS = [Floor, FloorCoalescing, FloorRedis]
NCHANS = [Nchan, NchanNostore, NchanStoring]
ALL = [Tidings, TidingsLog, *FLOORS, *NCHANS, Node]
FEW = [Tidings, Floor, FloorCoalescing, Nchan]
WORKERS = 6  # where one process has too few descriptors


@dataclass
class Reach:
    """What is wanted: a figure of tidings is at most (or at least) so many times that of another, or so much."""
    figure: str
    most: float = None
    least: float = None
    of: str = None  # a server's name; None: the figure itself
    who: str = Tidings.name


@dataclass
class Row:
    name: str
    title: str
    measure: object
    servers: list
    options: dict
    figures: list           # (figure, heading, digits)
    reach: list = field(default_factory=list)
    settings: dict = field(default_factory=dict)  # of tidings
    rounds: int = 99        # at most
    group: str = None       # of rows that differ in x
    x: int = 0
    quick: bool = False

    def run(self, server_class):
        """The figures of one measurement; servers.CannotMeasure says why there are none."""
        settings = {**self.settings, **({"workers": self.options["workers"]} if "workers" in self.options else {})}
        options = {name: value for name, value in self.options.items() if name != "workers"}
        if self.measure in (instructions, rest):  # of several lives of the server
            return self.measure(server_class, settings=settings, **options)
        with server_class(**settings) as server:
            return self.measure(server, **options)


LATENCY = [("cpu_us_per_delivery", "CPU µs a delivery", 2), ("p50_ms", "p50 ms", 2), ("p99_ms", "p99 ms", 2),
           ("max_ms", "max ms", 1)]
FAST = [("deliveries_per_s", "deliveries/s", 0), ("cpu_us_per_delivery", "CPU µs a delivery", 3)]


def wanted_latency():
    return [Reach("cpu_us_per_delivery", most=1.15, of=Floor.name), Reach("p50_ms", most=1.4, of=Floor.name),
            Reach("p99_ms", most=1.6, of=Floor.name), Reach("p50_ms", most=1.25, of=FloorRedis.name),
            Reach("p99_ms", most=1.5, of=FloorRedis.name)]


def main_rows():
    return [
        Row("lat1k", "one event at a time, 20 a second, to 1,000 listeners", latency, ALL,
            {"streams": 1000, "rate": 20, "seconds": 4}, LATENCY, wanted_latency(), quick=True),
        Row("lat10k", "one event at a time, 5 a second, to 10,000 listeners", latency, ALL,
            {"streams": 10000, "rate": 5, "seconds": 4}, LATENCY, wanted_latency()),
        Row("fan1k", "as fast as possible, 1,000 listeners of one topic, 64 events under way", fan, FEW,
            {"streams": 1000, "window": 64, "seconds": 3}, FAST),
        Row("fan", "as fast as possible, 10,000 listeners of one topic, 16 events under way", fan, ALL,
            {"streams": 10000, "window": 16, "seconds": 3}, FAST,
            [Reach("deliveries_per_s", least=8, of=Nchan.name),
             Reach("deliveries_per_s", least=0.5, of=FloorCoalescing.name)], quick=True),
        Row("lockstep", "lock step, 10,000 listeners of one topic: the next event when all have the last one", fan,
            [Tidings, Floor, FloorRedis, Nchan], {"streams": 10000, "window": 1, "seconds": 3}, FAST),
        Row("topics", "9,000 topics with one listener each, 64 events under way", fan, ALL,
            {"streams": 9000, "topics": 9000, "window": 64, "seconds": 3}, FAST,
            [Reach("deliveries_per_s", least=0.85, of=Floor.name),
             Reach("deliveries_per_s", least=0.85, of=FloorRedis.name)], quick=True),
        Row("idle", "10,000 idle streams: proportional memory of the server's processes", idle,
            [Tidings, Floor, Nchan, NchanStoring, Node], {"streams": 10000}, [("kb_per_stream", "KiB a stream", 2)],
            [Reach("kb_per_stream", most=1)], quick=True),
        Row("connect", "18,000 connects, 512 under way, until the first bytes of the answer", connect,
            [Tidings, Floor, Nchan, NchanStoring, Node], {"streams": 18000},
            [("connects_per_s", "connects/s", 0), ("cpu_us_per_connect", "CPU µs a connect", 1)],
            [Reach("connects_per_s", least=0.8, of=Floor.name)], quick=True),
        Row("stall", "1,000 listeners, 20 events a second of 8 KB; beside them 10,000 that have stopped reading", latency,
            [Tidings, TidingsUnstalled, Nchan],
            {"streams": 1000, "stalled": 10000, "rate": 20, "seconds": 3, "bytes": 8192, "warm_up": 30}, LATENCY,
            [Reach("p99_ms", most=1.25, of=TidingsUnstalled.name)]),
        Row("rest", f"100,000 streams at rest, {WORKERS} processes", rest, [Tidings], {"streams": 100000, "workers": WORKERS},
            [("silent_percent", "% of a core without heartbeats", 2), ("rest_percent", "with one a minute to each", 2),
             ("us_per_heartbeat", "µs a heartbeat", 1)], [Reach("silent_percent", most=1)]),
        Row("publish", "publishing through nginx and 4 publish processes, 16 requests under way, 100 topics", publish,
            [PublishSite, PublishNchan], {"streams": 0, "topics": 100, "window": 16, "connections": 16, "seconds": 3},
            [("answers_per_s", "requests/s", 0), ("cpu_us_per_event", "CPU µs a request", 1), ("refused", "refused", 0)],
            [Reach("answers_per_s", least=1, of=NchanStoring.name, who=PublishSite.name)]),
        Row("instructions", "instructions a delivery in lock step, 1,000 listeners (callgrind, user space)", instructions,
            [TidingsCounted, FloorCounted], {"streams": 1000, "events": 100}, [("instructions", "instructions", 0)], rounds=1),
    ]


HERD = [("open_s", "all open after s", 2), ("connects_per_s", "connects/s", 0), ("kb_per_stream", "KiB a stream", 2),
        ("pss_mb", "MiB in all", 1), ("leave_s", "all gone after s", 2), ("leave_us", "CPU µs a leave", 1)]


def herd_rows():
    many = {"streams": 100000, "workers": WORKERS, "processes": 8}
    return [
        Row("herd-at-once", f"100,000 connects at once, one topic, {WORKERS} processes; then all leave at once", herd,
            [Tidings], {**many, "under_way": 100000}, HERD, [Reach("open_s", most=20)], rounds=1),
        Row("herd-in-a-row", f"100,000 connects, six at a time, {WORKERS} processes; then all leave at once", herd,
            [Tidings], {**many, "processes": 6, "under_way": 1}, HERD, [Reach("open_s", most=20)], rounds=1),
        Row("herd-topics", f"100,000 topics with one listener each, {WORKERS} processes; then all leave at once", herd,
            [Tidings], {**many, "topics": 100000, "under_way": 512}, HERD, [Reach("open_s", most=20)], rounds=1),
        Row("herd-64", "10,000 connections of 64 topics each, of 6,400; then all leave at once", herd, [Tidings],
            {"streams": 10000, "topics": 6400, "per": 64, "under_way": 512, "processes": 2}, HERD, [], rounds=1),
    ]


# ---- how it grows ----

GROWTH = [("cpu_us_per_delivery", "CPU µs a delivery", 2), ("p50_ms", "p50 ms", 2), ("p99_ms", "p99 ms", 2),
          ("max_ms", "max ms", 1), ("kb_per_stream", "KiB a stream", 2), ("open_s", "open in s", 2),
          ("pss_mb", "MiB in all", 1), ("idle_cpu_percent", "% of a core at rest", 2)]


def listeners_row(streams, rate):
    many = streams > 19000
    options = {"streams": streams, "rate": rate, "seconds": 5 if many else 3, **({"workers": WORKERS} if many else {})}
    row = Row(f"listeners-{streams}", f"{streams:,} listeners of one topic" + (f", {WORKERS} processes" if many else ""), grow,
              [Tidings, Floor] if many else [Tidings, Floor, Nchan], options, GROWTH, rounds=1,
              group="listeners", x=streams, settings={"heartbeat_seconds": 60})
    if streams == 100000:
        row.rounds = 3
        row.reach += [Reach("open_s", most=20), Reach("pss_mb", most=120),
                      Reach("max_ms", most=2, of=Floor.name)]
    return row


def per_row(per):
    return Row(f"per-{per}", f"1,000 connections of {per} topics each, of 64, 64 events under way", fan, [Tidings, Floor, Nchan],
               {"streams": 1000, "topics": 64, "per": per, "window": 64, "seconds": 2}, FAST, [],
               rounds=1, group="topics a connection", x=per)


def bytes_row(size):
    return Row(f"bytes-{size}", f"events of {size} bytes, 1,000 listeners, 8 under way", fan, [Tidings, Floor, Nchan],
               {"streams": 1000, "bytes": size, "window": 8, "seconds": 2}, FAST, rounds=1,
               group="bytes an event", x=size, settings={"max_message_size": 131072})


def growth_rows():
    return [*(listeners_row(*point) for point in ((1000, 20), (3000, 10), (10000, 5), (30000, 2), (100000, 1))),
            *(per_row(per) for per in (1, 4, 16, 64)), *(bytes_row(size) for size in (150, 1024, 4096, 16384, 65000))]


def all_rows():
    return main_rows() + herd_rows() + growth_rows()


def smaller(row, divisor):
    """The same row with fewer of everything: to try the bench itself, not to measure."""
    options = dict(row.options)
    for name in ("streams", "stalled"):
        if options.get(name):
            options[name] = max(options[name] // divisor, 1)
    if options.get("topics", 1) > 100:
        options["topics"] = options["streams"]
    if "seconds" in options:
        options["seconds"] = 1
    if "events" in options:
        options["events"] = 20
    row.options = options
    return row


def wrong_of(result):
    """Lost, doubled and disordered deliveries, one that never came included."""
    if "lost" not in result:
        return None
    return abs(result["lost"]) + result["doubled"] + result["disorder"]
