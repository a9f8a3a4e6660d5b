/* listener: a listening TCP socket from a text like "127.0.0.1:8080", "[::1]:0" or ":8080". */
#ifndef SPELTER_HTTP_LISTENER_H
#define SPELTER_HTTP_LISTENER_H

#include "err.h"
#include "str.h"

#include <netdb.h>
#include <netinet/in.h>

enum { LISTENER_ADDRESS_BYTES = INET6_ADDRSTRLEN + 16 };

/* Opens, binds and listens; non-blocking. *fd is the caller's. `address` becomes the
 * address in use, as text. Without a host it takes every address of the machine, IPv4
 * and IPv6. -EINVAL (text), or what bind says. */
int listener_open(int *fd, char address[LISTENER_ADDRESS_BYTES], struct str text, struct err *err)
    __attribute__((warn_unused_result));

/* The host part of a socket address as text; IPv4 inside IPv6 comes
 * as IPv4. Empty for other families. */
void listener_host_text(char out[INET6_ADDRSTRLEN], const struct sockaddr *address);

#endif
