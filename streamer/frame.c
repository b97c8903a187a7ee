/* frame: reference-counted immutable bytes. One allocation holds header and bytes; the count starts
 * at 1; a count of FRAME_STATIC marks frames that live as long as the program. Knows nothing of
 * what the bytes say (sse.c does). */
#include "streamer/frame.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct frame *frame_new(size_t len)
{
	if (len > UINT32_MAX - sizeof(struct frame))
		return NULL;
	struct frame *f = malloc(sizeof(*f) + len);
	if (!f)
		return NULL;
	f->refs = 1;
	f->len = (uint32_t)len;
	f->event = false;
	f->name_len = 0;
	f->partition = 0;
	f->body_len = f->names_len = f->same_len = 0;
	f->id = (struct event_id){0, 0};
	return f;
}

struct frame *frame_copy(const void *bytes, size_t len)
{
	struct frame *f = frame_new(len);
	if (f)
		memcpy(f->bytes, bytes, len);
	return f;
}

static const char *same_of(const struct frame *f)
{
	return f->bytes + f->len + f->names_len;
}

bool frame_replaces(const struct frame *later, const struct frame *earlier)
{
	return later->same_len > 0 && later->same_len == earlier->same_len &&
	       memcmp(same_of(later), same_of(earlier), later->same_len) == 0;
}

struct frame *frame_ref(struct frame *f)
{
	assert(f->refs > 0);
	if (f->refs != FRAME_STATIC)
		f->refs++;
	return f;
}

void frame_unref(struct frame *f)
{
	if (!f || f->refs == FRAME_STATIC)
		return;
	assert(f->refs > 0);
	if (--f->refs == 0)
		free(f);
}
