// SPDX-License-Identifier: BSD-2-Clause
#include "names.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "model/event.h"

/* Small systems have no /etc/services. */
static const struct {
	const char *name;
	uint16_t port;
} known[] = {
	{ "ftp", 21 },		{ "ssh", 22 },	       { "telnet", 23 },   { "smtp", 25 },
	{ "domain", 53 },	{ "http", 80 },	       { "kerberos", 88 }, { "pop3", 110 },
	{ "sunrpc", 111 },	{ "ntp", 123 },	       { "imap2", 143 },   { "snmp", 161 },
	{ "bgp", 179 },		{ "ldap", 389 },       { "https", 443 },   { "microsoft-ds", 445 },
	{ "syslog", 514 },	{ "submission", 587 }, { "ldaps", 636 },   { "imaps", 993 },
	{ "pop3s", 995 },	{ "ms-sql-s", 1433 },  { "nfs", 2049 },	   { "mysql", 3306 },
	{ "postgresql", 5432 }, { "amqp", 5672 },      { "redis", 6379 },  { "http-alt", 8080 },
};

static const char *known_word(void *context, size_t i)
{
	(void)context;
	return known[i].name;
}

static int port_of(const char *service)
{
	const struct servent *s = getservbyname(service, NULL);

	if (s)
		return ntohs((uint16_t)s->s_port);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcasecmp(known[i].name, service))
			return known[i].port;
	return -1;
}

static const char *nearest_service(const char *mistyped)
{
	const char *nearest =
		parse_nearest(mistyped, sizeof(known) / sizeof(known[0]), known_word, NULL);
	unsigned int distance = nearest ? parse_distance(mistyped, nearest) : 2;
	static char found[64];
	const struct servent *s;

	if (strlen(mistyped) < 3)
		return nearest;
	/* The rarer ones only where one is much nearer. */
	setservent(0);
	while ((s = getservent())) {
		unsigned int d = parse_distance(mistyped, s->s_name);

		if (d < distance && strlen(s->s_name) < sizeof(found)) {
			distance = d;
			snprintf(found, sizeof(found), "%s", s->s_name);
			nearest = found;
		}
	}
	endservent();
	return nearest;
}

static bool user_of(const char *name, uint32_t *uid)
{
	const struct passwd *user = getpwnam(name);

	if (user)
		*uid = user->pw_uid;
	return user;
}

const struct filter_names names_of_system = { port_of, nearest_service, user_of };

/* A screen asks for the same few again and again, and each question reads a file. */
const char *user_name(uint32_t uid)
{
	static struct {
		char name[33];
		uint32_t uid;
		bool known;
	} asked[64];
	size_t i = uid % (sizeof(asked) / sizeof(asked[0]));

	if (!asked[i].known || asked[i].uid != uid) {
		const struct passwd *user = getpwuid(uid);

		asked[i].known = true;
		asked[i].uid = uid;
		snprintf(asked[i].name, sizeof(asked[i].name), "%s", user ? user->pw_name : "");
	}
	return asked[i].name[0] ? asked[i].name : NULL;
}

const char *port_name(uint16_t port, uint8_t proto)
{
	const struct servent *service = getservbyport(htons(port), proto_name(proto));

	return service ? service->s_name : NULL;
}
