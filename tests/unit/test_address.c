/* address: each range that is not public, at both its ends, and its neighbours that are. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

#include "address.h"
#include "unit.h"

static bool
is_public(const char *text)
{
	struct sockaddr_in	v4 = { .sin_family = AF_INET };
	struct sockaddr_in6	v6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return address_is_public((struct sockaddr *)&v4);
	assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
	return address_is_public((struct sockaddr *)&v6);
}

static void
all_are(const char *const *texts, bool wanted)
{
	for (; *texts != NULL; texts++)
		if (is_public(*texts) != wanted)
			fail_msg("%s is %spublic", *texts, wanted ? "not " : "");
}

static void
test_f125_no_address_of_this_machine_or_a_private_network_is_public(void **state)
{
	static const char *const	texts[] = {
		"0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.0",
		"127.0.0.1", "127.255.255.255", "169.254.0.0", "169.254.169.254", "169.254.255.255", "172.16.0.0",
		"172.31.255.255", "192.0.0.0", "192.0.0.255", "192.0.2.1", "192.168.0.0", "192.168.255.255", "198.18.0.0",
		"198.19.255.255", "198.51.100.7", "203.0.113.255", "224.0.0.1", "239.255.255.255", "240.0.0.0",
		"255.255.255.255",
		"::", "::1", "::7f00:1", "fc00::", "fd00::1", "fdff:ffff::1", "fe80::1", "febf::1", "fec0::1", "ff02::1",
		"100::1", "1fff:ffff::1", "4000::1", "2001::1", "2001:1ff::1", "2001:db8::1", "2001:db8:ffff::1", "3fff::1",
		"3fff:fff::1", NULL
	};

	(void)state;
	all_are(texts, false);
}

static void
test_f125_the_neighbours_of_such_ranges_are_public(void **state)
{
	static const char *const	texts[] = {
		"1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
		"169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0",
		"192.0.3.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "198.51.99.255",
		"203.0.114.0", "223.255.255.255", "54.187.174.169",
		"2000::1", "2001:200::1", "2001:db7::1", "2001:db9::1", "2a00:1450::1", "3fff:1000::1", NULL
	};

	(void)state;
	all_are(texts, true);
}

static void
test_f125_an_ipv6_address_is_as_public_as_the_ipv4_address_in_it(void **state)
{
	static const char *const	hidden[] = { "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.1.2.3",
		"64:ff9b::192.168.0.1", "64:ff9b::127.0.0.1", "2002:7f00:1::1", "2002:a00:1::1", "64:ff9b:1::8.8.8.8", NULL };
	static const char *const	open[] = { "::ffff:54.187.174.169", "64:ff9b::54.187.174.169", "2002:36bb:aea9::1",
		NULL };

	(void)state;
	all_are(hidden, false);
	all_are(open, true);
}

static void
test_f125_no_other_family_is_public(void **state)
{
	struct sockaddr_un	local = { .sun_family = AF_UNIX };

	(void)state;
	assert_false(address_is_public((struct sockaddr *)&local));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_f125_no_address_of_this_machine_or_a_private_network_is_public),
		cmocka_unit_test(test_f125_the_neighbours_of_such_ranges_are_public),
		cmocka_unit_test(test_f125_an_ipv6_address_is_as_public_as_the_ipv4_address_in_it),
		cmocka_unit_test(test_f125_no_other_family_is_public),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
