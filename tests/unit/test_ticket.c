/* test_ticket: which tokens are good, and why others are not. Tokens are made here with OpenSSL, so
 * that nothing of what checks them has made them. */
#include "streamer/ticket.h"

#include <unistd.h>

#include "streamer/ticket_keys.h"
#include "tests/unit/run.h"
#include "tests/unit/tokens.h"

#define NOW    1764000000ull
#define SECRET "0123456789abcdef0123456789abcdef"
#define OTHER  "another-secret-another-secret-32"
#define HS     "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define KID(k) "{\"alg\":\"HS256\",\"kid\":" k "}"
#define GOOD   "{\"topics\":[\"a\",\"shop:*\"],\"exp\":1764000060}"

static struct ticket_keys *keys_of(const char *text)
{
	struct ticket_keys_error error;
	struct ticket_keys *keys = ticket_keys_parse(text, strlen(text), &error);

	ck_assert_msg(keys != NULL, "%s", error.why);
	return keys;
}

/* The token against the keys; what is wrong with it must be said. */
static void expect(const struct ticket_keys *keys, const char *token, enum ticket_status status,
		   const char *why)
{
	struct ticket t;
	enum ticket_status got = ticket_read(&t, keys, span_of(token), NOW);

	ck_assert_msg(got == status, "%s: %d, %s", token, got, t.why ? t.why : "good");
	ck_assert((status == TICKET_GOOD) == (t.why == NULL));
	ck_assert_msg(!why || strstr(t.why, why) != NULL, "%s: %s", token, t.why);
	ticket_done(&t);
}

START_TEST(claims_decide_in_these_words)
{
	static const struct {
		const char *claims;
		enum ticket_status status;
		const char *why;
	} cases[] = {
		{GOOD, TICKET_GOOD, NULL},
		{"{\"topics\":[],\"exp\":1764000001}", TICKET_GOOD, NULL},
		{"{\"topics\":[\"*\"],\"exp\":1764000060.75}", TICKET_GOOD, NULL},
		{"{\"topics\":[\"a\"],\"exp\":1764000060,\"nbf\":1764000010,\"iat\":1764000010}",
		 TICKET_GOOD, NULL},
		{"{\"topics\":[\"a\"],\"exp\":1764000060,\"aud\":[\"x\"],\"roles\":{\"a\":1}}",
		 TICKET_GOOD, NULL},
		{"{\"topics\":[\"a\"],\"exp\":1764000000}", TICKET_EXPIRED, "expired"},
		{"{\"topics\":[\"a\"],\"exp\":0}", TICKET_EXPIRED, "expired"},
		{"{\"topics\":[\"a\"],\"exp\":1764000060,\"nbf\":1764000011}", TICKET_EARLY, "yet"},
		{"{\"topics\":[\"a\"],\"exp\":1764000060,\"iat\":1764000011}", TICKET_EARLY, "yet"},
		{"{\"topics\":[\"a\"]}", TICKET_BAD, "no exp"},
		{"{\"topics\":[\"a\"],\"exp\":\"1764000060\"}", TICKET_BAD, "no time"},
		{"{\"topics\":[\"a\"],\"exp\":-1}", TICKET_BAD, "no time"},
		{"{\"topics\":[\"a\"],\"exp\":1.7e9}", TICKET_BAD, "no time"},
		{"{\"topics\":[\"a\"],\"exp\":99999999999999999999}", TICKET_BAD, "no time"},
		{"{\"topics\":[\"a\"],\"exp\":null}", TICKET_BAD, "no time"},
		{"{\"topics\":[\"a\"],\"exp\":1764000060,\"nbf\":\"x\"}", TICKET_BAD, "no time"},
		{"{\"topics\":[\"a\"],\"exp\":1764000060,\"exp\":1}", TICKET_BAD, "twice"},
		{"{\"topics\":[\"a\"],\"\\u0065xp\":1764000060,\"exp\":1}", TICKET_BAD, "twice"},
		{"{\"exp\":1764000060}", TICKET_BAD, "no topics"},
		{"{\"topics\":\"a\",\"exp\":1764000060}", TICKET_BAD, "no array"},
		{"{\"topics\":{\"a\":1},\"exp\":1764000060}", TICKET_BAD, "no array"},
		{"{\"topics\":[\"a\",1],\"exp\":1764000060}", TICKET_BAD, "no string"},
		{"{\"topics\":[[\"a\"]],\"exp\":1764000060}", TICKET_BAD, "no string"},
		{"{\"topics\":[\"a b\"],\"exp\":1764000060}", TICKET_BAD, "prefix*"},
		{"{\"topics\":[\"a*b\"],\"exp\":1764000060}", TICKET_BAD, "prefix*"},
		{"{\"topics\":[\"\"],\"exp\":1764000060}", TICKET_BAD, "prefix*"},
		{"{\"topics\":[\"sse:control\"],\"exp\":1764000060}", TICKET_BAD, "prefix*"},
		{"{\"topics\":[\"a\"],\"exp\":1764000060,\"sub\":7}", TICKET_BAD, "no string"},
		{"{\"topics\":[\"a\"],\"exp\":1764000060,\"sub\":\"\\n\"}", TICKET_BAD, "control"},
		{"{\"topics\":[\"a\"],\"exp\":1764000060,\"cursor\":7}", TICKET_BAD, "no string"},
		{"[]", TICKET_BAD, "no JSON object"},
		{"", TICKET_BAD, ""},
		{"{\"topics\":[\"a\"],\"exp\":1764000060", TICKET_BAD, "no JSON object"},
		{"{\"x\":[[[[[[[[[]]]]]]]]],\"topics\":[],\"exp\":1764000060}", TICKET_BAD,
		 "no JSON object"},
	};
	struct ticket_keys *keys = keys_of("k HS256 " SECRET);
	char token[TOKEN_BYTES];

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		token_hs256(token, HS, cases[i].claims, SECRET, strlen(SECRET));
		expect(keys, token, cases[i].status, cases[i].why);
	}
	ticket_keys_free(keys);
}
END_TEST

START_TEST(the_header_chooses_a_key_and_nothing_else)
{
	static const struct {
		const char *header, *secret;
		enum ticket_status status;
	} cases[] = {
		{KID("\"old\""), SECRET, TICKET_GOOD},
		{KID("\"new\""), OTHER, TICKET_GOOD},
		{HS, SECRET, TICKET_GOOD},
		{HS, OTHER, TICKET_GOOD},
		{KID("\"new\""), SECRET, TICKET_BAD},
		{KID("\"old\""), OTHER, TICKET_BAD},
		{KID("\"gone\""), SECRET, TICKET_BAD},
		{KID("\"\""), SECRET, TICKET_BAD},
		{KID("7"), SECRET, TICKET_BAD},
		{KID("null"), SECRET, TICKET_BAD},
		{HS, "a-secret-that-nobody-was-told-of", TICKET_BAD},
		{"{\"alg\":\"none\"}", SECRET, TICKET_BAD},
		{"{\"alg\":\"None\"}", SECRET, TICKET_BAD},
		{"{\"alg\":\"HS512\"}", SECRET, TICKET_BAD},
		{"{\"alg\":\"RS256\"}", SECRET, TICKET_BAD},
		{"{\"alg\":\"hs256\"}", SECRET, TICKET_BAD},
		{"{\"alg\":[\"HS256\"]}", SECRET, TICKET_BAD},
		{"{\"typ\":\"JWT\"}", SECRET, TICKET_BAD},
		{"{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}", SECRET, TICKET_BAD},
		{"{\"alg\":\"HS256\",\"crit\":\"x\"}", SECRET, TICKET_BAD},
		{"{\"alg\":\"HS256\",\"crit\":null}", SECRET, TICKET_BAD},
		{"{\"alg\":\"HS256\",\"alg\":\"HS256\"}", SECRET, TICKET_BAD},
		{"{\"alg\":\"HS256\",\"kid\":\"old\",\"kid\":\"old\"}", SECRET, TICKET_BAD},
		{"[]", SECRET, TICKET_BAD},
		{"HS256", SECRET, TICKET_BAD},
		{"", SECRET, TICKET_BAD},
	};
	struct ticket_keys *keys = keys_of("old HS256 " SECRET "\nnew HS256 " OTHER);
	char token[TOKEN_BYTES];

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		token_hs256(token, cases[i].header, GOOD, cases[i].secret, strlen(cases[i].secret));
		expect(keys, token, cases[i].status, NULL);
	}
	ticket_keys_free(keys);
}
END_TEST

START_TEST(a_token_without_a_signature_is_refused)
{
	struct ticket_keys *keys = keys_of("k HS256 " SECRET);
	static const char *const headers[] = {"{\"alg\":\"none\"}", HS, "{\"alg\":\"\"}"};
	char token[TOKEN_BYTES];

	for (size_t i = 0; i < COUNT_OF(headers); i++) {
		token_begin(token, headers[i], GOOD);
		expect(keys, token, TICKET_BAD, "no signed token");
		strcat(token, ".");
		expect(keys, token, TICKET_BAD, NULL);
		strcat(token, "AAAA");
		expect(keys, token, TICKET_BAD, NULL);
	}
	ticket_keys_free(keys);
}
END_TEST

START_TEST(no_letter_of_a_token_can_be_changed_dropped_or_doubled)
{
	struct ticket_keys *keys = keys_of("k HS256 " SECRET);
	char token[TOKEN_BYTES], changed[TOKEN_BYTES + 2];
	struct ticket t;

	token_hs256(token, HS, GOOD, SECRET, strlen(SECRET));
	size_t len = strlen(token);
	/* The last letter carries 4 bits of the signature, and 2 that mean nothing. */
	for (size_t i = 0; i + 1 < len; i++) {
		strcpy(changed, token);
		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		ASSERT_QUIETLY(ticket_read(&t, keys, span_of(changed), NOW) == TICKET_BAD);
		ticket_done(&t);
		ASSERT_QUIETLY(ticket_read(&t, keys, (struct span){token, i}, NOW) == TICKET_BAD);
		ticket_done(&t);
		memmove(changed + i + 1, token + i, len - i + 1);
		ASSERT_QUIETLY(ticket_read(&t, keys, span_of(changed), NOW) == TICKET_BAD);
		ticket_done(&t);
	}
	expect(keys, token, TICKET_GOOD, NULL);
	ticket_keys_free(keys);
}
END_TEST

START_TEST(a_token_of_more_than_4096_bytes_is_refused_before_it_is_looked_at)
{
	struct ticket_keys *keys = keys_of("k HS256 " SECRET);
	char token[TOKEN_BYTES], claims[4096];

	snprintf(claims, sizeof(claims),
		 "{\"topics\":[\"a\"],\"exp\":1764000060,\"x\":\"%03000d\"}", 0);
	token_hs256(token, HS, claims, SECRET, strlen(SECRET));
	ck_assert_uint_gt(strlen(token), 4096);
	expect(keys, token, TICKET_BAD, "4096");
	snprintf(claims, sizeof(claims),
		 "{\"topics\":[\"a\"],\"exp\":1764000060,\"x\":\"%02900d\"}", 0);
	token_hs256(token, HS, claims, SECRET, strlen(SECRET));
	expect(keys, token, TICKET_GOOD, NULL);
	ticket_keys_free(keys);
}
END_TEST

static void check_public(EVP_PKEY *key, EVP_PKEY *stranger, const char *alg)
{
	char path[64], pem[4096], line[128], header[64], token[TOKEN_BYTES];

	token_public_pem(key, path, pem);
	snprintf(line, sizeof(line), "k %s %s", alg, path);
	struct ticket_keys *keys = keys_of(line);
	unlink(path);
	snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"k\"}", alg);
	token_signed(token, header, GOOD, key);
	expect(keys, token, TICKET_GOOD, NULL);
	strcat(token, "A"); /* a byte more behind the signature */
	expect(keys, token, TICKET_BAD, NULL);
	token_signed(token, header, GOOD, stranger);
	expect(keys, token, TICKET_BAD, NULL);
	/* Everybody knows the public key: it must not serve as a secret. */
	token_hs256(token, HS, GOOD, pem, strlen(pem));
	expect(keys, token, TICKET_BAD, NULL);
	token_hs256(token, header, GOOD, pem, strlen(pem));
	expect(keys, token, TICKET_BAD, NULL);
	token_begin(token, header, GOOD);
	strcat(token, ".");
	expect(keys, token, TICKET_BAD, NULL);
	token_signed(token, "{\"alg\":\"PS256\"}", GOOD, key);
	expect(keys, token, TICKET_BAD, NULL);
	token_signed(token, "{\"alg\":\"ES256\"}", GOOD,
		     strcmp(alg, "ES256") == 0 ? stranger : key);
	expect(keys, token, TICKET_BAD, NULL);
	ticket_keys_free(keys);
}

START_TEST(a_key_is_good_for_no_other_algorithm_that_it_could_serve)
{
	EVP_PKEY *rsa = EVP_RSA_gen(2048);
	char path[64], pem[4096], line[128], token[TOKEN_BYTES];

	token_public_pem(rsa, path, pem);
	snprintf(line, sizeof(line), "k RS256 %s", path);
	struct ticket_keys *keys = keys_of(line);
	unlink(path);
	token_signed_by(token, "{\"alg\":\"RS384\"}", GOOD, rsa, EVP_sha384(), false);
	expect(keys, token, TICKET_BAD, NULL);
	token_signed_by(token, "{\"alg\":\"RS512\"}", GOOD, rsa, EVP_sha512(), false);
	expect(keys, token, TICKET_BAD, NULL);
	token_signed_by(token, "{\"alg\":\"PS256\"}", GOOD, rsa, EVP_sha256(), true);
	expect(keys, token, TICKET_BAD, NULL);
	token_signed_by(token, "{\"alg\":\"RS256\"}", GOOD, rsa, EVP_sha256(), false);
	expect(keys, token, TICKET_GOOD, NULL);
	ticket_keys_free(keys);
	EVP_PKEY_free(rsa);
}
END_TEST

START_TEST(public_keys_check_their_own_algorithm_and_are_no_secrets)
{
	EVP_PKEY *rsa = EVP_RSA_gen(2048), *rsa2 = EVP_RSA_gen(2048);
	EVP_PKEY *ec = EVP_EC_gen("P-256"), *ec2 = EVP_EC_gen("P-256");

	check_public(rsa, rsa2, "RS256");
	check_public(ec, ec2, "ES256");
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(rsa2);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(ec2);
}
END_TEST

START_TEST(what_a_good_ticket_says_can_be_read)
{
	struct ticket_keys *keys = keys_of("k HS256 " SECRET);
	char token[TOKEN_BYTES];
	struct ticket t;

	token_hs256(token, HS,
		    "{\"sub\":\"Zo\\u00eb\",\"cursor\":\"1764000000000-4\",\"exp\":1764000060,"
		    "\"topics\":[\"a\",\"shop:*\",\"\\u0062\"]}",
		    SECRET, strlen(SECRET));
	ck_assert_int_eq(ticket_read(&t, keys, span_of(token), NOW), TICKET_GOOD);
	ck_assert(span_is(t.sub, "Zo\xc3\xab"));
	ck_assert(span_is(t.cursor, "1764000000000-4"));
	ck_assert_uint_eq(t.exp, NOW + 60);
	static const char *const yes[] = {"a", "b", "shop:", "shop:1"};
	static const char *const no[] = {"", "aa", "A", "shop", "shop1", "c", "*"};
	for (size_t i = 0; i < COUNT_OF(yes); i++)
		ck_assert_msg(ticket_allows(&t, span_of(yes[i])), "%s", yes[i]);
	for (size_t i = 0; i < COUNT_OF(no); i++)
		ck_assert_msg(!ticket_allows(&t, span_of(no[i])), "%s", no[i]);
	ck_assert(!ticket_allows(&t, (struct span){"shop:1", 4}));
	ticket_done(&t);
	ticket_keys_free(keys);
}
END_TEST

RUN_TESTS("ticket", claims_decide_in_these_words, the_header_chooses_a_key_and_nothing_else,
	  a_token_without_a_signature_is_refused,
	  no_letter_of_a_token_can_be_changed_dropped_or_doubled,
	  a_token_of_more_than_4096_bytes_is_refused_before_it_is_looked_at,
	  a_key_is_good_for_no_other_algorithm_that_it_could_serve,
	  public_keys_check_their_own_algorithm_and_are_no_secrets,
	  what_a_good_ticket_says_can_be_read)
