"""cluster_bus: publishing on a Cluster past publish: the same script, at the node of each of an event's partitions."""
import itertools

from partitions import PARTITIONS, key_of, partition_of
from redis_script import APPEND, IDS, event, parts, script
from resp import RedisError

CALLS = itertools.count()


def topic_in(partition, number=0, count=PARTITIONS):
    """The number-th topic of the form tN that belongs to the partition."""
    found = (f"t{i}" for i in itertools.count() if partition_of(f"t{i}", count) == partition)
    return next(itertools.islice(found, number, None))


class ClusterBus:
    """connect(partition) gives a connection to its node; both are looked up anew when the node says no."""

    def __init__(self, cluster, prefix="", partitions=PARTITIONS):
        self.cluster, self.prefix, self.partitions = cluster, prefix, partitions

    def publish(self, *topics, name="x", data="{}", history_size=100):
        """{partition: id} of one event, its partitions in the order of its topics."""
        item = event(*topics, name=name, data=data)
        groups = {}
        for topic in topics:
            groups.setdefault(partition_of(topic, self.partitions), []).append(topic)
        return {partition: self.append(partition, item, group, history_size) for partition, group in groups.items()}

    def append(self, partition, item, topics, history_size):
        def key(name):
            return key_of(name, partition, self.partitions, self.prefix)
        node = self.cluster.owner_of(partition, self.partitions)
        keys = [key("state"), key("index"), key(f"once:bus-{next(CALLS)}"), key("rate")] + [key("log:" + t) for t in topics]
        words = ["", "digest", 300, history_size, 300, 10000, 86400, 0, "SPUBLISH", node.id, "", 0, 1, *parts(item), len(topics)]
        for topic in topics:
            words += [topic, key(topic)]
        return node.call("EVAL", script(IDS, APPEND), len(keys), *keys, *words)[1].decode()


def position_of(text):
    """{partition: id} of a cursor."""
    return {int(partition): id for partition, id in (pair.split(":") for pair in text.split(","))}


__all__ = ["ClusterBus", "RedisError", "position_of", "topic_in"]
