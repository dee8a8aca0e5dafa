/* SPDX-License-Identifier: MIT */
/* What an image says about itself, beside its decisions. */
#include "image.h"

const struct policy_image *policy_image_open(const void *bytes, size_t size)
{
	const struct policy_image *image = bytes;
	if (!bytes || (uintptr_t)bytes % IMAGE_ALIGNMENT || size < sizeof(*image) ||
		memcmp(image->magic, IMAGE_MAGIC, sizeof(image->magic)) != 0 ||
		image->version != IMAGE_VERSION || image->size != size)
		return NULL;
	return image;
}

void policy_image_needs(const struct policy_image *image, struct policy_needs *needs)
{
	*needs = (struct policy_needs){
		.allowed_verbs = image->allowed_verbs,
		.own_verbs = image->own_verbs,
		.allowed_kinds = image->allowed_kinds,
		.with = image->needs_with,
		.device = image->needs_device,
		.unix_path = image->needs_unix_path,
		.owner = image->needs_owner,
		.low_port = image->needs_low_port,
		.user_name = image->needs_user_name,
		.unit = image->needs_unit,
		.as = image->needs_as,
		.as_peer = image->needs_as_peer,
		.copy = image->needs_copy,
	};
}

uint32_t policy_image_rule_count(const struct policy_image *image)
{
	return (uint32_t)image->sections[TABLE_RULES].count;
}

void policy_image_location(
	const struct policy_image *image, uint32_t rule, struct policy_location *location)
{
	*location = (struct policy_location){.file = "", .client = "", .text = ""};
	if (rule >= policy_image_rule_count(image))
		return;
	const struct image_rule *entry = &image_rules(image)[rule];
	const struct image_block *block = &image_blocks(image)[entry->block];
	location->file = image_text(image, block->file);
	location->line = entry->line;
	location->client = image_text(image, block->name);
	location->text = image_text(image, entry->text);
}

void policy_image_user(const struct policy_image *image, uint32_t as_user, struct policy_user *user)
{
	*user = (struct policy_user){.uid = UINT32_MAX, .gid = UINT32_MAX};
	if (as_user >= image->sections[TABLE_USERS].count)
		return;
	const struct image_user *entry = &image_users(image)[as_user];
	*user = (struct policy_user){
		.uid = entry->uid,
		.gid = entry->gid,
		.groups = image_groups(image) + entry->first_group,
		.group_count = entry->group_count,
	};
}
