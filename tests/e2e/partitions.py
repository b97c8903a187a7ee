"""partitions: which partition of a Cluster a topic belongs to, its hash tag and its slot, as common/partition.h says it."""
from functools import lru_cache

SLOTS = 16384
PARTITIONS = 16  # the setting's default


def crc16(text):
    """CRC16-XMODEM."""
    crc = 0
    for byte in text.encode():
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1
        crc &= 0xffff
    return crc


@lru_cache(maxsize=10000)
def partition_of(topic, count=PARTITIONS):
    return crc16(topic) % count


@lru_cache(maxsize=2048)
def tag_of(partition, count=PARTITIONS):
    """The smallest k whose tag `partition.k` has its slot in the partition's part of all slots."""
    k = 0
    while crc16(f"{partition}.{k}") % SLOTS * count // SLOTS != partition:
        k += 1
    return f"{partition}.{k}"


def slot_of(partition, count=PARTITIONS):
    return crc16(tag_of(partition, count)) % SLOTS


def key_of(name, partition, count=PARTITIONS, prefix=""):
    """A key of ours, or a channel: name "log:a" gives `sse:{3.17}:log:a`."""
    return f"{prefix and prefix + ':'}sse:{{{tag_of(partition, count)}}}:{name}"
