/* conninfo: which ways to a database are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db.h"

enum { VARIABLES = 4 };

static const char *const	variables[] = { "PGHOST", "PGHOSTADDR", "PGSSLMODE", "PGSERVICE", "PGPASSWORD",
				    "PGREQUIRESSL" };

static void
variables_clear(void)
{
	for (size_t i = 0; i < sizeof(variables) / sizeof(*variables); i++)
		unsetenv(variables[i]);
}

/* What is said about conninfo while the variables, "NAME=VALUE", are set; "" for nothing. */
static const char *
fault(mem_ctx *mem, const char *conninfo, bool shared, const char *const *set)
{
	const char	*said;

	variables_clear();
	for (size_t i = 0; i < VARIABLES && set[i] != NULL; i++)
		assert_int_equal(putenv(mem_printf(mem, "%s", set[i])), 0);
	said = db_conninfo_fault(mem, conninfo, shared);
	variables_clear();
	return said != NULL ? said : "";
}

static const struct row {
	const char	*conninfo, *away;	/* away: the machine that is named; NULL: the way is taken */
	const char	*set[VARIABLES];
} table[] = {
	/* this machine */
	{ "x", NULL, { 0 } }, { "dbname=x", NULL, { 0 } }, { "host='' dbname=x", NULL, { 0 } },
	{ "host=/run/postgresql dbname=x sslmode=disable", NULL, { 0 } }, { "host=@abstract", NULL, { 0 } },
	{ "host=localhost", NULL, { 0 } }, { "host=127.0.0.1 port=6432", NULL, { 0 } }, { "host=::1", NULL, { 0 } },
	{ "host=db.example hostaddr=127.0.0.1", NULL, { 0 } }, { "host=/a,/b,127.0.0.2", NULL, { 0 } },
	{ "postgresql:///x?host=/run", NULL, { 0 } }, { "postgresql://localhost/x", NULL, { 0 } },
	{ "postgres://[::1]:5432/x", NULL, { 0 } },
	/* another, without TLS that verifies it */
	{ "host=db.example", "db.example", { 0 } }, { "host=10.0.0.7 sslmode=prefer", "10.0.0.7", { 0 } },
	{ "host=db.example sslmode=allow", "db.example", { 0 } },
	{ "host=db.example sslmode=require", "db.example", { 0 } },
	{ "host=db.example sslmode=disable", "db.example", { 0 } }, { "host=db.example sslmode=''", "db.example", { 0 } },
	{ "host=127.0.0.1.evil.example", "127.0.0.1.evil.example", { 0 } },
	{ "host=localhost.evil", "localhost.evil", { 0 } },
	{ "host=::2", "::2", { 0 } }, { "host=localhos", "localhos", { 0 } }, { "host=0.0.0.0", "0.0.0.0", { 0 } },
	{ "host=/run,db.example", "db.example", { 0 } }, { "host=127.0.0.1,10.0.0.7", "10.0.0.7", { 0 } },
	{ "host=localhost hostaddr=10.0.0.7", "10.0.0.7", { 0 } }, { "hostaddr=10.0.0.7", "10.0.0.7", { 0 } },
	{ "host=/run hostaddr=127.0.0.1,10.0.0.7", "10.0.0.7", { 0 } },
	{ "host=/run,db.example hostaddr=127.0.0.1,", "db.example", { 0 } },
	{ "postgresql://db.example/x", "db.example", { 0 } }, { "postgresql://u:p@10.0.0.7:5432/x", "10.0.0.7", { 0 } },
	{ "postgresql:///x?host=db.example", "db.example", { 0 } },
	{ "postgresql://localhost,db.example/x?sslmode=require", "db.example", { 0 } },
	/* another, with it */
	{ "host=db.example sslmode=verify-full", NULL, { 0 } }, { "host=db.example sslmode=verify-ca", NULL, { 0 } },
	{ "postgresql://db.example/x?sslmode=verify-full", NULL, { 0 } },
	/* what the environment adds, and what it cannot change */
	{ "dbname=x", "db.example", { "PGHOST=db.example" } }, { "x", "db.example", { "PGHOST=db.example" } },
	{ "host='' dbname=x", "db.example", { "PGHOST=db.example" } },
	{ "host=localhost,", "db.example", { "PGHOST=db.example" } }, { "host=localhost,", NULL, { 0 } },
	{ "host=/run hostaddr=127.0.0.1,", "10.0.0.7", { "PGHOSTADDR=10.0.0.7" } },
	{ "host=/run", "10.0.0.7", { "PGHOSTADDR=10.0.0.7" } }, { "host=/run", NULL, { "PGHOST=db.example" } },
	{ "dbname=x", NULL, { "PGHOST=db.example", "PGSSLMODE=verify-full" } },
	{ "host=db.example", NULL, { "PGSSLMODE=verify-ca" } },
	{ "host=db.example", "db.example", { "PGSSLMODE=require" } },
	{ "host=db.example", "db.example", { "PGREQUIRESSL=1" } },
	{ "host=db.example sslmode=prefer", "db.example", { "PGSSLMODE=verify-full" } },
	{ "dbname=x", "db.example", { "PGHOST=/run,db.example" } },
	/* what a service file adds */
	{ "service=away", "service.example", { 0 } }, { "service=sure", NULL, { 0 } },
	{ "service=away host=/run", NULL, { 0 } }, { "dbname=x", "service.example", { "PGSERVICE=away" } },
	{ "service=sure", NULL, { "PGSERVICE=away" } },
	{ "service=away", "service.example", { "PGSERVICE=sure" } },
};

static void
test_s16_another_machine_is_spoken_to_over_tls_that_verifies_it_only(void **state)
{
	mem_ctx		*mem = mem_new();
	const char	*file = mem_printf(mem, "/tmp/tollgate-service.%d", (int)getpid());
	FILE		*f = fopen(file, "w");

	(void)state;
	assert_non_null(f);
	setenv("PGSERVICEFILE", file, 1);
	fputs("[away]\nhost=service.example\n[sure]\nhost=service.example\nsslmode=verify-full\n", f);
	fclose(f);
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const struct row	*r = &table[i];
		const char		*said = fault(mem, r->conninfo, true, r->set);
		bool			right = r->away == NULL ? *said == '\0' :
		    strstr(said, mem_printf(mem, "leads to another machine (%s),", r->away)) == said;

		/* A URI with a password: it may not stand in a shared file. */
		if (strstr(r->conninfo, "u:p@") != NULL)
			right = strstr(said, "holds a password") != NULL && strstr(fault(mem, r->conninfo, false, r->set), r->away);
		if (!right)
			fail_msg("%zu: %s: %s", i, r->conninfo, said);
	}
	unlink(file);
	talloc_free(mem);
}

static void
test_s16_a_password_stands_in_a_closed_file_only(void **state)
{
	static const char *const	with[] = { "password=p", "host=/run password=p dbname=x", "postgresql://u:p@/x",
	    "postgresql://localhost/x?password=p", "sslpassword=p" };
	static const char *const	without[] = { "dbname=x", "user=password", "dbname='password=p'", "password=''",
	    "passfile=/x" }, *none[VARIABLES] = { NULL }, *set[VARIABLES] = { "PGPASSWORD=p" };
	mem_ctx				*mem = mem_new();

	(void)state;
	for (size_t i = 0; i < sizeof(with) / sizeof(*with); i++) {
		assert_non_null(strstr(fault(mem, with[i], true, none), "holds a password, and others may read this file"));
		assert_string_equal(fault(mem, with[i], false, none), "");
	}
	for (size_t i = 0; i < sizeof(without) / sizeof(*without); i++)
		assert_string_equal(fault(mem, without[i], true, set), "");
	talloc_free(mem);
}

static void
test_s16_what_cannot_be_read_is_refused_and_not_quoted(void **state)
{
	static const char *const	wrong[] = { "host=/run secret", "=", "postgresql://u:secret@[::1", "colour=secret",
	    "postgresql://localhost/x?colour=secret" }, *none[VARIABLES] = { NULL };
	mem_ctx				*mem = mem_new();

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_non_null(strstr(fault(mem, wrong[i], false, none), "cannot be read"));
		assert_null(strstr(fault(mem, wrong[i], false, none), "secret"));
	}
	talloc_free(mem);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_s16_another_machine_is_spoken_to_over_tls_that_verifies_it_only),
		cmocka_unit_test(test_s16_a_password_stands_in_a_closed_file_only),
		cmocka_unit_test(test_s16_what_cannot_be_read_is_refused_and_not_quoted),
	};

	mem_init();
	return cmocka_run_group_tests_name("conninfo", tests, NULL, NULL);
}
