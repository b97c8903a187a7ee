"""redis_script: runs the Lua scripts as publish and the streamer do, and looks at what they left; shared by the tests of
both. The three fixtures are for the modules that import them."""
import json
import os
import shutil
import tempfile

import pytest

from redis_server import RedisServer
from support import TOP, need

IDS, APPEND, POSITION = "common/ids.lua", "publisher/append.lua", "streamer/position.lua"
STATE, INDEX, ONCE = "sse:state", "sse:index", "sse:once:"


def script(*names):
    return "".join(open(os.path.join(TOP, name), encoding="utf-8").read() for name in names)


def parse(event_id):
    ms, n = event_id.decode().split("-")
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


def log(topic):
    return "sse:log:" + topic


def append(redis, *events, acknowledged="", once=None, digest="digest", once_seconds=300,
           history_size=100, history_seconds=300, index_size=10000, send="PUBLISH"):
    """Runs append.lua as publish does; returns its answer."""
    append.calls += 1
    topics = sorted({topic for item in events for topic in item["topics"]})
    keys = [STATE, INDEX, ONCE + (once or f"nonce-{append.calls}")] + [log(topic) for topic in topics]
    words = [acknowledged, digest, once_seconds, history_size, history_seconds, index_size, send, len(events)]
    for item in events:
        words += [*parts(item), len(item["topics"])]
        for topic in item["topics"]:
            words += [keys.index(log(topic)) + 1, topic, topic]
    return redis.call("EVAL", script(IDS, APPEND), len(keys), *keys, *words)


append.calls = 0


def position(redis):
    return redis.call("EVAL", script(IDS, POSITION), 1, STATE)


def state(redis):
    words = redis.call("HGETALL", STATE)
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
