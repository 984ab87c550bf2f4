/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/sockstat.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

bool sockstat_parse(const char *text, const char *line, const char *key, uint64_t *value)
{
	const size_t length = strlen(line), key_length = strlen(key);

	while (text && strncmp(text, line, length)) {
		text = strchr(text, '\n');
		text += text ? 1 : 0;
	}
	if (!text)
		return false;
	for (text += length; *text == ' ';) {
		text++;
		if (!strncmp(text, key, key_length) && text[key_length] == ' ' &&
		    isdigit((unsigned char)text[key_length + 1])) {
			*value = strtoull(text + key_length + 1, NULL, 10);
			return true;
		}
		text += strcspn(text, " \n");
	}
	return false;
}

static int read_text(const char *path, char *text, size_t size)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	return 0;
}

int sockstat_read(struct sockstat *s)
{
	char text[1024] = "";
	uint64_t four, six = 0, tw;
	int err = read_text("/proc/thread-self/net/sockstat", text, sizeof(text));

	if (err)
		return err;
	if (!sockstat_parse(text, "TCP:", "inuse", &four) ||
	    !sockstat_parse(text, "TCP:", "tw", &tw))
		return -EBADMSG;
	/* A kernel without IPv6 has no such file. */
	err = read_text("/proc/thread-self/net/sockstat6", text, sizeof(text));
	if (!err && !sockstat_parse(text, "TCP6:", "inuse", &six))
		return -EBADMSG;
	if (err && err != -ENOENT)
		return err;
	s->tcp_inuse = four + six;
	s->tcp_tw = tw;
	return 0;
}
