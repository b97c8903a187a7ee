"""chaos_failovers: what befalls several servers that replace each other: a Sentinel's, a Cluster's. Each fault notes what may be
lost by it, partition by partition; what changes hands without being asked to, since the machine is slow, is noted too."""
import time
from contextlib import contextmanager

from chaos_faults import RedisLane
from partitions import slot_of
from support import free_port, wait_until

EARLY = 1.0     # seconds before a failover begins in which what is written may not have reached the replica
SHORT = 0.3     # seconds for which a server may be frozen without being replaced


class ServersLane(RedisLane):
    """The faults that both have. losses: [begin, end, partitions, {partition: mark}] of each failover."""

    def __init__(self, servers, undisturbed, *arguments):
        """undisturbed: a lock that is held while two servers may think that they are the master."""
        super().__init__(servers, True, *arguments)
        self.undisturbed = undisturbed
        self.owners, self.looked = servers.owners(), time.monotonic()
        self.explained = set()  # partitions that changed hands as they should
        self.open_losses = []   # those whose marks are still to be read

    def carry_out(self, fault):
        self.read_marks()
        super().carry_out(fault)
        owners = self.servers.owners()
        changed = {partition for partition in owners if owners[partition] is not self.owners[partition]}
        if changed - self.explained:
            self.losses.append([self.looked - EARLY, time.monotonic(), sorted(changed - self.explained), {}])
        self.owners, self.looked, self.explained = owners, time.monotonic(), set()

    def read_marks(self):
        """By the time of the next fault every partition that was lost has its mark."""
        for loss in self.open_losses:
            loss[3].update({partition: mark for partition in loss[2] if (mark := self.servers.mark(partition))})
        self.open_losses = []

    @contextmanager
    def losing(self, master, split=False):
        """What this server holds may be lost in part. split: it may take writes that nobody else knows of, and what is said
        of them comes late, when the publishers that have them come to the new one."""
        partitions = [partition for partition, owner in self.servers.owners().items() if owner is master]
        began = time.monotonic()
        with self.undisturbed:
            yield
            self.servers.wait_well()
        self.losses.append([began - EARLY, time.monotonic(), partitions, {}])
        self.explained |= set(partitions)
        if not split:
            self.open_losses.append(self.losses[-1])

    def node(self, fault):
        """A master."""
        masters = sorted(set(self.servers.owners().values()), key=lambda node: node.port)
        return masters[fault["pick"] % len(masters)]

    # ---- another one goes on ----

    def master_kill(self, fault):
        master = self.node(fault)
        with self.losing(master):
            master.kill()
            self.replaced(master)

    def master_kill_behind(self, fault):
        """Its replica has not got the last writes."""
        master = self.node(fault)
        replica = self.servers.replica_of(master)
        with self.losing(master):
            replica.pause()
            master.cut_replicas()
            time.sleep(fault["seconds"])
            master.kill()
            replica.resume()
            self.replaced(master)

    def master_stop(self, fault):
        master = self.node(fault)
        with self.losing(master):
            master.stop()
            self.replaced(master)

    def replaced(self, master):
        self.redis.wait_failover(master)
        self.restart(master)

    def master_freeze(self, fault):
        """When it wakes up, it takes itself for the master until it is told."""
        master = self.node(fault)
        with self.losing(master, split=True):
            master.pause()
            self.redis.wait_failover(master)
            master.resume()

    # ---- the same one goes on ----

    def master_restart(self, fault):
        """Fast enough to be taken for the same."""
        master = self.node(fault)
        master.kill()
        master.start()
        self.servers.wait_well()

    def short_freeze(self, fault):
        master = self.node(fault)
        master.pause()
        time.sleep(min(fault["seconds"], SHORT))
        master.resume()

    def kill_pubsub(self, _):
        for node in self.servers.nodes:
            node.call("CLIENT", "KILL", "TYPE", "pubsub")

    def kill_normal(self, _):
        for node in self.servers.nodes:
            node.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


class SentinelLane(ServersLane):
    """What befalls a master, its replica and the sentinels."""

    def restart(self, node):
        self.redis.restart(node)

    def promote(self, fault):
        """The former master takes writes until the sentinels tell it."""
        with self.losing(self.node(fault), split=True):
            self.redis.promote()

    def sentinel_away(self, fault):
        sentinel = self.redis.sentinels[fault["pick"] % len(self.redis.sentinels)]
        if fault["pick"] % 2:
            sentinel.kill()
            time.sleep(fault["seconds"])
            sentinel.start()
        else:
            sentinel.pause()
            time.sleep(fault["seconds"])
            sentinel.resume()

    def sentinel_lies(self, fault):
        """Everybody asks again, and the first one that is asked names the replica, or nobody at all."""
        [replica] = self.redis.replicas
        self.servers.says = replica.address if fault["pick"] % 2 else ("127.0.0.1", free_port())
        self.kill_normal(fault)
        self.kill_pubsub(fault)
        time.sleep(fault["seconds"])
        self.servers.says = None


class ClusterLane(ServersLane):
    """What befalls the nodes of a Cluster."""

    def restart(self, node):
        node.start()

    def promote(self, fault):
        master = self.node(fault)
        with self.losing(master):
            self.redis.promote(self.servers.replica_of(master))

    def move_slot(self, fault):
        """A partition's slot, with its keys: nothing is lost."""
        partition = fault["pick"] % self.servers.partitions
        owner = self.servers.owner(partition)
        others = [node for node in sorted(self.redis.masters, key=lambda node: node.port) if node is not owner]
        self.redis.move_slot(slot_of(partition, self.servers.partitions), others[fault["pick"] % len(others)])
        self.redis.wait_ok()
        self.explained.add(partition)

    def master_away(self, fault):
        """Without a replica all slots are out of service until it is back, with everything."""
        master = self.node(fault)
        master.kill() if fault["pick"] % 2 else master.stop()
        others = [node for node in self.redis.nodes if node is not master]
        wait_until(lambda: all(node.info().get("cluster_state") == "fail" for node in others), 30, "cluster_state:fail")
        time.sleep(fault["seconds"])
        master.start()
        self.redis.wait_ok()
