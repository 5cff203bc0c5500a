/* mailer: what the tasks of this program share. Each is a thread_pool_task over a struct mailer. */
#ifndef TOLLGATE_MAILER_H
#define TOLLGATE_MAILER_H

#include "app.h"
#include "db.h"
#include "smtp.h"
#include "thread_pool.h"

struct mailer {
	const struct config	*config;
	const struct pages	*pages;
	const struct words	*words;
	struct db		*db;
	struct smtp		*smtp;
	struct thread_pool	*threads;
};

thread_pool_task mail_task, alert_task, listen_task;

#endif
