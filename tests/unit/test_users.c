/* test_users: a user's entries are found by name, and nobody stays behind. */
#include "streamer/users.h"

#include "tests/unit/run.h"

static size_t count(const struct users *u, const char *name)
{
	size_t n = 0;

	for (const struct user_entry *e = users_first(u, span_of(name)); e; e = e->next) {
		ck_assert(span_is(users_name(e), name));
		n++;
	}
	return n;
}

START_TEST(what_is_a_users_is_found_under_all_bytes_of_the_name_until_it_leaves)
{
	struct user_entry e[5] = {{0}};
	struct users u;

	users_init(&u);
	ck_assert_uint_eq(count(&u, "42"), 0);
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(users_join(&u, &e[i], span_of("42")), 0);
	ck_assert_int_eq(users_join(&u, &e[3], span_of("4")), 0);
	ck_assert_int_eq(users_join(&u, &e[4], span_of("421")), 0);
	ck_assert_uint_eq(count(&u, "42"), 3);
	ck_assert_uint_eq(count(&u, "4"), 1);
	users_leave(&u, &e[1]);
	users_leave(&u, &e[1]);
	ck_assert_ptr_null(users_name(&e[1]).at);
	ck_assert_uint_eq(count(&u, "42"), 2);
	users_leave(&u, &e[0]);
	users_leave(&u, &e[2]);
	ck_assert_uint_eq(count(&u, "42"), 0);
	ck_assert_int_eq(users_join(&u, &e[2], span_of("421")), 0);
	ck_assert_uint_eq(count(&u, "421"), 2);
	for (size_t i = 0; i < 5; i++)
		users_leave(&u, &e[i]);
	ck_assert_ptr_null(u.table);
}
END_TEST

RUN_TESTS("users", what_is_a_users_is_found_under_all_bytes_of_the_name_until_it_leaves)
