#include "links.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct link {
    int fd;
    long port; /* its local one, which libcurl tells of a transfer; 0: not known yet */
    int64_t heard_us;
};

void links_fini(struct links *l)
{
    free(l->rows);
}

static curl_socket_t open_link(void *self, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct links *l = self;
    (void)purpose;
    if (l->count == l->cap) {
        size_t cap = l->cap == 0 ? 8 : l->cap * 2;
        struct link *rows = realloc(l->rows, cap * sizeof(*rows));
        if (rows == NULL)
            return CURL_SOCKET_BAD;
        l->rows = rows;
        l->cap = cap;
    }
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    l->rows[l->count++] = (struct link){.fd = fd};
    return fd;
}

static int close_link(void *self, curl_socket_t fd)
{
    struct links *l = self;
    for (size_t i = 0; i < l->count; i++) {
        if (l->rows[i].fd != fd)
            continue;
        l->rows[i] = l->rows[--l->count];
        break;
    }
    return close(fd);
}

bool links_watch(struct links *l, CURL *easy)
{
    return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_link) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, l) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_link) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, l) == CURLE_OK;
}

static long local_port(int fd)
{
    union {
        struct sockaddr_storage any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;
    socklen_t bytes = sizeof(address);
    if (getsockname(fd, (struct sockaddr *)&address.any, &bytes) != 0)
        return 0;
    return ntohs(address.any.ss_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

/* Libcurl names the connection of a transfer by its local port only. NULL: it has none. */
static struct link *find_link(struct links *l, CURL *easy)
{
    long port = 0;
    curl_easy_getinfo(easy, CURLINFO_LOCAL_PORT, &port);
    if (port == 0)
        return NULL;
    for (size_t i = 0; i < l->count; i++) {
        struct link *link = &l->rows[i];
        if (link->port == 0)
            link->port = local_port(link->fd);
        if (link->port == port)
            return link;
    }
    return NULL;
}

void links_heard(struct links *l, CURL *easy, int64_t now_us)
{
    struct link *link = find_link(l, easy);
    if (link != NULL)
        link->heard_us = now_us;
}

void links_cut_silent(struct links *l, CURL *easy, int64_t since_us)
{
    struct link *link = find_link(l, easy);
    if (link != NULL && link->heard_us < since_us)
        shutdown(link->fd, SHUT_RDWR);
}
