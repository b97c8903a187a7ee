"""The streamer behind Sentinel: the master is found, followed and never mistaken."""
import pytest

from http_raw import fetch
from private_sentinel import LyingSentinel
from redis_script import append, event, number
from resuming import resume
from streamer_program import Streamer
from support import wait_until


@pytest.fixture
def start(streamer_program, processes, sentinel, tmp):
    def start(url=None, **settings):
        return Streamer(streamer_program, processes, url or sentinel.url, tmp, **settings).start()
    return start


def publish(sentinel, topic, data="{}", master=None):
    """One event at the present master, as publish gives it."""
    master = master or sentinel.master
    with master.connect() as redis:
        return append(redis, event(topic, data=data), server=master.name)[1].decode()


def wait_for(stream, data):
    """The blocks up to the event with that data; the position rises."""
    blocks, last = [], None
    while True:
        block = stream.block()
        if block.id:
            assert last is None or number(last) <= number(block.id), blocks
            last = block.id
        blocks.append(block)
        if block.data == data.encode() and not block.event.startswith("sse."):
            return blocks


def test_events_of_the_master_come_and_a_cursor_resumes(start, sentinel):
    streamer = start()
    with streamer.live("a") as stream:
        cursor = publish(sentinel, "a", "1")
        assert wait_for(stream, "1")[-1].id == cursor
    publish(sentinel, "a", "2")
    with resume(start(), "a", cursor) as stream:
        assert stream.opened().json == {"topics": ["a"], "resumed": True, "replayed": 1, "reset": []}
        wait_for(stream, "2")


def test_after_a_failover_everybody_is_told_and_hears_the_new_master(start, sentinel):
    streamer = start()
    with streamer.live("a") as stream:
        before = publish(sentinel, "a", "1")
        wait_for(stream, "1")
        sentinel.wait_failover(sentinel.kill_master())
        assert stream.take("sse.reset", timeout=20).json == {"topics": ["a"], "reason": "redis_lost"}
        after = publish(sentinel, "a", "2")
        assert number(after) > number(before)
        assert all(block.event != "sse.reset" for block in wait_for(stream, "2"))
    with resume(streamer, "a", before) as stream:
        assert stream.opened().json["reset"] == ["a"]
    with resume(streamer, "a", after) as stream:
        assert stream.opened().json["reset"] == []


def test_a_master_that_is_promoted_by_hand_is_followed(start, sentinel):
    streamer = start()
    with streamer.live("a") as stream:
        sentinel.promote()
        stream.take("sse.reset", timeout=20)
        publish(sentinel, "a", "2")
        wait_for(stream, "2")


def test_a_master_that_was_replaced_while_it_was_frozen_is_left(start, sentinel):
    """It wakes up, takes itself for the master and answers, until a sentinel tells it otherwise."""
    streamer, former = start(), sentinel.master
    with streamer.live("a") as stream:
        former.pause()
        sentinel.wait_failover(former)
        former.resume()
        stream.take("sse.reset", timeout=20)
        publish(sentinel, "a", "2")
        wait_for(stream, "2")


def test_a_sentinel_that_lies_is_found_out_by_the_role(start, sentinel):
    [replica] = sentinel.replicas
    with LyingSentinel(lambda: replica.address) as liar:
        url = sentinel.url.replace("redis+sentinel://", f"redis+sentinel://{liar.name},")
        streamer = start(url)
        with streamer.live("a") as stream:
            publish(sentinel, "a", "1")
            wait_for(stream, "1")
        assert liar.asked > 0 and streamer.metrics()["redis"]["reconnects"] == 0


def test_while_no_sentinel_answers_the_master_goes_on_and_streams_stay(start, sentinel):
    streamer, master = start(), sentinel.master
    with streamer.live("a") as stream:
        for process in sentinel.sentinels:
            process.pause()
        publish(sentinel, "a", "1", master)
        wait_for(stream, "1")
        assert fetch(streamer.admin, "/health/ready").status == 200


def test_without_any_sentinel_the_streamer_waits_and_says_so(streamer_program, processes, sentinel, tmp):
    for process in sentinel.sentinels:
        process.pause()
    streamer = Streamer(streamer_program, processes, sentinel.url, tmp).start(ready=False)
    assert fetch(streamer.admin, "/health/ready").status == 503
    with streamer.open("a") as stream:
        for process in sentinel.sentinels:
            process.resume()
        stream.opened()
    streamer.wait_ready()


def test_a_name_that_no_sentinel_knows_is_told_once(streamer_program, processes, tmp):
    asked = []

    def reply(words):
        if words[0].lower() != b"sentinel":
            return b"+PONG\r\n"
        asked.append(words[2])
        return b"*-1\r\n"

    with LyingSentinel(None) as ignorant:
        ignorant.reply = reply
        streamer = Streamer(streamer_program, processes, f"redis+sentinel://{ignorant.name}/mymster", tmp).start(ready=False)
        wait_until(lambda: len(asked) >= 4, what="it is asked again and again")
        assert set(asked) == {b"mymster"}
        assert streamer.log().count('names no master: "it knows no master of the name mymster"') == 1


@pytest.mark.parametrize("password", ["right", "wrong"])
def test_sentinels_that_want_a_password_get_the_urls(streamer_program, processes, sentinel, tmp, password):
    """The first try goes without one, as most sentinels want it; that is no trouble and not told."""
    sentinel.master.call("CONFIG", "SET", "requirepass", "right")
    for one in sentinel.sentinels:
        one.call("ACL", "SETUSER", "default", "resetpass", ">right")
    url = sentinel.url.replace("redis+sentinel://", f"redis+sentinel://:{password}@")
    streamer = Streamer(streamer_program, processes, url, tmp).start(ready=False)
    if password == "right":
        streamer.wait_ready()
        assert "NOAUTH" not in streamer.log() and "names no master" not in streamer.log()
    else:
        wait_until(lambda: "WRONGPASS" in streamer.log(), what="the true reason is told")
        assert "NOAUTH" not in streamer.log()
