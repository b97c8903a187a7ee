"""publish on Redis Sentinel: it finds the master, also the next one, believes no sentinel that names another server, and ids
go on rising, past what a failover lost."""
import os
import threading

import pytest

from faultproxy import Fault, FaultProxy
from private_sentinel import NAME, LyingSentinel
from publish_program import Cgi, FastCgi
from redis_script import number
from support import free_port, wait_until


@pytest.fixture
def publish(publish_program, processes, tmp, sentinel):
    return FastCgi(publish_program, processes, tmp, redis_url=sentinel.url)


@pytest.fixture
def by(publish_program, processes, tmp):
    """by(names of sentinels): publish that asks these."""
    started = []  # each is named by its place in memory

    def start(*names, way=FastCgi, url=None):
        started.append(way(publish_program, processes, tmp, redis_url=url or f"redis+sentinel://{','.join(names)}/{NAME}"))
        return started[-1]
    return start


def health(publish):
    return publish.ask(method="GET", content_type=None, length=None, PATH_INFO="/health")


def log(sentinel, topic="comments"):
    return [entry[0].decode() for entry in sentinel.call("XRANGE", f"sse:log:{topic}", "-", "+")]


def state(sentinel):
    words = [word.decode() for word in sentinel.call("HGETALL", "sse:state")]
    return dict(zip(words[::2], words[1::2]))


def wait_replicated(sentinel):
    """Until the replica has the last event. (WAIT on a connection that wrote nothing waits for nothing.)"""
    last = sentinel.call("HGET", "sse:state", "last")
    wait_until(lambda: all(replica.call("HGET", "sse:state", "last") == last for replica in sentinel.replicas))


def rising(ids):
    return all(number(a) < number(b) for a, b in zip(ids, ids[1:]))


def publish_again(publish, **members):
    """Until it is taken, as an application would."""
    return wait_until(lambda: (answer := publish.event(**members)).status == 200 and answer, 30, "a 200")


# ---- the master ----

@pytest.mark.parametrize("way", [FastCgi, Cgi], ids=lambda way: way.name)
def test_it_publishes_at_the_master_and_notes_its_name(by, sentinel, way):
    publish = by(*[one.name for one in sentinel.sentinels], way=way)
    ids = [publish.event().json["id"] for _ in range(3)]
    assert log(sentinel) == ids
    assert state(sentinel)["node"] == sentinel.master.name
    assert health(publish).status == 200


def test_a_batch_and_a_key_do_what_they_do_on_one_redis(publish, sentinel):
    answer = publish.ask([{"topic": "a"}, {"topics": ["a", "b"]}], HTTP_IDEMPOTENCY_KEY="k")
    assert set(answer.json) == {"ids"}
    assert publish.ask([{"topic": "a"}, {"topics": ["a", "b"]}], HTTP_IDEMPOTENCY_KEY="k").json == answer.json
    assert publish.ask({"topic": "a"}, HTTP_IDEMPOTENCY_KEY="k").status == 422
    assert log(sentinel, "a") == answer.json["ids"]


def test_after_a_failover_the_next_master_is_found_ids_rise_and_the_loss_is_marked(publish, sentinel):
    before = [publish.event().json["id"] for _ in range(5)]
    wait_replicated(sentinel)
    former = sentinel.kill_master()
    answer = publish.event()
    assert answer.status == 503 and answer.seconds < 1.5
    sentinel.wait_failover(former)
    answer = publish.event()
    assert answer.status == 200 and answer.seconds < 1.2
    assert rising(before + [answer.json["id"]])
    assert number(answer.json["id"])[0] > number(before[-1])[0] + 9000
    assert state(sentinel)["mark"] == answer.json["id"]
    assert state(sentinel)["node"] == sentinel.master.name != former.name
    assert log(sentinel) == before + [answer.json["id"]]
    after = publish.event().json["id"]
    assert state(sentinel)["mark"] == answer.json["id"] and rising([answer.json["id"], after])


def test_an_idle_publisher_does_not_notice_a_failover(publish, sentinel):
    publish.event()
    sentinel.wait_failover(sentinel.kill_master())
    answer = publish.event()
    assert answer.status == 200 and answer.seconds < 1.2


def test_a_master_that_froze_and_was_replaced_is_left_within_one_request(publish, sentinel):
    publish.event()
    former = sentinel.master
    former.pause()
    sentinel.wait_failover(former)
    answer = publish.event()
    assert answer.status == 200 and answer.seconds < 1.2
    assert log(sentinel)[-1] == answer.json["id"]
    former.resume()
    sentinel.wait_ready()
    assert publish.event().status == 200


def test_a_master_that_became_a_replica_with_its_connections_open_is_left(publish, sentinel):
    publish.event()
    sentinel.promote()
    sentinel.wait_ready()
    answer = publish.event()
    assert answer.status == 200
    assert log(sentinel)[-1] == answer.json["id"]


def test_ids_rise_above_those_that_the_failover_lost(publish, sentinel):
    """The replica is cut off: what it did not get was acknowledged all the same."""
    [replica] = sentinel.replicas
    kept = publish.event().json["id"]
    wait_replicated(sentinel)
    replica.pause()
    sentinel.master.cut_replicas()
    lost = [publish.event().json["id"] for _ in range(3)]
    former = sentinel.kill_master()
    replica.resume()
    sentinel.wait_failover(former)
    after = publish.event().json["id"]
    assert rising([kept, *lost, after])
    assert log(sentinel) == [kept, after] and state(sentinel)["mark"] == after


def test_a_failover_while_publishers_are_busy_costs_503s_and_nothing_twice(publish_program, processes, tmp, sentinel):
    publish = FastCgi(publish_program, processes, tmp, count=3, redis_url=sentinel.url)
    answers, stop = [], threading.Event()

    def hurry(name):
        serial = 0
        while not stop.is_set():
            serial += 1
            body = {"topic": f"t{name}", "data": serial}
            while (answer := publish.ask(body, HTTP_IDEMPOTENCY_KEY=f"{name}-{serial}")).status != 200:
                assert answer.status == 503 and answer.seconds < 2, answer
            answers.append((name, serial, answer.json["id"]))

    threads = [threading.Thread(target=hurry, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(answers) > 100)
    sentinel.wait_failover(sentinel.kill_master())
    seen = len(answers)
    wait_until(lambda: len(answers) > seen + 100)
    stop.set()
    for thread in threads:
        thread.join()
    for name in "abc":
        ids = [event_id for who, _, event_id in answers if who == name]
        assert rising(ids) and len(set(ids)) == len(ids)
        held = log(sentinel, f"t{name}")
        assert rising(held) and held[-1] == ids[-1]
    assert "node" in state(sentinel) and number(state(sentinel)["mark"]) <= number(answers[-1][2])


# ---- sentinels ----

def test_any_sentinel_will_do(by, sentinel):
    publish = by(f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}", sentinel.sentinels[0].name)
    assert publish.event().status == 200


def test_sentinels_that_swallow_questions_leave_time_for_the_next(by, sentinel, tmp):
    holes = [FaultProxy(("127.0.0.1", sentinel.sentinels[0].port), None, [Fault(swallow=True)] * 9) for _ in range(2)]
    try:
        publish = by(*["%s:%d" % hole.address for hole in holes], sentinel.sentinels[1].name)
        answer = publish.event()
        assert answer.status == 200 and answer.seconds < 1
    finally:
        for hole in holes:
            hole.close()


def test_a_sentinel_that_names_a_replica_is_passed_over(by, sentinel):
    with LyingSentinel(lambda: sentinel.replicas[0].address) as liar:
        publish = by(liar.name, sentinel.sentinels[0].name)
        assert publish.event().status == 200
        assert liar.asked >= 1
        assert len(log(sentinel)) == 1
        alone = by(liar.name)
        answer = alone.event()
        assert answer.status == 503 and answer.seconds < 1.5
        assert f"{sentinel.replicas[0].name}, which a sentinel names, is no master" in alone.log()
        assert health(alone).status == 503


@pytest.mark.parametrize("says", [("127.0.0.1", 1), ("127.0.0.1", 70000), ("", 6379), ("a b", 6379), ("h" * 300, 6379)],
                         ids=["nobody", "no port", "no host", "no name", "endless"])
def test_a_sentinel_that_names_nobody_is_passed_over(by, sentinel, says):
    with LyingSentinel(lambda: says) as liar:
        publish = by(liar.name, sentinel.sentinels[0].name)
        assert publish.event().status == 200
        assert by(liar.name).event().status == 503


def test_a_master_that_no_sentinel_knows_is_told(by, sentinel):
    publish = by(url=f"redis+sentinel://{sentinel.sentinels[0].name}/other")
    assert publish.event().status == 503
    assert "it knows no such master" in publish.log()


def test_without_sentinels_the_known_master_is_used_and_nobody_finds_one(publish, by, sentinel):
    assert publish.event().status == 200
    for one in sentinel.sentinels:
        one.kill()
    assert publish.event().status == 200
    late = by(*[one.name for one in sentinel.sentinels])
    answer = late.event()
    assert answer.status == 503 and answer.seconds < 1.5
    assert "sentinel 127.0.0.1:" in late.log()
    for one in sentinel.sentinels:
        one.start()
    assert publish_again(late).status == 200


def test_sentinels_and_redis_that_want_a_password_get_it(by, sentinel):
    for node in sentinel.nodes:
        node.call("ACL", "SETUSER", "tidings", "on", ">secret", "~sse:*", "&*", "+@all")
    for one in sentinel.sentinels[:2]:
        one.call("ACL", "SETUSER", "tidings", "on", ">secret", "~*", "+@all")
        one.call("ACL", "SETUSER", "default", "off")
    names = [one.name for one in sentinel.sentinels]
    publish = by(url=f"redis+sentinel://tidings:secret@{names[0]}/{NAME}")
    assert publish.event().status == 200
    publish = by(url=f"redis+sentinel://tidings:secret@{names[2]}/{NAME}")
    assert publish.event().status == 200
    publish = by(url=f"redis+sentinel://{names[1]}/{NAME}")
    assert publish.event().status == 503 and "NOAUTH" in publish.log()
    publish = by(url=f"redis+sentinel://tidings:wrong@{names[2]}/{NAME}")
    answer = publish.event()
    assert answer.status == 503 and answer.seconds < 0.5
    assert "Redis refuses the password" in answer.detail


# ---- health ----

def test_health_follows_the_master(publish, sentinel):
    assert health(publish).status == 200
    former = sentinel.kill_master()
    answer = health(publish)
    assert answer.status == 503 and answer.seconds < 1.5
    sentinel.wait_failover(former)
    assert health(publish).status == 200
    sentinel.restart(former)
    sentinel.wait_ready()
    sentinel.promote()
    sentinel.wait_ready()
    assert health(publish).status == 200


def test_it_says_in_its_log_when_redis_is_back(publish, sentinel):
    publish.event()
    former = sentinel.kill_master()
    publish.event()
    sentinel.wait_failover(former)
    publish.event()
    assert publish.log().count("can't publish") >= 1
    assert publish.log().count("Redis takes events again") == 1
    assert os.path.getsize(publish.log_path) < 2000
