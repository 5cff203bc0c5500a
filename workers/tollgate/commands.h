/*
 * commands: the subcommands' functions. Each returns the exit status of the process: 0 done; 1 something differs, was
 * refused or failed; or one of sysexits(3).
 */
#ifndef TOLLGATE_COMMANDS_H
#define TOLLGATE_COMMANDS_H

#include "operator.h"

int configuration_faulty(const struct operator *o);	/* of `check`, once a key's fault has been told */
int configuration_check(const struct operator *o);
int error_pages_write(const struct operator *o);
int schema_migrate(const struct operator *o);
int status_show(const struct operator *o);
int alerts_list(const struct operator *o);
int alerts_clear(const struct operator *o);
int audit_verify(const struct operator *o);
int usage_audit(const struct operator *o);
int usage_retry(const struct operator *o);
int usage_drop(const struct operator *o);
int mail_list(const struct operator *o);
int mail_show(const struct operator *o);
int mail_retry(const struct operator *o);
int mail_cancel(const struct operator *o);
int user_show(const struct operator *o);
int user_address(const struct operator *o);
int user_link(const struct operator *o);
int user_signout(const struct operator *o);
int user_factor(const struct operator *o);
int user_delete(const struct operator *o);
int user_keep(const struct operator *o);
int operators_add(const struct operator *o);
int operators_list(const struct operator *o);
int operators_remove(const struct operator *o);
int factors_rotate(const struct operator *o);
int passwords_build(const struct operator *o);
int events_list(const struct operator *o);
int events_show(const struct operator *o);
int events_dead(const struct operator *o);
int events_replay(const struct operator *o);
int tenant_explain(const struct operator *o);
int override_allow(const struct operator *o);
int override_deny(const struct operator *o);
int override_clear(const struct operator *o);
int reconcile_run(const struct operator *o);
int customers_backfill(const struct operator *o);
int customer_restore(const struct operator *o);
int provisioning_diff(const struct operator *o);
int provisioning_apply(const struct operator *o);

#endif
