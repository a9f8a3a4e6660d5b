/*
 * scratch: a directory of its own for a test, and everything in it gone afterwards.
 */
#ifndef SPELTER_TESTS_SCRATCH_H
#define SPELTER_TESTS_SCRATCH_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct scratch {
    char path[256];
};

/* Leaves path empty when there is none to be had. */
static inline void scratch_init(struct scratch *s)
{
    const char *base = getenv("TMPDIR");
    snprintf(s->path, sizeof(s->path), "%s/spelter-test-XXXXXX", base == NULL ? "/tmp" : base);
    if (mkdtemp(s->path) == NULL)
        s->path[0] = '\0';
}

static inline int scratch_remove_one(const char *path, const struct stat *stat, int kind,
                                     struct FTW *at)
{
    (void)stat;
    (void)kind;
    (void)at;
    return remove(path);
}

static inline void scratch_fini(struct scratch *s)
{
    if (s->path[0] != '\0')
        nftw(s->path, scratch_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
