"""append.lua on a real Redis that refuses it: all of it happens or nothing."""
import pytest

from redis_script import (INDEX, ONCE, STATE, append, event, heard, listener, log, redis, server,  # noqa: F401
                          snapshot, subscribe)
from resp import RedisError

WRITES = {"hset", "xadd", "expire", "zadd", "publish", "set", "zcard", "zpopmin"}
BATCH = [event("a"), event("b", "c"), event("a", "d")]


def assert_nothing_happened(redis, listener, expected, action):
    subscribe(listener, "a", "b", "c", "d", "end")
    before = snapshot(redis)
    with pytest.raises(RedisError) as error:
        action()
    assert expected in str(error.value)
    assert snapshot(redis) == before
    assert heard(listener, redis) == []


@pytest.fixture(params=["fresh", "used"])
def earlier(request, redis):
    """Both with and without a state to spoil."""
    if request.param == "used":
        append(redis, event("a"), event("b", "c", "d"))
    return request.param


@pytest.mark.parametrize("forbidden", ["a", "b", "c", "d"])
def test_one_forbidden_channel_and_nothing_is_published(server, redis, listener, earlier, forbidden):
    allowed = ["&" + topic for topic in "abcd" if topic != forbidden]
    redis.call("ACL", "SETUSER", "writer", "reset", "on", "nopass", "~*", "+@all", *allowed)
    with server.connect() as writer:
        writer.call("AUTH", "writer", "any")
        assert_nothing_happened(redis, listener, "NOPERM", lambda: append(writer, *BATCH))
    redis.call("ACL", "DELUSER", "writer")


@pytest.mark.parametrize("key", [log("a"), log("b"), log("c"), log("d"), STATE, INDEX, ONCE + "k"])
def test_one_key_of_another_type_and_nothing_is_published(redis, listener, earlier, key):
    redis.call("DEL", key)
    redis.call("RPUSH", key, "not ours")
    assert_nothing_happened(redis, listener, "WRONGTYPE", lambda: append(redis, *BATCH, once="k"))


def test_without_history_a_log_of_another_type_is_left_alone(redis):
    redis.call("RPUSH", log("a"), "not ours")
    append(redis, event("a"), history_size=0)
    assert redis.call("LRANGE", log("a"), 0, -1) == [b"not ours"]


@pytest.mark.parametrize("history_size", [100, 0])
def test_full_redis_takes_nothing(redis, listener, earlier, history_size):
    redis.call("CONFIG", "SET", "maxmemory", "1")
    try:
        assert_nothing_happened(redis, listener, "OOM",
                                lambda: append(redis, *BATCH, history_size=history_size))
    finally:
        redis.call("CONFIG", "SET", "maxmemory", "0")
    assert append(redis, *BATCH)[0] == b"new"


def test_replica_takes_nothing(redis, listener, earlier):
    redis.call("REPLICAOF", "127.0.0.1", "1")
    try:
        assert_nothing_happened(redis, listener, "READONLY", lambda: append(redis, *BATCH))
    finally:
        redis.call("REPLICAOF", "NO", "ONE")


@pytest.mark.parametrize("command", ["get", "hget", "xlen", "xrevrange", "zscore", "hset", "xadd", "expire", "zadd",
                                     "publish", "set", "zcard", "zcount", "zpopmin"])
def test_user_without_one_command_publishes_nothing(server, redis, listener, command):
    append(redis, event("a"), event("b", "c", "d"))
    redis.call("ZREM", INDEX, "b")             # the log must tell its last id then
    redis.call("HSET", STATE, "last", "1-0")   # the first event of a second looks for quiet topics
    redis.call("ACL", "SETUSER", "writer", "reset", "on", "nopass", "~*", "&*", "+@all", "-" + command)
    with server.connect() as writer:
        writer.call("AUTH", "writer", "any")
        # Redis names the script and not the command where reading is what is forbidden.
        refusal = f"NOPERM no permission for {command.upper()} " if command in WRITES else "can't run this command"
        assert_nothing_happened(redis, listener, refusal, lambda: append(writer, *BATCH, index_size=1))
    redis.call("ACL", "DELUSER", "writer")


@pytest.mark.parametrize("last", ["", "x", "5", "-1", "1-", "1.5-0"])
def test_spoilt_state_takes_nothing(redis, listener, last):
    redis.call("HSET", STATE, "last", last)
    assert_nothing_happened(redis, listener, "ERR", lambda: append(redis, *BATCH))
