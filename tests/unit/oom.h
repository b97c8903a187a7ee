/* oom: makes memory run out at a chosen moment. A program that uses it links with $(oom_ldflags),
 * which leads malloc, calloc, realloc, strdup, strndup and free through here. */
#ifndef TIDINGS_TESTS_UNIT_OOM_H
#define TIDINGS_TESTS_UNIT_OOM_H

#include <stdbool.h>
#include <stddef.h>

/* One thing to do: returns whether it reported that memory is out. It cleans up after itself in
 * either case. */
typedef bool (*oom_action)(void);

/* Does it again and again, the first allocation failing, then the second, …, until it gets through;
 * fails the test where a failure was not reported, memory was left behind, or nothing was ever
 * allocated. Returns how often it failed. */
size_t oom_exhaust(oom_action action);

#endif
