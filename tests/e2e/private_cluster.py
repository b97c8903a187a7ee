"""private_cluster: a Redis Cluster of a test's own, of masters and, when wanted, a replica for each: nodes can be killed,
frozen and started again, and slots be moved while everything goes on."""
import os
import secrets
import time
from collections import Counter

from partitions import PARTITIONS, SLOTS, slot_of
from private_redis import RedisNode
from resp import RedisError
from support import free_port, wait_until


class Member:
    """What nodes.conf says of a node before there is any."""

    def __init__(self, slots=None, master=None):
        self.id, self.port, self.bus = secrets.token_hex(20), free_port(), free_port()
        self.slots, self.master = slots, master  # a pair; whom it replicates

    def line(self, epoch, reader):
        flags = ("myself," if self is reader else "") + ("slave" if self.master else "master")
        slots = " %d-%d" % self.slots if self.slots else ""
        return (f"{self.id} 127.0.0.1:{self.port}@{self.bus} {flags} {self.master.id if self.master else '-'} 0 0 {epoch} "
                f"connected{slots}\n")


class ClusterNode(RedisNode):
    """A node that finds in its folder whom it belongs with."""

    def __init__(self, folder, member, *settings):
        self.id = member.id
        super().__init__(folder, "--cluster-enabled", "yes", "--cluster-port", str(member.bus), *settings, port=member.port)

    def info(self):
        """CLUSTER INFO, or nothing of one that does not answer."""
        try:
            lines = self.call("CLUSTER", "INFO").decode().split()
        except (OSError, RedisError):
            return {}
        return dict(line.split(":", 1) for line in lines)

    def known(self):
        """{id of a node: the words of its line in CLUSTER NODES}"""
        lines = (line.split() for line in self.call("CLUSTER", "NODES").decode().splitlines())
        return {words[0]: words for words in lines}

    def masters_slots(self):
        """[(first slot, last, the id of their master)], as it sees it; nothing when it does not answer."""
        try:
            return [(first, last, master[2].decode()) for first, last, master, *_ in self.call("CLUSTER", "SLOTS")]
        except (OSError, RedisError):
            return []


class PrivateCluster:
    """nodes: the masters, then as many replicas, in the same order. settings are for all nodes. Slots are split evenly."""

    def __init__(self, folder, *settings, masters=3, replicas=False, timeout_ms=1000):
        cuts = [SLOTS * i // masters for i in range(masters + 1)]
        members = [Member(slots=(cuts[i], cuts[i + 1] - 1)) for i in range(masters)]
        members += [Member(master=member) for member in members] if replicas else []
        settings = ("--cluster-node-timeout", str(timeout_ms), "--cluster-replica-validity-factor", "0",
                    "--cluster-allow-replica-migration", "no", *settings)
        self.nodes = []
        try:
            for i, member in enumerate(members):
                self.nodes.append(self._start(os.path.join(folder, f"n{i}"), member, members, settings))
            self.wait_ok()
        except BaseException:
            self.close()
            raise

    @staticmethod
    def _start(folder, member, members, settings):
        """They are told of each other: getting to know each other would take them some seconds."""
        os.mkdir(folder)
        with open(os.path.join(folder, "nodes.conf"), "w", encoding="utf-8") as file:
            for epoch, other in enumerate(members, 1):
                file.write(other.line(0 if other.master else epoch, member))
            file.write(f"vars currentEpoch {len(members)} lastVoteEpoch 0\n")
        return ClusterNode(folder, member, *settings)

    @property
    def url(self):
        names = [node.name for node in self.nodes]
        return f"redis://{','.join(names if len(names) > 1 else names * 2)}"  # one name alone would be that of one Redis

    # ---- who is what ----

    @property
    def answering(self):
        return [node for node in self.nodes if node.answers()]

    @property
    def masters(self):
        """Nodes that call themselves masters."""
        return [node for node in self.answering if node.is_master()]

    def owners_of(self, slots):
        """Of each slot the node that has it, as most nodes see it."""
        seen = [slots_seen for slots_seen in (node.masters_slots() for node in self.answering) if slots_seen]
        known = {node.id: node for node in self.nodes}
        owners = []
        for slot in slots:
            count = Counter(owner for one in seen for first, last, owner in one if first <= slot <= last)
            owners.append(known[count.most_common(1)[0][0]] if count else None)
        return owners

    def owner(self, slot):
        return self.owners_of([slot])[0]

    def owner_of(self, partition, partitions=PARTITIONS):
        return self.owner(slot_of(partition, partitions))

    def replica_of(self, master):
        """A node that answers and replicates that one."""
        for node in self.answering:
            role = node.call("ROLE")
            if role[0] == b"slave" and role[2] == master.port:
                return node
        return None

    def call(self, partition, *words):
        """One command at the owner of the partition."""
        return self.owner_of(partition).call(*words)

    # ---- what befalls them ----

    def promote(self, replica):
        """CLUSTER FAILOVER: by hand, with everything replicated. Returns the former master when all nodes know."""
        former = next(node for node in self.nodes if node.port == replica.call("ROLE")[2])
        for _ in range(10):
            replica.call("CLUSTER", "FAILOVER")
            end = time.monotonic() + 2  # one whose master did not hear of it takes 5 s to give up
            while time.monotonic() < end:
                if replica.is_master():
                    return self.wait_failover(former)
                time.sleep(0.01)
        raise AssertionError("no failover by hand")

    def wait_failover(self, former, timeout=30):
        """Until all other nodes see the slots, which that node had, at another one; returns former."""
        wait_until(lambda: all(self._without(node, former) for node in self.answering if node is not former), timeout,
                   "the Cluster's failover")
        return former

    @staticmethod
    def _without(node, former):
        owners = {owner for _, _, owner in node.masters_slots()}
        return owners and former.id not in owners

    def wait_ok(self, timeout=30):
        """Until every node that answers says that all slots are served, is linked to every other one that answers, all
        agree on whose slots they are, and replicas have everything."""
        def well():
            answering = self.answering
            return (all(self._is_well(node, answering) for node in answering)
                    and len({frozenset(node.masters_slots()) for node in answering}) == 1)
        wait_until(well, timeout, "cluster_state:ok on every node")

    @staticmethod
    def _is_well(node, answering):
        try:
            role, known = node.call("ROLE"), node.known()
        except (OSError, RedisError):
            return False
        linked = all(known[other.id][7] == "connected" and "fail" not in known[other.id][2] for other in answering)
        return linked and node.info().get("cluster_state") == "ok" and (role[0] == b"master" or role[3] == b"connected")

    def move_slot(self, slot, target):
        """As redis-cli does it, key by key, while everything goes on."""
        source = self.owner(slot)
        if source is target:
            return
        target.call("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id)
        source.call("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id)
        while keys := source.call("CLUSTER", "GETKEYSINSLOT", slot, 100):
            source.call("MIGRATE", *target.address, "", 0, 5000, "KEYS", *keys)
        for node in (target, source, *(node for node in self.masters if node not in (source, target))):
            node.call("CLUSTER", "SETSLOT", slot, "NODE", target.id)

    def close(self):
        """Everything ends at once: nothing of it is needed any more."""
        for node in self.nodes:
            node.kill()
