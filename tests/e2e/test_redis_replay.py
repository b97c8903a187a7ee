"""replay.lua: a position and what the logs hold below it, all of one moment; and the losses of Redis that it marks."""
import json

import pytest

from redis_script import (STATE, append, event, log, now_ms, number, parse, position, redis, replay, server,  # noqa: F401
                          state)
from resp import RedisError
from support import wait_until


def publish(redis, *topics, **options):
    return append(redis, event(*topics), **options)[1].decode()


def ids(answer):
    return [(entry[0].decode(), entry[1]) for entry in answer["entries"]]


def test_the_entries_above_each_position_come_in_the_order_of_ids(redis):
    seen = publish(redis, "a")
    missed = [(publish(redis, topic), topic) for topic in "abbac"]
    answer = replay(redis, ("a", seen), ("b", "0-0"), ("quiet", seen))
    assert ids(answer) == missed[:4]
    assert answer["complete"] and answer["through"] == answer["at"]
    assert parse(answer["at"]) >= number(missed[-1][0])
    assert answer["news"] == {"a": missed[3][0].encode(), "b": missed[2][0].encode()}
    assert [json.loads(entry[2])["id"] for entry in answer["entries"]] == [entry[0].decode() for entry in answer["entries"]]


def test_a_topic_without_news_is_not_read(redis):
    seen = publish(redis, "a")
    redis.call("DEL", log("a"))
    redis.call("SET", log("a"), "reading it would be an error")
    assert replay(redis, ("a", seen))["news"] == {}


def test_an_event_of_several_topics_goes_once_with_the_previous_id_of_each(redis):
    first = {topic: publish(redis, topic) for topic in "ab"}
    both = publish(redis, "a", "b", "c")
    answer = replay(redis, ("a", first["a"]), ("b", first["b"]), ("c", "0-0"))
    assert [entry[0].decode() for entry in answer["entries"]] == [both] * 3
    texts = {entry[1]: entry[2] for entry in answer["entries"]}
    whole = [topic for topic, text in texts.items() if text.startswith(b"{")]
    assert len(whole) == 1 and json.loads(texts[whole[0]])["topics"] == ["a", "b", "c"]
    for topic, prev in (("a", first["a"]), ("b", first["b"]), ("c", "0-0")):
        text = texts[topic].decode()
        assert (json.loads(text)["prev"] if topic in whole else text) == prev


def test_a_page_that_is_full_ends_where_everything_is_known(redis):
    a = [publish(redis, "a") for _ in range(5)]
    b = [publish(redis, "b") for _ in range(2)]
    answer = replay(redis, ("a", "0-0"), ("b", "0-0"), page=3)
    assert not answer["complete"] and answer["through"].decode() == a[2]
    assert ids(answer) == [(id, "a") for id in a[:3]]
    answer = replay(redis, ("a", a[2]), ("b", a[2]), page=3)
    assert answer["complete"]
    assert ids(answer) == [(id, "a") for id in a[3:]] + [(id, "b") for id in b]


def test_a_page_that_ends_with_the_last_entry_is_complete(redis):
    a = [publish(redis, "a") for _ in range(3)]
    answer = replay(redis, ("a", "0-0"), page=3)
    assert answer["complete"] and [id for id, _ in ids(answer)] == a


def test_an_answer_stops_behind_the_event_that_passes_its_size(redis):
    published = [publish(redis, "a", "b") for _ in range(4)]
    at = "0-0"
    for wanted in published:
        answer = replay(redis, ("a", at), ("b", at), size=1)
        assert [id for id, _ in ids(answer)] == [wanted] * 2
        assert answer["complete"] is (wanted == published[-1])
        assert answer["through"] == (answer["at"] if answer["complete"] else wanted.encode())
        at = wanted


def test_a_log_that_is_none_holds_nothing(redis):
    last = publish(redis, "a")
    redis.call("DEL", log("a"))
    redis.call("SET", log("a"), "x")
    answer = replay(redis, ("a", "0-0"))
    assert answer["entries"] == [] and answer["news"] == {"a": last.encode()} and answer["complete"]


def test_a_topic_out_of_the_index_has_had_news_up_to_the_floor(redis):
    old = publish(redis, "a")
    publish(redis, "b")
    publish(redis, "c", index_size=1)
    floor = state(redis)["floor"]
    redis.call("DEL", log("a"))
    assert replay(redis, ("a", "0-0"), ("never", "0-0"))["news"] == {"a": floor, "never": floor}
    assert replay(redis, ("a", floor.decode()))["news"] == {}
    assert number(floor.decode()) > number(old)


# ---- losses ----

def test_what_redis_knew_before_is_answered_and_its_mark(redis):
    last = publish(redis, "a")
    mark = state(redis)["mark"]
    answer = replay(redis)
    assert (answer["last"].decode(), answer["mark"]) == (last, mark)
    assert replay(redis)["last"] == answer["at"]


def test_a_redis_without_state_says_so_and_is_marked(redis):
    answer = replay(redis)
    assert answer["last"] == b"" and answer["mark"] == answer["at"]


@pytest.mark.parametrize("ahead", [0, 5, 3_600_000])
def test_a_redis_that_is_behind_what_was_heard_is_marked_above_it(redis, ahead):
    last = number(publish(redis, "a"))
    known = (last[0] + 1000 + ahead, 7)
    answer = replay(redis, known=f"{known[0]}-{known[1]}")
    assert parse(answer["at"]) > known and answer["mark"] == answer["at"] == state(redis)["last"]
    assert number(publish(redis, "a")) > parse(answer["at"])


def test_a_redis_that_knows_all_that_was_heard_is_not_marked(redis):
    seen = publish(redis, "a")
    mark = state(redis)["mark"]
    at = position(redis).decode()
    for known, newest in (seen, ("a", seen)), (at, ("a", seen)), (at, ("", "")):
        assert replay(redis, known=known, newest=newest)["mark"] == mark


def test_an_event_that_redis_has_forgotten_is_noticed_though_its_ids_went_on(redis):
    """The master lost it, and another publisher has made newer ids since."""
    publish(redis, "a")
    before = snapshot(redis)
    lost = publish(redis, "a")
    go_back_to(redis, before)
    publish(redis, "b")
    answer = replay(redis, known=lost, newest=("a", lost))
    assert answer["mark"] == answer["at"]


def test_an_event_that_redis_has_forgotten_is_noticed_when_its_topic_went_on(redis):
    publish(redis, "a")
    before = snapshot(redis)
    lost = publish(redis, "a")
    go_back_to(redis, before)
    publish(redis, "a")
    answer = replay(redis, known=lost, newest=("a", lost))
    assert answer["mark"] == answer["at"]


def test_an_event_that_was_trimmed_since_is_not_forgotten(redis):
    seen = publish(redis, "a", history_size=2)
    for _ in range(5):
        publish(redis, "a", history_size=2)
    mark = state(redis)["mark"]
    assert replay(redis, known=seen, newest=("a", seen))["mark"] == mark
    redis.call("DEL", log("a"))
    assert replay(redis, known=seen, newest=("a", seen))["mark"] == mark


def test_an_event_of_a_topic_that_fell_out_of_the_index_is_not_forgotten(redis):
    seen = publish(redis, "a")
    publish(redis, "b")
    publish(redis, "c", index_size=1)
    mark = state(redis)["mark"]
    assert replay(redis, known=seen, newest=("a", seen))["mark"] == mark


def test_a_redis_whose_memory_is_full_still_answers(redis):
    seen = publish(redis, "a")
    missed = publish(redis, "a")
    redis.call("CONFIG", "SET", "maxmemory", "1")
    try:
        with pytest.raises(RedisError, match="OOM"):
            publish(redis, "a")
        assert ids(replay(redis, ("a", seen))) == [(missed, "a")]
    finally:
        redis.call("CONFIG", "SET", "maxmemory", "0")


def snapshot(redis):
    return {key: redis.call("DUMP", key) for key in redis.call("KEYS", "*")}


def go_back_to(redis, earlier):
    """As a failover does, which takes longer than a millisecond."""
    redis.call("FLUSHALL")
    begun = now_ms(redis)
    wait_until(lambda: now_ms(redis) > begun)
    for key, value in earlier.items():
        redis.call("RESTORE", key, 0, value)


def test_nothing_but_the_state_is_written(redis):
    publish(redis, "a")
    before = snapshot(redis)
    replay(redis, ("a", "0-0"), ("b", "0-0"))
    after = snapshot(redis)
    assert {key for key in after if before.get(key) != after[key]} <= {STATE.encode()}
