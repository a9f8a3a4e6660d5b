#include "counts.h"

const unsigned object_bucket_edges[OBJECT_BUCKETS - 1] = {1, 2, 5, 10, 25, 50, 75};

static enum status_class class_of(int status)
{
    if (status == 429)
        return STATUS_429;
    if (status >= 500)
        return STATUS_5XX;
    if (status >= 400)
        return STATUS_4XX;
    if (status >= 300)
        return STATUS_3XX;
    return status >= 200 ? STATUS_2XX : STATUS_NONE;
}

void counts_request(struct courier_metrics *m, int status, unsigned objects, int64_t latency_us)
{
    size_t bucket = 0;
    while (bucket < OBJECT_BUCKETS - 1 && objects > object_bucket_edges[bucket])
        bucket++;
    counter_add(&m->requests[class_of(status)], 1);
    counter_add(&m->requests_by_objects[bucket], 1);
    histogram_observe_us(&m->request_latency, latency_us);
}
