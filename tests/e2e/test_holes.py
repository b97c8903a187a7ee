"""Events that Redis published and that never came, without any disconnect: found, and filled in from the log, or told."""
import re

import pytest

from faultproxy import FaultProxy
from streamer_program import Streamer, publish

MESSAGE = re.compile(rb"\*3\r\n\$7\r\nmessage\r\n\$\d+\r\n[^\r]*\r\n\$(\d+)\r\n")  # up to its payload


@pytest.fixture
def leaky(redis, streamer_program, processes, tmp):
    """A streamer behind a link that loses messages with a `lost` in them."""
    with FaultProxy(redis.path, tmp + "/p.sock") as proxy:
        streamer = Streamer(streamer_program, processes, proxy.redis_url, tmp).start()
        streamer.proxy = proxy

        def lose(data):
            at = 0
            while found := MESSAGE.search(data, at):
                end = found.end() + int(found[1]) + 2
                if b"lost" in data[found.end():end]:
                    data, at = data[:found.start()] + data[end:], found.start()
                else:
                    at = end
            return data
        proxy.lose = lose
        yield streamer


def test_an_event_that_never_came_is_found_when_the_next_one_names_it(leaky, bus):
    with leaky.live("a") as stream, leaky.live("a,b") as other:
        lost = publish(bus, "a", name="lost")
        after = publish(bus, "a", name="after")
        for s in stream, other:
            assert s.take("lost").id == lost
            assert s.take("after").id == after
        live = publish(bus, "a", name="live")
        assert stream.take("live").id == other.take("live").id == live
        assert b"sse.reset" not in stream.raw + other.raw


def test_the_last_event_of_a_topic_that_never_came_is_found_by_the_check(leaky, bus):
    with leaky.live("a") as stream:
        lost = publish(bus, "a", name="lost")
        assert stream.take("lost", timeout=20).id == lost
        assert leaky.prometheus()["sse_holes"] == 1


def test_who_is_past_an_event_that_never_came_is_told(leaky, bus):
    with leaky.live("a,b") as past, leaky.live("a") as behind:
        lost = publish(bus, "a", name="lost")
        passed = publish(bus, "b", name="passed")
        assert past.take("passed").id == passed
        publish(bus, "a", name="after")
        assert past.take("sse.reset").json == {"topics": ["a"], "reason": "missed"}
        assert behind.take("lost").id == lost
        behind.take("after")
        live = publish(bus, "a", name="live")
        assert past.take("live").id == behind.take("live").id == live
