/* tally: see tally.h. Who completes events wakes the parent, but only while that says it waits:
 * one write for many events. */
#include "bench/tally.h"

#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

struct tally *tally_new(unsigned processes)
{
	struct tally *t =
		mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (t == MAP_FAILED)
		return NULL;
	t->n = processes;
	t->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (t->wake >= 0)
		return t;
	munmap(t, sizeof(*t));
	return NULL;
}

void tally_wake(struct tally *t)
{
	uint64_t one = 1;

	/* It can only fail when it is awake many times over. */
	if (write(t->wake, &one, sizeof(one)) < 0)
		return;
}

void tally_expect(struct tally *t, uint32_t number, uint32_t deliveries)
{
	atomic_store(&t->left[number % TALLY_RING], deliveries);
}

void tally_delivered(struct tally *t, uint32_t number)
{
	if (atomic_fetch_sub(&t->left[number % TALLY_RING], 1) == 1)
		atomic_fetch_add(&t->complete, 1);
}

void tally_tell(struct tally *t)
{
	if (atomic_load(&t->waiting) && atomic_exchange(&t->waiting, false))
		tally_wake(t);
}

uint64_t tally_sum(const struct tally *t, size_t offset)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < t->n; i++) {
		const char *at = (const char *)&t->processes[i] + offset;

		sum += atomic_load((const _Atomic uint64_t *)(const void *)at);
	}
	return sum;
}
