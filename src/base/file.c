#include "file.h"

#include <errno.h>
#include <stdio.h>

enum { BLOCK_BYTES = 16 * 1024 };

int file_read(struct buf *out, const char *path, struct err *err)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return err_set(err, -errno, 0, "%s: %s", path, strerror(errno));
    char block[BLOCK_BYTES];
    size_t got;
    while (!out->failed && (got = fread(block, 1, sizeof(block), file)) > 0)
        buf_append(out, (struct str){block, got});
    int rc = 0;
    if (out->failed && out->too_long)
        rc = err_set(err, -E2BIG, 0, "%s: larger than %zu bytes", path, out->max);
    else if (out->failed)
        rc = err_set(err, -ENOMEM, 0, "%s: out of memory", path);
    else if (ferror(file))
        rc = err_set(err, -errno, 0, "%s: %s", path, strerror(errno));
    fclose(file);
    return rc;
}
