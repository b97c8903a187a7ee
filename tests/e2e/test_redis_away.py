"""Redis stops, freezes, refuses: streams stay open, and nobody is left with a hole that was not told."""
import pytest

from faultproxy import Fault, FaultProxy
from http_raw import fetch
from redis_script import number
from streamer_program import Streamer, publish
from support import wait_until


@pytest.fixture
def start(streamer_program, processes, redis, tmp):
    def start(**settings):
        ready = settings.pop("ready", True)
        return Streamer(streamer_program, processes, redis.url, tmp,
                        **{"redis_timeout_ms": 300, **settings}).start(ready=ready)
    return start


def ready(streamer):
    return fetch(streamer.admin, "/health/ready").status == 200


def emit(redis, *topics, **options):
    with redis.connect() as bus:
        return publish(bus, *topics, **options)


def went_on(stream, timeout=10):
    """The id alone that ends the replay after a loss; there was no reset before it."""
    while True:
        block = stream.block(timeout)
        assert block.event != "sse.reset", block
        if block.id and block.event is None:
            return block.id


def test_streams_survive_a_restart_of_redis_that_kept_everything_without_a_reset(start, redis):
    streamer = start()
    with streamer.live("a,b") as both, streamer.live("a") as one:
        emit(redis, "a", name="before")
        both.take("before"), one.take("before")
        redis.kill()
        wait_until(lambda: streamer.metrics()["health"] == "unhealthy")
        redis.start()
        went_on(both), went_on(one)
        after = emit(redis, "a", name="after")
        assert both.take("after").id == after
        assert one.take("after").id == after
        emit(redis, "b", name="after_b")
        both.take("after_b")
        metrics = streamer.metrics()
        assert metrics["redis"]["reconnects"] == 1 and metrics["redis"]["errors"] >= 1
        assert metrics["connections"]["current"] == 2
        assert b"sse.reset" not in both.raw + one.raw


def test_streams_are_told_when_redis_comes_back_without_its_memory(start, redis):
    redis.settings = ("--appendonly", "no")
    redis.stop(), redis.start()
    streamer = start()
    with streamer.live("a,b") as both, streamer.live("a") as one:
        emit(redis, "a", name="before")
        last = both.take("before").id
        one.take("before")
        redis.kill()
        redis.start()
        assert both.take("sse.reset").json == {"topics": ["a", "b"], "reason": "redis_lost"}
        position = both.block()
        assert (position.event, position.data) == (None, None) and number(position.id) > number(last)
        assert one.take("sse.reset").json["topics"] == ["a"]
        after = emit(redis, "a", name="after")
        assert both.take("after").id == after and one.take("after").id == after
        assert number(after) > number(position.id)


def test_what_is_published_while_the_subscriber_is_cut_off_is_filled_in_from_the_log(redis, streamer_program, processes, tmp):
    """Every connection to Redis is cut; those that come have to wait until the events are published."""
    with FaultProxy(redis.path, tmp + "/p.sock") as proxy, redis.connect() as bus:
        streamer = Streamer(streamer_program, processes, proxy.redis_url, tmp, redis_timeout_ms=300).start()
        with streamer.live("a,b") as both, streamer.live("b") as one:
            publish(bus, "a", name="e0")
            both.take("e0")
            proxy.faults = [Fault(cut_up=0)] * 4
            redis.call("CLIENT", "KILL", "TYPE", "pubsub")
            wait_until(lambda: not ready(streamer), what="the cut is noticed")
            published = [publish(bus, topic, name=f"e{i}") for i, topic in enumerate("abab", 1)]
            seen = [both.take(f"e{i}").id for i in range(1, 5)]
            assert seen == published
            assert [one.take("e2").id, one.take("e4").id] == [published[1], published[3]]
            assert number(went_on(both)) >= number(published[-1])
            assert went_on(one)
            publish(bus, "b", name="after")
            both.take("after"), one.take("after")
            assert b"sse.reset" not in both.raw + one.raw


def test_a_topic_of_the_time_without_redis_is_subscribed_when_it_is_back(start, redis):
    redis.stop()
    streamer = start(ready=False)
    with streamer.open("late") as stream:
        assert stream.head.status == 200
        assert stream.block().retry
        redis.start()
        opened = stream.opened()
        assert opened.json["topics"] == ["late"]
        emit(redis, "late")
        assert stream.take("x")


def test_heartbeats_go_on_while_redis_is_away(start, redis):
    redis.stop()
    streamer = start(ready=False, heartbeat_seconds=5)
    with streamer.open("a") as stream:
        assert stream.block().retry
        assert stream.block(timeout=8).text == b": ping"


def test_a_frozen_redis_is_noticed_given_up_and_found_again(start, redis):
    streamer = start()
    with streamer.live("a") as stream:
        redis.pause()
        wait_until(lambda: streamer.metrics()["health"] == "unhealthy", what="the freeze is noticed")
        redis.resume()
        went_on(stream)
        emit(redis, "a")
        stream.take("x")


def test_a_cut_of_the_subscriber_alone_is_healed(start, redis):
    streamer = start()
    with streamer.live("a") as stream:
        redis.call("CLIENT", "KILL", "TYPE", "pubsub")
        went_on(stream)
        emit(redis, "a")
        stream.take("x")


def test_a_cut_of_the_asker_alone_disturbs_no_stream(start, redis):
    streamer = start()
    with streamer.live("a") as stream:
        redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        emit(redis, "a")
        stream.take("x")
        with streamer.live("b") as new:
            emit(redis, "b", name="y")
            new.take("y")


def test_a_channel_that_redis_forbids_is_told_as_busy_and_others_go_on(start, redis):
    redis.call("ACL", "SETUSER", "default", "resetchannels", "&ok*")
    streamer = start()
    with streamer.live("ok1") as stream:
        with streamer.open("ok1,forbidden") as refused:
            busy = refused.take("sse.busy")
            assert busy.json == {"detail": "Redis refuses the subscription"}
            assert int(busy.retry) >= 5000
            refused.wait_closed()
        answer = streamer.get("/events?topic=forbidden2", headers={"Accept": "application/json"})
        assert answer.status == 503 and int(answer.headers["retry-after"]) >= 5
        emit(redis, "ok1")
        stream.take("x")


def test_who_comes_to_a_forbidden_channel_after_another_is_not_left_deaf(start, redis):
    """Its topic lingers, and is not subscribed."""
    redis.call("ACL", "SETUSER", "default", "resetchannels", "&ok*")
    streamer = start()
    for _ in range(3):
        with streamer.open("forbidden") as refused:
            assert refused.take("sse.busy").json == {"detail": "Redis refuses the subscription"}
    redis.call("ACL", "SETUSER", "default", "allchannels")
    with streamer.live("forbidden") as stream:
        emit(redis, "forbidden")
        stream.take("x")


def test_a_wrong_password_is_said_once_and_tried_again(start, redis, streamer_program, processes, tmp):
    redis.call("ACL", "SETUSER", "reader", "on", ">right", "~*", "&*", "+@all")
    streamer = Streamer(streamer_program, processes, redis.url, tmp)
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    redis.call("CONFIG", "SET", "port", port)
    streamer.settings["redis_url"] = f"redis://reader:wrong@127.0.0.1:{port}/3"
    streamer.start(ready=False)
    wait_until(lambda: streamer.metrics()["redis"]["errors"] >= 6)
    assert streamer.log().count("WRONGPASS") == 2  # the subscriber's and the asker's
    redis.call("ACL", "SETUSER", "reader", ">wrong")
    streamer.wait_ready()
    with streamer.live("a") as stream:
        with redis.connect() as bus:
            bus.call("SELECT", 3)
            publish(bus, "a")
        stream.take("x")
    assert "wrong" not in streamer.log().replace("WRONGPASS", "").replace("wrong pass", "").replace("wrong number", "")


def test_a_host_name_is_resolved_and_each_of_its_addresses_tried(start, redis, streamer_program, processes, tmp):
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    redis.call("CONFIG", "SET", "port", port)
    streamer = Streamer(streamer_program, processes, f"redis://localhost:{port}", tmp).start()
    with streamer.live("a") as stream:
        emit(redis, "a")
        stream.take("x")


def test_a_name_that_does_not_exist_stops_nothing(start, streamer_program, processes, tmp):
    streamer = Streamer(streamer_program, processes, "redis://no-such-host.invalid:1", tmp).start(ready=False)
    wait_until(lambda: streamer.metrics()["redis"]["errors"] >= 2)
    assert streamer.get("/health").status == 200


@pytest.mark.parametrize("policy,warns", [("allkeys-lru", True), ("volatile-ttl", True), ("noeviction", False)])
def test_a_policy_that_would_evict_logs_is_warned_of_at_the_start(start, redis, policy, warns):
    redis.call("CONFIG", "SET", "maxmemory", "100mb")
    redis.call("CONFIG", "SET", "maxmemory-policy", policy)
    streamer = start()
    with streamer.live("a"):  # a position came, and with it the answer before it
        assert (f'maxmemory-policy "{policy}"' in streamer.log()) == warns
