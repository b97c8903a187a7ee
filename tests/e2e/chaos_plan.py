"""chaos_plan: what the judge will do, made of one integer: the topics, who listens to what and when it leaves, what is
published, the faults and their moments. Plain values only, so that a digest of the plan says whether two are the same."""
import hashlib
import json
import random
from functools import lru_cache

# persist: Redis has every write on disk before its answer. history_size: what the logs hold of a topic. servers: one
# Redis, or several that replace each other (chaos_servers.py).
PROFILES = {
    "durable": {"persist": True, "history_size": 100000},  # nothing is ever lost: no reset is right
    "trimmed": {"persist": True, "history_size": 20},      # only what fell out of the logs may be reset
    "volatile": {"persist": False, "history_size": 40},    # Redis forgets everything when it is killed
    "sentinel": {"persist": True, "history_size": 100000, "servers": "sentinel"},  # a failover may lose and reset
    "cluster": {"persist": True, "history_size": 100000, "servers": "cluster"},    # the same, partition by partition
    "shards": {"persist": True, "history_size": 100000, "servers": "shards"},      # a Cluster without replicas: as durable
}
NAMES = ("alpha", "beta", "gamma", "delta")
TOPIC_FORMS = ("t{}", "comment_thread:{}", "a.b~{}", "u@x={}", "news/{}", "X-{}+y", "{}")
BULK = "bulk"       # has few listeners, and so much at once that Redis cuts off who does not read
STEPS = 40          # connections that a listener has planned; then it begins again with the first
REDIS_FAULTS = {
    None: ("redis_kill", "redis_kill", "redis_stop", "redis_freeze", "kill_pubsub", "kill_normal", "memory_full", "output_kick"),
    "sentinel": ("master_kill", "master_kill_behind", "master_stop", "promote", "master_freeze", "master_restart", "short_freeze",
                 "sentinel_away", "sentinel_lies", "kill_pubsub", "kill_normal", "memory_full", "output_kick"),
    "cluster": ("master_kill", "master_kill_behind", "master_stop", "promote", "master_freeze", "master_restart", "short_freeze",
                "move_slot", "move_slot", "kill_pubsub", "kill_normal", "memory_full", "output_kick"),
    "shards": ("master_restart", "master_away", "master_away", "short_freeze", "move_slot", "move_slot", "move_slot",
               "kill_pubsub", "kill_normal", "memory_full", "output_kick"),
}
FAILOVERS = ("master_kill", "master_kill_behind", "master_stop", "promote", "master_freeze", "master_away")
FAILOVER_SECONDS = 3  # what it takes until another server goes on
STREAMER_FAULTS = ("cut_down", "cut_down", "cut_up", "black_hole", "streamer_kill", "worker_kill", "streamer_stop",
                   "streamer_freeze", "publish_kill", "publish_cut", "publish_cut", "front_cut")
# A proxy can't stand before servers that tell their own addresses.
DIRECT_FAULTS = ("streamer_kill", "worker_kill", "streamer_stop", "streamer_freeze", "publish_kill", "front_cut")
PARTITIONS = (3, 16, 64)


def make_plan(seed, profile, seconds=30.0, listeners=220, rate=80.0, only=None):
    """The whole plan. rate: events a second, all publishers together. only: kinds of faults, and no others."""
    chance = random.Random(f"tidings {seed} {profile}")
    servers = PROFILES[profile].get("servers")
    topics = make_topics(chance)
    plan = {"seed": seed, "profile": profile, "seconds": seconds, "topics": topics,
            "settings": {"history_size": PROFILES[profile]["history_size"], "history_seconds": 3600,
                         "topic_prefix": chance.choice(("", "p")), "max_queue_size": chance.choice((10, 30, 100)),
                         "max_queue_bytes": 65536, "slow_client": chance.choice(("resume", "conflate", "drop")),
                         "spread_ms": chance.choice((0, 0, 30, 300)), "workers": 1 + seed % 3}}
    plan["listeners"] = [make_listener(chance, topics, i) for i in range(listeners)]
    events = []
    plan["publishers"] = [make_requests(chance, topics, seconds, rate / 3, events) for _ in range(3)]
    plan["faults"] = {"redis": make_faults(chance, REDIS_FAULTS[servers], seconds, events),
                      "streamer": make_faults(chance, DIRECT_FAULTS if servers else STREAMER_FAULTS, seconds, events)}
    if servers:
        add_choices(chance, plan, servers)
    if only:
        plan["faults"] = {lane: [fault for fault in faults if fault["kind"] in only] for lane, faults in plan["faults"].items()}
    plan["delays"] = [[make_delay(chance), make_delay(chance)] for _ in range(20)]
    plan["last"] = len(events)  # from here on: one event a topic, with which everything ends
    events += [[[topic], "last", 20, "object"] for topic in (*topics, BULK)]
    plan["events"] = events
    return plan


def digest(plan):
    return hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()[:16]


def make_topics(chance):
    count = chance.randint(20, 40)
    return [chance.choice(TOPIC_FORMS).format(i) for i in range(count)]


def hot(chance, topics):
    """Some topics have much news, some hardly any."""
    return topics[min(int(chance.expovariate(4 / len(topics))), len(topics) - 1)]


# ---- listeners ----

def choose_topics(chance, topics, i):
    chosen = {chance.choice(topics) if chance.random() < 0.5 else hot(chance, topics)
              for _ in range(chance.randint(1, 8))}
    if i % 40 == 7:
        chosen.add(BULK)
    chosen = sorted(chosen)
    chance.shuffle(chosen)
    return chosen[:8]


def make_listener(chance, topics, i):
    """One listener with its connections to come."""
    chosen = choose_topics(chance, topics, i)
    spec = {"start_ms": chance.randint(0, 3000),
            "filter": sorted(chance.sample(NAMES, chance.randint(1, 3))) if chance.random() < 0.2 else None,
            "way": chance.choice(("header", "header", "header", "query", "post")),
            "unix": chance.random() < 0.4, "front": i % 15 == 3,
            "small_buffer": chance.random() < 0.2, "steps": []}
    for _ in range(STEPS):
        if chance.random() < 0.1:
            chosen = choose_topics(chance, topics, i)
        spec["steps"].append({"topics": chosen, "end": make_end(chance), "reset": chance.random() < 0.3,
                              "slow_ms": chance.randint(200, 2500) if chance.random() < 0.1 else 0,
                              "away_ms": chance.randint(50, 4000) if chance.random() < 0.3 else 0,
                              "again": choose_again(chance)})
    return spec


def make_end(chance):
    """When the listener itself ends a connection: after so many milliseconds or events, or so many bytes of the answer,
    which may be none, or end inside its head, before sse.open, inside a frame, within a replay."""
    kind = chance.random()
    if kind < 0.15:
        return ["bytes", chance.choice((0, chance.randint(1, 600), chance.randint(1, 6000)))]
    if kind < 0.45:
        return ["events", chance.randint(1, 60)]
    return ["ms", chance.choice((chance.randint(0, 300), chance.randint(300, 16000), chance.randint(300, 16000)))]


def choose_again(chance):
    """How it comes back: with its position; rarely as a new page, without one or with an older one."""
    return chance.choices(("resume", "fresh", "rewind"), (0.93, 0.04, 0.03))[0]


# ---- publishers ----

def make_event(chance, topics, events, bulk=False):
    """Adds one event: [topics, name, size of its data, form of its data]. Its number is its place."""
    if bulk:
        chosen = [BULK]
    elif chance.random() < 0.15:
        chosen = sorted({hot(chance, topics) for _ in range(5)} | {chance.choice(topics)})[:chance.randint(2, 5)]
    else:
        chosen = [hot(chance, topics) if chance.random() < 0.8 else chance.choice(topics)]
    size = 40000 if bulk else chance.choice((20, 60, 200, chance.randint(0, 8000)))
    events.append([chosen, chance.choice(NAMES), size, chance.choice(("object", "object", "text", "lines"))])
    return len(events) - 1


def make_requests(chance, topics, seconds, rate, events):
    """The requests of one publisher: at which second, the events, key or not, repeated after success, form or JSON."""
    requests, at = [], 0.0
    while True:
        count = 1 if chance.random() < 0.85 else chance.randint(2, 12)
        at += chance.expovariate(rate / count)
        if at > seconds:
            return requests
        requests.append({"at": round(at, 3), "keyed": chance.random() < 0.4, "repeat": chance.random() < 0.1,
                         "form": count == 1 and chance.random() < 0.2, "batch": count > 1,
                         "events": [make_event(chance, topics, events) for _ in range(count)]})


# ---- faults ----

def make_faults(chance, kinds, seconds, events):
    """One after the other, each kind about as often: a bag that is emptied before it is filled again."""
    faults, bag, at = [], [], 1.0
    while True:
        at += 0.3 + chance.expovariate(1 / 0.9)
        if at > seconds - 1:
            return faults
        if not bag:
            bag = list(kinds)
            chance.shuffle(bag)
        fault = {"at": round(at, 3), "kind": bag.pop(),
                 "seconds": round(chance.choice((0.05, 0.3, chance.uniform(0.5, 2))), 3),
                 "bytes": chance.choice((0, chance.randint(1, 200), chance.randint(1, 5000)))}
        if fault["kind"] == "output_kick":
            fault["seconds"] = 0.5
            fault["events"] = [make_event(chance, [], events, bulk=True) for _ in range(20)]
        at += fault["seconds"] + (FAILOVER_SECONDS if fault["kind"] in FAILOVERS else 0)
        faults.append(fault)


def add_choices(chance, plan, servers):
    """Which of several servers a fault befalls: pick is a number to choose with."""
    for fault in plan["faults"]["redis"]:
        fault["pick"] = chance.randrange(1 << 16)
    if servers != "sentinel":
        plan["settings"]["partitions"] = chance.choice(PARTITIONS)


def make_delay(chance):
    """Seconds on the way to Redis or back: one connection of the streamer's may be much slower than the other."""
    return round(chance.uniform(0.005, 0.06), 3) if chance.random() < 0.4 else 0


# ---- what an event looks like ----

@lru_cache(maxsize=100000)
def data_text(n, size, form):
    """The data of event n as a listener gets it. Whoever gets anything else has found a fault."""
    pad = ("0123456789abcdefghijklmnopqrstuvwxyz" * (size // 36 + 1))[:size]
    if form == "object":
        return f'{{"n":{n},"pad":"{pad}","big":123456789012345678901234567890}}'
    if form == "text":
        return f"{n} {pad}"
    return f"{n}\n{pad}\n"


def data_json(n, size, form):
    """The same as a JSON value in a request."""
    text = data_text(n, size, form)
    return text if form == "object" else json.dumps(text)


def data_number(text):
    """Which event it is, by its data; None when that can't be told."""
    digits = text[5:text.find(",")] if text.startswith('{"n":') else text.replace("\n", " ", 1).split(" ", 1)[0]
    return int(digits) if digits.isascii() and digits.isdigit() else None
