/* split: see split.h. Counts first, so that each kind of thing is one block, in which the parts lie
 * one after the other; then fills. */
#include "publisher/split.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/partition.h"

/* What is known of a partition while the request is walked. */
struct tally {
	size_t events, copies; /* that go there */
	size_t part;       /* its number among the parts, from 1; 0: the request does not name it */
	size_t last_event; /* that went there, from 1 */
};

static void count(const struct publish_log_request *request, unsigned n, struct tally *tally,
		  uint16_t *of_copy, size_t *parts)
{
	size_t copy = 0;

	for (size_t i = 0; i < request->n; i++) {
		for (size_t k = 0; k < request->events[i].n_topics; k++, copy++) {
			unsigned partition = partition_of(request->events[i].topics[k], n);
			struct tally *t = &tally[partition];

			of_copy[copy] = (uint16_t)partition;
			if (!t->part)
				t->part = ++*parts;
			t->events += t->last_event != i + 1;
			t->last_event = i + 1;
			t->copies++;
		}
	}
}

/* Gives each part its place in the blocks. */
static void lay_out(const struct publish_log_request *request, unsigned n, struct tally *tally,
		    struct split *s)
{
	for (unsigned partition = 0; partition < n; partition++) {
		if (tally[partition].part)
			s->parts[tally[partition].part - 1].partition = partition;
	}
	struct publish_log_event *events = s->events;
	size_t *copies = s->copies;
	for (size_t i = 0; i < s->n; i++) {
		struct split_part *part = &s->parts[i];
		struct tally *t = &tally[part->partition];

		part->request = *request;
		part->request.events = events;
		part->request.n = 0;
		part->copies = copies;
		events += t->events;
		copies += t->copies;
		t->copies = t->last_event = 0;
	}
}

static void add_copy(struct split *s, struct tally *t, const struct publish_log_request *request,
		     size_t event, size_t copy, struct span topic)
{
	struct split_part *part = &s->parts[t->part - 1];
	size_t first = (size_t)(part->request.events - s->events);
	size_t start = (size_t)(part->copies - s->copies);
	struct publish_log_event *e = &s->events[first + part->request.n];

	if (t->last_event != event + 1) {
		e->parts = request->events[event].parts;
		e->topics = s->topics + start + t->copies;
		e->n_topics = 0;
		part->request.n++;
	} else {
		e--;
	}
	s->topics[start + t->copies] = topic;
	s->copies[start + t->copies] = copy;
	e->n_topics++;
	t->copies++;
	t->last_event = event + 1;
}

static void fill(const struct publish_log_request *request, struct tally *tally,
		 const uint16_t *of_copy, struct split *s)
{
	size_t copy = 0;

	for (size_t i = 0; i < request->n; i++) {
		for (size_t k = 0; k < request->events[i].n_topics; k++, copy++)
			add_copy(s, &tally[of_copy[copy]], request, i, copy,
				 request->events[i].topics[k]);
	}
}

int split_request(const struct publish_log_request *request, unsigned n, struct split *out)
{
	size_t copies = publish_log_copies(request);
	struct tally *tally = calloc(n, sizeof(*tally));
	uint16_t *of_copy = calloc(copies, sizeof(*of_copy));
	struct split s = {.events = calloc(copies, sizeof(*s.events)),
			  .topics = calloc(copies, sizeof(*s.topics)),
			  .copies = calloc(copies, sizeof(*s.copies))};
	bool made = tally && of_copy && s.events && s.topics && s.copies;

	if (made) {
		count(request, n, tally, of_copy, &s.n);
		s.parts = calloc(s.n, sizeof(*s.parts));
		made = s.parts != NULL;
	}
	if (made) {
		lay_out(request, n, tally, &s);
		fill(request, tally, of_copy, &s);
		*out = s;
	} else {
		split_done(&s);
	}
	free(tally);
	free(of_copy);
	return made ? 0 : -ENOMEM;
}

void split_done(struct split *s)
{
	free(s->parts);
	free(s->events);
	free(s->topics);
	free(s->copies);
	*s = (struct split){0};
}

void split_place(const struct split_part *part, const struct event_id *of_events,
		 struct event_id *of_copies)
{
	size_t copy = 0;

	for (size_t i = 0; i < part->request.n; i++) {
		for (size_t k = 0; k < part->request.events[i].n_topics; k++)
			of_copies[part->copies[copy++]] = of_events[i];
	}
}
