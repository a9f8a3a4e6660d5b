#include "mapping.h"

#include <errno.h>
#include <stdlib.h>

#include "objects.h"
#include "program.h"

enum {
    /* The compiled form of the largest mapping: nodes, and texts that were cut into pieces. */
    ARENA_BYTES_MAX = 64 << 20,
};

struct mapping {
    struct arena arena; /* everything below */
    struct scope root;
};

/* What the reference throws as our error, cut to what fits. */
static int refuse(struct err *err, const struct thrown *thrown)
{
    return err_set(err, -EINVAL, 0, "%.*s", STR_ARG(thrown->message));
}

int mapping_compile_or_throw(struct mapping **out, struct jv source, struct arena *a,
                             struct thrown *thrown, struct err *err)
{
    struct thrown local = {{NULL, 0}, {NULL, 0}};
    struct err why = {0};
    uint32_t nodes = 0;
    *out = NULL;
    struct mapping *m = calloc(1, sizeof(*m));
    if (m == NULL)
        return err_set(err, -ENOMEM, 0, "no memory for a mapping");
    arena_init(&m->arena, ARENA_BYTES_MAX);
    int rc = program_compile(&m->root, &m->arena, source, &nodes, &local, &why);
    if (rc == 0) {
        *out = m;
        return 0;
    }
    if (rc == -EINVAL && why.code == 0)
        (void)refuse(&why, &local);
    if (rc == -ENOMEM)
        (void)err_set(&why, rc, 0, "no memory for a mapping");
    if (rc == -EINVAL) {
        thrown->name = local.name; /* static */
        thrown->message = arena_copy(a, local.message);
        if (thrown->message.ptr == NULL)
            rc = err_set(&why, -ENOMEM, 0, "no memory for what is wrong with a mapping");
    }
    if (err != NULL)
        *err = why;
    mapping_free(m);
    return rc;
}

int mapping_compile(struct mapping **out, struct jv source, struct err *err)
{
    struct arena scratch;
    struct thrown thrown;
    arena_init(&scratch, ARENA_BYTES_MAX);
    int rc = mapping_compile_or_throw(out, source, &scratch, &thrown, err);
    arena_fini(&scratch);
    return rc;
}

void mapping_free(struct mapping *m)
{
    if (m == NULL)
        return;
    arena_fini(&m->arena);
    free(m);
}

static int end_run(struct run *r, struct thrown *thrown, struct err *err)
{
    switch (r->rc) {
    case 0:
        return 0;
    case -EINVAL:
        *thrown = r->thrown;
        return refuse(err, &r->thrown);
    case -E2BIG:
        return err_set(err, -E2BIG, 0, "the mapping makes %s than %u", r->limit, r->limit_max);
    default:
        return err_set(err, r->rc, 0, "no room in %zu bytes for what the mapping makes of an event",
                       r->arena->bytes_max);
    }
}

int mapping_run_or_throw(const struct mapping *m, struct jv payload, struct arena *a,
                         struct jv *out, struct thrown *thrown, struct err *err)
{
    struct run r = run_begin(a);
    *out = program_transform(&r, &m->root, payload);
    return end_run(&r, thrown, err);
}

int mapping_run_element(const struct mapping *m, struct jv payload, struct arena *a, struct jv *out,
                        struct thrown *thrown, struct err *err)
{
    struct run r = run_begin(a);
    *out = program_element(&r, &m->root, payload);
    return end_run(&r, thrown, err);
}

int mapping_run(const struct mapping *m, struct jv payload, struct arena *a, struct jv *out,
                struct err *err)
{
    struct thrown thrown;
    return mapping_run_or_throw(m, payload, a, out, &thrown, err);
}
