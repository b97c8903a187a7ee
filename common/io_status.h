/* io_status: what became of one step on a non-blocking connection. */
#ifndef TIDINGS_COMMON_IO_STATUS_H
#define TIDINGS_COMMON_IO_STATUS_H

enum io_status {
	IO_OK,
	IO_WANT_READ,  /* nothing was done: try again when the socket can be read */
	IO_WANT_WRITE, /* the same, when it can be written to */
	IO_CLOSED,     /* the other side ended the connection, in an orderly way or not */
	IO_FAILED,     /* there are words for it; the connection is of no use any more */
};

#endif
