/* test_bench: what the load generator says of others rests on these: marks are found wherever reads
 * cut them, what is missing, late or doubled is told apart, quantiles are those of the values. */
#include "bench/histogram.h"
#include "bench/mark.h"
#include "bench/seen.h"

#include "tests/unit/run.h"

#include <string.h>

/* Reads as the listeners do: what may be the beginning of a mark is kept for the next piece. */
static size_t marks_in_two_pieces(const char *text, size_t len, size_t cut, struct mark *out)
{
	char kept[2 * MARK_BYTES + 256];
	struct mark m;
	size_t n = 0;

	for (const char *at = text; (at = mark_find(at, text + cut, &m));)
		out[n++] = m;
	size_t tail = mark_cut(text, text + cut);
	memcpy(kept, text + cut - tail, tail + len - cut);
	for (const char *at = kept; (at = mark_find(at, kept + tail + len - cut, &m));)
		out[n++] = m;
	return n;
}

START_TEST(each_mark_is_found_once_wherever_the_bytes_are_cut)
{
	char text[200] = "event: message\ndata: ";
	struct mark found[4];
	size_t len = strlen(text);

	mark_write((struct mark){7, 0x123456789abcdefu}, text + len);
	memcpy(text + len + MARK_BYTES, "xx~\n\ndata: ", 11);
	mark_write((struct mark){UINT32_MAX, UINT64_MAX}, text + len + MARK_BYTES + 11);
	len += 2 * MARK_BYTES + 11;
	text[len++] = '\n';
	for (size_t cut = 0; cut <= len; cut++) {
		ck_assert_uint_eq(marks_in_two_pieces(text, len, cut, found), 2);
		ck_assert_uint_eq(found[0].number, 7);
		ck_assert_uint_eq(found[0].ns, 0x123456789abcdefu);
		ck_assert_uint_eq(found[1].number, UINT32_MAX);
		ck_assert_uint_eq(found[1].ns, UINT64_MAX);
	}
}
END_TEST

START_TEST(what_only_begins_like_a_mark_is_none)
{
	static const char text[] = "~0000000g0000000000000000 ~00000001 and nothing more";
	struct mark m = {9, 9};

	ck_assert_ptr_null(mark_find(text, text + strlen(text), &m));
	ck_assert_uint_eq(m.number, 9);
}
END_TEST

static enum seen_verdict note_all(struct seen *s, const uint32_t *numbers, size_t n)
{
	enum seen_verdict last = SEEN_NEXT;

	for (size_t i = 0; i < n; i++)
		last = seen_note(s, numbers[i]);
	return last;
}

START_TEST(late_and_doubled_events_are_told_apart)
{
	static const struct {
		uint32_t numbers[5];
		size_t n;
		enum seen_verdict last;
	} cases[] = {
		{{5}, 1, SEEN_NEXT},
		{{5, 6}, 2, SEEN_NEXT},
		{{5, 5}, 2, SEEN_DOUBLE},
		{{5, 8}, 2, SEEN_NEXT},
		{{5, 8, 6}, 3, SEEN_LATE},
		{{5, 8, 6, 6}, 4, SEEN_DOUBLE},
		{{5, 8, 6, 9}, 4, SEEN_NEXT},
		{{5, 8, 6, 7, 8}, 5, SEEN_DOUBLE},
		{{5, 68, 6}, 3, SEEN_LATE},
		{{5, 69, 6}, 3, SEEN_LATE},
		{{5, 70, 6}, 3, SEEN_DOUBLE},
		{{5, 500, 499}, 3, SEEN_LATE},
		{{0, 1, 2, 3, 0}, 5, SEEN_DOUBLE},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct seen s = {0};

		ck_assert_msg(note_all(&s, cases[i].numbers, cases[i].n) == cases[i].last,
			      "case %zu", i);
	}
}
END_TEST

START_TEST(a_long_row_in_order_is_all_new_and_nothing_of_it_is_new_again)
{
	struct seen s = {0};

	for (uint32_t i = 3; i < 1000; i++)
		ck_assert(seen_note(&s, i) == SEEN_NEXT);
	for (uint32_t i = 900; i < 1000; i++)
		ck_assert(seen_note(&s, i) == SEEN_DOUBLE);
}
END_TEST

START_TEST(quantiles_are_those_of_the_values_to_the_width_of_a_bucket)
{
	struct histogram a = {0}, b = {0};

	for (uint64_t i = 1; i <= 100000; i++)
		histogram_add(i % 2 ? &a : &b, i * 1000);
	histogram_merge(&a, &b);
	ck_assert_uint_eq(a.count, 100000);
	ck_assert_uint_eq(a.max, 100000000);
	for (int percent = 1; percent < 100; percent++) {
		double exact = percent * 1000. * 1000.;
		double got = (double)histogram_quantile(&a, percent / 100.);

		ck_assert_msg(got >= exact && got <= exact * 1.017, "%d: %f", percent, got);
	}
	ck_assert_uint_eq(histogram_quantile(&a, 1), 100000000);
}
END_TEST

START_TEST(small_and_largest_values_have_their_bucket_and_none_is_zero)
{
	struct histogram h = {0};

	ck_assert_uint_eq(histogram_quantile(&h, 0.5), 0);
	histogram_add(&h, 127);
	ck_assert_uint_eq(histogram_quantile(&h, 0.5), 127);
	histogram_add(&h, UINT64_MAX);
	ck_assert_uint_eq(histogram_quantile(&h, 0.5), 127);
	ck_assert_uint_eq(histogram_quantile(&h, 0.99), UINT64_MAX);
}
END_TEST

RUN_TESTS("bench", each_mark_is_found_once_wherever_the_bytes_are_cut,
	  what_only_begins_like_a_mark_is_none, late_and_doubled_events_are_told_apart,
	  a_long_row_in_order_is_all_new_and_nothing_of_it_is_new_again,
	  quantiles_are_those_of_the_values_to_the_width_of_a_bucket,
	  small_and_largest_values_have_their_bucket_and_none_is_zero)
