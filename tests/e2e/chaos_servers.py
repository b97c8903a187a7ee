"""chaos_servers: the Redis of a scenario, which may be several servers: where our programs find it, who holds what, and
what its logs hold. One class for each of one Redis, Sentinel and Cluster, which the judge uses alike."""
import os

from partitions import key_of, partition_of, slot_of
from private_cluster import PrivateCluster
from private_redis import PrivateRedis
from private_sentinel import LyingSentinel, PrivateSentinel
from resp import RedisError
from support import wait_until


class OneRedis:
    """A Redis on a unix socket."""

    def __init__(self, folder, plan, persist):
        self.prefix = plan["settings"]["topic_prefix"]
        os.mkdir(os.path.join(folder, "r"))
        self.redis = PrivateRedis(os.path.join(folder, "r"), *(() if persist else ("--appendonly", "no")))
        self.path, self.url = self.redis.path, self.redis.url

    def wait_well(self):
        wait_until(self._is_up, what="Redis is up")

    def _is_up(self):
        try:
            return self.redis.call("PING") == b"PONG"
        except (OSError, RedisError):
            return False

    def key(self, name, _topic):
        return f"{self.prefix and self.prefix + ':'}sse:{name}"

    def node_of(self, _topic):
        return self.redis

    def log(self, topic):
        """[(id, message)]"""
        with self.node_of(topic).connect() as redis:
            found = redis.call("XRANGE", self.key("log:" + topic, topic), "-", "+")
        return [(id.decode(), fields[1]) for id, fields in found]

    def close(self):
        self.redis.stop()


class Servers(OneRedis):
    """Several that replace each other: partitions are numbered, 0 alone on Sentinel."""

    def node_of(self, topic):
        return self.owner(self.partition(topic))

    def owners(self):
        """{partition: its node}"""
        return {0: self.redis.master}

    def mark(self, partition):
        """The id that whatever the partition lost is below, as a text."""
        try:
            return (self.owner(partition).call("HGET", self.state(partition), "mark") or b"").decode()
        except (OSError, RedisError):
            return ""


class SentinelServers(Servers):
    """A master, a replica, three sentinels, and before these in the URL one that says what `says` gives."""

    partitions = 0

    def __init__(self, folder, plan, _persist):
        self.prefix = plan["settings"]["topic_prefix"]
        self.redis = PrivateSentinel(folder)
        self.says = None
        self.liar = LyingSentinel(self.tell)
        before, _, names = self.redis.url.partition("//")
        self.url = f"{before}//{self.liar.name},{names}"

    @property
    def nodes(self):
        return self.redis.nodes

    def tell(self):
        return self.says or self.redis.master.address

    def wait_well(self):
        self.redis.wait_ready(60)

    def partition(self, _topic):
        return 0

    def owner(self, _partition):
        return self.redis.master

    def state(self, _partition):
        return self.key("state", None)

    def replica_of(self, _master):
        return self.redis.replicas[0]

    def close(self):
        self.liar.close()
        self.redis.close()


class ClusterServers(Servers):
    """Three masters, with a replica each or without."""

    def __init__(self, folder, plan, _persist):
        self.prefix, self.partitions = plan["settings"]["topic_prefix"], plan["settings"]["partitions"]
        self.redis = PrivateCluster(folder, replicas=plan["profile"] != "shards")
        self.url = self.redis.url

    @property
    def nodes(self):
        return self.redis.nodes

    def wait_well(self):
        self.redis.wait_ok(60)

    def partition(self, topic):
        return partition_of(topic, self.partitions)

    def owner(self, partition):
        return self.redis.owner_of(partition, self.partitions)

    def owners(self):
        return dict(enumerate(self.redis.owners_of(slot_of(i, self.partitions) for i in range(self.partitions))))

    def key(self, name, topic):
        return key_of(name, self.partition(topic), self.partitions, self.prefix)

    def state(self, partition):
        return key_of("state", partition, self.partitions, self.prefix)

    def replica_of(self, master):
        return self.redis.replica_of(master)

    def close(self):
        self.redis.close()


SERVERS = {None: OneRedis, "sentinel": SentinelServers, "cluster": ClusterServers, "shards": ClusterServers}
