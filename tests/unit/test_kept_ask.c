/* test_kept_ask: what was asked can be asked again, and stands there once for all who asked alike.
 */
#include "streamer/kept_ask.h"

#include "tests/unit/asking.h"
#include "tests/unit/run.h"

#define REQUEST(target, headers) "GET " target " HTTP/1.1\r\nHost: x\r\n" headers "\r\n"

START_TEST(the_same_is_asked_again_about_the_topics_that_are_left)
{
	static const char request[] =
		REQUEST("/events?topic=a,b&x=1", "Cookie: s=1\r\nOrigin: o\r\n");
	struct ask *first = asking(ROUTE_PUBLIC, request), *again;
	const struct span left[] = {first->topics[1]};
	struct kept_asks all;

	kept_asks_init(&all);
	struct kept_ask *kept = kept_ask_hold(&all, first);
	again = kept_ask_again(kept, left, 1);
	ask_free(first);
	ck_assert(span_is(again->method, "GET") && span_is(again->uri, "/events?topic=a,b&x=1"));
	ck_assert_uint_eq(again->n_topics, 1);
	ck_assert(span_is(again->topics[0], "b"));
	ck_assert_uint_eq(again->n_forward, 2);
	ck_assert(span_is(again->forward[0].name, "Cookie") &&
		  span_is(again->forward[0].value, "s=1"));
	ck_assert(span_is(again->forward[1].name, "Origin") &&
		  span_is(again->forward[1].value, "o"));
	ask_free(again);
	kept_ask_release(&all, kept);
	kept_ask_release(&all, NULL);
	ck_assert_uint_eq(all.bytes, 0);
}
END_TEST

START_TEST(who_asked_alike_shares_it_and_who_differs_in_a_byte_does_not)
{
	static const char *const requests[] = {
		REQUEST("/events?topic=a", "Cookie: s=1\r\n"),
		REQUEST("/events?topic=a", "Cookie: s=1\r\n"),
		REQUEST("/events?topic=a", "Cookie: s=2\r\n"),
		REQUEST("/events?topic=a&x", "Cookie: s=1\r\n"),
		REQUEST("/events?topic=a", "Authorization: s=1\r\n"),
	};
	struct kept_ask *kept[COUNT_OF(requests)];
	struct kept_asks all;

	kept_asks_init(&all);
	for (size_t i = 0; i < COUNT_OF(requests); i++) {
		struct ask *a = asking(ROUTE_PUBLIC, requests[i]);
		kept[i] = kept_ask_hold(&all, a);
		ask_free(a);
	}
	ck_assert_ptr_eq(kept[0], kept[1]);
	for (size_t i = 2; i < COUNT_OF(requests); i++)
		for (size_t j = 0; j < i; j++)
			ck_assert_ptr_ne(kept[i], kept[j]);
	for (size_t i = 0; i < COUNT_OF(requests); i++)
		kept_ask_release(&all, kept[i]);
	ck_assert_uint_eq(all.bytes, 0);
}
END_TEST

RUN_TESTS("kept_ask", the_same_is_asked_again_about_the_topics_that_are_left,
	  who_asked_alike_shares_it_and_who_differs_in_a_byte_does_not)
