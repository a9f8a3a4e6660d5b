#include "routes.h"

#include "export.h"
#include "look.h"
#include "track.h"

/* clang-format off */
static const struct route routes[] = {
    {"POST", "/users/track", "users.track", RATE_TRACK, answer_track},
    {"POST", "/users/track/sync", "users.track.sync", RATE_TRACK_SYNC, answer_track_sync},
    {"POST", "/users/track/bulk", "users.track.bulk", RATE_TRACK_BULK, answer_track_bulk},
    {"POST", "/users/export/ids", "users.export.ids", RATE_EXPORT_IDS, answer_export_ids},
};

static const struct route own_routes[] = {
    {"GET", "/sandbox/profiles", NULL, RATE_DEFAULT, answer_look_profiles},
    {"GET", "/sandbox/profiles/{id}", NULL, RATE_DEFAULT, answer_look_profile},
    {"GET", "/sandbox/requests", NULL, RATE_DEFAULT, answer_look_requests},
    {"GET", "/sandbox/log", NULL, RATE_DEFAULT, answer_look_log},
    {"GET", "/sandbox/data-points", NULL, RATE_DEFAULT, answer_look_points},
    {"GET", "/sandbox/stats", NULL, RATE_DEFAULT, answer_look_stats},
    {"GET", "/sandbox/limits", NULL, RATE_DEFAULT, answer_look_limits},
    {"GET", "/sandbox/faults", NULL, RATE_DEFAULT, answer_look_faults},
    {"POST", "/sandbox/faults", NULL, RATE_DEFAULT, answer_add_faults},
    {"DELETE", "/sandbox/faults", NULL, RATE_DEFAULT, answer_clear_faults},
    {"POST", "/sandbox/reset", NULL, RATE_DEFAULT, answer_reset},
};
/* clang-format on */

/* Part by part; a {name} takes any non-empty part. */
static bool matches(struct str pattern, struct str path, struct str *parameters)
{
    size_t taken = 0;
    while (pattern.len > 0 && path.len > 0 && pattern.ptr[0] == '/' && path.ptr[0] == '/') {
        pattern = str_slice(pattern, 1, pattern.len);
        path = str_slice(path, 1, path.len);
        struct str want = str_slice(pattern, 0, str_find(pattern, '/'));
        struct str have = str_slice(path, 0, str_find(path, '/'));
        bool is_parameter = want.len > 0 && want.ptr[0] == '{';
        if (is_parameter ? have.len == 0 : !str_eq(want, have))
            return false;
        if (is_parameter) {
            assert(taken < CALL_PARAMETERS_MAX);
            parameters[taken++] = have;
        }
        pattern = str_slice(pattern, want.len, pattern.len);
        path = str_slice(path, have.len, path.len);
    }
    return pattern.len == 0 && path.len == 0;
}

static const struct route *find(struct call *c, const struct route *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(str_from(rows[i].method), c->request->method) &&
            matches(str_from(rows[i].path), c->request->path, c->parameters))
            return &rows[i];
    return NULL;
}

const struct route *route_find(struct call *c)
{
    return find(c, routes, countof(routes));
}

const struct route *sandbox_route_find(struct call *c)
{
    return find(c, own_routes, countof(own_routes));
}
