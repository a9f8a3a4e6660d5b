#include "resident.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "log.h"

/* The mapping that holds `inside`: LMDB does not tell where its map lies. */
static void find_map(struct resident *r, const void *inside)
{
    char *line = NULL;
    size_t cap = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps != NULL && r->map == NULL && getline(&line, &cap, maps) > 0) {
        void *begin;
        void *end;
        if (sscanf(line, "%p-%p", &begin, &end) != 2)
            continue;
        if ((uintptr_t)begin > (uintptr_t)inside || (uintptr_t)inside >= (uintptr_t)end)
            continue;
        r->map = begin;
        r->map_bytes = (uintptr_t)end - (uintptr_t)begin;
    }
    free(line);
    if (maps != NULL)
        fclose(maps);
}

/* Pages of files that are mapped now: the map's and the program's own. 0: unknown. */
static size_t mapped_pages(const struct resident *r)
{
    char text[128];
    unsigned long shared;
    ssize_t got = pread(r->statm_fd, text, sizeof(text) - 1, 0);
    if (got <= 0)
        return 0;
    text[got] = '\0';
    return sscanf(text, "%*u %*u %lu", &shared) == 1 ? shared : 0;
}

void resident_init(struct resident *r, const void *inside)
{
    *r = (struct resident){.page_bytes = (size_t)sysconf(_SC_PAGESIZE)};
    r->statm_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    find_map(r, inside);
    if (r->map == NULL || r->statm_fd < 0)
        log_debug("store: /proc does not tell about mapped memory: it is not bounded");
    r->start_pages = mapped_pages(r);
    pthread_mutex_init(&r->mutex, NULL);
}

void resident_fini(struct resident *r)
{
    if (r->page_bytes == 0)
        return;
    pthread_mutex_destroy(&r->mutex);
    if (r->statm_fd >= 0)
        close(r->statm_fd);
}

static void give_back_beyond_bound(struct resident *r)
{
    const size_t pages = mapped_pages(r);
    if (pages < r->start_pages) /* the system took some away by itself */
        r->start_pages = pages;
    if ((pages - r->start_pages) * r->page_bytes < RESIDENT_BYTES_MAX)
        return;
    (void)madvise(r->map, r->map_bytes, MADV_DONTNEED); /* refused for locked memory: so be it */
    r->start_pages = mapped_pages(r);
}

void resident_bound(struct resident *r)
{
    if (r->map == NULL || r->statm_fd < 0 || pthread_mutex_trylock(&r->mutex) != 0)
        return;
    give_back_beyond_bound(r);
    pthread_mutex_unlock(&r->mutex);
}
