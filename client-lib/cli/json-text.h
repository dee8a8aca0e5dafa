/* SPDX-License-Identifier: MIT */
/*
 * Bytes as JSON, and objects of which nothing is missing: jansson gives NULL when memory runs out,
 * and lets it be added without a word.
 *
 * JSON is Unicode (RFC 8259), names and policy files are bytes: see check --json in fdbroker(1).
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * A string in which a byte that is not part of UTF-8 is the four characters \xHH, and each
 * backslash is two: no two texts become the same. JSON's null for bytes of NULL. NULL: out of
 * memory; here and below.
 */
json_t *json_text(const char *bytes, size_t length);
json_t *json_word(const char *text); /* up to its NUL */

/* Take the value over, also when they fail: the value or the other is NULL, or out of memory. */
bool json_add(json_t *object, const char *key, json_t *value);
bool json_append(json_t *array, json_t *value);

/* For _cleanup_(json_release): gives up what it holds, if anything. */
void json_release(json_t *const *value);
