/* filter: names in one block behind their views. Owns the block; what the names may be was decided
 * by subscribe_form.c. */
#include "streamer/filter.h"

#include <stdlib.h>
#include <string.h>

struct filter {
	size_t n;
	struct span names[];
};

struct filter *filter_new(const struct span *names, size_t n)
{
	size_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		bytes += names[i].len;
	struct filter *f = malloc(sizeof(*f) + n * sizeof(f->names[0]) + bytes);
	if (!f)
		return NULL;
	char *at = (char *)(f->names + n);
	f->n = n;
	for (size_t i = 0; i < n; i++) {
		memcpy(at, names[i].at, names[i].len);
		f->names[i] = (struct span){at, names[i].len};
		at += names[i].len;
	}
	return f;
}

void filter_free(struct filter *f)
{
	free(f);
}

bool filter_passes(const struct filter *f, struct span name)
{
	if (!f)
		return true;
	for (size_t i = 0; i < f->n; i++)
		if (span_equal(f->names[i], name))
			return true;
	return false;
}
