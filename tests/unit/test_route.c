/* test_route: what is served where, for which method, and what the auth call gets to see. */
#include "streamer/route.h"

#include <stdio.h>

#include "tests/unit/asking.h"
#include "tests/unit/run.h"

enum { NOWHERE = -1 };

static const struct {
	const char *path;
	int kind[3]; /* at ROUTE_PUBLIC, ROUTE_ADMIN, ROUTE_BOTH */
} places[] = {
	{"/events", {ASK_STREAM, NOWHERE, ASK_STREAM}},
	{"/health", {ASK_HEALTH, ASK_HEALTH, ASK_HEALTH}},
	{"/health/ready", {ASK_READY, ASK_READY, ASK_READY}},
	{"/health/live", {ASK_LIVE, ASK_LIVE, ASK_LIVE}},
	{"/metrics", {NOWHERE, ASK_METRICS, ASK_METRICS}},
	{"/metrics/prometheus", {NOWHERE, ASK_PROMETHEUS, ASK_PROMETHEUS}},
	{"/", {NOWHERE, NOWHERE, NOWHERE}},
	{"/events/", {NOWHERE, NOWHERE, NOWHERE}},
	{"/event", {NOWHERE, NOWHERE, NOWHERE}},
	{"/Events", {NOWHERE, NOWHERE, NOWHERE}},
	{"//events", {NOWHERE, NOWHERE, NOWHERE}},
	{"/%65vents", {NOWHERE, NOWHERE, NOWHERE}},
	{"/health/", {NOWHERE, NOWHERE, NOWHERE}},
	{"/metrics/prometheu", {NOWHERE, NOWHERE, NOWHERE}},
};

static struct ask *request(enum route_place place, const char *method, const char *target)
{
	char bytes[512];
	snprintf(bytes, sizeof(bytes), "%s %s HTTP/1.1\r\nHost: x\r\n\r\n", method, target);
	return asking(place, bytes);
}

START_TEST(each_path_is_served_at_its_place_and_404_elsewhere)
{
	for (size_t i = 0; i < COUNT_OF(places); i++)
		for (int place = ROUTE_PUBLIC; place <= ROUTE_BOTH; place++) {
			char target[64];
			snprintf(target, sizeof(target), "%s?topic=a", places[i].path);
			struct ask *a = request((enum route_place)place, "GET", target);
			int kind = places[i].kind[place];
			ck_assert_int_eq(a->kind, kind == NOWHERE ? ASK_ERROR : kind);
			if (kind == NOWHERE)
				ck_assert_uint_eq(a->status, 404);
			ask_free(a);
		}
}
END_TEST

START_TEST(each_method_is_taken_refused_with_what_is_allowed_or_unknown)
{
	static const char *const known[] = {"PUT", "DELETE", "CONNECT", "TRACE", "PATCH"};
	static const char *const unknown[] = {"get", "GETX", "GE", "PRI", "PROPFIND"};

	for (size_t i = 0; i < COUNT_OF(places); i++) {
		if (places[i].kind[ROUTE_BOTH] == NOWHERE)
			continue;
		for (size_t m = 0; m < COUNT_OF(known); m++) {
			struct ask *a = request(ROUTE_BOTH, known[m], places[i].path);
			ck_assert_int_eq(a->kind, ASK_ERROR);
			ck_assert_uint_eq(a->status, 405);
			ck_assert_str_eq(a->allow, places[i].kind[ROUTE_BOTH] == ASK_STREAM
							   ? "GET, HEAD, POST, OPTIONS"
							   : "GET, HEAD");
			ask_free(a);
		}
		for (size_t m = 0; m < COUNT_OF(unknown); m++) {
			struct ask *a = request(ROUTE_BOTH, unknown[m], places[i].path);
			ck_assert_uint_eq(a->status, 501);
			ck_assert_ptr_null(a->allow);
			ask_free(a);
		}
	}
}
END_TEST

START_TEST(options_and_post_belong_to_the_stream_alone)
{
	struct ask *a = request(ROUTE_PUBLIC, "OPTIONS", "/events");
	ck_assert_int_eq(a->kind, ASK_PREFLIGHT); /* without a topic: a preflight has none */
	ask_free(a);
	a = request(ROUTE_PUBLIC, "OPTIONS", "/health");
	ck_assert_uint_eq(a->status, 405);
	ask_free(a);
	a = request(ROUTE_ADMIN, "POST", "/metrics");
	ck_assert_uint_eq(a->status, 405);
	ask_free(a);
}
END_TEST

START_TEST(head_is_known_on_every_answer_that_it_can_get)
{
	static const struct {
		const char *target;
		enum ask_kind kind;
	} cases[] = {
		{"/events?topic=a", ASK_STREAM},
		{"/events", ASK_ERROR},
		{"/health", ASK_HEALTH},
		{"/metrics", ASK_METRICS},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct ask *a = request(ROUTE_BOTH, "HEAD", cases[i].target);
		ck_assert_int_eq(a->kind, cases[i].kind);
		ck_assert(a->head);
		ask_free(a);
		a = request(ROUTE_BOTH, "GET", cases[i].target);
		ck_assert(!a->head);
		ask_free(a);
	}
}
END_TEST

START_TEST(an_answer_to_head_has_no_body_also_where_there_is_nothing)
{
	struct ask *a = request(ROUTE_PUBLIC, "HEAD", "/nothing");
	ck_assert_uint_eq(a->status, 404);
	ck_assert(a->head);
	ask_free(a);
}
END_TEST

static struct ask *with_headers(const char *headers)
{
	char bytes[1024];
	snprintf(bytes, sizeof(bytes), "GET /events?topic=a HTTP/1.1\r\nHost: x\r\n%s\r\n",
		 headers);
	return asking(ROUTE_PUBLIC, bytes);
}

START_TEST(json_is_for_who_takes_it_and_no_event_stream)
{
	static const struct {
		const char *headers;
		bool json;
	} cases[] = {
		{"", false},
		{"Accept: */*\r\n", false},
		{"Accept: application/json\r\n", true},
		{"Accept: application/JSON, text/plain\r\n", true},
		{"Accept: application/json, text/event-stream\r\n", false},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct ask *a = with_headers(cases[i].headers);
		ck_assert_msg(a->json == cases[i].json, "%s", cases[i].headers);
		ck_assert(!a->cursor_only);
		ask_free(a);
	}
}
END_TEST

START_TEST(the_cursor_has_a_place_below_the_streams)
{
	static const struct {
		const char *target;
		enum ask_kind kind;
	} cases[] = {
		{"/events/cursor?topic=a", ASK_STREAM}, {"/events/cursor", ASK_ERROR},
		{"/events/cursor/?topic=a", ASK_ERROR}, {"/events/curso?topic=a", ASK_ERROR},
		{"/cursor?topic=a", ASK_ERROR},         {"/health/cursor", ASK_ERROR},
		{"/eventscursor?topic=a", ASK_ERROR},
	};
	char bytes[256];

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		snprintf(bytes, sizeof(bytes), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n",
			 cases[i].target);
		struct ask *a = asking(ROUTE_PUBLIC, bytes);
		ck_assert_msg(a->kind == cases[i].kind, "%s", cases[i].target);
		ck_assert(a->kind == ASK_ERROR || a->cursor_only);
		ask_free(a);
	}
}
END_TEST

START_TEST(accept_tells_who_takes_an_event_stream)
{
	static const struct {
		const char *headers;
		bool taken;
	} cases[] = {
		{"", false},
		{"Accept:\r\n", false},
		{"Accept: */*\r\n", false},
		{"Accept: text/html\r\n", false},
		{"Accept: text/event-strea\r\n", false},
		{"X-Accept: text/event-stream\r\n", false},
		{"Accept: text/event-stream\r\n", true},
		{"accept: TEXT/Event-Stream\r\n", true},
		{"Accept: text/html, text/event-stream;q=0.5\r\n", true},
		{"Accept: text/html\r\nAccept: text/event-stream\r\n", true},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct ask *a = with_headers(cases[i].headers);
		ck_assert_msg(a->event_stream == cases[i].taken, "%s", cases[i].headers);
		ask_free(a);
	}
}
END_TEST

START_TEST(the_auth_call_gets_the_headers_of_the_settings_and_no_other)
{
	struct ask *a = with_headers("X-Secret: 1\r\nCOOKIE: a=b\r\nOrigin: https://x\r\n");
	ck_assert_uint_eq(a->n_forward, 2);
	ck_assert(span_is(a->forward[0].name, "Cookie"));
	ck_assert(span_is(a->forward[0].value, "a=b"));
	ck_assert(span_is(a->forward[1].name, "Origin"));
	ck_assert(span_is(a->origin, "https://x"));
	ck_assert(span_is(a->method, "GET"));
	ck_assert(span_is(a->uri, "/events?topic=a"));
	ask_free(a);
	a = with_headers("Cookie:\r\n"); /* empty is not absent */
	ck_assert_uint_eq(a->n_forward, 1);
	ck_assert(span_is(a->forward[0].value, ""));
	ask_free(a);
}
END_TEST

START_TEST(two_headers_of_one_kind_decide_about_nothing)
{
	static const char *const doubled[] = {
		"Cookie: a\r\nCookie: b\r\n",
		"Authorization: a\r\nauthorization: a\r\n",
		"Origin: https://x\r\nOrigin: https://x\r\n",
	};

	for (size_t i = 0; i < COUNT_OF(doubled); i++) {
		struct ask *a = with_headers(doubled[i]);
		ck_assert_int_eq(a->kind, ASK_ERROR);
		ck_assert_uint_eq(a->status, 400);
		ck_assert_ptr_null(a->origin.at); /* two origins are none */
		ask_free(a);
	}
	struct ask *a = with_headers("X-Other: a\r\nX-Other: b\r\n");
	ck_assert_int_eq(a->kind, ASK_STREAM);
	ask_free(a);
}
END_TEST

START_TEST(the_ask_outlives_the_bytes_it_was_read_from)
{
	char bytes[] = "GET /events?topic=%61&events=e HTTP/1.1\r\nHost: x\r\nCookie: c\r\n\r\n";
	struct ask *a = asking_bytes(ROUTE_PUBLIC, bytes, sizeof(bytes) - 1);

	memset(bytes, '#', sizeof(bytes));
	ck_assert(span_is(a->topics[0], "a"));
	ck_assert(span_is(a->events[0], "e"));
	ck_assert(span_is(a->forward[0].value, "c"));
	ck_assert(span_is(a->uri, "/events?topic=%61&events=e"));
	ask_free(a);
	ask_free(NULL);
}
END_TEST

static struct ask *with_tickets(const char *head)
{
	struct route_config config = asking_config();
	char bytes[1024];
	int len = snprintf(bytes, sizeof(bytes), "GET %s\r\nHost: x\r\n\r\n", head);

	config.ticket_cookie = "pass";
	config.n_forward = 0;
	struct ask *a = asking_with(&config, ROUTE_PUBLIC, bytes, (size_t)len);
	ck_assert_ptr_nonnull(a);
	return a;
}

START_TEST(a_ticket_is_found_where_it_may_stand_and_shown_to_nobody)
{
	static const struct {
		const char *head, *ticket, *shown;
	} cases[] = {
		{"/events?topic=a HTTP/1.1", NULL, "/events?topic=a"},
		{"/events?topic=a&ticket=x.y.z HTTP/1.1", "x.y.z", "/events?topic=a"},
		{"/events?ticket=x.y.z&topic=a HTTP/1.1", "x.y.z", "/events?topic=a"},
		{"/events?t%69cket=x%2Ey.z&topic=a&&b=+ HTTP/1.1", "x.y.z", "/events?topic=a&b=+"},
		{"/events?topic=a&ticket= HTTP/1.1", NULL, "/events?topic=a"},
		{"/events?topic=a&ticket&tickets=1 HTTP/1.1", NULL, "/events?topic=a&tickets=1"},
		{"/events?topic=a&ticket=1.2.3&ticket=4.5.6 HTTP/1.1", "1.2.3", "/events?topic=a"},
		{"/events?topic=a HTTP/1.1\r\nAuthorization: bearer  x.y.z", "x.y.z",
		 "/events?topic=a"},
		{"/events?topic=a HTTP/1.1\r\nAuthorization: Bearer opaque", NULL,
		 "/events?topic=a"},
		{"/events?topic=a HTTP/1.1\r\nAuthorization: Basic x.y.z", NULL, "/events?topic=a"},
		{"/events?topic=a&ticket=q.q.q HTTP/1.1\r\nAuthorization: Bearer x.y.z", "x.y.z",
		 "/events?topic=a"},
		{"/events?topic=a HTTP/1.1\r\nCookie: a=1; pass=x.y.z;b", "x.y.z",
		 "/events?topic=a"},
		{"/events?topic=a HTTP/1.1\r\nCookie: mypass=1\r\nCookie: pass=x.y.z", "x.y.z",
		 "/events?topic=a"},
		{"/events?topic=a HTTP/1.1\r\nCookie: pass; pass=; Pass=x.y.z", NULL,
		 "/events?topic=a"},
		{"/events?topic=a&ticket=q.q.q HTTP/1.1\r\nCookie: pass=x.y.z", "q.q.q",
		 "/events?topic=a"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct ask *a = with_tickets(cases[i].head);
		ck_assert_int_eq(a->kind, ASK_STREAM);
		ck_assert_msg(cases[i].ticket ? span_is(a->ticket, cases[i].ticket) : !a->ticket.at,
			      "%s: %.*s", cases[i].head, (int)a->ticket.len, a->ticket.at);
		ck_assert_msg(span_is(a->uri, cases[i].shown), "%s: %.*s", cases[i].head,
			      (int)a->uri.len, a->uri.at);
		ask_free(a);
	}
}
END_TEST

START_TEST(two_authorizations_are_refused_where_one_may_be_a_ticket)
{
	struct ask *a = with_tickets("/events?topic=a HTTP/1.1\r\nAuthorization: Bearer x.y.z\r\n"
				     "Authorization: Bearer x.y.z");

	ck_assert_int_eq(a->kind, ASK_ERROR);
	ck_assert_uint_eq(a->status, 400);
	ask_free(a);
}
END_TEST

START_TEST(a_ticket_is_left_where_it_is_when_none_is_taken)
{
	struct ask *a = request(ROUTE_PUBLIC, "GET", "/events?topic=a&ticket=x");

	ck_assert(span_is(a->uri, "/events?topic=a&ticket=x"));
	ask_free(a);
}
END_TEST

RUN_TESTS("route", each_path_is_served_at_its_place_and_404_elsewhere,
	  each_method_is_taken_refused_with_what_is_allowed_or_unknown,
	  options_and_post_belong_to_the_stream_alone,
	  head_is_known_on_every_answer_that_it_can_get,
	  an_answer_to_head_has_no_body_also_where_there_is_nothing,
	  accept_tells_who_takes_an_event_stream, json_is_for_who_takes_it_and_no_event_stream,
	  the_cursor_has_a_place_below_the_streams,
	  the_auth_call_gets_the_headers_of_the_settings_and_no_other,
	  two_headers_of_one_kind_decide_about_nothing, the_ask_outlives_the_bytes_it_was_read_from,
	  a_ticket_is_found_where_it_may_stand_and_shown_to_nobody,
	  two_authorizations_are_refused_where_one_may_be_a_ticket,
	  a_ticket_is_left_where_it_is_when_none_is_taken)
