/* partition: see partition.h. Owns nothing; where a slot is, the Cluster says. */
#include "common/partition.h"

#include <stdio.h>

/* CRC16-XMODEM: polynomial 0x1021, nothing reflected, begins at 0. */
static unsigned crc16(struct span text)
{
	unsigned crc = 0;

	for (size_t i = 0; i < text.len; i++) {
		crc ^= (unsigned)(unsigned char)text.at[i] << 8;
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
		crc &= 0xffff;
	}
	return crc;
}

unsigned partition_slot(struct span tag)
{
	return crc16(tag) % REDIS_SLOTS;
}

unsigned partition_of(struct span topic, unsigned n)
{
	return crc16(topic) % n;
}

unsigned partition_tag(unsigned i, unsigned n, char out[PARTITION_TAG_BYTES])
{
	for (unsigned k = 0;; k++) {
		int len = snprintf(out, PARTITION_TAG_BYTES, "%u.%u", i % PARTITION_MAX, k);
		unsigned slot = partition_slot((struct span){out, (size_t)len});

		if (slot * n / REDIS_SLOTS == i)
			return slot;
	}
}
