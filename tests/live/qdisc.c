/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * qdisc INTERFACE DELAY_MS LOSS_PERCENT: makes each packet late, and loses some (netem), as `tc qdisc replace dev … root
 * netem delay … loss …` does. For machines that have no tc. DELAY_MS 0 and LOSS_PERCENT 0 take it off again.
 */
#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct request {
	struct nlmsghdr header;
	struct tcmsg tc;
	char attributes[256];
};

static struct rtattr *end_of(struct request *r)
{
	return (struct rtattr *)((char *)r + NLMSG_ALIGN(r->header.nlmsg_len));
}

static void put(struct request *r, unsigned short type, const void *data, size_t size)
{
	struct rtattr *a = end_of(r);

	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(size);
	memcpy(RTA_DATA(a), data, size);
	r->header.nlmsg_len = NLMSG_ALIGN(r->header.nlmsg_len) + RTA_ALIGN(a->rta_len);
}

static int send_request(struct request *r)
{
	char answer[1024] = { 0 };
	const struct nlmsghdr *header = (const struct nlmsghdr *)answer;
	const struct nlmsgerr *error = NLMSG_DATA(header);
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0 || send(fd, r, r->header.nlmsg_len, 0) < 0 ||
	    recv(fd, answer, sizeof(answer), 0) < (ssize_t)NLMSG_LENGTH(sizeof(*error)))
		return errno ? -errno : -EBADMSG;
	close(fd);
	return error->error;
}

int main(int argc, char **argv)
{
	struct request r = { 0 };
	struct tc_netem_qopt netem = { .limit = 10000 };
	struct rtattr *options;
	int64_t delay_ns;
	int loss, err;

	if (argc != 4) {
		fputs("usage: qdisc INTERFACE DELAY_MS LOSS_PERCENT\n", stderr);
		return 2;
	}
	delay_ns = (int64_t)atoi(argv[2]) * 1000000;
	loss = atoi(argv[3]);
	r.header.nlmsg_len = NLMSG_LENGTH(sizeof(r.tc));
	r.header.nlmsg_type = delay_ns || loss ? RTM_NEWQDISC : RTM_DELQDISC;
	r.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
	r.tc.tcm_ifindex = (int)if_nametoindex(argv[1]);
	r.tc.tcm_parent = TC_H_ROOT;
	put(&r, TCA_KIND, "netem", sizeof("netem"));
	if (r.header.nlmsg_type == RTM_NEWQDISC) {
		netem.loss = (uint32_t)((double)UINT32_MAX * loss / 100);
		options = end_of(&r);
		put(&r, TCA_OPTIONS, &netem, sizeof(netem));
		/* Within the options: the delay in ns, for the other one is in ticks of the kernel's. */
		put(&r, TCA_NETEM_LATENCY64, &delay_ns, sizeof(delay_ns));
		options->rta_len = (unsigned short)((char *)end_of(&r) - (char *)options);
	}
	err = send_request(&r);
	if (err)
		fprintf(stderr, "qdisc %s: %s\n", argv[1], strerror(-err));
	return err ? 1 : 0;
}
