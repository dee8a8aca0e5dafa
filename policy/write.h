/* SPDX-License-Identifier: MIT */
/*
 * Names to words of the language: what is written, read again, is exactly the name, whoever chose
 * it. Only printable ASCII is ever written, one word and no line end; so the words of one line
 * cannot begin another, nor steer a terminal.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * A path, as a word that begins with `prefix` ("unix:", or "" for a path alone) and matches that
 * path and no other. False, and nothing is written: no rule can be for it, because it is not
 * canonical or too long. With digits, which has a flag for each byte, the flagged ones come to
 * stand for any digit; then false may mean as well that the pattern became too long. out may be
 * NULL, to learn only whether there can be a rule.
 */
bool policy_write_path(
	const char *prefix, const char *path, size_t length, const bool *digits, FILE *out);

/* The name of a unit, as the value of `from unit`. False: there is no such unit. out as above. */
bool policy_write_unit(const char *unit, size_t length, FILE *out);

/* A word without wildcards, such as the name of a client or "tun:DEVICE". False: it has a NUL. */
bool policy_write_word(const char *prefix, const char *bytes, size_t length, FILE *out);

/*
 * A word of somebody who knows the language, quotes and escapes aside: wildcards and % mean in it
 * what they always do. False: it has a NUL.
 */
bool policy_write_source(const char *bytes, size_t length, FILE *out);

/* Text for a comment: what is not printable ASCII as \xHH, and two backslashes for one. */
void policy_write_comment(const char *bytes, size_t length, FILE *out);
