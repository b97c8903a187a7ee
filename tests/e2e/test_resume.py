"""Who comes back with a cursor gets what it missed, once and in order, or is told what it has to fetch anew."""
import json
import signal

import pytest

from http_raw import Stream
from publish_program import Cgi
from redis_script import number
from resuming import replayed, resume, start, streamer  # noqa: F401
from streamer_program import publish
from support import wait_until


def test_what_was_missed_comes_once_in_order_and_then_live_ones(streamer, bus):
    with streamer.live("a,b") as stream:
        publish(bus, "a", name="seen")
        cursor = stream.take("seen").id
    missed = [(f"e{i}", publish(bus, topic, name=f"e{i}")) for i, topic in enumerate("abba")]
    with resume(streamer, "a,b", cursor) as stream:
        opened, events, position = replayed(stream)
        assert opened.json == {"topics": ["a", "b"], "resumed": True, "replayed": 4, "reset": []}
        assert opened.id == cursor
        assert events == missed
        assert number(position) >= number(missed[-1][1])
        live = publish(bus, "b", name="live")
        assert stream.take("live").id == live
    assert stream.raw.count(b"event: e0\n") == 1


def test_an_event_of_several_topics_is_replayed_once(streamer, bus):
    cursor = publish(bus, "a", name="seen")
    wanted = [publish(bus, "a", "b", "c", name="both"), publish(bus, "b", name="one"), publish(bus, "c", "a", name="both")]
    with resume(streamer, "b,c,a", cursor) as stream:
        opened, events, _ = replayed(stream)
        assert opened.json["replayed"] == 3
        assert [event_id for _, event_id in events] == wanted


def test_filtered_events_are_neither_counted_nor_sent_and_the_position_is_above_them(streamer, bus):
    cursor = publish(bus, "a")
    publish(bus, "a", name="no")
    publish(bus, "a", name="yes")
    last = publish(bus, "a", name="no")
    with Stream(streamer.address, "/events?topic=a&events=yes", headers={"Last-Event-ID": cursor}) as stream:
        opened, events, position = replayed(stream)
        assert opened.json["replayed"] == 1 and [name for name, _ in events] == ["yes"]
        assert number(position) >= number(last)


def test_a_live_event_that_is_filtered_moves_the_position_all_the_same(streamer, bus):
    with Stream(streamer.address, "/events?topic=a&events=yes") as stream:
        stream.opened()
        filtered = publish(bus, "a", name="no")
        block = stream.block()
        assert (block.event, block.data) == (None, None) and number(block.id) >= number(filtered)


def test_a_cursor_holds_for_another_set_of_topics(streamer, bus):
    with streamer.live("a,b") as stream:
        publish(bus, "a", name="seen")
        cursor = stream.take("seen").id
    wanted = [publish(bus, "c", name="x"), publish(bus, "b", name="x")]
    publish(bus, "a", name="not_wanted")
    with resume(streamer, "c,b", cursor) as stream:
        assert [event_id for _, event_id in replayed(stream)[1]] == wanted


def test_a_cut_before_the_replay_is_through_loses_nothing(streamer, bus):
    cursor = publish(bus, "a")
    missed = [publish(bus, "a") for _ in range(3)]
    with resume(streamer, "a", cursor) as stream:
        assert stream.opened().id == cursor
    with resume(streamer, "a", cursor) as stream:
        assert [event_id for _, event_id in replayed(stream)[1]] == missed


def test_a_trimmed_topic_is_reset_and_the_others_are_replayed(streamer, bus):
    cursor = publish(bus, "a")
    publish(bus, "b"), publish(bus, "quiet")
    for _ in range(5):
        publish(bus, "trimmed", history_size=3)
    with resume(streamer, "a,trimmed,b,never", cursor) as stream:
        opened, events, _ = replayed(stream)
        assert opened.json == {"topics": ["a", "trimmed", "b", "never"], "resumed": True, "replayed": 1, "reset": ["trimmed"]}
        assert [name for name, _ in events] == ["sse.reset", "x"]
        assert b'{"topics":["trimmed"],"reason":"trimmed"}' in stream.raw
        publish(bus, "trimmed", name="live")
        stream.take("live")


def test_a_topic_that_was_trimmed_behind_the_cursor_is_no_loss(streamer, bus):
    publish(bus, "a", history_size=3)
    cursor = [publish(bus, "a", history_size=3) for _ in range(3)][-1]
    missed = [publish(bus, "a", history_size=3) for _ in range(3)]
    with resume(streamer, "a", cursor) as stream:
        opened, events, _ = replayed(stream)
        assert opened.json["reset"] == [] and [event_id for _, event_id in events] == missed


def test_a_log_that_expired_is_told_when_there_was_news_and_only_then(streamer, bus):
    before = publish(bus, "a")
    after = publish(bus, "a")
    bus.call("DEL", "sse:log:a")
    with resume(streamer, "a", before) as stream:
        opened = stream.opened()
        assert opened.json == {"topics": ["a"], "resumed": False, "replayed": 0, "reset": ["a"]}
        assert stream.block().json == {"topics": ["a"], "reason": "expired"}
    with resume(streamer, "a", after) as stream:
        assert stream.opened().json == {"topics": ["a"], "resumed": True, "replayed": 0, "reset": []}


def test_without_a_history_the_topics_with_news_are_reset(streamer, bus):
    cursor = publish(bus, "a", history_size=0)
    publish(bus, "b", history_size=0)
    with resume(streamer, "a,b", cursor) as stream:
        assert stream.opened().json["reset"] == ["b"]


def test_a_topic_that_fell_out_of_the_index_is_reset_for_older_cursors_alone(streamer, bus):
    cursor = publish(bus, "a")
    publish(bus, "b")
    bus.call("DEL", "sse:log:b")
    newer = publish(bus, "c", index_size=1)
    assert bus.call("ZRANGE", "sse:index", 0, -1) == [b"c"]
    with resume(streamer, "b", cursor) as stream:
        assert stream.opened().json["reset"] == ["b"]
    with resume(streamer, "b", newer) as stream:
        assert stream.opened().json == {"topics": ["b"], "resumed": True, "replayed": 0, "reset": []}


def test_a_cursor_of_a_future_that_redis_does_not_know_is_a_loss(streamer, bus):
    last = publish(bus, "a")
    beyond = f"{number(last)[0] + 3_600_000}-0"
    with resume(streamer, "a", beyond) as stream:
        opened = stream.opened()
        assert (opened.json["reset"], opened.id) == (["a"], beyond)
        assert stream.block().json == {"topics": ["a"], "reason": "redis_lost"}
        position = stream.block()
        assert number(last) <= number(position.id) < number(beyond)
        after = publish(bus, "a", name="after")
        assert stream.take("after").id == after


def test_a_mark_resets_every_cursor_below_it(streamer, bus):
    cursor = publish(bus, "a")
    newer = publish(bus, "a")
    bus.call("HSET", "sse:state", "mark", newer)
    with resume(streamer, "a,b", cursor) as stream:
        assert stream.opened().json["reset"] == ["a", "b"]
    with resume(streamer, "a,b", newer) as stream:
        assert stream.opened().json["resumed"] is True


@pytest.mark.parametrize("count", [127, 128, 129, 1000, 9000])
def test_a_long_replay_is_whole_and_counted(streamer, bus, count):
    cursor = publish(bus, "a")
    missed = []
    bus.call("CONFIG", "SET", "appendfsync", "no")
    for i in range(count):
        missed.append(publish(bus, "ab"[i % 3 == 0], history_size=10000))
    with resume(streamer, "a,b,c", cursor, timeout=30) as stream:
        opened, events, _ = replayed(stream)
        assert opened.json == {"topics": ["a", "b", "c"], "resumed": True, "replayed": count, "reset": []}
        assert [event_id for _, event_id in events] == missed


def test_one_who_is_far_behind_delays_nobody_who_is_not(streamer, bus):
    old = publish(bus, "a")
    bus.call("CONFIG", "SET", "appendfsync", "no")
    for i in range(2000):
        publish(bus, "a", history_size=10000)
    recent = publish(bus, "a", history_size=10000)
    publish(bus, "a", name="last", history_size=10000)
    behind = [resume(streamer, "a", old, timeout=30) for _ in range(20)]
    with resume(streamer, "a", recent) as stream:
        opened, events, _ = replayed(stream)
        assert opened.json["replayed"] == 1 and [name for name, _ in events] == ["last"]
    for stream in behind:
        opened, events, _ = replayed(stream)
        assert opened.json["replayed"] == len(events) == 2002
        stream.close()


def test_a_slow_reader_gets_a_long_replay_and_what_came_meanwhile_and_is_not_closed(start, bus):
    streamer = start(max_queue_size=10, max_queue_bytes=65536)
    cursor = publish(bus, "a")
    big = json.dumps("x" * 50000)
    bus.call("CONFIG", "SET", "appendfsync", "no")
    missed = [publish(bus, "a", data=big, history_size=1000) for _ in range(200)]
    with resume(streamer, "a", cursor, timeout=30) as stream:
        stream.opened()
        first = [stream.take("x").id for _ in range(3)]
        missed += [publish(bus, "a", data=big, history_size=1000) for _ in range(100)]
        rest = [stream.take("x").id for _ in range(len(missed) - 3)]
        assert first + rest == missed
        live = publish(bus, "a", name="live")
        assert stream.take("live").id == live
    assert streamer.metrics()["messages"]["dropped"] == 0


def test_the_position_of_a_quiet_stream_follows_with_each_heartbeat(start, bus):
    streamer = start(heartbeat_seconds=5)
    with streamer.live("quiet") as stream:
        other = publish(bus, "other")
        while True:
            block = stream.block(timeout=20)
            if block.id and number(block.id) > number(other):
                break
        assert block.event is None
    for _ in range(3):
        publish(bus, "other")
    with resume(streamer, "quiet", block.id) as stream:
        assert stream.opened().json["reset"] == []


def test_many_who_come_back_together_are_served_by_few_questions(streamer, bus):
    cursor = publish(bus, "a")
    missed = [publish(bus, topic) for topic in "abab"]
    def questions():
        text = bus.call("INFO", "commandstats").decode()
        return sum(int(line.split("calls=")[1].split(",")[0]) for line in text.splitlines()
                   if line.startswith("cmdstat_xrange"))
    before = questions()
    streams = [resume(streamer, "a,b", cursor) for _ in range(200)]
    for stream in streams:
        opened, events, _ = replayed(stream)
        assert [event_id for _, event_id in events] == missed
    assert questions() - before <= 8, "the logs were read for each of them"
    late = publish(bus, "b", name="late")
    for stream in streams:
        assert stream.take("late").id == late
        stream.close()


def test_who_comes_later_is_served_from_what_was_read_and_what_came_since(streamer, bus):
    cursor = publish(bus, "a")
    first = publish(bus, "a")
    with resume(streamer, "a", cursor) as one:
        assert [event_id for _, event_id in replayed(one)[1]] == [first]
        second = publish(bus, "a", name="second")
        one.take("second")
        with resume(streamer, "a", cursor) as two:
            assert two.opened().json["replayed"] in (1, 2)
            assert two.take("x").id == first
            assert two.take("second").id == second
            third = publish(bus, "a", name="third")
            assert one.take("third").id == two.take("third").id == third
            assert two.raw.count(b"event: second\n") == 1


def test_a_streamer_that_is_killed_and_started_again_has_missed_nothing(streamer, bus):
    streams = [streamer.live("a,b") for _ in range(20)]
    publish(bus, "a", name="before")
    cursors = [stream.take("before").id for stream in streams]
    streamer.stop(signal.SIGKILL)
    missed = [publish(bus, topic) for topic in "ab"]
    for stream in streams:
        stream.wait_closed()
        stream.close()
    streamer.start()
    for cursor in cursors:
        with resume(streamer, "a,b", cursor) as stream:
            opened, events, _ = replayed(stream)
            assert opened.json["reset"] == [] and [event_id for _, event_id in events] == missed


def test_a_cursor_of_one_streamer_holds_at_another(start, bus):
    one, two = start(), start()
    cursor = None
    for i in range(20):
        here = (one, two)[i % 2]
        with (resume(here, "a,b", cursor) if cursor else here.open("a,b")) as stream:
            if cursor:
                opened, events, cursor = replayed(stream)
                assert opened.json["reset"] == [] and [event_id for _, event_id in events] == missed
            else:
                cursor = stream.opened().id
        missed = [publish(bus, topic) for topic in "ab"]


def test_a_prefix_keeps_two_applications_apart(start, redis, publish_program, processes, tmp):
    shop, blog = start(topic_prefix="shop"), start(topic_prefix="blog")
    def program(prefix):
        return Cgi(publish_program, processes, tmp, redis_url=redis.url, topic_prefix=prefix)
    first, second = (program("shop").event("a", event="shop").json["id"] for _ in range(2))
    program("blog").event("a", event="blog")
    with resume(shop, "a", first) as stream:
        assert replayed(stream)[1] == [("shop", second)]
    with Stream(blog.address, "/events?topic=a", headers={"Last-Event-ID": first}) as stream:
        assert all(name == "blog" for name, _ in replayed(stream)[1] if not name.startswith("sse."))


def test_as_many_topics_as_there_may_be_are_resumed_at_once(start, bus):
    streamer = start(max_topics=1024)
    topics = [f"t{i}" for i in range(1024)]
    cursor = publish(bus, "t0")
    missed = [publish(bus, topics[i]) for i in (1023, 5, 700, 1)] + [publish(bus, *topics[::100])]
    body = json.dumps({"topics": topics, "last_event_id": cursor}).encode()
    streams = [Stream(streamer.address, "/events", method="POST", headers={"Content-Type": "application/json"}, body=body)
               for _ in range(3)]
    for stream in streams:
        opened, events, _ = replayed(stream)
        assert opened.json["replayed"] == 5 and [event_id for _, event_id in events] == missed
        stream.close()


def test_more_topics_than_one_question_holds_are_resumed_by_several(streamer, bus):
    bus.call("CONFIG", "SET", "appendfsync", "no")
    cursor = publish(bus, "begin")
    missed = {i: publish(bus, f"own:{i}") for i in range(0, 1500, 7)}
    shared = publish(bus, "shared")
    streams = [resume(streamer, f"own:{i},shared", cursor) for i in range(1500)]
    for i, stream in enumerate(streams):
        opened, events, _ = replayed(stream)
        assert opened.json["reset"] == []
        assert [event_id for _, event_id in events] == ([missed[i]] if i in missed else []) + [shared]
        stream.close()


def test_what_came_while_nobody_listened_is_not_missed_by_who_is_served_from_what_was_read_before(streamer, bus):
    """The topic lingers, its tail too; an event between the two listeners of that tail is neither in the one nor live."""
    cursor = publish(bus, "a", data="0")
    publish(bus, "a", data="1")
    with resume(streamer, "a", cursor) as stream:
        replayed(stream)
    wait_until(lambda: streamer.metrics()["connections"]["current"] == 0, what="the first one is gone")
    publish(bus, "a", data="2")
    wait_until(lambda: streamer.metrics()["messages"]["published"] == 1, what="the event came")
    asked = streamer.prometheus()["sse_log_questions"]
    with resume(streamer, "a", cursor) as stream:
        stream.opened()
        assert [stream.take("x").data for _ in range(2)] == [b"1", b"2"]
    assert streamer.prometheus()["sse_log_questions"] <= asked + 2  # those of time that passes


def test_who_is_live_while_somebody_finds_a_loss_is_told(streamer, bus):
    """A publisher knows an id that this Redis does not: what was lost may be of any topic."""
    with streamer.live("a") as stream:
        publish(bus, "a", data="1")
        ahead = f"{number(stream.take('x').id)[0] + 500}-0"
        publish(bus, "a", data="2", acknowledged=ahead)
        assert stream.take("x").data == b"2"
        assert stream.take("sse.reset").json == {"topics": ["a"], "reason": "redis_lost"}
        publish(bus, "a", data="3")
        assert stream.take("x").data == b"3"
        assert streamer.prometheus()["sse_resets"] == 1
