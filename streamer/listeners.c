/* listeners: owns the listening sockets. */
#include "streamer/listeners.h"

#include <stdlib.h>
#include "common/endpoint.h"
#include "common/log.h"
#include "streamer/config.h"

static int open_one(struct listeners *l, struct ev_loop *loop, const struct endpoint *at,
		    bool admin, listener_accept_fn accept, void *arg)
{
	const char *why = NULL;
	char name[160];

	endpoint_format((const struct sockaddr *)&at->addr, at->addr_len, name, sizeof(name));
	if (listener_open(&l->all[l->n], loop, at, admin, accept, arg, &why) != 0) {
		log_error("cannot listen at %s: %s", name, why);
		return -1;
	}
	l->n++;
	log_info("%s at %s", admin ? "admin" : "streams", name);
	return 0;
}

int listeners_open(struct listeners *l, struct ev_loop *loop, const struct config *config,
		   listener_accept_fn accept, void *arg)
{
	*l = (struct listeners){.all = calloc(config->n_listen + 1, sizeof(*l->all))};
	if (!l->all)
		return -1;
	for (size_t i = 0; i < config->n_listen; i++)
		if (open_one(l, loop, &config->listen[i], false, accept, arg) != 0)
			return -1;
	l->n_public = l->n;
	return config->admin_same ? 0 : open_one(l, loop, &config->admin, true, accept, arg);
}

void listeners_rest(struct listeners *l)
{
	for (size_t i = 0; i < l->n_public; i++)
		listener_rest(&l->all[i]);
}

void listeners_resume(struct listeners *l)
{
	for (size_t i = 0; i < l->n; i++)
		listener_resume(&l->all[i]);
}

void listeners_close_public(struct listeners *l)
{
	for (size_t i = 0; i < l->n_public; i++)
		listener_close(&l->all[i]);
}

void listeners_close(struct listeners *l)
{
	for (size_t i = 0; i < l->n; i++)
		listener_close(&l->all[i]);
	free(l->all);
	*l = (struct listeners){0};
}
