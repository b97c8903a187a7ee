/* auth_forgotten: a ring of selectors, each as long as its words are. Owns them. */
#include "streamer/auth_forgotten.h"

#include <stdlib.h>
#include <string.h>

struct forgotten {
	uint16_t user_len, topic_len;
	char words[]; /* user, topic */
};

static void store(struct auth_forgotten *f, struct forgotten *one)
{
	struct forgotten **place = &f->ring[f->n % AUTH_FORGOTTEN_MAX];

	free(*place);
	*place = one;
	f->n++;
	if (!one)
		f->unknown = f->n;
	else if (f->n > AUTH_FORGOTTEN_MAX && f->n - AUTH_FORGOTTEN_MAX > f->unknown)
		f->unknown = f->n - AUTH_FORGOTTEN_MAX;
}

void auth_forgotten_add(struct auth_forgotten *f, const struct control_selector *who)
{
	struct forgotten *one = malloc(sizeof(*one) + who->user_len + who->topic_len);

	if (one) {
		one->user_len = (uint16_t)who->user_len;
		one->topic_len = (uint16_t)who->topic_len;
		memcpy(one->words, who->user, who->user_len);
		memcpy(one->words + who->user_len, who->topic, who->topic_len);
	}
	store(f, one);
}

void auth_forgotten_done(struct auth_forgotten *f)
{
	for (size_t i = 0; i < AUTH_FORGOTTEN_MAX; i++) {
		free(f->ring[i]);
		f->ring[i] = NULL;
	}
}

static bool names(const struct forgotten *one, struct span user, const struct span *topics,
		  size_t n)
{
	struct control_selector who = {.user_len = one->user_len, .topic_len = one->topic_len};

	memcpy(who.user, one->words, who.user_len);
	memcpy(who.topic, one->words + who.user_len, who.topic_len);
	if (!control_selects_user(&who, user))
		return false;
	for (size_t i = 0; i < n; i++)
		if (control_selects_topic(&who, topics[i]))
			return true;
	return false;
}

bool auth_forgotten_names(const struct auth_forgotten *f, uint64_t since, struct span user,
			  const struct span *topics, size_t n)
{
	if (since < f->unknown)
		return true;
	for (uint64_t i = since; i < f->n; i++)
		if (names(f->ring[i % AUTH_FORGOTTEN_MAX], user, topics, n))
			return true;
	return false;
}
