/* seen: a slot holds the last id that fell into it. Who puts another one there saw it first. */
#include "streamer/seen.h"

#include "common/keyed_hash.h"

bool seen_first(struct seen *s, unsigned partition, struct event_id id)
{
	const uint64_t key[] = {partition, id.ms, id.n};
	uint64_t mark = keyed_hash_wide(0, key, sizeof(key)) | 1; /* never that of none */
	uint64_t *slot = &s->slots[mark >> 48];

	return __atomic_exchange_n(slot, mark, __ATOMIC_RELAXED) != mark;
}

_Static_assert(SEEN_SLOTS == 1 << 16, "the upper bits of a mark number the slots");
