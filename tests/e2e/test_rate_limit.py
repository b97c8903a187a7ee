"""rate_limit_per_second: decided where all publishers meet, in Redis, by its clock."""
import os
import threading

import pytest

from private_redis import PrivateRedis
from publish_program import Cgi, FastCgi
from redis_script import RATE, append, event, redis, server, snapshot  # noqa: F401
from resp import Redis


def seconds(redis):
    whole, micro = redis.call("TIME")
    return int(whole) + int(micro) / 1e6


def passed(answer):
    return answer[0] == b"new"


def test_a_second_holds_as_many_events_as_the_limit_and_no_more(redis):
    begin = seconds(redis)
    allowed = sum(passed(append(redis, event("a"), limit=20)) for _ in range(200))
    assert 20 <= allowed <= 20 + 20 * (seconds(redis) - begin) + 1


def test_who_is_refused_is_told_how_long_and_leaves_nothing(redis):
    while passed(append(redis, event("a"), limit=3)):
        pass
    before = snapshot(redis)
    before.pop(RATE.encode())
    answer = append(redis, event("b"), limit=3, once="k")
    assert answer[0] == b"limited" and 0 < answer[1] <= 1000
    after = snapshot(redis)
    after.pop(RATE.encode(), None)
    assert after == before


def test_a_batch_costs_what_its_events_cost(redis):
    assert passed(append(redis, *[event("a")] * 7, limit=10))
    assert passed(append(redis, *[event("a")] * 3, limit=10))
    assert append(redis, *[event("a")] * 5, limit=10)[0] == b"limited"


def test_a_batch_above_the_limit_passes_when_nothing_is_owed_and_is_paid_back(redis):
    assert passed(append(redis, *[event("a")] * 50, limit=10))
    answer = append(redis, event("a"), limit=10)
    assert answer[0] == b"limited" and 3900 < answer[1] <= 4100


def test_the_same_request_again_costs_nothing(redis):
    assert passed(append(redis, event("a"), limit=1, once="k"))
    for _ in range(5):
        assert append(redis, event("a"), limit=1, once="k")[0] == b"again"
    assert append(redis, event("a"), limit=1)[0] == b"limited"


def test_what_was_paid_for_by_another_clock_blocks_nobody_for_long(redis):
    redis.call("SET", RATE, int((seconds(redis) + 3600) * 1e6))
    answer = append(redis, event("a"), limit=1000)
    assert answer[0] == b"limited" and answer[1] <= 1000


def test_the_limit_leaves_nothing_behind(redis):
    append(redis, event("a"), limit=10)
    assert 0 < redis.call("PTTL", RATE) <= 1000


def test_without_a_limit_nothing_is_counted(redis):
    append(redis, event("a"))
    assert redis.call("EXISTS", RATE) == 0


# ---- the program ----

@pytest.fixture(params=[Cgi, FastCgi], ids=lambda way: way.name)
def publish(request, publish_program, processes, tmp, durable):
    return request.param(publish_program, processes, tmp, redis_url=durable.url, rate_limit_per_second=2)


@pytest.fixture
def durable(tmp):
    folder = os.path.join(tmp, "p")
    os.mkdir(folder)
    server = PrivateRedis(folder)
    yield server
    server.stop()


def test_429_says_when_to_come_back_and_why(publish):
    for _ in range(50):
        answer = publish.event()
        if answer.status != 200:
            break
    assert answer.status == 429
    assert int(answer.headers["retry-after"]) == 1
    assert "rate_limit_per_second" in answer.detail


def test_several_processes_together_keep_the_limit(publish_program, processes, tmp, durable):
    limit, publish = 30, FastCgi(publish_program, processes, tmp, count=3, redis_url=durable.url, rate_limit_per_second=30)
    statuses = []

    def hurry():
        for _ in range(60):
            statuses.append(publish.event().status)

    with Redis(durable.path) as bus:
        begin = seconds(bus)
        threads = [threading.Thread(target=hurry) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        allowed = limit + limit * (seconds(bus) - begin) + 1
        assert set(statuses) <= {200, 429} and limit <= statuses.count(200) <= allowed
        assert bus.call("XLEN", "sse:log:comments") == min(100, statuses.count(200))
