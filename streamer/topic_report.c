/* topic_report: the largest topics in a heap whose top is the smallest of them, the number of
 * different ones in a sketch. */
#include "streamer/topic_report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "common/keyed_hash.h"
#include "streamer/hub.h"

/* ---- one worker ---- */

/* Puts t at `at` of the heap, or lets what is smaller rise there. */
static void sift_down(const struct topic **heap, size_t n, size_t at, const struct topic *t)
{
	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < n && heap[child + 1]->listeners < heap[child]->listeners)
			child++;
		if (child >= n || heap[child]->listeners >= t->listeners)
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = t;
}

static void sift_up(const struct topic **heap, size_t at, const struct topic *t)
{
	while (at > 0 && heap[(at - 1) / 2]->listeners > t->listeners) {
		heap[at] = heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	heap[at] = t;
}

static void consider(const struct topic **heap, size_t *n, const struct topic *t)
{
	if (*n < REPORT_TOPICS)
		sift_up(heap, (*n)++, t);
	else if (t->listeners > heap[0]->listeners)
		sift_down(heap, *n, 0, t);
}

static void name_them(struct topic_report *r, const struct topic *const *heap)
{
	for (size_t i = 0; i < r->n; i++) {
		struct report_topic *to = &r->largest[i];

		to->listeners = heap[i]->listeners;
		memcpy(to->name, heap[i]->name, heap[i]->name_len + 1);
	}
}

void topic_report_write(struct topic_report *r, const struct hub *const *hubs, size_t n_hubs,
			uint64_t seed)
{
	const struct topic *heap[REPORT_TOPICS], *t;

	r->active = r->n = 0;
	sketch_clear(&r->sketch);
	for (size_t i = 0; i < n_hubs; i++)
		HUB_EACH(hubs[i], t)
		{
			if (t->listeners == 0)
				continue;
			r->active++;
			sketch_add(&r->sketch, keyed_hash_wide(seed, t->name, t->name_len));
			consider(heap, &r->n, t);
		}
	name_them(r, heap);
}

/* ---- all together ---- */

static int by_name(const void *a, const void *b)
{
	const struct report_topic *x = a, *y = b;
	return strcmp(x->name, y->name);
}

static int larger_first(const void *a, const void *b)
{
	const struct report_topic *x = a, *y = b;
	return (x->listeners < y->listeners) - (x->listeners > y->listeners);
}

/* Neighbours of one name become one; returns how many are left. */
static size_t join(struct report_topic *all, size_t n)
{
	size_t kept = 0;

	qsort(all, n, sizeof(*all), by_name);
	for (size_t i = 0; i < n; i++) {
		if (kept > 0 && strcmp(all[kept - 1].name, all[i].name) == 0)
			all[kept - 1].listeners += all[i].listeners;
		else
			all[kept++] = all[i];
	}
	return kept;
}

static uint64_t count_active(const struct topic_report *reports, size_t n)
{
	struct sketch all;

	if (n == 1)
		return reports[0].active;
	sketch_clear(&all);
	for (size_t i = 0; i < n; i++)
		sketch_merge(&all, &reports[i].sketch);
	return sketch_count(&all);
}

int topic_report_total(const struct topic_report *reports, size_t n, struct topic_totals *out)
{
	struct report_topic *all = calloc(n * REPORT_TOPICS + 1, sizeof(*all));
	size_t found = 0;

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		memcpy(&all[found], reports[i].largest, reports[i].n * sizeof(*all));
		found += reports[i].n;
	}
	found = join(all, found);
	qsort(all, found, sizeof(*all), larger_first);
	out->n = found < TOTAL_TOPICS ? found : TOTAL_TOPICS;
	memcpy(out->largest, all, out->n * sizeof(*all));
	out->active = count_active(reports, n);
	free(all);
	return 0;
}
