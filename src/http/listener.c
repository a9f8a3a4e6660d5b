#include "listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* A burst of clients waits in the kernel instead of being turned away; the
 * kernel cuts it to net.core.somaxconn. */
enum { BACKLOG = 4096 };

void listener_host_text(char out[INET6_ADDRSTRLEN], const struct sockaddr *address)
{
    out[0] = '\0';
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
        (void)inet_ntop(AF_INET, &v4->sin_addr, out, INET6_ADDRSTRLEN);
    } else if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;
        if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
            (void)inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, out, INET6_ADDRSTRLEN);
        else
            (void)inet_ntop(AF_INET6, &v6->sin6_addr, out, INET6_ADDRSTRLEN);
    }
}

/* "host:port" into two NUL-terminated texts; brackets around an IPv6 host are taken off. */
static int split_address(struct str text, char host[NI_MAXHOST], char port[NI_MAXSERV],
                         struct err *err)
{
    size_t colon = text.len;
    while (colon > 0 && text.ptr[colon - 1] != ':')
        colon--;
    struct str host_text = str_slice(text, 0, colon == 0 ? 0 : colon - 1);
    struct str port_text = str_slice(text, colon, text.len);
    bool has_brackets = str_starts(host_text, STR("[")) && str_ends(host_text, STR("]"));
    if (has_brackets)
        host_text = str_slice(host_text, 1, host_text.len - 1);
    bool is_number = port_text.len > 0 && port_text.len <= 5;
    unsigned number = 0;
    for (size_t i = 0; is_number && i < port_text.len; i++) {
        is_number = port_text.ptr[i] >= '0' && port_text.ptr[i] <= '9';
        number = number * 10 + (unsigned)(port_text.ptr[i] - '0');
    }
    if (colon == 0 || !is_number || number > 65535)
        return err_set(err, -EINVAL, 0, "'%.*s' is no address to listen on, expected HOST:PORT",
                       STR_ARG(text));
    if (!has_brackets && str_find(host_text, ':') < host_text.len)
        return err_set(err, -EINVAL, 0, "'%.*s': an IPv6 host goes in brackets, [%.*s]:%u",
                       STR_ARG(text), STR_ARG(host_text), number);
    if (host_text.len >= NI_MAXHOST)
        return err_set(err, -EINVAL, 0, "a host name of %zu bytes is too long", host_text.len);
    snprintf(host, NI_MAXHOST, "%.*s", STR_ARG(host_text));
    snprintf(port, NI_MAXSERV, "%u", number);
    return 0;
}

static int bind_one(int *fd, const struct addrinfo *info)
{
    const int on = 1;
    const int off = 0;
    int rc = 0;
    int s = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, info->ai_protocol);
    if (s < 0)
        return -errno;
    /* A restart must not wait for the old connections' TIME_WAIT. */
    if (setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
        rc = -errno;
    if (rc == 0 && info->ai_family == AF_INET6 &&
        setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) != 0)
        rc = -errno;
    if (rc == 0 && bind(s, info->ai_addr, info->ai_addrlen) != 0)
        rc = -errno;
    if (rc == 0 && listen(s, BACKLOG) != 0)
        rc = -errno;
    if (rc != 0) {
        close(s);
        return rc;
    }
    *fd = s;
    return 0;
}

static int address_in_use(int fd, char address[LISTENER_ADDRESS_BYTES])
{
    struct sockaddr_storage bound = {0};
    socklen_t len = sizeof(bound);
    char host[INET6_ADDRSTRLEN];
    if (getsockname(fd, (struct sockaddr *)&bound, &len) != 0)
        return -errno;
    listener_host_text(host, (const struct sockaddr *)&bound);
    bool is_v6 = bound.ss_family == AF_INET6;
    unsigned port = ntohs(is_v6 ? ((const struct sockaddr_in6 *)&bound)->sin6_port
                                : ((const struct sockaddr_in *)&bound)->sin_port);
    bool has_colon = strchr(host, ':') != NULL;
    snprintf(address, LISTENER_ADDRESS_BYTES, has_colon ? "[%s]:%u" : "%s:%u", host, port);
    return 0;
}

int listener_open(int *fd, char address[LISTENER_ADDRESS_BYTES], struct str text, struct err *err)
{
    char host[NI_MAXHOST];
    char port[NI_MAXSERV];
    struct addrinfo *list = NULL;
    int s = -1;
    int rc = split_address(text, host, port, err);
    if (rc != 0)
        return rc;

    /* "::" takes IPv4 too; machines without IPv6 get 0.0.0.0 below. */
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    bool is_any = host[0] == '\0';
    int gai = getaddrinfo(is_any ? "::" : host, port, &hints, &list);
    if (gai != 0)
        return err_set(err, -EINVAL, 0, "cannot listen on '%.*s': %s", STR_ARG(text),
                       gai_strerror(gai));
    rc = bind_one(&s, list);
    if (is_any && (rc == -EAFNOSUPPORT || rc == -EADDRNOTAVAIL)) {
        freeaddrinfo(list);
        list = NULL;
        if (getaddrinfo("0.0.0.0", port, &hints, &list) == 0)
            rc = bind_one(&s, list);
    }
    if (list != NULL)
        freeaddrinfo(list);
    if (rc == 0)
        rc = address_in_use(s, address);
    if (rc != 0) {
        if (s >= 0)
            close(s);
        return err_set(err, rc, 0, "cannot listen on '%.*s': %s", STR_ARG(text), strerror(-rc));
    }
    *fd = s;
    return 0;
}
