/* test_ticket_keys: which lines are keys, and which are refused in which words. */
#include "streamer/ticket_keys.h"

#include <unistd.h>

#include "tests/unit/run.h"
#include "tests/unit/tokens.h"

#define SECRET "0123456789abcdef0123456789abcdef"

static struct ticket_keys *parse(const char *text, struct ticket_keys_error *error)
{
	return ticket_keys_parse(text, strlen(text), error);
}

static void refused(const char *text, size_t line, const char *why)
{
	struct ticket_keys_error error;

	ck_assert_ptr_null(parse(text, &error));
	ck_assert_msg(error.line == line && strstr(error.why, why) != NULL, "%s: %zu: %s", text,
		      error.line, error.why);
}

START_TEST(lines_of_secrets_are_read_blanks_and_comments_passed_over)
{
	struct ticket_keys_error error;
	struct ticket_keys *keys =
		parse("# kid alg key\n\n a\tHS256  " SECRET " \r\n"
		      "b HS256 base64:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
		      &error);

	ck_assert_ptr_nonnull(keys);
	ck_assert_uint_eq(keys->n, 2);
	ck_assert_str_eq(keys->keys[0].kid, "a");
	ck_assert_str_eq(keys->keys[1].kid, "b");
	ck_assert_str_eq(keys->keys[1].alg, "HS256");
	ticket_keys_free(keys);
}
END_TEST

START_TEST(other_lines_are_refused_in_words_that_name_no_secret)
{
	static const struct {
		const char *text;
		size_t line;
		const char *why;
	} cases[] = {
		{"", 0, "holds no key"},
		{"# nothing\n", 0, "holds no key"},
		{"a HS256\n", 1, "a kid, an algorithm and a key"},
		{"\na HS256 " SECRET " more\n", 2, "a kid, an algorithm and a key"},
		{"a HS256 0123456789abcdef0123456789abcde", 1, "32 bytes"},
		{"a HS256 base64:AAAA", 1, "32 bytes"},
		{"a HS256 base64:?", 1, "base64"},
		{"a none " SECRET, 1, "none of HS256, RS256, ES256"},
		{"a HS512 " SECRET, 1, "none of"},
		{"a EdDSA /key.pem", 1, "none of"},
		{"a hs256 " SECRET, 1, "none of"},
		{"a HS256 " SECRET "\na HS256 " SECRET, 2, "has a key already"},
		{"\x01 HS256 " SECRET, 1, "printable"},
		{"a RS256 web.pem", 1, "begins with /"},
		{"a RS256 /nowhere/at/all.pem", 1, "can't be opened"},
		{"a ES256 /dev/null", 1, "no public key"},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa HS256 " SECRET,
		 1, "64 bytes"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		refused(cases[i].text, cases[i].line, cases[i].why);
}
END_TEST

START_TEST(seventeen_keys_are_too_many)
{
	char text[4096] = "";

	for (int i = 0; i <= TICKET_KEYS_MAX; i++)
		sprintf(text + strlen(text), "k%d HS256 " SECRET "\n", i);
	refused(text, TICKET_KEYS_MAX + 1, "more than 16");
}
END_TEST

static void check_pem(EVP_PKEY *key, const char *alg, const char *why)
{
	struct ticket_keys_error error;
	char path[64], pem[4096], line[128];

	ck_assert_ptr_nonnull(key);
	token_public_pem(key, path, pem);
	snprintf(line, sizeof(line), "k %s %s", alg, path);
	if (why) {
		refused(line, 1, why);
	} else {
		struct ticket_keys *keys = parse(line, &error);
		ck_assert_msg(keys != NULL, "%s", error.why);
		ck_assert_str_eq(keys->keys[0].alg, alg);
		ticket_keys_free(keys);
	}
	unlink(path);
}

START_TEST(a_pem_file_must_hold_a_key_that_fits_the_algorithm)
{
	EVP_PKEY *rsa = EVP_RSA_gen(2048), *small = EVP_RSA_gen(1024);
	EVP_PKEY *p256 = EVP_EC_gen("P-256"), *p384 = EVP_EC_gen("P-384");
	EVP_PKEY *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	check_pem(rsa, "RS256", NULL);
	check_pem(p256, "ES256", NULL);
	check_pem(rsa, "ES256", "P-256");
	check_pem(p256, "RS256", "RSA key");
	check_pem(small, "RS256", "2048");
	check_pem(p384, "ES256", "P-256");
	check_pem(ed, "ES256", "P-256");
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(small);
	EVP_PKEY_free(p256);
	EVP_PKEY_free(p384);
	EVP_PKEY_free(ed);
}
END_TEST

RUN_TESTS("ticket_keys", lines_of_secrets_are_read_blanks_and_comments_passed_over,
	  other_lines_are_refused_in_words_that_name_no_secret, seventeen_keys_are_too_many,
	  a_pem_file_must_hold_a_key_that_fits_the_algorithm)
