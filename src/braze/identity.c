#include "identity.h"

#include "hash.h"

/* Any odd numbers do; they keep the same text as two kinds of identifier apart. */
enum { SEED_EXTERNAL_ID = 1, SEED_ALIAS = 3, SEED_BRAZE_ID = 5, SEED_EMAIL = 7, SEED_PHONE = 9 };

struct jv identity_alias(struct arena *a, struct jv mapped)
{
    struct jv label = jv_get(mapped, STR("alias_label"));
    struct jv name = jv_get(mapped, STR("alias_name"));
    if (!jv_truthy(label) || !jv_truthy(name))
        return jv_undefined();
    struct jv_builder b;
    jv_object_begin(&b, a, 2);
    jv_object_put(&b, STR("alias_label"), label);
    jv_object_put(&b, STR("alias_name"), name);
    return jv_object_end(&b);
}

bool identity_known(const struct identity *id)
{
    return jv_truthy(id->braze_id) || jv_truthy(id->user_alias) || jv_truthy(id->external_id) ||
           jv_truthy(id->email) || jv_truthy(id->phone);
}

void identity_single_out(struct identity *id, bool is_attributes)
{
    struct jv *by_rank[] = {&id->external_id, &id->user_alias, &id->braze_id};
    bool taken = false;
    for (size_t i = 0; i < countof(by_rank); i++) {
        if (taken || !jv_truthy(*by_rank[i]))
            *by_rank[i] = jv_undefined();
        else
            taken = true;
    }
    if (is_attributes)
        return;
    if (taken || !jv_truthy(id->email))
        id->email = jv_undefined();
    else
        taken = true;
    if (taken || !jv_truthy(id->phone))
        id->phone = jv_undefined();
}

static void add_key(struct intent *intent, uint64_t hash)
{
    if (intent->user_count < INTENT_USER_KEYS_MAX)
        intent->users[intent->user_count++] = (struct user_key){hash};
}

static void add_text_key(struct intent *intent, struct jv v, uint64_t seed)
{
    if (v.type == JV_STRING && v.len > 0)
        add_key(intent, hash_str_seed(jv_str(v), seed));
}

void identity_keys(const struct identity *id, struct intent *intent)
{
    unsigned before = intent->user_count;
    add_text_key(intent, id->external_id, SEED_EXTERNAL_ID);
    struct jv label = jv_get(id->user_alias, STR("alias_label"));
    struct jv name = jv_get(id->user_alias, STR("alias_name"));
    if (label.type == JV_STRING && name.type == JV_STRING)
        add_key(intent, hash_str_seed(jv_str(name), hash_str_seed(jv_str(label), SEED_ALIAS)));
    add_text_key(intent, id->braze_id, SEED_BRAZE_ID);
    if (intent->user_count > before)
        return; /* beside a primary identifier these are attributes */
    add_text_key(intent, id->email, SEED_EMAIL);
    add_text_key(intent, id->phone, SEED_PHONE);
}
