/* SPDX-License-Identifier: MIT */
/* What is asked about an endpoint, in the form that rules have. */
#pragma once

#include "bounds.h"
#include "image.h"

struct asked {
	enum policy_kind kind;
	enum policy_family family;
	uint8_t address[16];
	uint32_t scope, number;
	char name[POLICY_HOST_MAX];
	uint32_t name_length; /* 0: none */
	bool is_malformed;    /* its name is none that a rule could have: nothing allows it */
	bool may_be_any;      /* whichever name a deny has, this might come to be it */
};

/* Host names are compared in lower case, which is that of ASCII. */
char byte_lower(char byte);

/* False: there is no such endpoint to do this to. */
bool asked_make(struct asked *asked, enum policy_verb verb, const struct policy_endpoint *endpoint);

/* All of its kind at once: ip(7), ipv6(7), and VMADDR_CID_ANY of vsock(7). */
bool asked_is_unspecified(const struct asked *asked);

/* `[::]` is every address of IPv4 too (ipv6(7)). True: *other is these. */
bool asked_find_other(const struct asked *asked, struct asked *other);
