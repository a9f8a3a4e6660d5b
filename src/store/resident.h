/*
 * resident: keeps the share of the map that counts as this process's memory small. Part of store.
 *
 * LMDB reads its file through a shared mapping. Every page that was ever looked at stays mapped and
 * counts as resident, so a server that works through a large file seems to grow as large as the
 * file. This gives the pages back to the page cache, where they stay as long as the system has
 * room: looking at one again costs a soft fault that maps it and its neighbours, no disk.
 *
 * Readers on other threads notice nothing. The mapping is shared and read-only (the environment is
 * never opened with MDB_WRITEMAP: LMDB writes through the file descriptor, and its dirty pages are
 * on the heap), so no byte lives only in a mapped page, and madvise(2) promises that an access
 * after MADV_DONTNEED on a shared file mapping finds the file's current contents. A pointer that a
 * read transaction handed out stays valid: it is the same address, mapped to the same page again.
 */
#ifndef SPELTER_STORE_RESIDENT_H
#define SPELTER_STORE_RESIDENT_H

#include <pthread.h>
#include <stddef.h>

enum {
    /* What the mapping may grow by until it is given back. At full speed that is some dozen times a
     * second, each for less than a millisecond. */
    RESIDENT_BYTES_MAX = 16 * 1024 * 1024,
};

struct resident {
    void *map; /* NULL: unknown, nothing is done */
    size_t map_bytes;
    int statm_fd;      /* /proc/self/statm; -1: none */
    size_t page_bytes; /* of the system, not of LMDB */

    pthread_mutex_t mutex; /* guards start_pages */
    size_t start_pages;    /* mapped from files when the growth began */
};

/* `inside` is any address in the map, such as a value that LMDB returned. Where /proc does not tell
 * where the map lies, resident_bound does nothing: that costs memory, not correctness. */
void resident_init(struct resident *r, const void *inside);
void resident_fini(struct resident *r); /* a zeroed one is fine, as it is for resident_bound */

/* To be called after each commit and each read transaction: a read of /proc/self/statm, about a
 * microsecond, and now and then a madvise. Any thread; who finds another one at it leaves it to
 * that. The kernel counts mapped pages by CPU and adds them up late, so with many CPUs the bound is
 * a rough one. */
void resident_bound(struct resident *r);

#endif
