/* test_decode_form: what a form says, in whatever charset, or which of its fields is wrong. */
#include "publisher/decode.h"

#include <stdio.h>

#include "tests/unit/decode_case.h"
#include "tests/unit/run.h"

static const struct body_case form_cases[] = {
	{"topic=a", "message {} -> a"},
	{"topic=a&event=x&data=hello", "x \"hello\" -> a"},
	{"data=%7B%22id%22%3A1%7D&topic=comments", "message {\"id\":1} -> comments"},
	{"topic=a,b&topic=c", "message {} -> a,b,c"},
	{"topic=a&topic=a&topic=,b,,a,", "message {} -> a,b"},
	{"topic=+a+,%09b+", "message {} -> a,b"},
	{"topic[]=a&topic[]=b", "message {} -> a,b"},
	{"topic%5B0%5D=a&topic%5B1%5D=b", "message {} -> a,b"},
	{"topics=a,b", "message {} -> a,b"},
	{"topics[]=a&topics[]=b,c", "message {} -> a,b,c"},
	{"t%6fpic=%61", "message {} -> a"},
	{"topic=a&data=", "message \"\" -> a"},
	{"topic=a&data", "message \"\" -> a"},
	{"topic=a&data=a%0D%0Ab%00+c", "message \"a\\r\\nb\\u0000 c\" -> a"},
	{"topic=a&data=+%7B%7D", "message \" {}\" -> a"},
	{"topic=a&data=[1]", "message \"[1]\" -> a"},
	{"topic=a&data={1}", "message \"{1}\" -> a"},
	{"&&topic=a&&csrf=%C3&x[data]=1&submit", "message {} -> a"},
	{"topic=a&key=k&idempotency_key=1", "message {} key=k -> a once=1"},
	{"topic=a&event=%C3%A9", "\xc3\xa9 {} -> a"},
	/* refused */
	{"event=x", "422 topic"},
	{"topic=", "422 topic"},
	{"topic=,", "422 topic"},
	{"{\"topic\":\"a\"}", "422 topic"},
	{"[{\"topic\":\"a\"}]", "422 topic"},
	{"topic=a b", "422 topic"},
	{"topic=a%00", "422 topic"},
	{"topic=a,sse:x", "422 topic"},
	{"topic=a&topics=b", "422 topics"},
	{"topics=a&topic=b", "422 topics"},
	{"topic=a&event=x&event=y", "422 event"},
	{"topic=a&event=", "422 event"},
	{"topic=a&event=x%0Adata:y", "422 event"},
	{"topic=a&event[]=x", "422 event"},
	{"topic=a&data=1&data=2", "422 data"},
	{"topic=a&data[id]=1", "422 data"},
	{"topic=a&data%5Bid%5D=1", "422 data"},
	{"topic=a&key[]=1", "422 key"},
	{"topic=a&idempotency_key=", "422 idempotency_key"},
	{"topic=a&data=%", "400 -"},
	{"topic=a&data=%4", "400 -"},
	{"topic=a&data=%zz", "400 -"},
	{"topic=a&%zz=1", "400 -"},
	{"topic=a&data=%FC", "400 data"},
	{"topic=a&data=\xfc", "400 data"},
	{"topic=%C0%AF", "400 topic"},
};

START_TEST(forms_are_read_or_their_fault_is_named)
{
	for (size_t i = 0; i < COUNT_OF(form_cases); i++)
		check(FORM, form_cases[i].body, form_cases[i].expected);
}
END_TEST

START_TEST(old_charsets_become_utf8)
{
	check(FORM ";charset=iso-8859-1", "topic=a&event=\xe9t\xe9&data=M%FCller+\xa4%80",
	      "\xc3\xa9t\xc3\xa9 \"M\xc3\xbcller \xc2\xa4\xc2\x80\" -> a");
	check(FORM ";charset=windows-1252", "topic=a&data=%80+%8E%93\xff",
	      "message \"\xe2\x82\xac \xc5\xbd\xe2\x80\x9c\xc3\xbf\" -> a");
	check(FORM ";charset=windows-1252", "topic=a&data=%00", "message \"\\u0000\" -> a");
	check(FORM ";charset=iso-8859-1", "topic=a&data={\"a\":\"\xfc\"}",
	      "message {\"a\":\"\xc3\xbc\"} -> a");
}
END_TEST

START_TEST(the_five_bytes_that_windows_1252_lacks_are_refused)
{
	for (unsigned byte = 0x01; byte <= 0xff; byte++) {
		bool lacking = byte == 0x81 || byte == 0x8d || byte == 0x8f || byte == 0x90 ||
			       byte == 0x9d;
		char body[64], text[TEXT_BYTES];

		snprintf(body, sizeof(body), "topic=a&data=%%%02X", byte);
		int rc = decode(FORM ";charset=windows-1252", body, strlen(body), text, NULL);
		ck_assert_msg(rc == (lacking ? -1 : 0), "%s: %s", body, text);
		ck_assert(!lacking || strcmp(text, "400 data") == 0);
	}
}
END_TEST

START_TEST(form_text_beyond_a_message_is_refused_before_it_is_built)
{
	char *body = malloc(200000), text[TEXT_BYTES];

	memcpy(body, "topic=a&data=", 13);
	memset(body + 13, 1, 199987);
	ck_assert_int_eq(decode(FORM, body, 200000, text, NULL), -1);
	ck_assert_str_eq(text, "413 data");
	free(body);
}
END_TEST

RUN_TESTS("decode_form", forms_are_read_or_their_fault_is_named, old_charsets_become_utf8,
	  the_five_bytes_that_windows_1252_lacks_are_refused,
	  form_text_beyond_a_message_is_refused_before_it_is_built)
