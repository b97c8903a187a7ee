/* shared: the mapping and the few rules about writing to it. What the figures mean is others'. */
#include "streamer/shared.h"

#include <string.h>
#include <sys/mman.h>
#include "common/keyed_hash.h"
#include "streamer/clock.h"

#define READ_TRIES     100
#define SILENT_SECONDS 3. /* a dozen ticks */

static size_t align(size_t n)
{
	return (n + 63) & ~(size_t)63;
}

struct shared *shared_new(unsigned workers, uint64_t addresses)
{
	size_t slots = align(sizeof(struct shared) + workers * sizeof(struct worker_slot));
	size_t ips = addresses ? ip_count_size(addresses, workers) : 0;

	if (addresses && (ips == 0 || ips > SIZE_MAX - slots))
		return NULL;
	struct shared *s = mmap(NULL, slots + ips, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (s == MAP_FAILED)
		return NULL;
	s->size = slots + ips;
	s->workers = workers;
	s->seed = keyed_hash_seed();
	for (unsigned i = 0; i < SHARED_WORKERS_MAX; i++)
		s->bells[i] = -1;
	if (addresses) {
		s->ips = (struct ip_count *)(void *)((char *)s + slots);
		if (ip_count_init(s->ips, addresses, workers) != 0) {
			shared_free(s);
			return NULL;
		}
	}
	return s;
}

void shared_free(struct shared *s)
{
	if (s)
		munmap(s, s->size);
}

void shared_say(struct shared *s, unsigned worker, enum worker_state state)
{
	double now = clock_seconds();

	__atomic_store(&s->slots[worker].said_at, &now, __ATOMIC_RELAXED);
	__atomic_store_n(&s->slots[worker].state, (uint32_t)state, __ATOMIC_RELEASE);
}

static enum worker_state last_said(const struct shared *s, unsigned worker)
{
	return (enum worker_state)__atomic_load_n(&s->slots[worker].state, __ATOMIC_ACQUIRE);
}

double shared_silence(const struct shared *s, unsigned worker)
{
	double said_at;

	if (last_said(s, worker) == WORKER_ABSENT)
		return 0;
	__atomic_load(&s->slots[worker].said_at, &said_at, __ATOMIC_RELAXED);
	double silence = clock_seconds() - said_at;
	return silence > 0 ? silence : 0;
}

enum worker_state shared_state(const struct shared *s, unsigned worker)
{
	return shared_silence(s, worker) > SILENT_SECONDS ? WORKER_SILENT : last_said(s, worker);
}

/* A report that it was writing would seem to be written for ever. */
void shared_worker_gone(struct shared *s, unsigned worker)
{
	struct worker_slot *slot = &s->slots[worker];

	shared_say(s, worker, WORKER_ABSENT);
	__atomic_store_n(&slot->places, 0, __ATOMIC_SEQ_CST);
	__atomic_and_fetch(&s->askers, ~(UINT64_C(1) << worker), __ATOMIC_SEQ_CST);
	stats_gone(&slot->stats);
	shared_report_end(s, worker);
	shared_report_begin(s, worker);
	slot->topics.report.active = slot->topics.report.n = 0;
	sketch_clear(&slot->topics.report.sketch);
	shared_report_end(s, worker);
	if (s->ips)
		ip_count_forget(s->ips, worker);
}

void shared_report_begin(struct shared *s, unsigned worker)
{
	uint64_t *version = &s->slots[worker].topics.version;

	__atomic_store_n(version, *version | 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void shared_report_end(struct shared *s, unsigned worker)
{
	uint64_t *version = &s->slots[worker].topics.version;

	__atomic_store_n(version, (*version | 1) + 1, __ATOMIC_RELEASE);
}

bool shared_report_copy(const struct shared *s, unsigned worker, struct topic_report *out)
{
	const struct shared_report *from = &s->slots[worker].topics;

	for (int i = 0; i < READ_TRIES; i++) {
		uint64_t before = __atomic_load_n(&from->version, __ATOMIC_ACQUIRE);

		memcpy(out, &from->report, sizeof(*out));
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (before % 2 == 0 && __atomic_load_n(&from->version, __ATOMIC_RELAXED) == before)
			return true;
	}
	return false;
}
