"""The Lua scripts where another server may answer than before: what a failover may have lost is marked, and ids go ahead of
those that the former server may have given; what lost nothing is not marked."""
import pytest

from partitions import slot_of, tag_of
from private_cluster import PrivateCluster
from private_redis import RedisNode
from redis_script import (STATE, append, entries, event, log, now_ms, number, parse, replay, redis, server,  # noqa: F401
                          snapshot, state)
from resp import Redis, RedisError
from support import free_port, wait_until

AHEAD_MS, SKEW_MS = 10000, 1000


def publish(redis, server):
    return append(redis, event("a"), server=server)[1]


def look(redis, server):
    return replay(redis, server=server)["at"]


@pytest.fixture(params=[publish, look], ids=["append", "replay"])
def ask(request):
    """Makes an id, or takes a position, at a server of that name; returns it."""
    return request.param


def after(event_id):
    """The next id of the same millisecond."""
    ms, n = parse(event_id)
    return f"{ms}-{n + 1}".encode()


def text(event_id):
    return event_id.decode()


# ---- who is asked ----

def test_one_redis_has_no_name_and_notes_none(redis, ask):
    ask(redis, "")
    ask(redis, "")
    assert set(state(redis)) == {"last", "mark"}


def test_the_first_server_is_noted_and_nothing_more(redis, ask):
    redis.call("HSET", STATE, "last", "1000-5")
    first = ask(redis, "a:1")
    assert state(redis) == {"last": first, "node": b"a:1", "since": b"1000-6"}
    assert parse(first)[0] < now_ms(redis) + AHEAD_MS / 2


def test_the_same_server_goes_on_without_a_word(redis, ask):
    ask(redis, "a:1")
    before = state(redis)
    later = ask(redis, "a:1")
    assert state(redis) == {**before, "last": later}


def test_another_server_marks_and_goes_ahead_of_the_clock(redis, ask):
    first = ask(redis, "a:1")
    before = now_ms(redis)
    made = ask(redis, "b:1")
    assert before + AHEAD_MS <= parse(made)[0] <= now_ms(redis) + AHEAD_MS
    after = state(redis)
    assert before - SKEW_MS <= parse(after.pop("since"))[0] <= before
    assert after == {"last": made, "mark": made, "node": b"b:1"}
    assert parse(made) > parse(first)
    assert parse(ask(redis, "b:1")) >= parse(made)
    assert state(redis)["mark"] == made


def test_ids_that_are_ahead_already_go_on_from_where_they_are(redis, ask):
    ask(redis, "a:1")
    far = f"{now_ms(redis) + 3600_000}-7"
    redis.call("HSET", STATE, "last", far)
    made = ask(redis, "b:1")
    assert number(far) <= parse(made) <= (number(far)[0], 8)
    assert state(redis)["mark"] == made


def test_each_failover_counts_from_the_clock_not_from_the_one_before(redis, ask):
    for name in ("a:1", "b:1", "a:1", "b:1", "a:1"):
        made = ask(redis, name)
    assert parse(made)[0] <= now_ms(redis) + AHEAD_MS + 1


def test_a_batch_after_a_failover_is_above_the_mark_as_a_whole(redis):
    publish(redis, "a:1")
    ids = append(redis, event("a"), event("b"), server="b:1")[1:]
    assert state(redis)["mark"] == ids[0]
    assert state(redis)["last"] == ids[1]
    assert [entry[0] for entry in entries(redis, "a")][-1] == ids[0]


# ---- two servers at once ----

def test_an_id_that_the_replaced_server_gave_afterwards_marks(redis):
    """By the clock it is behind the takeover; the ids here are ahead of it."""
    publish(redis, "a:1")
    taken = text(publish(redis, "b:1"))
    mark = state(redis)["mark"]
    afterwards = f"{now_ms(redis) + 1}-0"
    made = append(redis, event("a"), server="b:1", acknowledged=afterwards, acknowledged_by="a:1")[1]
    assert state(redis)["mark"] == made != mark and number(afterwards) < number(taken) < parse(made)
    at = replay(redis, known=afterwards, known_by="a:1", server="b:1")["at"]
    assert state(redis)["mark"] == at


def test_who_comes_later_with_an_id_of_before_the_last_mark_marks_nothing(redis):
    """Of several publishers that the replaced server had answered, the first one tells for all."""
    publish(redis, "a:1")
    publish(redis, "b:1")
    early = now_ms(redis) - 5000
    redis.call("HSET", STATE, "since", f"{early - 1000}-0")
    append(redis, event("a"), server="b:1", acknowledged=f"{early}-0", acknowledged_by="a:1")
    mark = state(redis)["mark"]
    append(redis, event("a"), server="b:1", acknowledged=f"{early + 10}-0", acknowledged_by="a:1")
    replay(redis, known=f"{early + 20}-0", known_by="a:1", server="b:1")
    assert state(redis)["mark"] == mark


def test_such_an_id_above_the_ids_here_marks_too(redis):
    publish(redis, "a:1")
    ahead = f"{parse(publish(redis, 'b:1'))[0] + 5}-0"
    made = append(redis, event("a"), server="b:1", acknowledged=ahead, acknowledged_by="a:1")[1]
    assert state(redis)["mark"] == made and parse(made) > number(ahead)


def test_an_id_that_was_lost_before_the_takeover_marks_once(redis):
    """Each publisher comes with the last id that it got from the server that died."""
    redis.call("HSET", STATE, "last", f"{now_ms(redis) - 9000}-0", "node", "a:1")
    lost = f"{now_ms(redis) - 5000}-0"
    publish(redis, "b:1")
    mark = state(redis)["mark"]
    append(redis, event("a"), server="b:1", acknowledged=lost, acknowledged_by="a:1")
    replay(redis, known=lost, known_by="a:1", server="b:1")
    assert state(redis)["mark"] == mark


def test_a_server_that_knows_nothing_at_all_marks_once(redis):
    lost = f"{now_ms(redis) - 5000}-0"
    publish(redis, "b:1")
    mark = state(redis)["mark"]
    append(redis, event("a"), server="b:1", acknowledged=lost, acknowledged_by="a:1")
    assert state(redis)["mark"] == mark


def test_an_id_of_this_server_or_from_before_it_took_over_does_not_mark(redis):
    first = text(publish(redis, "a:1"))
    own = text(publish(redis, "b:1"))
    mark = state(redis)["mark"]
    for acknowledged, by in ((first, "a:1"), (own, "b:1")):
        append(redis, event("a"), server="b:1", acknowledged=acknowledged, acknowledged_by=by)
        replay(redis, known=acknowledged, known_by=by, server="b:1")
    assert state(redis)["mark"] == mark


# ---- what fails, and what is repeated ----

def test_nothing_is_noted_when_something_fails(redis):
    publish(redis, "a:1")
    redis.call("SET", log("broken"), "not a stream")
    before = snapshot(redis)
    with pytest.raises(RedisError):
        append(redis, event("a"), event("broken"), server="b:1")
    assert snapshot(redis) == before
    made = append(redis, event("a"), server="b:1")[1]
    assert state(redis)["mark"] == made


def test_a_repeated_request_is_known_at_the_new_server_and_says_nothing_of_it(redis):
    first = append(redis, event("a"), server="a:1", once="k")[1]
    before = snapshot(redis)
    assert append(redis, event("a"), server="b:1", once="k") == [b"again", first]
    assert snapshot(redis) == before


def test_a_request_without_replicas_to_wait_for_writes_nothing_when_it_is_repeated(redis):
    append(redis, event("a"), once="k", once_seconds=100)
    redis.call("EXPIRE", "sse:once:k", 50)
    append(redis, event("a"), once="k", once_seconds=100)
    assert redis.call("TTL", "sse:once:k") <= 50
    append(redis, event("a"), once="k", once_seconds=100, wait=1)
    assert redis.call("TTL", "sse:once:k") > 50


def test_one_redis_is_asked_nothing_more_for_it(redis):
    """server '': not a command more than without failovers."""
    def commands():
        return {line.split(":")[0] for line in redis.call("INFO", "commandstats").decode().split()
                if line.startswith("cmdstat_")} - {"cmdstat_info", "cmdstat_eval", "cmdstat_config|resetstat"}
    publish(redis, "")
    redis.call("CONFIG", "RESETSTAT")
    publish(redis, "")
    stats = redis.call("INFO", "commandstats").decode()
    assert "cmdstat_hget:calls=1," in stats and "cmdstat_hset:calls=1," in stats
    assert commands() == {f"cmdstat_{name}" for name in ("get", "zscore", "xlen", "hget", "time", "xadd", "expire", "zadd",
                                                         "publish", "hset", "set")}


# ---- a real Cluster ----

TAG, SLOT = tag_of(0), slot_of(0)
PARTITION = {"tag": TAG, "send": "SPUBLISH"}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    folder = tmp_path_factory.mktemp("c")
    cluster = PrivateCluster(str(folder), masters=3)
    yield cluster
    cluster.close()


@pytest.fixture
def owner(cluster):
    """Of partition 0, with nothing in it."""
    cluster.wait_ok()
    node = cluster.owner(SLOT)
    node.call("FLUSHALL")
    return node


def at(node):
    return Redis(node.address)


def test_a_slot_that_was_moved_is_no_loss(cluster, owner):
    with at(owner) as here:
        first = append(here, event("a"), server=owner.id, **PARTITION)[1]
        mark = state(here, TAG)["mark"]
    target = next(node for node in cluster.nodes if node is not owner)
    cluster.move_slot(SLOT, target)
    with at(target) as there:
        seen = replay(there, ("a", text(first)), server=target.id, tag=TAG)
        made = append(there, event("a"), server=target.id, acknowledged=first, acknowledged_by=owner.id, **PARTITION)[1]
        assert state(there, TAG) == {"last": made, "mark": mark, "node": target.id.encode(), "since": after(first)}
        assert parse(made)[0] < now_ms(there) + AHEAD_MS / 2
        assert seen["news"] == {}
    cluster.move_slot(SLOT, owner)
    with at(owner) as here:
        back = append(here, event("a"), server=owner.id, acknowledged=made, acknowledged_by=target.id, **PARTITION)[1]
        assert state(here, TAG) == {"last": back, "mark": mark, "node": owner.id.encode(), "since": after(made)}


def test_a_former_node_that_the_cluster_does_not_know_is_a_loss(owner):
    with at(owner) as here:
        append(here, event("a"), server="0" * 40, **PARTITION)
        made = append(here, event("a"), server=owner.id, **PARTITION)[1]
        assert state(here, TAG)["mark"] == made
        assert parse(made)[0] >= now_ms(here) + AHEAD_MS - 1000


def test_a_former_node_without_slots_is_a_loss(cluster, owner, tmp_path):
    """It may be back from where it had died, with nothing."""
    newcomer = RedisNode(str(tmp_path), "--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    try:
        name = newcomer.call("CLUSTER", "MYID").decode()
        owner.call("CLUSTER", "MEET", *newcomer.address, newcomer.call("CONFIG", "GET", "cluster-port")[1])
        wait_until(lambda: all(f"{name} " in node.call("CLUSTER", "NODES").decode() for node in cluster.nodes), 20)
        with at(owner) as here:
            append(here, event("a"), server=name, **PARTITION)
            made = append(here, event("a"), server=owner.id, **PARTITION)[1]
            assert state(here, TAG)["mark"] == made
    finally:
        newcomer.kill()
        for node in cluster.nodes:
            node.call("CLUSTER", "FORGET", name)


def test_a_former_node_that_fails_is_a_loss(cluster, owner):
    other = next(node for node in cluster.nodes if node is not owner)
    owner.call("CONFIG", "SET", "cluster-require-full-coverage", "no")
    with at(owner) as here:
        append(here, event("a"), server=other.id, **PARTITION)
        mark = state(here, TAG)["mark"]
        other.kill()
        wait_until(lambda: any(line.startswith(other.id) and "fail" in line.split()[2]
                               for line in here.call("CLUSTER", "NODES").decode().splitlines()), 20)
        made = append(here, event("a"), server=owner.id, **PARTITION)[1]
        assert state(here, TAG)["mark"] == made != mark
    other.start()
