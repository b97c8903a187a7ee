/* oom: the wrapped allocator. Counts what is alive, so that a leak shows without a sanitizer. */
#include "tests/unit/oom.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The linker gives these names their meaning (--wrap). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *at, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t max);
void __real_free(void *at);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *at, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t max);
void __wrap_free(void *at);

static struct {
	bool armed, failed;
	size_t left; /* allocations that still succeed */
	long alive;
} oom;

static bool fails_now(void)
{
	if (!oom.armed || oom.left-- > 0)
		return false;
	oom.armed = false;
	oom.failed = true;
	errno = ENOMEM;
	return true;
}

static void *count(void *at)
{
	oom.alive += at != NULL;
	return at;
}

void *__wrap_malloc(size_t size)
{
	return fails_now() ? NULL : count(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails_now() ? NULL : count(__real_calloc(n, size));
}

void *__wrap_realloc(void *at, size_t size)
{
	if (fails_now())
		return NULL;
	return at ? __real_realloc(at, size) : count(__real_realloc(NULL, size));
}

char *__wrap_strdup(const char *text)
{
	return fails_now() ? NULL : count(__real_strdup(text));
}

char *__wrap_strndup(const char *text, size_t max)
{
	return fails_now() ? NULL : count(__real_strndup(text, max));
}

void __wrap_free(void *at)
{
	oom.alive -= at != NULL;
	__real_free(at);
}

size_t oom_exhaust(oom_action action)
{
	for (size_t n = 0;; n++) {
		long before = oom.alive;
		bool reported;

		oom.left = n;
		oom.failed = false;
		oom.armed = true;
		reported = action();
		oom.armed = false;
		ck_assert_msg(oom.alive == before, "allocation %zu: %ld left behind", n + 1,
			      oom.alive - before);
		ck_assert_msg(reported == oom.failed, "allocation %zu: reported %d, failed %d",
			      n + 1, reported, oom.failed);
		if (oom.failed)
			continue;
		ck_assert_uint_gt(n, 0);
		return n;
	}
}
