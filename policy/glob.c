/* SPDX-License-Identifier: MIT */
/*
 * Whether a name matches a component's program. A star that turns out to have taken too little
 * takes one byte more, and only the last star is ever reconsidered: what came before it has
 * already matched as early as it could.
 */
#include "pattern.h"

#include <string.h>

#define NO_MATCH SIZE_MAX

static const struct variable *variable_of(const struct variables *variables, uint8_t operation)
{
	switch (operation) {
	case GLOB_USER:
		return &variables->user;
	case GLOB_UID:
		return &variables->uid;
	case GLOB_INSTANCE:
		return &variables->instance;
	default:
		return NULL;
	}
}

size_t glob_operation_size(const uint8_t *operation)
{
	switch (*operation) {
	case GLOB_BYTES:
		return 2u + operation[1];
	case GLOB_SET:
		return 1 + GLOB_SET_SIZE;
	default:
		return 1;
	}
}

static bool operation_is_star(
	const uint8_t *operation, const struct variables *variables, enum sense sense)
{
	if (*operation == GLOB_STAR)
		return true;
	const struct variable *variable = variable_of(variables, *operation);
	return variable && !variable->length && sense == SENSE_DENY;
}

/* How many bytes one operation other than a star takes, or NO_MATCH. */
static size_t operation_match(const uint8_t *operation, const char *name, size_t length,
	const struct variables *variables)
{
	const struct variable *variable = variable_of(variables, *operation);
	if (variable) {
		bool matches = variable->length && variable->length <= length &&
			       memcmp(name, variable->text, variable->length) == 0;
		return matches ? variable->length : NO_MATCH;
	}
	if (*operation == GLOB_BYTES) {
		size_t size = operation[1];
		return size <= length && memcmp(name, operation + 2, size) == 0 ? size : NO_MATCH;
	}
	if (!length)
		return NO_MATCH;
	if (*operation == GLOB_ANY)
		return 1;
	uint8_t byte = (uint8_t)*name;
	return operation[1 + (byte >> 3)] & (1u << (byte & 7)) ? 1 : NO_MATCH;
}

static bool operation_is_wildcard(uint8_t operation)
{
	return operation == GLOB_ANY || operation == GLOB_STAR || operation == GLOB_SET;
}

bool glob_match(const uint8_t *program, size_t program_length, const char *name, size_t length,
	const struct variables *variables, enum sense sense)
{
	if (sense == SENSE_ALLOW && length && name[0] == '.' && program_length &&
		operation_is_wildcard(program[0]))
		return false;
	const size_t none = SIZE_MAX;
	size_t next = 0, at = 0, after_star = none, star_taken = 0;
	for (;;) {
		size_t taken = next == program_length && at < length ? NO_MATCH : 0;
		if (next == program_length && !taken)
			return true;
		if (next < program_length) {
			const uint8_t *operation = program + next;
			if (operation_is_star(operation, variables, sense)) {
				next += glob_operation_size(operation);
				after_star = next;
				star_taken = at;
				continue;
			}
			taken = operation_match(operation, name + at, length - at, variables);
			next += glob_operation_size(operation);
		}
		if (taken != NO_MATCH) {
			at += taken;
		} else if (after_star != none && star_taken < length) {
			at = ++star_taken;
			next = after_star;
		} else {
			return false;
		}
	}
}

const uint8_t *glob_prefix(const uint8_t *program, size_t program_length, size_t *length)
{
	if (!program_length || program[0] != GLOB_BYTES) {
		*length = 0;
		return program;
	}
	*length = program[1];
	return program + 2;
}

bool name_is_kernel_tree(const char *name, size_t length)
{
	static const char *const trees[] = {"proc", "sys", "dev"};
	for (size_t i = 0; i < sizeof(trees) / sizeof(*trees); i++) {
		if (strlen(trees[i]) == length && memcmp(trees[i], name, length) == 0)
			return true;
	}
	return false;
}

size_t path_depth(const char *path, size_t length)
{
	size_t depth = 0;
	for (size_t i = 0; i < length; i++)
		depth += path[i] == '/';
	return depth;
}

bool path_is_root(const char *path, size_t length)
{
	return length == 1 && path[0] == '/';
}

bool path_is_canonical(const char *path, size_t length)
{
	if (length < 2 || path[0] != '/' || memchr(path, '\0', length))
		return false;
	size_t at = 0;
	while (at < length) {
		const char *name = path + at + 1;
		size_t rest = length - at - 1;
		const char *slash = rest ? memchr(name, '/', rest) : NULL;
		size_t size = slash ? (size_t)(slash - name) : rest;
		if (size == 0 || (name[0] == '.' && (size == 1 || (size == 2 && name[1] == '.'))))
			return false;
		at += 1 + size;
	}
	return true;
}
