/* SPDX-License-Identifier: MIT */
/*
 * Who a peer is to a policy: the blocks that concern it and the texts that the variables stand
 * for. Done once for a connection, so that a decision need not ask again.
 */
#include "peer.h"

#include <errno.h>
#include <stdio.h>

bool identity_has_group(const struct policy_identity *identity, uint32_t first, uint32_t last)
{
	bool is_held = identity->gid >= first && identity->gid <= last;
	for (size_t i = 0; i < identity->group_count && !is_held; i++)
		is_held = identity->groups[i] >= first && identity->groups[i] <= last;
	return is_held;
}

bool identity_has_unit(
	const struct policy_identity *identity, const uint8_t *unit, size_t length, bool is_literal)
{
	static const struct variables none;
	if (!identity->unit || !identity->unit[0])
		return false;
	size_t own_length = strlen(identity->unit);
	if (is_literal)
		return own_length == length && memcmp(identity->unit, unit, length) == 0;
	return glob_match(unit, length, identity->unit, own_length, &none, SENSE_DENY);
}

static bool condition_holds(const struct policy_image *image,
	const struct policy_identity *identity, const struct image_condition *condition)
{
	switch ((enum condition_kind)condition->kind) {
	case CONDITION_ANYONE:
		return true;
	case CONDITION_USER:
		return identity->uid >= condition->first && identity->uid <= condition->last;
	case CONDITION_GROUP:
		return identity_has_group(identity, condition->first, condition->last);
	case CONDITION_UNIT:
		return identity_has_unit(identity, image_bytes(image) + condition->glob,
			condition->glob_length, condition->is_literal);
	}
	return false;
}

static bool block_concerns(const struct policy_image *image, const struct policy_identity *identity,
	const struct image_block *block)
{
	for (uint32_t i = 0; i < block->from_count; i++) {
		const struct image_from *from = &image_froms(image)[block->first_from + i];
		uint32_t held = 0;
		while (held < from->condition_count &&
			condition_holds(image, identity,
				&image_conditions(image)[from->first_condition + held]))
			held++;
		if (held == from->condition_count)
			return true;
	}
	return false;
}

/* What a variable may stand for: the literal text of one component. */
static bool text_is_component(const char *text, size_t length)
{
	bool is_dots = text[0] == '.' && (length == 1 || (length == 2 && text[1] == '.'));
	return length && !is_dots && !memchr(text, '/', length);
}

struct peer_writer {
	struct policy_peer *peer;
	size_t used;
};

/* The offset of a copy, or 0 when it does not fit. */
static uint8_t peer_add(struct peer_writer *writer, const char *text, size_t length)
{
	if (length >= sizeof(writer->peer->text) - writer->used)
		return 0;
	uint8_t offset = (uint8_t)writer->used;
	memcpy(writer->peer->text + offset, text, length);
	writer->used += length + 1;
	return offset;
}

static uint8_t peer_add_component(struct peer_writer *writer, const char *text, size_t length)
{
	return text_is_component(text, length) ? peer_add(writer, text, length) : 0;
}

/* foo@bar.service: what stands between the first @ and the last dot. */
static uint8_t peer_add_instance(struct peer_writer *writer, const char *unit)
{
	const char *at = strchr(unit, '@'), *dot = strrchr(unit, '.');
	if (!at || !dot || dot <= at)
		return 0;
	return peer_add_component(writer, at + 1, (size_t)(dot - at - 1));
}

int policy_peer_init(struct policy_peer *peer, const struct policy_image *image,
	const struct policy_identity *identity)
{
	memset(peer, 0, sizeof(*peer));
	peer->uid = identity->uid;
	peer->gid = identity->gid;
	for (uint32_t i = 0; i < image->sections[TABLE_BLOCKS].count; i++) {
		if (!block_concerns(image, identity, &image_blocks(image)[i]))
			continue;
		if (peer->block_count == POLICY_PEER_BLOCKS_MAX)
			return -E2BIG;
		peer->blocks[peer->block_count++] = (uint16_t)i;
	}
	struct peer_writer writer = {.peer = peer, .used = 1}; /* text[0] is "undefined" */
	if (identity->user)
		peer->user = peer_add_component(&writer, identity->user, strlen(identity->user));
	if (identity->home && path_is_canonical(identity->home, strlen(identity->home)) &&
		path_depth(identity->home, strlen(identity->home)) >= 2)
		peer->home = peer_add(&writer, identity->home, strlen(identity->home));
	if (identity->unit) {
		peer->instance = peer_add_instance(&writer, identity->unit);
		if (identity->unit[0])
			peer->unit = peer_add(&writer, identity->unit, strlen(identity->unit));
	}
	return 0;
}

struct variable peer_text(const struct policy_peer *peer, uint8_t offset)
{
	const char *text = peer->text + offset;
	return (struct variable){text, offset ? strnlen(text, sizeof(peer->text) - offset) : 0};
}

struct variables peer_variables(
	const struct policy_peer *peer, char uid[static sizeof("4294967295")])
{
	int digits = snprintf(uid, sizeof("4294967295"), "%u", peer->uid);
	return (struct variables){
		.user = peer_text(peer, peer->user),
		.uid = {uid, (size_t)digits},
		.instance = peer_text(peer, peer->instance),
	};
}

static void amount_lower(uint32_t *amount, uint32_t other)
{
	*amount = other < *amount ? other : *amount;
}

struct policy_quota policy_peer_quota(
	const struct policy_image *image, const struct policy_peer *peer)
{
	struct policy_quota quota = QUOTA_NONE;
	for (uint32_t i = 0; i < peer->block_count && i < POLICY_PEER_BLOCKS_MAX; i++) {
		const struct policy_quota *other = &image_blocks(image)[peer->blocks[i]].quota;
		amount_lower(&quota.sessions, other->sessions);
		amount_lower(&quota.requests, other->requests);
		amount_lower(&quota.unread, other->unread);
	}
	return quota;
}
