"""What befalls Redis while people listen: streams stay open, what they missed is filled in from the logs, and nothing is told
to be fetched anew that the logs still have.

  killed (R1)                 test_redis_away.py; here with many, and those who are told of a loss
  frozen (R2), black hole (R3), cut in mid-message (R4), output buffer (R5), rights withdrawn (R6, R7),
  loading, read-only, without its master, out of memory (R8): here
  all of it at random         test_chaos.py
  hostile answers (R11)       test_redis_hostile.py, and at the end here"""
import json
import signal

import pytest

from fake_redis import FakeRedis, bulk
from faultproxy import Fault, FaultProxy
from http_raw import fetch
from publish_program import Cgi
from resp import RedisError
from resuming import replayed, resume, start, streamer  # noqa: F401
from streamer_program import Streamer, publish
from support import free_port, wait_until

TOPICS = [f"t{i}" for i in range(20)]


def ready(streamer):
    return fetch(streamer.admin, "/health/ready").status == 200


def takes(stream, names):
    """Exactly these events come next, and no reset."""
    for name in names:
        while True:
            block = stream.block(timeout=20)
            assert block.event != "sse.reset", block
            if block.event and not block.event.startswith("sse."):
                assert block.event == name, (block, name)
                break


class Crowd:
    """Listeners of a few topics each."""

    def __init__(self, streamer, count, topics=TOPICS):
        self.streams = [streamer.open(",".join(topics[(i + k) % len(topics)] for k in range(3)), timeout=30)
                        for i in range(count)]
        for i, stream in enumerate(self.streams):
            stream.topics = {topics[(i + k) % len(topics)] for k in range(3)}
            stream.opened()

    def take(self, published):
        """Each gets what was published on its topics, in order."""
        for stream in self.streams:
            takes(stream, [name for topic, name in published if topic in stream.topics])

    def close(self):
        for stream in self.streams:
            stream.close()


@pytest.fixture
def quick(streamer_program, processes, redis, tmp):
    """A streamer that finds out soon."""
    return Streamer(streamer_program, processes, redis.url, tmp, redis_timeout_ms=300).start()


@pytest.fixture
def emit(redis):
    def emit(count, first=0, **options):
        """Events on all topics in turn; returns [(topic, name)]."""
        with redis.connect() as bus:
            published = [(TOPICS[i % len(TOPICS)], f"e{i}") for i in range(first, first + count)]
            for topic, name in published:
                publish(bus, topic, name=name, **options)
        return published
    return emit


def all_is_well(streamer, bus):
    """A fresh listener gets a fresh event, and nothing spins."""
    with streamer.live("fresh") as stream:
        publish(bus, "fresh", name="fresh")
        stream.take("fresh")
    assert streamer.process.poll() is None


# ---- R1 ----

def test_many_listeners_live_through_the_death_of_redis_and_miss_nothing(quick, redis, emit):
    crowd = Crowd(quick, 200)
    published = emit(40)
    redis.kill()
    redis.start()
    published += emit(40, first=40)
    crowd.take(published)
    assert quick.metrics()["connections"]["current"] == 200
    assert quick.prometheus()["sse_resets"] == 0
    crowd.close()
    with redis.connect() as bus:
        all_is_well(quick, bus)


def test_many_who_are_told_of_a_loss_are_told_once_and_not_all_in_one_moment(quick, redis):
    redis.settings = ("--appendonly", "no")
    redis.stop(), redis.start()
    wait_until(lambda: ready(quick))
    streams = [quick.open("a", timeout=30) for _ in range(1200)]
    for stream in streams:
        stream.opened()
    redis.kill(), redis.start()
    wait_until(lambda: quick.prometheus()["sse_resets"] >= 1, timeout=20)
    told = quick.prometheus()["sse_resets"]
    assert told < 1200, "all of them at once"
    for stream in streams:
        assert stream.take("sse.reset", timeout=30).json == {"topics": ["a"], "reason": "redis_lost"}
    assert quick.prometheus()["sse_resets"] == 1200
    with redis.connect() as bus:
        publish(bus, "a", name="after")
    for stream in streams:
        assert stream.take("after", timeout=30)
        assert stream.raw.count(b"sse.reset") == 1
        stream.close()


# ---- R2, R3, R4 ----

def test_what_was_published_before_a_freeze_and_after_comes_once(quick, redis, emit):
    crowd = Crowd(quick, 50)
    published = emit(20)
    redis.pause()
    wait_until(lambda: not ready(quick), what="the freeze is noticed")
    redis.resume()
    published += emit(20, first=20)
    crowd.take(published)
    crowd.close()


def test_a_request_whose_outcome_a_freeze_left_unknown_is_one_event_when_repeated(quick, redis, publish_program, processes, tmp):
    program = Cgi(publish_program, processes, tmp, redis_url=redis.url, redis_timeout_ms=200)
    with quick.live("a") as stream:
        redis.pause()
        unknown = program.event("a", event="once", idempotency_key="k")
        assert unknown.status == 503 and "retry-after" in unknown.headers
        redis.resume()
        answer = program.event("a", event="once", idempotency_key="k")
        assert answer.status == 200
        assert program.event("a", event="end").status == 200
        assert stream.take("once", timeout=20).id == answer.json["id"]
        takes(stream, ["end"])


@pytest.mark.parametrize("connections", [1, 2, 4])
def test_a_black_hole_costs_no_event(redis, streamer_program, processes, tmp, connections):
    with FaultProxy(redis.path, tmp + "/p.sock") as proxy, redis.connect() as bus:
        streamer = Streamer(streamer_program, processes, proxy.redis_url, tmp, redis_timeout_ms=200).start()
        with streamer.live("a") as stream:
            publish(bus, "a", name="before")
            stream.take("before")
            proxy.faults = [Fault(swallow=True) for _ in range(connections)]
            bus.call("CLIENT", "KILL", "TYPE", "pubsub")
            publish(bus, "a", name="meanwhile")
            takes(stream, ["meanwhile"])
            publish(bus, "a", name="after")
            takes(stream, ["after"])


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_an_event_that_is_cut_anywhere_comes_whole_from_the_log_and_once(redis, streamer_program, processes, tmp, reset):
    with FaultProxy(redis.path, None) as proxy, redis.connect() as bus:
        streamer = Streamer(streamer_program, processes, proxy.redis_url, tmp).start()
        with streamer.live("a") as stream:
            size = len(json.dumps({"event": "e1", "data": {}, "id": "1764000000000-0", "prev": "1764000000000-0"})) + 60
            for place in range(1, size, 5):
                proxy.faults = [Fault(cut_at=(b"*3\r\n$7\r\nmessage\r\n", place), reset=reset)]
                reconnects = streamer.metrics()["redis"]["reconnects"]
                bus.call("CLIENT", "KILL", "TYPE", "pubsub")  # its next connection has the fault
                wait_until(lambda: streamer.metrics()["redis"]["reconnects"] > reconnects)
                publish(bus, "a", name=f"e{place}")
                takes(stream, [f"e{place}"])
            assert b"sse.reset" not in stream.raw


# ---- R5 ----

def test_a_streamer_that_redis_cut_off_for_its_full_buffer_catches_up(quick, redis):
    redis.call("CONFIG", "SET", "client-output-buffer-limit", "pubsub 65536 32768 1")
    data = json.dumps("x" * 50000)
    with quick.live("a") as stream, redis.connect() as bus:
        bus.call("CONFIG", "SET", "appendfsync", "no")
        quick.signal_workers(signal.SIGSTOP)
        names = [f"e{i}" for i in range(100)]
        for name in names:
            publish(bus, "a", name=name, data=data, history_size=1000)
        wait_until(lambda: bus.call("CLIENT", "LIST", "TYPE", "pubsub") == b"", what="Redis cut it off")
        quick.signal_workers(signal.SIGCONT)
        takes(stream, names)
        all_is_well(quick, bus)


# ---- R6, R7 ----

@pytest.fixture
def reader(redis, streamer_program, processes, tmp):
    """A streamer with a user of its own."""
    port = free_port()
    redis.call("CONFIG", "SET", "port", port)
    redis.call("ACL", "SETUSER", "reader", "on", ">secret", "~*", "&*", "+@all")
    return Streamer(streamer_program, processes, f"redis://reader:secret@127.0.0.1:{port}/0", tmp, redis_timeout_ms=300).start()


def test_a_user_that_is_switched_off_and_on_again_costs_no_event(reader, redis):
    with reader.live("a") as stream, redis.connect() as bus:
        bus.call("ACL", "SETUSER", "reader", "off")
        bus.call("CLIENT", "KILL", "USER", "reader")
        wait_until(lambda: not ready(reader))
        wait_until(lambda: reader.metrics()["redis"]["errors"] >= 6)
        assert reader.log().count("WRONGPASS") <= 2  # said once by each connection, not at every try
        publish(bus, "a", name="meanwhile")
        bus.call("ACL", "SETUSER", "reader", "on")
        takes(stream, ["meanwhile"])
        wait_until(lambda: ready(reader))


def test_logs_that_may_not_be_read_keep_those_waiting_who_need_them_and_nobody_else(reader, redis):
    with reader.live("a") as live, redis.connect() as bus:
        cursor = publish(bus, "a", name="seen")
        live.take("seen")
        bus.call("ACL", "SETUSER", "reader", "resetkeys", "~sse:state", "~sse:index")
        missed = publish(bus, "a", name="missed")
        live.take("missed")
        with resume(reader, "a", cursor) as waits:
            assert waits.block().retry
            wait_until(lambda: "NOPERM" in reader.log(), what="it is said")
            publish(bus, "a", name="more")
            live.take("more")
            assert b"sse.open" not in waits.raw
            bus.call("ACL", "SETUSER", "reader", "~*")
            assert waits.opened().json["replayed"] == 2
            assert waits.take("missed").id == missed
            waits.take("more")


# ---- R8 ----

def test_a_redis_whose_memory_is_full_refuses_events_and_serves_listeners(quick, redis, publish_program, processes, tmp):
    program = Cgi(publish_program, processes, tmp, redis_url=redis.url)
    cursor = program.event("a", event="seen").json["id"]
    program.event("a", event="missed")
    with quick.live("a") as live:
        redis.call("CONFIG", "SET", "maxmemory", "1")
        refused = program.event("a")
        assert refused.status == 503 and "memory" in refused.detail
        with resume(quick, "a", cursor) as stream:
            assert replayed(stream)[0].json["replayed"] == 1
        redis.call("CONFIG", "SET", "maxmemory", "0")
        assert program.event("a", event="after").status == 200
        takes(live, ["after"])


def test_a_redis_that_became_a_replica_keeps_streams_and_lets_newcomers_wait(quick, redis, publish_program, processes, tmp):
    program = Cgi(publish_program, processes, tmp, redis_url=redis.url)
    with quick.live("a") as live:
        redis.call("REPLICAOF", "127.0.0.1", "1")
        assert program.event("a").status == 503
        with quick.open("a", timeout=20) as waits:
            assert waits.block().retry
            wait_until(lambda: "READONLY" in quick.log(), what="it is said")
            redis.call("REPLICAOF", "NO", "ONE")
            waits.opened()
            assert program.event("a", event="after").status == 200
            takes(live, ["after"]), takes(waits, ["after"])


def test_a_replica_that_serves_nothing_without_its_master_is_waited_for(quick, redis):
    with quick.live("a") as stream, redis.connect() as bus:
        bus.call("CONFIG", "SET", "replica-serve-stale-data", "no")
        bus.call("REPLICAOF", "127.0.0.1", "1")
        with pytest.raises(RedisError, match="MASTERDOWN"):
            bus.call("GET", "x")
        wait_until(lambda: not ready(quick))
        bus.call("REPLICAOF", "NO", "ONE")
        publish(bus, "a", name="after")
        takes(stream, ["after"])


def test_a_redis_that_loads_for_long_is_waited_for(quick, redis):
    with redis.connect() as bus:
        bus.call("CONFIG", "SET", "appendfsync", "no")
        for i in range(600):
            publish(bus, f"filler:{i}")
        bus.call("CONFIG", "SET", "appendfsync", "always")
        with quick.live("a") as stream:
            publish(bus, "a", name="before")
            stream.take("before")
            redis.kill()
            redis.settings += ("--key-load-delay", "500", "--aof-use-rdb-preamble", "no")
            redis.start()  # returns when it has loaded
            with redis.connect() as again:
                publish(again, "a", name="after")
            takes(stream, ["after"])


# ---- R11: answers of replay.lua that are none ----

def answer(at=b"1764000000009-0", last=b"1764000000008-0", mark=b"", complete=b"1", through=None, news=b"*0\r\n",
           entries=b"*0\r\n", floor=b"", revoked=b"*0\r\n"):
    words = (at, last, mark, complete, at if through is None else through)
    return b"*9\r\n" + b"".join(bulk(word) for word in words) + news + entries + bulk(floor) + revoked


MESSAGE = b'{"event":"x","data":{},"id":"1764000000005-0","prev":"0-0"}'
WRONG = {
    "six_parts": b"*6\r\n" + bulk(b"1-0") * 6,
    "at_is_none": answer(at=b"x"),
    "last_is_none": answer(last=b"1-"),
    "floor_is_none": answer(floor=b"soon"),
    "a_topic_too_high": answer(entries=b"*3\r\n" + bulk(b"1764000000005-0") + b":7\r\n" + bulk(MESSAGE)),
    "a_topic_below_zero": answer(news=b"*2\r\n:-1\r\n" + bulk(b"1-0")),
    "entries_go_back": answer(entries=b"*6\r\n" + bulk(b"1764000000005-0") + b":0\r\n" + bulk(MESSAGE) +
                              bulk(b"1764000000004-0") + b":0\r\n" + bulk(MESSAGE)),
    "a_copy_of_nothing": answer(entries=b"*3\r\n" + bulk(b"1764000000005-0") + b":0\r\n" + bulk(b"1-0")),
    "entries_of_two": answer(entries=b"*2\r\n" + bulk(b"1764000000005-0") + b":0\r\n"),
    "a_nil_message": answer(entries=b"*3\r\n" + bulk(b"1764000000005-0") + b":0\r\n$-1\r\n"),
    "no_revocations": answer(revoked=b"$-1\r\n"),
    "a_revocation_without_end": answer(revoked=b"*1\r\n" + bulk(b'+{"all":true}')),
    "a_revocation_that_is_over": answer(revoked=b"*2\r\n" + bulk(b'+{"all":true}') + b":-1\r\n"),
    "no_script_for_ever": b"-NOSCRIPT No matching script.\r\n",
}


@pytest.mark.parametrize("raw", WRONG.values(), ids=WRONG)
def test_a_wrong_answer_of_the_logs_ends_the_connection_and_no_stream(streamer_program, processes, tmp, raw):
    fake = FakeRedis(tmp + "/f.sock")
    streamer = Streamer(streamer_program, processes, fake.url, tmp, redis_timeout_ms=300).start()
    with streamer.live("a") as stream:
        met = fake.met
        fake.answers["EVALSHA"] = fake.answers["EVAL"] = raw
        with resume(streamer, "a", "1764000000001-0") as waits:
            wait_until(lambda: fake.met >= met + 2, what="it was tried again")
            assert fake.publish(b"a", b'{"event":"meanwhile","data":{}}')
            stream.take("meanwhile")
            fake.answers.clear()
            assert waits.opened().json["reset"] == []
            assert fake.publish(b"a", b'{"event":"after","data":{}}')
            stream.take("after")
            # what came while a question was out that was then answered rightly is for it, too
            assert [block.event for block in waits.events_until("after") if block.event != "meanwhile"] == []
    fake.close()
