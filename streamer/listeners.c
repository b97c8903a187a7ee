/* listeners: owns the listening sockets of one worker. */
#include "streamer/listeners.h"

#include <errno.h>
#include <stdlib.h>
#include "streamer/sockets.h"

int listeners_start(struct listeners *l, struct ev_loop *loop, struct sockets *sockets,
		    unsigned worker, listener_accept_fn accept, void *arg)
{
	*l = (struct listeners){.all = calloc(sockets->n, sizeof(*l->all))};
	if (!l->all)
		return -ENOMEM;
	for (size_t i = 0; i < sockets->n; i++)
		listener_start(&l->all[i], loop, sockets_take(sockets, i, worker),
			       sockets->all[i].admin, accept, arg);
	l->n = sockets->n;
	l->n_public = sockets->n_public;
	return 0;
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
