/* address: HOST:PORT of the programs that measure. */
#ifndef TIDINGS_BENCH_ADDRESS_H
#define TIDINGS_BENCH_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>

/* An IPv4 address and a port; false when the text is no such thing. */
bool address_parse(const char *text, struct sockaddr_in *out);

#endif
