/* auth_kept: the connections to the auth URL, which libcurl keeps for the next call. One on which
 * something has arrived while no call was under way, bytes that nobody asked for or its end, must
 * not be used again: they would be taken for the next call's answer. libcurl 7.88, which Debian 12
 * has, does not see them (its pull request 10690 is about that). */
#ifndef TIDINGS_STREAMER_AUTH_KEPT_H
#define TIDINGS_STREAMER_AUTH_KEPT_H

#include <stdbool.h>
#include <stddef.h>

struct pollfd;

/* Begins as zeros. */
struct auth_kept {
	struct pollfd *all;
	size_t n, room;
};

/* All of them have been closed. */
void auth_kept_done(struct auth_kept *k);

/* As socket(2), and remembers it as in use. */
int auth_kept_open(struct auth_kept *k, int family, int type, int protocol);

/* As close(2). */
int auth_kept_close(struct auth_kept *k, int fd);

/* Whether a call is under way on it. Others' descriptors are passed over. */
void auth_kept_set_used(struct auth_kept *k, int fd, bool used);

/* To be called before libcurl may choose a connection: those that it must not choose are at their
 * end afterwards, which it sees. */
void auth_kept_check(struct auth_kept *k);

#endif
