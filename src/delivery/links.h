/*
 * links: the sockets of one sender's connections, and when something was last heard on each.
 *
 * Over HTTP/1.1 libcurl closes a connection whose request ran out of time. Over HTTP/2 it keeps it
 * for the other streams, and gives it to new requests as well: a connection that went silent would
 * swallow everything, for as long as the kernel believes in it. So a silent one is cut here, and
 * the next request makes a new one. The sender's thread only.
 */
#ifndef SPELTER_DELIVERY_LINKS_H
#define SPELTER_DELIVERY_LINKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

struct link;

struct links {
    struct link *rows;
    size_t count;
    size_t cap;
};

/* All zero is an empty one. */
void links_fini(struct links *l); /* after curl_multi_cleanup, which closes sockets */

/* From now on the sockets of this handle's transfers are known here. False: no memory. */
bool links_watch(struct links *l, CURL *easy);

/* An answer begins on the connection that `easy` uses. */
void links_heard(struct links *l, CURL *easy, int64_t now_us);

/* `easy` ran out of time: its connection is shut down if nothing was heard on it since then. What
 * else is in flight on it fails. */
void links_cut_silent(struct links *l, CURL *easy, int64_t since_us);

#endif
