/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decision over the atoms. What is not known of a record yet counts as true, so that only what can't match is dropped.
 * Included by bpf/ and by user/model/, so that the test tests what runs in the kernel. Who includes it defines
 * filter_followed() and FILTER_INLINE first.
 *
 * All in numbers that are 0 or 1, without a branch on what is only known at run time: each would double the ways through
 * the loop that the verifier has to go. And volatile, so that the compiler does not work out all that it may need before
 * the loop, on the stack.
 */
#ifndef NETTRACE_BPF_WANTED_H
#define NETTRACE_BPF_WANTED_H

#include "atom.h"

/* So that the compiler does not see that it is 0 or 1, and makes no branch of what follows. */
#define FILTER_OPAQUE(x) __asm__ volatile("" : "+r"(x))

/* a < b; both below 2^63. */
FILTER_INLINE __u64 filter_below(__u64 a, __u64 b)
{
	__u64 borrowed = (a - b) >> 63;

	FILTER_OPAQUE(borrowed);
	return borrowed;
}

FILTER_INLINE __u64 filter_some(__u64 x)
{
	return filter_below(0, x);
}

FILTER_INLINE __u64 filter_in_range(const volatile struct filter_atom *a, __u64 n)
{
	return (filter_below(n, a->low) | filter_below(a->high, n)) ^ 1;
}

FILTER_INLINE __u64 filter_in_words(const volatile struct filter_atom *a, const volatile __u32 *x)
{
	return filter_some(((x[0] & a->mask[0]) ^ a->word[0]) | ((x[1] & a->mask[1]) ^ a->word[1]) |
			   ((x[2] & a->mask[2]) ^ a->word[2]) |
			   ((x[3] & a->mask[3]) ^ a->word[3])) ^
	       1;
}

FILTER_INLINE __u64 filter_some_word(const volatile __u32 *x)
{
	return filter_some(x[0] | x[1] | x[2] | x[3]);
}

/* What is true is as it is asked for, where it is known. */
FILTER_INLINE __u64 filter_known(const volatile struct filter_atom *a, __u64 known, __u64 in)
{
	return (known & (in ^ a->negate)) | (known ^ 1);
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FILTER_MAPPED 0xffff0000 /* the bytes 00 00 ff ff of ::ffff:0:0/96 */
#else
#define FILTER_MAPPED 0x0000ffff
#endif

/*
 * The family, and the addresses, which are there as the socket has them (`ipv6`: 1 for an AF_INET6 one), as events have
 * them: IPv4-mapped ones are IPv4, also where one of the two is :: (event_set_addresses).
 */
FILTER_INLINE void filter_settle_addresses(struct filter_facts *f, __u64 ipv6)
{
	__u32 *laddr = f->laddr, *raddr = f->raddr;
	__u64 l_mapped = filter_some(laddr[0] | laddr[1] | (laddr[2] ^ FILTER_MAPPED)) ^ 1;
	__u64 r_mapped = filter_some(raddr[0] | raddr[1] | (raddr[2] ^ FILTER_MAPPED)) ^ 1;
	__u64 l_fits = l_mapped | (filter_some_word(laddr) ^ 1);
	__u64 r_fits = r_mapped | (filter_some_word(raddr) ^ 1);
	__u64 mapped = ipv6 & l_fits & r_fits & (l_mapped | r_mapped);
	__u32 ipv4 = (ipv6 ^ 1) | mapped;
	__u32 last = 0 - (__u32)mapped, rest = ipv4 - 1; /* all bits or none */

	f->family = 6 - 2 * ipv4;
	laddr[0] = (laddr[3] & last) | (laddr[0] & ~last);
	raddr[0] = (raddr[3] & last) | (raddr[0] & ~last);
	for (int i = 1; i < 4; i++) {
		laddr[i] &= rest;
		raddr[i] &= rest;
	}
}

/* Of both ports one may do; one that is not known may be it. */
FILTER_INLINE __u64 filter_ports(const volatile struct filter_atom *a, __u64 one, __u64 other)
{
	__u64 one_known = filter_some(one), other_known = filter_some(other);
	__u64 in = (one_known & filter_in_range(a, one)) |
		   (other_known & filter_in_range(a, other));

	return (in & (a->negate ^ 1)) | ((in ^ 1) & (((one_known & other_known) ^ 1) | a->negate));
}

FILTER_INLINE __u64 filter_address(const volatile struct filter_atom *a,
				   const volatile struct filter_facts *f,
				   const volatile __u32 *address)
{
	return filter_known(a, filter_some(f->family) & filter_some_word(address),
			    filter_in_range(a, f->family) & filter_in_words(a, address));
}

FILTER_INLINE __u64 filter_owner(const volatile struct filter_atom *a,
				 const volatile struct filter_facts *f)
{
	__u64 known = filter_some(f->pid) & (f->any_owner ^ 1);
	__u64 nobody = f->no_owner & (f->any_owner ^ 1);
	__u64 opener = filter_some(f->opener_pid), in;

	if (a->subject == SUBJECT_PID) {
		in = filter_in_range(a, f->pid) | (opener & filter_in_range(a, f->opener_pid));
	} else if (a->subject == SUBJECT_FOLLOWED) {
		in = filter_followed(f->pid) | (opener & filter_followed(f->opener_pid));
	} else if (a->subject == SUBJECT_COMM) {
		in = filter_in_words(a, f->comm);
		known &= opener ^ 1; /* its name may do too; there is no room for it on the stack */
	} else {
		in = filter_in_range(a, f->uid);
	}
	return (nobody & a->absent) | ((nobody ^ 1) & filter_known(a, known, in));
}

FILTER_INLINE __u64 filter_atom_true(const volatile struct filter_atom *a,
				     const volatile struct filter_facts *f)
{
	switch (a->subject) { /* settings: only one way through */
	case SUBJECT_LPORT:
		return filter_known(a, filter_some(f->lport), filter_in_range(a, f->lport));
	case SUBJECT_RPORT:
		return filter_known(a, filter_some(f->rport), filter_in_range(a, f->rport));
	case SUBJECT_PORT:
		return filter_ports(a, f->lport, f->rport);
	case SUBJECT_LADDR:
		return filter_address(a, f, f->laddr);
	case SUBJECT_RADDR:
		return filter_address(a, f, f->raddr);
	case SUBJECT_FAMILY: /* of two unspecified addresses it is only presumed */
		return filter_known(a,
				    filter_some(f->family) & (filter_some_word(f->laddr) |
							      filter_some_word(f->raddr)),
				    filter_in_range(a, f->family));
	case SUBJECT_NETNS:
		return filter_known(a, filter_some(f->netns), filter_in_range(a, f->netns));
	default:
		return filter_owner(a, f);
	}
}

/* 1: a record of these facts may be wanted. */
FILTER_INLINE __u64 filter_wanted(const volatile struct filter_atom *atoms, __u32 count,
				  const volatile struct filter_facts *f)
{
	__u64 wanted = 1, fits = 0;

	for (__u32 i = 0; i < FILTER_ATOMS && i < count; i++) {
		__u64 last = atoms[i].last;

		fits |= filter_atom_true(&atoms[i], f);
		wanted &= fits | (last ^ 1);
		fits &= last ^ 1;
	}
	return wanted;
}

#endif
