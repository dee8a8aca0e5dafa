/* SPDX-License-Identifier: MIT */
/*
 * What is known of a peer, as it is compared: with the conditions of `from`, in the image's form of
 * them and in the set's, and with the variables of patterns.
 */
#pragma once

#include "image.h"
#include "pattern.h"

/* Its primary group counts, and the others. */
bool identity_has_group(const struct policy_identity *identity, uint32_t first, uint32_t last);

/* The name of its unit is this, or, when it is not literal, what a glob's program takes. */
bool identity_has_unit(const struct policy_identity *identity, const uint8_t *unit, size_t length,
	bool is_literal);

/* One of the texts of a peer; of length 0: undefined. */
struct variable peer_text(const struct policy_peer *peer, uint8_t offset);

/* uid is where the number is written to. */
struct variables peer_variables(
	const struct policy_peer *peer, char uid[static sizeof("4294967295")]);
