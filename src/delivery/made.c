#include "made.h"

/* Its place, or count. */
static unsigned find(const struct made *m, const struct cohort *cohort)
{
    unsigned at = 0;
    while (at < m->count && m->cohorts[at].key != cohort->key.hash)
        at++;
    return at;
}

bool made_has(const struct made *m, const struct cohort *cohort)
{
    unsigned at = find(m, cohort);
    return at < m->count && m->cohorts[at].name == cohort->name;
}

void made_put(struct made *m, const struct cohort *cohort)
{
    unsigned at = find(m, cohort);
    if (at == m->count && m->count < MADE_COHORTS_MAX) {
        m->count++;
    } else if (at == m->count) {
        at = m->next;
        m->next = (m->next + 1) % MADE_COHORTS_MAX;
    }
    m->cohorts[at].key = cohort->key.hash;
    m->cohorts[at].name = cohort->name;
}
