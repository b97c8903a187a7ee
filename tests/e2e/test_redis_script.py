"""The Lua scripts on a real Redis: ids, logs, index, messages, positions."""
import ast
import hashlib
import json
import os
import re
import subprocess

import pytest

from redis_script import (APPEND, IDS, INDEX, ONCE, RATE_LUA, REPLAY, STATE, append, entries, event, heard, listener,  # noqa: F401
                          log, now_ms, parse, position, redis, script, server, snapshot, state, subscribe)
from resp import RedisError
from support import TOP, wait_until


# ---- ids ----

def test_first_id_is_the_clock_of_redis_and_sets_the_mark(redis):
    before = now_ms(redis)
    outcome, first = append(redis, event("a"))
    assert outcome == b"new"
    ms, n = parse(first)
    assert before <= ms <= now_ms(redis) and n == 0
    assert state(redis) == {"last": first, "mark": first}


def test_second_publish_leaves_the_mark_alone(redis):
    _, first = append(redis, event("a"))
    _, second = append(redis, event("a"), acknowledged=first)
    assert state(redis) == {"last": second, "mark": first}


def test_ids_strictly_increase_over_all_topics(redis):
    ids = []
    for i in range(300):
        ids += append(redis, event(f"t{i % 7}"), event(f"t{i % 5}", "other"))[1:]
    ids += append(redis, *[event(f"t{i % 3}") for i in range(1000)])[1:]
    numbers = [parse(text) for text in ids]
    assert len(numbers) == 1600
    assert all(a < b for a, b in zip(numbers, numbers[1:]))
    assert parse(state(redis)["last"]) == numbers[-1]


def test_past_1023_in_a_millisecond_ids_move_to_the_next(redis):
    ms = now_ms(redis) + 3600_000
    redis.call("HSET", STATE, "last", f"{ms}-1021")
    ids = append(redis, *[event("a")] * 4)[1:]
    assert [parse(text) for text in ids] == [(ms, 1022), (ms, 1023), (ms + 1, 0), (ms + 1, 1)]


def test_clock_set_back_never_takes_ids_back(redis):
    ms = now_ms(redis) + 3600_000
    redis.call("HSET", STATE, "last", f"{ms}-5")
    assert append(redis, event("a"))[1] == f"{ms}-6".encode()
    assert append(redis, event("b"))[1] == f"{ms}-7".encode()
    assert "mark" not in state(redis)


def test_id_goes_on_above_what_the_publisher_was_promised_and_marks_the_loss(redis):
    append(redis, event("a"))
    promised = now_ms(redis) + 3600_000
    _, made = append(redis, event("a"), acknowledged=f"{promised}-9")
    assert made == f"{promised}-10".encode()
    assert state(redis) == {"last": made, "mark": made}


def test_what_this_redis_still_knows_is_no_loss(redis):
    _, first = append(redis, event("a"))
    mark = state(redis)["mark"]
    append(redis, event("b"))
    append(redis, event("a"), acknowledged=first)
    assert state(redis)["mark"] == mark


def test_redis_that_forgot_its_state_goes_on_above_its_logs(redis):
    ms = now_ms(redis) + 3600_000
    redis.call("HSET", STATE, "last", f"{ms}-5")
    append(redis, event("a"))
    redis.call("DEL", STATE, INDEX)
    position(redis)
    _, first, second = append(redis, event("b"), event("a"))
    assert parse(first) > (ms, 6) and parse(second) > parse(first)
    assert [entry[0] for entry in entries(redis, "a")] == [f"{ms}-6".encode(), second]


# ---- logs and index ----

def test_each_entry_carries_the_previous_id_of_its_own_topic(redis):
    _, a1 = append(redis, event("a"))
    _, b1 = append(redis, event("b"))
    _, both = append(redis, event("a", "b"))
    _, a3, a4 = append(redis, event("a"), event("a"))

    def chain(topic):
        return [(entry_id, json.loads(message)["prev"].encode()) for entry_id, message in entries(redis, topic)]
    assert chain("a") == [(a1, b"0-0"), (both, a1), (a3, both), (a4, a3)]
    assert chain("b") == [(b1, b"0-0"), (both, b1)]


def test_log_keeps_the_newest_events_and_expires(redis):
    ids = [append(redis, event("a"), history_size=5, history_seconds=777)[1] for _ in range(12)]
    assert [entry[0] for entry in entries(redis, "a")] == ids[-5:]
    assert 770 < redis.call("TTL", log("a")) <= 777
    redis.call("EXPIRE", log("a"), 5)
    append(redis, event("a"), history_size=5, history_seconds=777)
    assert redis.call("TTL", log("a")) > 770


def test_smaller_history_cuts_the_log_at_the_next_event(redis):
    append(redis, *[event("a")] * 10, history_size=10)
    append(redis, event("a"), history_size=3)
    assert len(entries(redis, "a")) == 3


def test_without_history_there_is_no_log_but_the_index_knows(redis, listener):
    subscribe(listener, "a", "end")
    _, first = append(redis, event("a"), history_size=0)
    _, second = append(redis, event("a"), history_size=0)
    assert redis.call("EXISTS", log("a")) == 0
    ms, n = parse(second)
    assert int(redis.call("ZSCORE", INDEX, "a")) == ms * 1024 + n
    assert [json.loads(text)["prev"].encode() for _, text in heard(listener, redis)] == [b"0-0", first]


def test_index_holds_the_last_id_of_every_topic_exactly(redis):
    append(redis, event("a"))
    _, second, third = append(redis, event("a"), event("b", "c"))
    for topic, last in (("a", second), ("b", third), ("c", third)):
        ms, n = parse(last)
        assert int(redis.call("ZSCORE", INDEX, topic)) == ms * 1024 + n


def test_bounded_index_drops_the_quietest_topics_and_raises_its_floor(redis):
    ids = [append(redis, event(f"t{i}"), index_size=3)[1] for i in range(3)]
    assert "floor" not in state(redis)
    ids += append(redis, event("t3"), event("t4"), index_size=3)[1:]
    assert redis.call("ZRANGE", INDEX, 0, -1) == [b"t2", b"t3", b"t4"]
    assert state(redis)["floor"] == ids[1]
    append(redis, event("t2"), index_size=3)
    append(redis, event("t5"), index_size=3)
    assert redis.call("ZRANGE", INDEX, 0, -1) == [b"t4", b"t2", b"t5"]
    assert state(redis)["floor"] == ids[3]


# ---- the message ----

def test_message_reads_as_the_wire_contract_says(redis, listener):
    subscribe(listener, "comments", "end")
    data = '{"comment_id":"456","big":123456789012345678901234567890,"f":1.0}'
    _, first = append(redis, event("comments", name="comment_created", data=data))
    _, second = append(redis, event("comments", name="x", data='"text"', key='k"1'))
    first, second = first.decode(), second.decode()
    expected = [
        f'{{"event":"comment_created","data":{data},"id":"{first}","prev":"0-0"}}',
        f'{{"event":"x","data":"text","id":"{second}","prev":"{first}","key":"k\\"1"}}',
    ]
    assert [text.decode() for _, text in heard(listener, redis)] == expected
    assert [text.decode() for _, text in entries(redis, "comments")] == expected


def test_event_for_several_topics_has_one_id_and_a_copy_for_each(redis, listener):
    subscribe(listener, "a", "b", "end")
    _, earlier = append(redis, event("b"))
    answer = append(redis, event("a", "b", data="[1]"))
    assert len(answer) == 2
    one, before = answer[1].decode(), earlier.decode()
    copies = [
        ("a", f'{{"event":"x","data":[1],"id":"{one}","prev":"0-0","topics":["a","b"]}}'.encode()),
        ("b", f'{{"event":"x","data":[1],"id":"{one}","prev":"{before}","topics":["a","b"]}}'.encode()),
    ]
    assert heard(listener, redis)[1:] == copies
    for topic, text in copies:
        assert entries(redis, topic)[-1] == (answer[1], text)


def test_bytes_of_the_message_pass_through_unchanged(redis, listener):
    subscribe(listener, "a", "end")
    data = json.dumps("\u2028 é 😀 \x00 \r\n %s %% $1 \\", ensure_ascii=False)
    append(redis, event("a", data=data))
    [(_, text)] = heard(listener, redis)
    assert data.encode() in text and json.loads(text)["data"] == json.loads(data)
    assert entries(redis, "a")[0][1] == text


def test_sharded_publish_uses_the_sharded_channel(redis, listener):
    listener.call("SSUBSCRIBE", "a")
    _, one = append(redis, event("a"), send="SPUBLISH")
    kind, channel, text = listener.receive()
    assert (kind, channel) == (b"smessage", b"a")
    assert entries(redis, "a") == [(one, text)]


# ---- once ----

def test_same_request_again_gives_the_first_answer_and_publishes_nothing(redis, listener):
    subscribe(listener, "a", "b", "end")
    first = append(redis, event("a"), event("a", "b"), once="k")
    assert len(heard(listener, redis)) == 3
    before = snapshot(redis)
    again = append(redis, event("a"), event("a", "b"), once="k")
    assert again == [b"again", *first[1:]]
    assert snapshot(redis) == before
    assert heard(listener, redis) == []


def test_same_key_for_another_request_is_a_mismatch(redis, listener):
    subscribe(listener, "a", "end")
    append(redis, event("a"), once="k", digest="one")
    heard(listener, redis)
    before = snapshot(redis)
    with pytest.raises(RedisError) as error:
        append(redis, event("a"), once="k", digest="two")
    assert error.value.code == "MISMATCH"
    assert snapshot(redis) == before
    assert heard(listener, redis) == []


def test_request_is_remembered_for_the_time_asked(redis):
    append(redis, event("a"), once="k", once_seconds=123)
    assert 115 < redis.call("TTL", ONCE + "k") <= 123


def test_request_that_failed_is_not_remembered(redis):
    redis.call("SET", log("a"), "not a stream")
    with pytest.raises(RedisError):
        append(redis, event("a"), once="k")
    redis.call("DEL", log("a"))
    assert append(redis, event("a"), once="k")[0] == b"new"


def test_a_publishers_own_requests_are_known_by_their_numbers(redis):
    """One key for each process of publish, not for each request: it repeats its last one alone."""
    first = append(redis, event("a"), once="own", digest="#1")
    assert append(redis, event("a"), once="own", digest="#1") == [b"again", first[1]]
    second = append(redis, event("a"), once="own", digest="#2")
    assert second[0] == b"new"
    with pytest.raises(RedisError, match="STALE"):
        append(redis, event("a"), once="own", digest="#1")
    assert [id for id, _ in entries(redis, "a")] == [first[1], second[1]]


# ---- batches ----

def test_a_batch_stands_in_the_logs_as_it_was_answered_and_chained_within(redis, listener):
    subscribe(listener, "a", "b", "end")
    seen = append(redis, event("a"))[1]
    heard(listener, redis)
    ids = append(redis, event("a"), event("b", "a"), event("b"), event("a"))[1:]
    assert [id for id, _ in entries(redis, "a")] == [seen, ids[0], ids[1], ids[3]]
    assert [id for id, _ in entries(redis, "b")] == [ids[1], ids[2]]

    def prevs(topic):
        return [json.loads(message)["prev"].encode() for _, message in entries(redis, topic)]
    assert prevs("a")[1:] == [seen, ids[0], ids[1]] and prevs("b") == [b"0-0", ids[1]]
    published = heard(listener, redis)
    assert [json.loads(message)["id"].encode() for _, message in published] == [ids[0], ids[1], ids[1], ids[2], ids[3]]


# ---- what is left behind ----

def test_a_topic_out_of_the_index_goes_on_behind_the_floor(redis):
    """`prev` must not say that there was nothing before: a log that expired meanwhile would be a hole that nobody sees."""
    append(redis, event("a"))
    append(redis, event("b"))
    append(redis, event("c"), index_size=1)
    floor = state(redis)["floor"]
    redis.call("DEL", log("a"))
    append(redis, event("a"))
    assert json.loads(entries(redis, "a")[0][1])["prev"].encode() == floor
    assert json.loads(entries(redis, "c")[0][1])["prev"] == "0-0"


def test_a_topic_that_is_quiet_for_long_leaves_nothing_behind(redis):
    append(redis, event("quiet"), history_seconds=1)
    old = redis.call("ZSCORE", INDEX, "quiet")
    wait_until(lambda: append(redis, event("busy"), index_seconds=1) and redis.call("ZSCORE", INDEX, "quiet") is None)
    ms, n = parse(state(redis)["floor"])
    assert ms * 1024 + n >= int(old)
    wait_until(lambda: redis.call("EXISTS", log("quiet")) == 0)
    assert {key for key in redis.call("KEYS", "*") if b"quiet" in key} == set()
    assert redis.call("ZRANGE", INDEX, 0, -1) == [b"busy"]


# ---- positions ----

def test_position_stands_between_what_was_and_what_comes(redis):
    for _ in range(200):
        _, before = append(redis, event("a"))
        at = position(redis)
        _, after = append(redis, event("b"))
        assert parse(before) <= parse(at) < parse(after)


def test_position_is_kept_as_the_last_id(redis):
    append(redis, event("a"))
    mark = state(redis)["mark"]
    at = position(redis)
    assert state(redis) == {"last": at, "mark": mark}


def test_position_on_a_clock_set_back_is_the_last_id(redis):
    last = f"{now_ms(redis) + 3600_000}-7"
    redis.call("HSET", STATE, "last", last)
    assert position(redis) == last.encode()
    assert position(redis) == last.encode()
    assert parse(append(redis, event("a"))[1]) == (int(last.split("-")[0]), 8)


def test_first_position_of_a_fresh_redis_sets_the_mark(redis):
    before = now_ms(redis)
    at = position(redis)
    assert before <= parse(at)[0] <= now_ms(redis)
    assert state(redis) == {"last": at, "mark": at}


def test_positions_never_go_back(redis):
    taken = [parse(position(redis)) for _ in range(200)]
    assert taken == sorted(taken)


# ---- the compiled-in form ----

@pytest.mark.parametrize("name, files", [("append", (IDS, RATE_LUA, APPEND)), ("replay", (IDS, REPLAY))])
def test_header_holds_the_script_and_its_sha(redis, name, files):
    text = subprocess.run(["sh", os.path.join(TOP, "scripts/lua2h.sh"), name,
                           *[os.path.join(TOP, file) for file in files]],
                          check=True, capture_output=True, text=True).stdout
    literals = re.findall(r'^\t(".*")$', text, re.MULTILINE)
    joined = "".join(ast.literal_eval(literal) for literal in literals)
    assert joined == script(*files)
    sha = re.search(r'#define \w+_LUA_SHA "(\w+)"', text).group(1)
    assert sha == hashlib.sha1(joined.encode()).hexdigest()
    assert redis.call("SCRIPT", "LOAD", joined) == sha.encode()
