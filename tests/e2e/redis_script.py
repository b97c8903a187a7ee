"""redis_script: runs the Lua scripts as publish and the streamer do, and looks at what they left; shared by the tests of
both. The three fixtures are for the modules that import them."""
import json
import os
import shutil
import tempfile

import pytest

from redis_server import RedisServer
from support import TOP, need

IDS, RATE_LUA, APPEND, REPLAY = "common/ids.lua", "publisher/rate.lua", "publisher/append.lua", "streamer/replay.lua"
STATE, INDEX, ONCE, RATE = "sse:state", "sse:index", "sse:once:", "sse:rate"


def script(*names):
    """The files as one script, a first line `#!lua` of any before everything, as scripts/lua2h.sh joins them."""
    texts = [open(os.path.join(TOP, name), encoding="utf-8").read() for name in names]
    heads = [text.split("\n", 1)[0] + "\n" for text in texts if text.startswith("#!")]
    return "".join(heads + [text.split("\n", 1)[1] if text.startswith("#!") else text for text in texts])


def parse(event_id):
    ms, n = event_id.decode().split("-")
    return int(ms), int(n)


def number(text):
    """An id as two numbers, which is how ids are compared."""
    ms, n = text.split("-")
    return int(ms), int(n)


@pytest.fixture(scope="module")
def server():
    need("redis-server")
    folder = tempfile.mkdtemp(prefix="td.", dir="/tmp")
    server = RedisServer(folder)
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture
def redis(server):
    with server.connect() as connection:
        connection.call("FLUSHALL")
        yield connection


@pytest.fixture
def listener(server):
    with server.connect() as connection:
        yield connection


def event(*topics, name="x", data="{}", key=None):
    return {"topics": topics, "name": name, "data": data, "key": key}


def parts(item):
    """The three parts of a message, in the spelling that common/event.c gives them."""
    tail = '"'
    if len(item["topics"]) > 1:
        tail += ',"topics":' + json.dumps(item["topics"], separators=(",", ":"))
    if item["key"] is not None:
        tail += ',"key":' + json.dumps(item["key"])
    return (f'{{"event":{json.dumps(item["name"])},"data":{item["data"]},"id":"', '","prev":"', tail + "}")


def key(name, tag=""):
    """A key of ours, or with a tag, of a partition of a Cluster, a channel too."""
    return f"sse:{{{tag}}}:{name}" if tag else "sse:" + name


def log(topic, tag=""):
    return key("log:" + topic, tag)


def append(redis, *events, acknowledged="", once=None, digest="digest", once_seconds=300, history_size=100,
           history_seconds=300, index_size=10000, index_seconds=86400, limit=0, send="PUBLISH", server="", acknowledged_by="",
           wait=0, tag=""):
    """Runs append.lua as publish does; returns its answer. once: an idempotency key; without one, a publisher of its own."""
    append.calls += 1
    logs = [log(topic, tag) for item in events for topic in item["topics"]]
    keys = [key(name, tag) for name in ("state", "index", "once:" + (once or f"nonce-{append.calls}"), "rate")] + logs
    words = [acknowledged, digest, once_seconds, history_size, history_seconds, index_size, index_seconds, limit, send,
             server, acknowledged_by, wait, len(events)]
    for item in events:
        words += [*parts(item), len(item["topics"])]
        for topic in item["topics"]:
            words += [topic, key(topic, tag) if tag else topic]
    return redis.call("EVAL", script(IDS, RATE_LUA, APPEND), len(keys), *keys, *words)


append.calls = 0


def replay(redis, *wanted, known="", newest=("", ""), page=128, size=4000000, server="", known_by="", tag="", revocations=""):
    """Runs replay.lua as the streamer does; wanted are pairs of topic and position. Returns its answer as a dict."""
    state_key, index = key("state", tag), key("index", tag)
    keys = [state_key, index, log(newest[0], tag) if newest[0] else index, key("revoked", tag)]
    keys += [log(topic, tag) for topic, _ in wanted]
    words = [known, *newest, page, size, server, known_by, revocations] + [word for pair in wanted for word in pair]
    at, last, mark, complete, through, news, entries, floor, revoked = redis.call("EVAL", script(IDS, REPLAY), len(keys), *keys,
                                                                                  *words)
    return {"at": at, "last": last, "mark": mark, "complete": complete == b"1", "through": through, "floor": floor,
            "revocations": dict(zip(revoked[::2], revoked[1::2])),
            "news": dict(zip((wanted[slot][0] for slot in news[::2]), news[1::2])),
            "entries": [(entries[i], wanted[entries[i + 1]][0], entries[i + 2]) for i in range(0, len(entries), 3)]}


def position(redis):
    return replay(redis)["at"]


def state(redis, tag=""):
    words = redis.call("HGETALL", key("state", tag))
    return {words[i].decode(): words[i + 1] for i in range(0, len(words), 2)}


def entries(redis, topic):
    """The log of a topic: [(id, message)]."""
    return [(entry[0], entry[1][1]) for entry in redis.call("XRANGE", log(topic), "-", "+")]


def snapshot(redis):
    """Everything that this Redis holds."""
    return {key: redis.call("DUMP", key) for key in redis.call("KEYS", "*")}


def subscribe(listener, *channels):
    listener.send("SUBSCRIBE", *channels)
    for _ in channels:
        assert listener.receive()[0] == b"subscribe"


def heard(listener, redis, channel="end"):
    """The messages up to now: publishes a marker on a channel that listener subscribed, and reads up to it."""
    redis.call("PUBLISH", channel, "marker")
    messages = []
    while True:
        reply = listener.receive()
        if reply[2] == b"marker":
            return messages
        messages.append((reply[1].decode(), reply[2]))


def now_ms(redis):
    seconds, micros = redis.call("TIME")
    return int(seconds) * 1000 + int(micros) // 1000
