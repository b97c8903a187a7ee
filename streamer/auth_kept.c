/* auth_kept: one pollfd for each connection. One that is in use stands there as ~fd, which poll()
 * passes over. */
#include "streamer/auth_kept.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define GROWTH      16
#define DRAIN_READS 16 /* of 4 KiB: somebody who never stops gets no further */

void auth_kept_done(struct auth_kept *k)
{
	free(k->all);
	*k = (struct auth_kept){NULL, 0, 0};
}

static struct pollfd *find(struct auth_kept *k, int fd)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->all[i].fd == fd || k->all[i].fd == ~fd)
			return &k->all[i];
	return NULL;
}

static int make_room(struct auth_kept *k)
{
	if (k->n < k->room)
		return 0;
	struct pollfd *grown = realloc(k->all, (k->room + GROWTH) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	k->all = grown;
	k->room += GROWTH;
	return 0;
}

int auth_kept_open(struct auth_kept *k, int family, int type, int protocol)
{
	int fd = make_room(k) == 0 ? socket(family, type | SOCK_CLOEXEC, protocol) : -1;

	if (fd >= 0)
		k->all[k->n++] = (struct pollfd){.fd = ~fd, .events = POLLIN};
	return fd;
}

int auth_kept_close(struct auth_kept *k, int fd)
{
	struct pollfd *p = find(k, fd);

	if (p)
		*p = k->all[--k->n];
	return close(fd);
}

void auth_kept_set_used(struct auth_kept *k, int fd, bool used)
{
	struct pollfd *p = find(k, fd);

	if (p)
		p->fd = used ? ~fd : fd;
}

/* Nothing can be read from it afterwards but its end. */
static void spoil(int fd)
{
	char bytes[4096];

	for (int i = 0; i < DRAIN_READS && recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0; i++)
		;
	shutdown(fd, SHUT_RDWR);
}

void auth_kept_check(struct auth_kept *k)
{
	if (k->n == 0 || poll(k->all, k->n, 0) <= 0)
		return;
	for (size_t i = 0; i < k->n; i++)
		if (k->all[i].fd >= 0 && k->all[i].revents)
			spoil(k->all[i].fd);
}
