#include "sandbox.h"

#include <errno.h>
#include <stdlib.h>

#include "call.h"
#include "catalogs.h"
#include "later.h"
#include "states.h"

enum { SCRATCH_BYTES_MAX = 16 << 20 /* the longest text that is measured: a body, escaped */ };

static int add_choices(struct sandbox *s, const struct sandbox_options *options, struct err *err)
{
    for (size_t i = 0; i < options->choice_count; i++) {
        struct str text = str_from(options->choices[i]);
        size_t equals = str_find(text, '=');
        int rc = choices_set(&s->choices, str_slice(text, 0, equals),
                             str_slice(text, equals + 1, text.len), err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int add_faults_and_rates(struct sandbox *s, const struct sandbox_options *options,
                                struct err *err)
{
    int rc = 0;
    rates_init(&s->rates, &s->choices);
    for (size_t i = 0; rc == 0 && i < options->rate_count; i++)
        rc = rates_set(&s->rates, str_from(options->rates[i]), err);
    for (size_t i = 0; rc == 0 && i < options->fault_count; i++)
        rc = faults_add_text(s->faults, str_from(options->faults[i]), err);
    return rc;
}

/* The default key opens the sandbox only when nobody named another. */
static struct str extra_key(const struct sandbox_options *options)
{
    if (options->api_key.len > 0 || options->workspace.len > 0)
        return options->api_key;
    return STR(SANDBOX_API_KEY_DEFAULT);
}

int sandbox_open(struct sandbox **out, const struct sandbox_options *options, struct err *err)
{
    struct sandbox *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return err_set(err, -ENOMEM, 0, "no memory");
    *s = (struct sandbox){
        .clock = options->clock, .no_limits = options->no_limits, .random = options->seed};
    buf_init(&s->scratch, SCRATCH_BYTES_MAX);
    choices_init(&s->choices);
    s->notes = notes_new();
    s->recent = recent_new();
    s->faults = faults_new(options->seed);
    s->later = later_new();
    int rc = s->notes == NULL || s->recent == NULL || s->faults == NULL || s->later == NULL
                 ? err_set(err, -ENOMEM, 0, "no memory")
                 : 0;
    if (rc == 0)
        rc =
            workspace_open(&s->workspace, options->workspace, extra_key(options), &s->choices, err);
    if (rc == 0)
        rc = add_choices(s, options, err);
    if (rc == 0)
        rc = add_faults_and_rates(s, options, err);
    if (rc == 0 && options->data_dir != NULL)
        rc = disk_open(&s->disk, options->data_dir, !options->no_sync, err);
    if (rc == 0)
        rc = profiles_open(&s->profiles, s->disk, options->seed, err);
    if (rc == 0)
        rc = names_open(&s->names, s->disk, err);
    if (rc == 0)
        rc = states_open(&s->states, s->disk, err);
    if (rc == 0)
        rc = catalogs_open(&s->catalogs, s->disk, clock_now_ms(s->clock), err);
    if (rc != 0) {
        sandbox_close(s);
        return rc;
    }
    *out = s;
    return 0;
}

void sandbox_close(struct sandbox *s)
{
    if (s == NULL)
        return;
    catalogs_close(s->catalogs);
    states_close(s->states);
    names_close(s->names);
    profiles_close(s->profiles);
    disk_close(s->disk);
    workspace_close(s->workspace);
    later_free(s->later);
    faults_free(s->faults);
    recent_free(s->recent);
    notes_free(s->notes);
    buf_fini(&s->scratch);
    free(s);
}

int sandbox_commit(struct sandbox *s)
{
    names_flush(s->names);
    return disk_commit(s->disk);
}

size_t sandbox_read_rate(const struct sandbox *s)
{
    return faults_read_rate(s->faults);
}

struct sandbox_counts sandbox_counts(const struct sandbox *s)
{
    struct sandbox_counts counts = s->counts;
    counts.profiles = profiles_count(s->profiles);
    counts.data_points = names_points(s->names);
    return counts;
}

struct str sandbox_first_key(const struct sandbox *s)
{
    return workspace_first_key(s->workspace);
}
