/*
 * plain: endpoints that exist so that a client's calls succeed, with nothing behind them:
 * schedules, templates, exports to files, bounces. They check the key, the limits and the JSON, and
 * answer with ids and empty lists.
 */
#ifndef SPELTER_SANDBOX_PLAIN_H
#define SPELTER_SANDBOX_PLAIN_H

#include "call.h"

void answer_export_job(struct call *c);
void answer_emails_empty(struct call *c);
void answer_email_removal(struct call *c);
void answer_send_id(struct call *c);
void answer_transactional(struct call *c);
void answer_schedule_create(struct call *c);
void answer_schedule_change(struct call *c);
void answer_list_empty(struct call *c);
void answer_template_create(struct call *c);
void answer_template_info(struct call *c);
void answer_template_list(struct call *c);

#endif
