"""The rights that docs/PROTOCOL.md asks for behind Sentinel and on a Cluster: both programs run with exactly those."""
import os
import re
import signal

import pytest

from http_raw import Stream
from partitions import key_of, partition_of, slot_of
from publish_program import Cgi, FastCgi
from resp import RedisError
from streamer_program import Streamer
from support import TOP, wait_until
from test_acl import REFUSED

PASSWORD = "geheim"
TOKENS = "boss secret +control\n"
FURTHER = "bcdefghijkl"


def rights(user, where):
    """The words behind `ACL SETUSER user on >PASSWORD`, of the first such line below the words `where`."""
    with open(os.path.join(TOP, "docs", "PROTOCOL.md"), encoding="utf-8") as file:
        text = file.read().split("### Rights", 1)[1].split(where, 1)[1]
    return re.search(rf"^ACL SETUSER {user} on >PASSWORD (.*)$", text, re.M)[1].split()


def allow(servers, user, words):
    for server in servers:
        server.call("ACL", "SETUSER", user, "reset", "on", ">" + PASSWORD, *words)


def signed(url, user):
    return url.replace("://", f"://{user}:{PASSWORD}@", 1)


@pytest.fixture
def run_both(streamer_program, publish_program, processes, tmp):
    """run_both(url): both programs, each with its own user."""
    return lambda url: (Streamer(streamer_program, processes, signed(url, "tidings-streamer"), tmp).start(),
                        FastCgi(publish_program, processes, tmp, tokens=TOKENS, redis_url=signed(url, "tidings-publish")))


def revoke_and_lift(publish):
    return [publish.control({"revoke": {"user": "nobody", "seconds": seconds}}) for seconds in (60, 0)]


def assert_all_works(running, publish, topics):
    """Events flow, with a key, to several topics at once, who comes back resumes, and streamers can be told something."""
    with running.live(",".join(topics)) as stream:
        first = [publish.event(topic, data=topic, idempotency_key="k" + topic) for topic in topics]
        assert [answer.status for answer in first] == [200] * len(topics), first
        assert {stream.take("message").data.decode() for _ in topics} == set(topics)
        assert publish.event(topics[0], data=topics[0], idempotency_key="k" + topics[0]).json == first[0].json
        assert publish.ask({"topics": topics, "data": "all"}).status == 200
        cursor = stream.take("message").id
        missed = publish.event(topics[-1], data="missed")
        assert missed.status == 200
    with Stream(running.address, "/events?topic=" + ",".join(topics), headers={"Last-Event-ID": cursor}) as resumed:
        assert resumed.take("message").data == b"missed"
    assert publish.ask(method="GET", content_type=None, length=None, SCRIPT_NAME="/publish/health").status == 200
    assert [answer.status for answer in revoke_and_lift(publish)] == [200, 200]
    assert not REFUSED.search(running.log() + publish.log()), running.log() + publish.log()


# ---- Sentinel ----

def allow_behind_sentinel(sentinel, left_out=()):
    for user in ("tidings-publish", "tidings-streamer"):
        words = rights(user, "On one Redis") + ["+role"]
        allow(sentinel.nodes, user, [word for word in words if word not in left_out])


def test_both_programs_run_behind_sentinel_with_exactly_these_rights(sentinel, run_both):
    allow_behind_sentinel(sentinel)
    running, publish = run_both(sentinel.url)
    assert_all_works(running, publish, ["a", "b"])
    former = sentinel.kill_master()
    sentinel.wait_failover(former)
    wait_until(lambda: publish.event("a", data="after").status == 200, timeout=20, what="publish finds the new master")
    wait_until(lambda: running.metrics()["redis"]["reconnects"] >= 1, timeout=20, what="the streamer finds it, too")
    assert not REFUSED.search(running.log() + publish.log())


def test_behind_sentinel_the_right_to_ask_for_the_role_is_needed(sentinel, publish_program, processes, tmp):
    allow_behind_sentinel(sentinel, left_out=["+role"])
    publish = Cgi(publish_program, processes, tmp, redis_url=signed(sentinel.url, "tidings-publish"))
    assert publish.event("a").status == 503
    assert REFUSED.search(publish.log()), publish.log()


def guard_sentinels(sentinel, words):
    """Sentinels that answer nobody but a user with these rights (and their test, over the same port)."""
    for one in sentinel.sentinels:
        for user in ("tidings-publish", "tidings-streamer"):
            one.call("ACL", "SETUSER", user, "reset", "on", ">" + PASSWORD, *words)
        one.call("ACL", "SETUSER", "default", "resetpass", ">other")


def test_sentinels_with_users_of_their_own_need_this_one_alone(sentinel, run_both):
    allow_behind_sentinel(sentinel)
    guard_sentinels(sentinel, rights("tidings-streamer", "Sentinels that have users of their own"))
    with pytest.raises(RedisError, match="NOAUTH"):
        sentinel.sentinels[0].master()
    running, publish = run_both(sentinel.url)
    assert_all_works(running, publish, ["a", "b"])


# ---- Cluster ----

def allow_on_cluster(cluster, left_out=None, of=None):
    for user in ("tidings-publish", "tidings-streamer"):
        words = rights(user, "On each node of a Cluster")
        allow(cluster.nodes, user, [word for word in words if user != of or word != left_out])


def topics_of_different_nodes(cluster):
    """One for each master."""
    found = {}
    for topic in FURTHER:
        found.setdefault(cluster.owner_of(partition_of(topic)).id, topic)
    assert len(found) == len(cluster.masters)
    return sorted(found.values())


def test_both_programs_run_on_a_cluster_with_exactly_these_rights(cluster, run_both):
    allow_on_cluster(cluster)
    running, publish = run_both(cluster.url)
    topics = topics_of_different_nodes(cluster)
    assert_all_works(running, publish, topics)


@pytest.mark.parametrize("left_out, lost", [(None, False), ("+cluster|nodes", True)])
def test_a_slot_that_moves_loses_nothing_where_the_script_may_look_at_the_nodes(cluster, run_both, left_out, lost):
    allow_on_cluster(cluster, left_out=left_out, of="tidings-publish")
    running, publish = run_both(cluster.url)
    slot, state = slot_of(partition_of("a")), key_of("state", partition_of("a"))
    source = cluster.owner(slot)
    target = next(node for node in cluster.nodes if node is not source)
    with running.live("a") as stream:
        assert publish.event("a", data="before").status == 200
        assert stream.take("message").data == b"before"
        mark = source.call("HGET", state, "mark")
        running.signal_workers(signal.SIGSTOP)  # else its own script may be there first
        cluster.move_slot(slot, target)
        wait_until(lambda: publish.event("a", data="moved").status == 200, what="publish follows the slot")
        assert (target.call("HGET", state, "mark") != mark) == lost
        running.signal_workers(signal.SIGCONT)


SPECIAL = {"+asking", "+cluster|nodes"}  # wanted while a slot moves, and behind that, alone


@pytest.mark.parametrize("right", [word for word in rights("tidings-publish", "On each node of a Cluster")
                                   if word.startswith("+") and word not in SPECIAL])
def test_on_a_cluster_publish_needs_each_of_its_rights(cluster, publish_program, processes, tmp, right):
    allow_on_cluster(cluster, left_out=right, of="tidings-publish")
    publish = FastCgi(publish_program, processes, tmp, tokens=TOKENS, redis_url=signed(cluster.url, "tidings-publish"))
    answers = [publish.event("a", data=1, idempotency_key="k")]
    for node in cluster.nodes:  # then the log has to say what was last
        for key in node.call("KEYS", "sse:*:index"):
            node.call("ZREM", key, "a")
    answers += [publish.event("a", data=2), publish.ask(method="GET", content_type=None, length=None,
                                                       SCRIPT_NAME="/publish/health")]
    answers += revoke_and_lift(publish)
    assert 503 in [answer.status for answer in answers]
    assert REFUSED.search(publish.log()), publish.log()


@pytest.mark.parametrize("right", ["+ssubscribe", "+cluster|slots", "+cluster|myid", "+eval", "+hset"])
def test_on_a_cluster_the_streamer_needs_what_leads_it_to_its_partitions(cluster, streamer_program, processes, tmp, right):
    allow_on_cluster(cluster, left_out=right, of="tidings-streamer")
    running = Streamer(streamer_program, processes, signed(cluster.url, "tidings-streamer"), tmp).start(ready=False)
    with running.open("a"):
        wait_until(lambda: REFUSED.search(running.log()), what="a line of the log that says what is refused")
