/* SPDX-License-Identifier: MIT */
/*
 * Whether one component of a pattern matches all that another matches. Two programs are compared
 * as a program is matched with a name: operation by operation, a star taking as many as it must.
 * Sets are compared by their bytes, variables are equal only to themselves. Must never say yes of
 * what it did not follow to the end.
 */
#include "cover.h"

/* A place in a program; in a run of bytes each counts for itself. */
struct glob_place {
	const uint8_t *program;
	size_t length;
	size_t at, run; /* the operation, and how many of its bytes are behind us */
};

static bool place_is_end(const struct glob_place *place)
{
	return place->at == place->length;
}

static uint8_t place_operation(const struct glob_place *place)
{
	return place->program[place->at];
}

static uint8_t place_byte(const struct glob_place *place)
{
	return place->program[place->at + 2 + place->run];
}

static void place_advance(struct glob_place *place)
{
	const uint8_t *operation = place->program + place->at;
	if (*operation == GLOB_BYTES && ++place->run < operation[1])
		return;
	place->run = 0;
	place->at += glob_operation_size(operation);
}

static bool set_has(const uint8_t *bits, uint8_t byte)
{
	return bits[byte >> 3] & 1u << (byte & 7);
}

static bool set_covers(const uint8_t *bits, const uint8_t *other)
{
	for (uint32_t i = 0; i < GLOB_SET_SIZE; i++) {
		if (other[i] & ~bits[i])
			return false;
	}
	return true;
}

/* One operation each, the first of them no star. */
static bool operation_covers(const struct glob_place *wide, const struct glob_place *narrow)
{
	uint8_t operation = place_operation(narrow);
	const uint8_t *bits = wide->program + wide->at + 1;
	switch (place_operation(wide)) {
	case GLOB_BYTES:
		return operation == GLOB_BYTES && place_byte(wide) == place_byte(narrow);
	case GLOB_ANY:
		return operation == GLOB_BYTES || operation == GLOB_ANY || operation == GLOB_SET;
	case GLOB_SET:
		return (operation == GLOB_BYTES && set_has(bits, place_byte(narrow))) ||
		       (operation == GLOB_SET &&
			       set_covers(bits, narrow->program + narrow->at + 1));
	default:
		return operation == place_operation(wide);
	}
}

/* As glob_match(): only the last star is ever made to take more. */
static bool glob_covers(struct glob_place wide, struct glob_place narrow)
{
	struct glob_place after_star = {0}, star_taken = {0};
	bool has_star = false;
	while (!place_is_end(&wide) || !place_is_end(&narrow)) {
		if (!place_is_end(&wide) && place_operation(&wide) == GLOB_STAR) {
			place_advance(&wide);
			after_star = wide;
			star_taken = narrow;
			has_star = true;
		} else if (!place_is_end(&wide) && !place_is_end(&narrow) &&
			   operation_covers(&wide, &narrow)) {
			place_advance(&wide);
			place_advance(&narrow);
		} else if (has_star && !place_is_end(&star_taken)) {
			place_advance(&star_taken);
			wide = after_star;
			narrow = star_taken;
		} else {
			return false;
		}
	}
	return true;
}

static bool program_has_variable(const uint8_t *program, uint32_t length)
{
	for (uint32_t at = 0; at < length; at += (uint32_t)glob_operation_size(program + at)) {
		if (program[at] == GLOB_USER || program[at] == GLOB_UID ||
			program[at] == GLOB_INSTANCE)
			return true;
	}
	return false;
}

static bool operation_is_wildcard(uint8_t operation)
{
	return operation == GLOB_ANY || operation == GLOB_STAR || operation == GLOB_SET;
}

bool component_may_begin_dot(const struct component *component)
{
	if (component->kind == COMPONENT_LITERAL)
		return component->bytes[0] == '.';
	if (component->kind != COMPONENT_GLOB || operation_is_wildcard(component->bytes[0]))
		return false;
	return component->bytes[0] != GLOB_BYTES || component->bytes[2] == '.';
}

bool program_covers(const uint8_t *program, uint32_t program_length,
	const struct component *component, enum effect effect)
{
	static const struct variables none;
	if (component->kind == COMPONENT_LITERAL)
		return !program_has_variable(program, program_length) &&
		       glob_match(program, program_length, (const char *)component->bytes,
			       component->length, &none,
			       effect == EFFECT_DENY ? SENSE_DENY : SENSE_ALLOW);
	if (effect == EFFECT_ALLOW && operation_is_wildcard(program[0]) &&
		component_may_begin_dot(component))
		return false;
	return glob_covers((struct glob_place){.program = program, .length = program_length},
		(struct glob_place){.program = component->bytes, .length = component->length});
}

bool program_may_match(
	const uint8_t *program, uint32_t program_length, const struct component *literal)
{
	static const struct variables none;
	/* What is undefined matches anything in a deny. */
	return program_has_variable(program, program_length) &&
	       glob_match(program, program_length, (const char *)literal->bytes, literal->length,
		       &none, SENSE_DENY);
}
