"""publish while Redis or the network does its worst: nothing is lost that was acknowledged, nothing is published twice,
and every answer comes in time."""
import os

import pytest

from faultproxy import Fault, FaultProxy
from publish_program import Cgi, FastCgi
from support import wait_until


@pytest.fixture
def publish(publish_program, processes, tmp, redis):
    return FastCgi(publish_program, processes, tmp, redis_url=redis.url, redis_timeout_ms=300)


@pytest.fixture
def through(publish_program, processes, tmp, redis):
    """through(fault, …) gives publish behind a proxy whose connections meet these faults, in their order."""
    proxies = []

    def make(*faults, way=FastCgi, **settings):
        proxy = FaultProxy(redis.path, os.path.join(tmp, f"x{len(proxies)}"), faults)
        proxies.append(proxy)
        publish = way(publish_program, processes, tmp, redis_url=proxy.redis_url, **settings)
        publish.proxy = proxy
        return publish

    yield make
    for proxy in proxies:
        proxy.close()


def log(redis, topic="comments"):
    return [entry[0].decode() for entry in redis.call("XRANGE", f"sse:log:{topic}", "-", "+")]


class Listener:
    """Counts what is published live on a channel."""

    def __init__(self, redis, channel="comments"):
        self.redis = redis.connect()
        self.redis.call("SUBSCRIBE", channel)

    def heard(self):
        """All until now: a PING's answer comes behind them."""
        messages = []
        self.redis.send("PING")
        while True:
            reply = self.redis.receive()
            if reply[0] == b"pong":
                return messages
            messages.append(reply[2])


# ---- Redis away, frozen, restarted ----

def test_it_starts_without_redis_and_publishes_when_it_is_there(publish_program, processes, tmp, redis):
    redis.stop()
    publish = FastCgi(publish_program, processes, tmp, redis_url=redis.url)
    assert publish.event().status == 503
    redis.start()
    assert publish.event().status == 200


def test_a_restart_between_requests_loses_and_doubles_nothing(publish, redis):
    acknowledged = []
    for restart in (redis.stop, redis.kill, redis.stop):
        acknowledged.append(publish.event().json["id"])
        restart()
        redis.start()
        acknowledged.append(publish.event().json["id"])
    assert log(redis) == acknowledged
    assert acknowledged == sorted(acknowledged, key=lambda text: [int(part) for part in text.split("-")])


def test_a_killed_redis_costs_503s_and_not_an_event(publish, redis):
    first = publish.event().json["id"]
    redis.kill()
    answers = [publish.event() for _ in range(3)]
    assert all(answer.status == 503 and answer.seconds < 1 for answer in answers)
    redis.start()
    assert log(redis) == [first]
    assert publish.event().status == 200
    assert len(log(redis)) == 2


def test_a_frozen_redis_gives_503_within_the_limit_and_a_repeated_key_does_not_double(publish, redis):
    listener = Listener(redis)
    assert publish.event().status == 200
    redis.pause()
    answer = publish.ask({"topic": "comments"}, HTTP_IDEMPOTENCY_KEY="k")
    assert answer.status == 503
    assert 0.25 < answer.seconds < 1
    assert "whether it was published is not known" in answer.detail
    assert answer.headers["retry-after"] == "1"
    redis.resume()
    again = publish.ask({"topic": "comments"}, HTTP_IDEMPOTENCY_KEY="k")
    assert again.status == 200
    assert log(redis)[1:] == [again.json["id"]]
    assert len(listener.heard()) == 2


def test_a_frozen_redis_gives_503_to_a_plain_cgi_program_too(publish_program, processes, tmp, redis):
    publish = Cgi(publish_program, processes, tmp, redis_url=redis.url, redis_timeout_ms=300)
    redis.pause()
    answer = publish.event()
    assert answer.status == 503
    assert answer.seconds < 1.3


def test_health_of_a_frozen_redis_is_503_within_the_limit(publish, redis):
    redis.pause()
    answer = publish.ask(method="GET", PATH_INFO="/health")
    assert answer.status == 503
    assert answer.seconds < 1


def test_trouble_is_logged_once_and_its_end_too(publish, redis):
    publish.event()
    redis.stop()
    for _ in range(5):
        publish.event()
    redis.start()
    publish.event()
    assert publish.log().count("can't be reached") == 1
    assert publish.log().count("Redis takes events again") == 1


# ---- the connection breaks ----

def measure(through, way):
    """Bytes that pass for one event from a program that has just started, when Redis knows the script."""
    through(way=Cgi).event()
    warm = through(way=Cgi)
    assert warm.event().status == 200
    return warm.proxy.passed[way]


def test_a_connection_cut_anywhere_in_the_reply_is_retried_without_doubling(through, redis):
    listener = Listener(redis)
    reply = measure(through, "down")
    acknowledged = []
    for cut in range(reply + 1):
        publish = through(Fault(cut_down=cut), way=Cgi)
        answer = publish.event()
        assert answer.status == 200, (cut, answer)
        assert publish.proxy.seen == (2 if cut < reply else 1)
        acknowledged.append(answer.json["id"])
    assert log(redis)[2:] == acknowledged
    assert len(listener.heard()) == 2 + len(acknowledged)


@pytest.mark.parametrize("reset", [False, True])
def test_a_connection_cut_in_the_request_is_retried_without_doubling(through, redis, reset):
    request = measure(through, "up")
    acknowledged = []
    for cut in [0, 1, 2, 50, request // 2, request - 2, request - 1]:
        publish = through(Fault(cut_up=cut, reset=reset), way=Cgi)
        answer = publish.event()
        assert answer.status == 200, (cut, answer)
        assert publish.proxy.seen == 2
        acknowledged.append(answer.json["id"])
    assert log(redis)[2:] == acknowledged


def test_a_batch_cut_in_its_reply_gives_all_its_ids_again(through, redis):
    publish = through(Fault(cut_down=None))
    publish.event("warm")
    publish = through(Fault(cut_down=30))
    answer = publish.ask([{"topic": "a"}, {"topics": ["a", "b"]}])
    assert answer.status == 200
    assert log(redis, "a") == answer.json["ids"]
    assert log(redis, "b") == answer.json["ids"][1:]


def test_a_second_break_is_503_with_an_unknown_outcome(through, redis):
    through().event("warm")
    publish = through(Fault(cut_down=5), Fault(cut_down=5))
    answer = publish.ask({"topic": "comments"}, HTTP_IDEMPOTENCY_KEY="k")
    assert answer.status == 503
    assert "not known" in answer.detail
    assert publish.proxy.seen == 2
    again = publish.ask({"topic": "comments"}, HTTP_IDEMPOTENCY_KEY="k")
    assert again.status == 200
    assert log(redis) == [again.json["id"]]


def test_a_connection_closed_while_idle_is_no_break(through, redis):
    publish = through(Fault(), Fault(cut_down=5))
    publish.event()
    redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    wait_until(lambda: not publish.proxy.open_links)
    answer = publish.event()  # on a new connection, which breaks: the one retry is still there
    assert answer.status == 200
    assert publish.proxy.seen == 3
    assert len(log(redis)) == 2


def test_a_black_hole_gives_503_within_the_limit(through, redis):
    publish = through(Fault(swallow=True), redis_timeout_ms=300)
    answer = publish.event()
    assert answer.status == 503
    assert 0.25 < answer.seconds < 1
    assert publish.event().status == 200  # the connection was thrown away
    assert len(log(redis)) == 1


def test_a_late_answer_is_not_taken_for_the_answer_to_something_else(through, redis):
    through().event("warm")
    publish = through(Fault(delay_down=0.6), redis_timeout_ms=200)
    assert publish.event("late").status == 503
    answer = publish.event("next")
    assert answer.status == 200
    assert log(redis, "next") == [answer.json["id"]]
    wait_until(lambda: len(log(redis, "late")) == 1)
    assert log(redis, "late") != log(redis, "next")


def test_a_slow_answer_within_the_limit_is_waited_for(through, redis):
    answer = through(Fault(delay_down=0.2), redis_timeout_ms=2000).event()
    assert answer.status == 200
    assert log(redis) == [answer.json["id"]]


# ---- Redis forgets ----

def test_ids_go_on_and_the_loss_is_marked_when_redis_forgets(publish, redis):
    before = publish.event().json["id"]
    redis.call("FLUSHALL")
    redis.call("SCRIPT", "FLUSH")
    after = publish.event().json["id"]
    assert [int(part) for part in after.split("-")] > [int(part) for part in before.split("-")]
    assert redis.call("HGET", "sse:state", "mark").decode() == after


def test_a_redis_of_the_past_does_not_take_ids_back(publish, redis):
    before = publish.event().json["id"]
    redis.call("HSET", "sse:state", "last", "1000-0")  # as after a failover to a replica that lagged
    after = publish.event().json["id"]
    assert [int(part) for part in after.split("-")] > [int(part) for part in before.split("-")]
    assert redis.call("HGET", "sse:state", "mark").decode() == after


def test_a_full_redis_takes_nothing_at_all(publish, redis):
    redis.call("CONFIG", "SET", "maxmemory", "1")
    answer = publish.ask([{"topic": "a"}, {"topic": "b"}])
    assert answer.status == 503
    assert "out of memory" in answer.detail
    redis.call("CONFIG", "SET", "maxmemory", "0")
    assert redis.call("KEYS", "sse:log:*") == []


def test_a_right_that_is_missing_publishes_nothing_at_all(publish, redis):
    redis.call("ACL", "SETUSER", "default", "resetchannels", "&a")
    answer = publish.ask([{"topic": "a"}, {"topic": "b"}])
    assert answer.status == 503
    assert "access rules" in answer.detail
    redis.call("ACL", "SETUSER", "default", "allchannels")
    assert redis.call("KEYS", "sse:log:*") == []
