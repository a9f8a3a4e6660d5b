#include "datafile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    META_MAGIC = (int)0xBEEFC0DE,
    META_FORMAT = 1,
    PAGE_BYTES_MIN = 512,
    PAGE_BYTES_MAX = 65536,
    PAGE_IS_BRANCH_OR_LEAF = 3, /* flags of the two kinds a root can be */
};

static const uint64_t NO_PAGE = UINT64_MAX; /* root of an empty tree */

/* As LMDB lays them out in memory and in the file. */
struct page_header {
    uint64_t number;
    uint16_t pad;
    uint16_t flags;
    uint32_t bounds;
};

struct tree {
    uint32_t pad; /* of the first tree: the page size */
    uint16_t flags;
    uint16_t depth;
    uint64_t pages[3];
    uint64_t entries;
    uint64_t root;
};

struct meta {
    struct page_header header;
    uint32_t magic;
    uint32_t format;
    uint64_t address;
    uint64_t map_bytes;
    struct tree trees[2]; /* free pages, tables */
    uint64_t last_page;
    uint64_t transaction;
};

static bool read_at(int fd, void *out, size_t bytes, uint64_t offset)
{
    return pread(fd, out, bytes, (off_t)offset) == (ssize_t)bytes;
}

static bool is_meta(const struct meta *meta)
{
    uint32_t page_bytes = meta->trees[0].pad;
    return meta->magic == (uint32_t)META_MAGIC && meta->format == META_FORMAT &&
           page_bytes >= PAGE_BYTES_MIN && page_bytes <= PAGE_BYTES_MAX &&
           (page_bytes & (page_bytes - 1)) == 0;
}

static bool is_root(int fd, const struct meta *meta, const struct tree *tree)
{
    struct page_header page;
    if (tree->root == NO_PAGE)
        return true;
    return tree->root <= meta->last_page &&
           read_at(fd, &page, sizeof(page), tree->root * meta->trees[0].pad) &&
           page.number == tree->root && (page.flags & PAGE_IS_BRANCH_OR_LEAF) != 0;
}

static int check(int fd, const char *path, bool is_live, struct err *err)
{
    struct meta first;
    struct meta second;
    struct stat stat;
    if (!read_at(fd, &first, sizeof(first), 0) || !is_meta(&first))
        return err_set(err, -EBADMSG, 0,
                       "%s is not a data file of this program, or its start is damaged", path);
    const uint64_t page_bytes = first.trees[0].pad;
    if (!read_at(fd, &second, sizeof(second), page_bytes) || !is_meta(&second))
        return err_set(err, -EBADMSG, page_bytes,
                       "%s is damaged: its second page is not a meta page", path);

    /* Only now: a writing process makes the file longer before the meta page says so. */
    if (fstat(fd, &stat) != 0)
        return err_set(err, -errno, 0, "cannot examine %s: %s", path, strerror(errno));
    const uint64_t file_bytes = (uint64_t)stat.st_size;
    const struct meta *newest = second.transaction > first.transaction ? &second : &first;
    if (newest->last_page >= file_bytes / page_bytes)
        return err_set(
            err, -EBADMSG, file_bytes,
            "%s is damaged: it ends at byte %llu, but %llu pages of %llu bytes were written", path,
            (unsigned long long)file_bytes, (unsigned long long)newest->last_page + 1,
            (unsigned long long)page_bytes);
    for (size_t i = 0; !is_live && i < 2; i++)
        if (!is_root(fd, newest, &newest->trees[i]))
            return err_set(err, -EBADMSG, newest->trees[i].root * page_bytes,
                           "%s is damaged: page %llu should be the root of a table", path,
                           (unsigned long long)newest->trees[i].root);
    return 0;
}

int datafile_check(const char *dir, bool is_live, bool *exists, struct err *err)
{
    char path[PATH_MAX];
    struct stat stat;
    *exists = false;
    if (snprintf(path, sizeof(path), "%s/%s", dir, DATAFILE_NAME) >= (int)sizeof(path))
        return err_set(err, -ENAMETOOLONG, 0, "the path %s is too long", dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0)
        return err_set(err, -errno, 0, "cannot open %s: %s", path, strerror(errno));
    int rc = fstat(fd, &stat) == 0 ? 0 : -errno;
    if (rc != 0)
        err_set(err, rc, 0, "cannot examine %s: %s", path, strerror(-rc));
    else if (stat.st_size > 0)
        rc = check(fd, path, is_live, err);
    *exists = rc == 0 && stat.st_size > 0;
    close(fd);
    return rc;
}
