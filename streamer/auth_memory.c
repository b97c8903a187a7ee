/* auth_memory: the table of verdicts, its keys and what is allowed in. It is a private cache
 * (RFC 9111) for each set of credentials: nothing goes from one to another, whatever an answer
 * allows. */
#include "streamer/auth_memory.h"

#include "streamer/ask.h"

int auth_memory_init(struct auth_memory *m, size_t max)
{
	m->vary.n = 0;
	return verdicts_init(&m->verdicts, max);
}

void auth_memory_done(struct auth_memory *m)
{
	verdicts_done(&m->verdicts);
}

int auth_memory_know(const struct auth_memory *m, struct auth_asker *asker)
{
	if (asker->read && asker->who.n_vary == m->vary.n)
		return 0;
	int err = auth_who_read(asker->ask, asker->client_ip, &m->vary, &asker->who);
	asker->read = err == 0;
	return err;
}

static bool find_key(const struct auth_memory *m, struct auth_asker *asker, uint16_t topic,
		     struct auth_key *key)
{
	return auth_memory_know(m, asker) == 0 &&
	       auth_key_for(&asker->who.credentials, asker->ask->topics, &topic, 1, key) == 0;
}

bool auth_memory_find(const struct auth_memory *m, struct auth_asker *asker, uint16_t topic,
		      double now, struct auth_verdict *out)
{
	struct auth_key key;

	return m->verdicts.n > 0 && find_key(m, asker, topic, &key) &&
	       verdicts_find(&m->verdicts, &key, now, out);
}

double auth_memory_learn(struct auth_memory *m, struct auth_asker *asker,
			 const struct auth_caching *said, double begun)
{
	struct auth_policy policy = auth_policy_read(said->cache_control, said->age);

	if (policy.seconds == 0 || !auth_vary_learn(&m->vary, said->vary))
		return 0;
	if (auth_memory_know(m, asker) != 0)
		return 0;
	/* The answer is for one user, and nothing tells this one from any other. */
	if (policy.is_private && !asker->who.identified)
		return 0;
	return begun + policy.seconds;
}

void auth_memory_keep(struct auth_memory *m, struct auth_asker *asker, uint16_t topic,
		      const struct auth_verdict *verdict, double until)
{
	struct auth_key key;

	if (verdict->outcome != AUTH_ALLOW && verdict->outcome != AUTH_DENY)
		return;
	/* Nothing is used beyond the moment at which it is to be asked anew. */
	if (verdict->until > 0 && verdict->until < until)
		until = verdict->until;
	if (find_key(m, asker, topic, &key))
		verdicts_keep(&m->verdicts, &key, asker->ask->topics[topic], verdict, until);
}

void auth_memory_forget(struct auth_memory *m, const struct control_selector *who)
{
	verdicts_forget(&m->verdicts, who);
}

void auth_memory_expire(struct auth_memory *m, double now)
{
	verdicts_expire(&m->verdicts, now);
}
