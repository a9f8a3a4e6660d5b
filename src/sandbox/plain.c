#include "plain.h"

#include "text.h"

static struct jv new_id(struct call *c)
{
    struct str hex = call_random_hex(c);
    if (hex.len != 32)
        return text_value("");
    return jv_string(text_format(c->arena, "%.8s-%.4s-%.4s-%.4s-%.12s", hex.ptr, hex.ptr + 8,
                                 hex.ptr + 12, hex.ptr + 16, hex.ptr + 20));
}

static void reply_one(struct call *c, unsigned status, struct str key, struct jv value)
{
    struct jv_builder b;
    jv_object_begin(&b, c->arena, 2);
    jv_object_put(&b, key, value);
    call_success(c, status, &b);
}

static const struct jv empty_list = {.type = JV_ARRAY};

void answer_export_job(struct call *c)
{
    reply_one(c, 201, STR("object_prefix"), new_id(c));
}

void answer_emails_empty(struct call *c)
{
    reply_one(c, 200, STR("emails"), empty_list);
}

void answer_email_removal(struct call *c)
{
    struct jv email = jv_get(c->body, STR("email"));
    if (email.type != JV_STRING && email.type != JV_ARRAY)
        call_message(c, 400, "'email' must be a string or an array of strings");
    else if (email.type == JV_ARRAY && email.len > ADMIN_ENTRIES_MAX)
        call_message(c, 400, "The max number of ids per request was exceeded");
    else
        call_message(c, 201, "success");
}

void answer_send_id(struct call *c)
{
    struct jv send_id = jv_get(c->body, STR("send_id"));
    reply_one(c, 201, STR("send_id"),
              send_id.type == JV_STRING ? send_id : jv_string(call_random_hex(c)));
}

void answer_transactional(struct call *c)
{
    struct jv send_id = jv_get(c->body, STR("external_send_id"));
    struct jv_builder b;
    if (jv_get(c->body, STR("recipient")).type == JV_UNDEFINED) {
        call_message(c, 400, "No Recipients");
        return;
    }
    jv_object_begin(&b, c->arena, 4);
    jv_object_put(&b, STR("dispatch_id"), jv_string(call_random_hex(c)));
    jv_object_put(&b, STR("external_send_id"), send_id);
    jv_object_put(&b, STR("status"), text_value("sent"));
    call_success(c, 201, &b);
}

void answer_schedule_create(struct call *c)
{
    struct jv_builder b;
    jv_object_begin(&b, c->arena, 3);
    jv_object_put(&b, STR("dispatch_id"), jv_string(call_random_hex(c)));
    jv_object_put(&b, STR("schedule_id"), new_id(c));
    call_success(c, 201, &b);
}

void answer_schedule_change(struct call *c)
{
    if (jv_get(c->body, STR("schedule_id")).type != JV_STRING)
        call_message(c, 400, "'schedule_id' must be a string");
    else
        call_message(c, 201, "success");
}

void answer_list_empty(struct call *c)
{
    bool broadcasts = str_eq(c->request->path, STR("/messages/scheduled_broadcasts"));
    reply_one(c, 200, broadcasts ? STR("scheduled_broadcasts") : STR("data"), empty_list);
}

static bool is_block(const struct call *c)
{
    return str_starts(c->request->path, STR("/content_blocks/"));
}

void answer_template_create(struct call *c)
{
    struct str key = is_block(c) ? STR("content_block_id") : STR("email_template_id");
    struct jv id = jv_get(c->body, key);
    reply_one(c, 201, key, id.type == JV_STRING ? id : new_id(c));
}

/* Nothing is kept, so no id is known. */
void answer_template_info(struct call *c)
{
    call_message(c, 404, is_block(c) ? "Content Block not found" : "Email template not found");
}

void answer_template_list(struct call *c)
{
    struct jv_builder b;
    jv_object_begin(&b, c->arena, 3);
    jv_object_put(&b, STR("count"), jv_number(0));
    jv_object_put(&b, is_block(c) ? STR("content_blocks") : STR("templates"), empty_list);
    call_success(c, 200, &b);
}
