"""publish on a Redis Cluster: each event is in the partitions of its topics, once, with an id that rises there, whatever
befalls nodes and slots meanwhile."""
import json
import threading
from collections import Counter

import pytest

from partitions import PARTITIONS, key_of, partition_of, slot_of
from private_redis import RedisNode
from publish_program import Cgi, FastCgi
from redis_script import number
from resp import Redis
from support import free_port, wait_until


@pytest.fixture
def by(publish_program, processes, tmp):
    """by(cluster, settings): publish on it."""
    started = []  # each is named by its place in memory

    def start(cluster, way=FastCgi, **settings):
        started.append(way(publish_program, processes, tmp, **{"redis_url": cluster and cluster.url, **settings}))
        return started[-1]
    return start


@pytest.fixture
def publish(by, cluster):
    return by(cluster)


def topics_of(partition, count, partitions=PARTITIONS):
    """So many topics of a partition."""
    names = (f"t{i}" for i in range(100000))
    found = (name for name in names if partition_of(name, partitions) == partition)
    return [next(found) for _ in range(count)]


def log(cluster, topic, partitions=PARTITIONS, prefix=""):
    """[(id, message)] of the topic."""
    partition = partition_of(topic, partitions)
    node = cluster.owner_of(partition, partitions)
    found = node.call("XRANGE", key_of("log:" + topic, partition, partitions, prefix), "-", "+")
    return [(entry[0].decode(), json.loads(entry[1][1])) for entry in found]


def ids(cluster, topic):
    return [event_id for event_id, _ in log(cluster, topic)]


def partitions_at(cluster, node):
    owners = cluster.owners_of([slot_of(partition) for partition in range(PARTITIONS)])
    return [partition for partition, owner in enumerate(owners) if owner is node]


def state(cluster, partition):
    words = [word.decode() for word in cluster.call(partition, "HGETALL", key_of("state", partition))]
    return dict(zip(words[::2], words[1::2]))


def health(publish):
    return publish.ask(method="GET", content_type=None, length=None, PATH_INFO="/health")


def rising(found):
    return all(number(a) < number(b) for a, b in zip(found, found[1:]))


ONE = [topics_of(i, 1)[0] for i in range(PARTITIONS)]  # a topic of each partition


# ---- where events are ----

@pytest.mark.parametrize("way", [FastCgi, Cgi], ids=lambda way: way.name)
def test_each_partition_takes_the_events_of_its_topics(by, cluster, way):
    publish = by(cluster, way)
    for partition, topic in enumerate(ONE):
        answer = publish.event(topic)
        assert answer.status == 200, answer
        assert answer.json == {"id": answer.json["id"], "partitions": {str(partition): answer.json["id"]}}
        [(event_id, message)] = log(cluster, topic)
        assert event_id == answer.json["id"] == message["id"]
        assert state(cluster, partition)["node"] == cluster.owner_of(partition).id
    assert {cluster.owner_of(i) for i in range(PARTITIONS)} == set(cluster.nodes)


def test_messages_come_on_the_sharded_channel_of_their_partition(publish, cluster):
    with Redis(cluster.owner_of(3).address) as listener:
        channel = key_of(ONE[3], 3)
        listener.call("SSUBSCRIBE", channel)
        answer = publish.event(ONE[3], data=[1])
        kind, where, message = listener.receive()
        assert (kind, where.decode()) == (b"smessage", channel)
        assert json.loads(message)["id"] == answer.json["id"]


def test_an_event_of_several_partitions_has_an_id_in_each_and_carries_all_its_topics(publish, cluster):
    topics = [ONE[9], *topics_of(2, 2), ONE[14], topics_of(9, 2)[1]]
    answer = publish.ask({"topics": topics, "data": 7})
    assert answer.status == 200
    assert list(answer.json["partitions"]) == ["9", "2", "14"]
    assert answer.json["id"] == answer.json["partitions"]["9"]
    for topic in topics:
        [(event_id, message)] = log(cluster, topic)
        assert event_id == answer.json["partitions"][str(partition_of(topic))] == message["id"]
        assert message["topics"] == topics and message["data"] == 7


def test_a_batch_is_in_order_in_each_partition_and_each_event_has_its_ids(publish, cluster):
    batch = [{"topics": [ONE[i % 5], ONE[(i * 7) % 11]], "data": i} for i in range(60)]
    answer = publish.ask(batch)
    assert answer.status == 200 and len(answer.json["ids"]) == len(answer.json["partitions"]) == 60
    for i, item in enumerate(batch):
        wanted = list(dict.fromkeys(str(partition_of(topic)) for topic in item["topics"]))
        assert list(answer.json["partitions"][i]) == wanted
        assert answer.json["ids"][i] == answer.json["partitions"][i][wanted[0]]
    for partition in range(11):
        found = log(cluster, ONE[partition])
        assert [message["data"] for _, message in found] == [i for i, item in enumerate(batch) if ONE[partition] in item["topics"]]
        assert [event_id for event_id, _ in found] == [answer.json["partitions"][message["data"]][str(partition)]
                                                       for _, message in found]
        assert rising([event_id for event_id, _ in found])


@pytest.mark.parametrize("partitions", [1, 5, 1024])
def test_there_are_as_many_partitions_as_the_setting_says(by, cluster, partitions):
    publish = by(cluster, partitions=partitions, topic_prefix="shop")
    answer = publish.ask({"topics": ["a", "b", "c"]})
    assert answer.status == 200
    assert list(answer.json["partitions"]) == list(dict.fromkeys(str(partition_of(t, partitions)) for t in "abc"))
    for topic in "abc":
        assert len(log(cluster, topic, partitions, "shop")) == 1
    keys = [key.decode() for node in cluster.nodes for key in node.call("KEYS", "*")]
    assert keys and all(key.startswith("shop:sse:{") for key in keys)
    assert health(publish).status == 200


def test_the_largest_request_goes_through(publish, cluster):
    topics = [f"t{i}" for i in range(1000)]
    answer = publish.ask([{"topics": topics}] * 10)
    assert answer.status == 200
    assert Counter(len(found) for found in answer.json["partitions"]) == {PARTITIONS: 10}
    assert [event_id for event_id in ids(cluster, "t999")] == [found[str(partition_of("t999"))] for found in answer.json["partitions"]]


# ---- once ----

def test_a_repeated_request_gets_its_ids_again_and_publishes_nothing(publish, cluster):
    body = [{"topics": ONE[:4]}, {"topic": ONE[7]}]
    first = publish.ask(body, HTTP_IDEMPOTENCY_KEY="k")
    again = publish.ask(body, HTTP_IDEMPOTENCY_KEY="k")
    assert first.status == again.status == 200 and first.json == again.json
    assert all(len(log(cluster, topic)) == 1 for topic in (*ONE[:4], ONE[7]))


def test_the_key_of_one_request_is_no_other_ones_in_any_partition(publish, cluster):
    publish.ask({"topic": ONE[0]}, HTTP_IDEMPOTENCY_KEY="k")
    for topic in ONE:
        answer = publish.ask({"topic": topic, "data": 1}, HTTP_IDEMPOTENCY_KEY="k")
        assert answer.status == 422 and answer.json["field"] == "Idempotency-Key"
        assert len(log(cluster, topic)) == (topic == ONE[0])


def test_a_request_that_was_cut_short_is_completed_and_not_doubled(publish, cluster):
    """The second partition's log is none, until the request is repeated."""
    wrong = key_of("log:" + ONE[6], 6)
    cluster.call(6, "SET", wrong, "no log")
    body = {"topics": [ONE[5], ONE[6], ONE[8]]}
    answer = publish.ask(body, HTTP_IDEMPOTENCY_KEY="k")
    assert answer.status == 503
    assert answer.detail.startswith("published in some of its partitions, in others perhaps not: a key of tidings in Redis")
    assert len(log(cluster, ONE[5])) == 1 and log(cluster, ONE[8]) == []
    assert publish.ask({"topic": ONE[1]}, HTTP_IDEMPOTENCY_KEY="k").status == 422
    cluster.call(6, "DEL", wrong)
    again = publish.ask(body, HTTP_IDEMPOTENCY_KEY="k")
    assert again.status == 200
    for topic in body["topics"]:
        assert ids(cluster, topic) == [again.json["partitions"][str(partition_of(topic))]]


def test_a_key_whose_request_published_nothing_is_free_again(publish, cluster):
    wrong = key_of("log:" + ONE[6], 6)
    cluster.call(6, "SET", wrong, "no log")
    answer = publish.ask({"topics": [ONE[6], ONE[5]]}, HTTP_IDEMPOTENCY_KEY="k")
    assert answer.status == 503 and answer.detail.startswith("not published: ")
    assert publish.ask({"topic": ONE[5]}, HTTP_IDEMPOTENCY_KEY="k").status == 200


def test_the_claim_of_a_key_ends_after_five_minutes_and_is_renewed_when_it_is_used(publish, cluster):
    publish.ask({"topic": ONE[0]}, HTTP_IDEMPOTENCY_KEY="k")
    [(node, key)] = [(node, key) for node in cluster.nodes for key in node.call("KEYS", "*:claim:*")]
    assert 290 < node.call("TTL", key) <= 300
    node.call("EXPIRE", key, 10)
    publish.ask({"topic": ONE[0]}, HTTP_IDEMPOTENCY_KEY="k")
    assert 290 < node.call("TTL", key) <= 300


# ---- the limit ----

def test_all_partitions_together_keep_the_limit(by, cluster):
    publish = by(cluster, rate_limit_per_second=20)
    statuses = Counter(publish.event(ONE[i % PARTITIONS]).status for i in range(60))
    assert set(statuses) == {200, 429} and 20 <= statuses[200] <= 40
    answer = publish.ask([{"topic": topic} for topic in ONE])
    assert answer.status == 429 and "retry-after" in answer.headers


def test_a_repeated_request_is_counted_once_and_one_that_was_over_it_again(by, cluster):
    publish = by(cluster, rate_limit_per_second=2)
    assert publish.ask([{"topic": ONE[1]}] * 2, HTTP_IDEMPOTENCY_KEY="k").status == 200
    assert publish.ask([{"topic": ONE[1]}] * 2, HTTP_IDEMPOTENCY_KEY="k").status == 200
    assert publish.ask({"topic": ONE[2]}, HTTP_IDEMPOTENCY_KEY="l").status == 429
    answer = wait_until(lambda: (a := publish.ask({"topic": ONE[3]}, HTTP_IDEMPOTENCY_KEY="l")).status != 429 and a)
    assert answer.status == 200 and log(cluster, ONE[2]) == []


# ---- slots move ----

def other_than(cluster, node):
    return next(other for other in cluster.nodes if other is not node)


def test_a_slot_that_was_moved_is_followed_and_loses_nothing(publish, cluster):
    before = [publish.event(ONE[4]).json["id"] for _ in range(3)]
    mark = state(cluster, 4)["mark"]
    target = other_than(cluster, cluster.owner_of(4))
    cluster.move_slot(slot_of(4), target)
    after = publish.event(ONE[4])
    assert after.status == 200
    assert ids(cluster, ONE[4]) == before + [after.json["id"]] and rising(ids(cluster, ONE[4]))
    assert state(cluster, 4)["mark"] == mark and state(cluster, 4)["node"] == target.id


def test_slots_move_while_publishers_are_busy(by, cluster):
    publish = by(cluster, count=3)
    topics = [topics_of(i, 4) for i in range(3)]
    acknowledged, stop, refused = [], threading.Event(), []

    def hurry(name):
        serial = 0
        while not stop.is_set():
            serial += 1
            body = {"topics": [topics[name][serial % 4], topics[(name + 1) % 3][serial % 4]], "data": f"{name}-{serial}"}
            while (answer := publish.ask(body, HTTP_IDEMPOTENCY_KEY=f"{name}-{serial}")).status != 200:
                refused.append(answer)
            acknowledged.append((body, answer.json["partitions"]))

    threads = [threading.Thread(target=hurry, args=(name,)) for name in range(3)]
    for thread in threads:
        thread.start()
    marks = {}
    for step in range(6):
        wait_until(lambda: len(acknowledged) > 50 * (step + 1))
        marks = marks or {i: state(cluster, i)["mark"] for i in range(3)}
        cluster.move_slot(slot_of(step % 3), other_than(cluster, cluster.owner_of(step % 3)))
    wait_until(lambda: len(acknowledged) > 400)
    stop.set()
    for thread in threads:
        thread.join()
    assert all(answer.status == 503 for answer in refused), refused
    assert "CROSSSLOT" not in publish.log()
    assert {i: state(cluster, i)["mark"] for i in range(3)} == marks
    by_topic = {}
    for body, partitions in acknowledged:
        for topic in body["topics"]:
            by_topic.setdefault(topic, []).append((partitions[str(partition_of(topic))], body["data"]))
    for topic, wanted in by_topic.items():
        found = [(event_id, message["data"]) for event_id, message in log(cluster, topic)]
        assert rising([event_id for event_id, _ in found])
        wanted = sorted(wanted, key=lambda pair: number(pair[0]))[-len(found):]
        assert found == wanted


def test_a_slot_half_way_is_served_as_soon_as_it_is_whole(by, cluster):
    """Its keys are at two nodes: nobody can run a script on them until the rest has followed."""
    publish = by(cluster)
    publish.event(ONE[4])
    source, slot = cluster.owner_of(4), slot_of(4)
    target = other_than(cluster, source)
    target.call("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id)
    source.call("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id)
    assert publish.event(ONE[4]).status == 200  # all keys are still there
    keys = source.call("CLUSTER", "GETKEYSINSLOT", slot, 100)
    source.call("MIGRATE", *target.address, keys[0], 0, 5000)
    answer = publish.event(ONE[4])
    assert answer.status == 503 and answer.seconds < 1.5
    assert "moving these keys" in answer.detail
    source.call("MIGRATE", *target.address, "", 0, 5000, "KEYS", *source.call("CLUSTER", "GETKEYSINSLOT", slot, 100))
    answer = publish.event(ONE[4])  # ASK: all are there now, and the slot is not yet
    assert answer.status == 200
    for node in (target, source, *cluster.nodes):
        node.call("CLUSTER", "SETSLOT", slot, "NODE", target.id)
    assert publish.event(ONE[4]).status == 200
    assert len(ids(cluster, ONE[4])) == 4 and rising(ids(cluster, ONE[4]))


# ---- nodes die ----

def test_any_node_will_do_to_begin_with(by, cluster):
    publish = by(cluster, redis_url=f"redis://127.0.0.1:{free_port()},127.0.0.1:{free_port()},{cluster.nodes[1].name}")
    assert all(publish.event(topic).status == 200 for topic in ONE)


def test_without_a_replica_a_dead_node_costs_its_own_partitions_alone(publish, cluster):
    for node in cluster.nodes:
        node.call("CONFIG", "SET", "cluster-require-full-coverage", "no")
    assert all(publish.event(topic).status == 200 for topic in ONE)
    dead = cluster.owner_of(0)
    lost = partitions_at(cluster, dead)
    dead.kill()
    for partition, topic in enumerate(ONE):
        answer = publish.event(topic)
        assert answer.status == (503 if partition in lost else 200), (partition, answer)
        assert answer.seconds < 1.5
    assert health(publish).status == 503
    dead.start()
    cluster.wait_ok()
    for partition in lost:
        assert wait_until(lambda: publish.event(ONE[partition]).status == 200)
        assert "mark" in state(cluster, partition)
    assert health(publish).status == 200


def test_the_replica_of_a_dead_node_takes_over_and_the_loss_is_marked(by, replicated_cluster):
    cluster = replicated_cluster
    publish = by(cluster)
    before = {partition: publish.event(topic).json["id"] for partition, topic in enumerate(ONE)}
    former = cluster.owner_of(0)
    replica = cluster.replica_of(former)
    wait_until(lambda: replica.call("DBSIZE") == former.call("DBSIZE"))
    lost = partitions_at(cluster, former)
    former.kill()
    cluster.wait_failover(former)
    for partition, topic in enumerate(ONE):
        answer = publish.event(topic)
        assert answer.status == 200 and answer.seconds < 1.2, (partition, answer)
        assert rising([before[partition], answer.json["id"]])
        assert (state(cluster, partition)["mark"] == answer.json["id"]) == (partition in lost)
        assert ids(cluster, topic)[-1] == answer.json["id"]


def test_a_frozen_node_is_left_when_its_replica_has_taken_over(by, replicated_cluster):
    cluster = replicated_cluster
    publish = by(cluster)
    assert all(publish.event(topic).status == 200 for topic in ONE)
    former = cluster.owner_of(0)
    former.pause()
    answer = publish.event(ONE[0])
    assert answer.status in (200, 503) and answer.seconds < 1.5
    cluster.wait_failover(former)
    answer = publish.event(ONE[0])
    assert answer.status == 200 and answer.seconds < 1.2
    former.resume()
    cluster.wait_ok()
    assert all(publish.event(topic).status == 200 for topic in ONE)


def test_a_replica_that_was_promoted_by_hand_is_found(by, replicated_cluster):
    cluster = replicated_cluster
    publish = by(cluster)
    publish.event(ONE[0])
    former = cluster.owner_of(0)
    cluster.promote(cluster.replica_of(former))
    answer = publish.event(ONE[0])
    assert answer.status == 200 and ids(cluster, ONE[0])[-1] == answer.json["id"]


def test_a_cluster_that_is_down_is_503_and_comes_back(publish, cluster):
    assert publish.event(ONE[0]).status == 200
    dead = next(node for node in cluster.nodes if node is not cluster.owner_of(0))
    dead.kill()
    alive = cluster.owner_of(0)
    wait_until(lambda: alive.info()["cluster_state"] == "fail", 20)
    answer = publish.event(ONE[0])
    assert answer.status == 503 and answer.seconds < 1.5
    assert answer.detail == "not published: the Redis Cluster is down"
    checked = health(publish)
    assert checked.status == 503
    dead.start()
    cluster.wait_ok()
    assert publish.event(ONE[0]).status == 200
    assert wait_until(lambda: health(publish).status == 200)
    assert len(log(cluster, ONE[0])) == 2


# ---- what else may be wrong ----

def test_a_redis_that_is_no_cluster_is_told(by, tmp_path):
    node = RedisNode(str(tmp_path))
    try:
        publish = by(None, redis_url=f"redis://{node.name},{node.name}")
        answer = publish.event()
        assert answer.status == 503 and answer.seconds < 0.5
        assert "cluster support disabled" in publish.log()
    finally:
        node.kill()


def test_trouble_is_logged_once_and_its_end_too(publish, cluster):
    publish.event(ONE[0])
    node = cluster.owner_of(0)
    node.kill()
    for _ in range(3):
        publish.event(ONE[0])
    node.start()
    cluster.wait_ok()
    assert wait_until(lambda: publish.event(ONE[0]).status == 200)
    assert 1 <= publish.log().count("can't publish") <= 3
    assert publish.log().count("Redis takes events again") == 1
