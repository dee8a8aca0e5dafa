/* SPDX-License-Identifier: MIT */
/*
 * The first line of what a peer may have (grants.c), read again: who the peer is. Must never take
 * part of a field for the whole of it: what cannot be read to its end is undefined.
 */
#include "policy.h"

#include "parse.h"

/* What is left of the line. */
struct reader {
	const char *at, *end;
};

static bool reader_take(struct reader *reader, const char *what)
{
	size_t length = strlen(what);
	if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, what, length) != 0)
		return false;
	reader->at += length;
	return true;
}

/* Up to the comma that ends it, or the end of the line. */
static struct reader reader_take_field(struct reader *reader)
{
	size_t left = (size_t)(reader->end - reader->at);
	const char *comma = memchr(reader->at, ',', left);
	struct reader field = {reader->at, comma ? comma : reader->end};
	reader->at = field.end;
	return field;
}

static int nibble_value(char byte)
{
	static const char digits[] = "0123456789abcdef";
	const char *digit = byte ? strchr(digits, byte) : NULL;
	return digit ? (int)(digit - digits) : -1;
}

/* One byte, or one escape: \xHH. False: it is none, or a NUL. */
static bool field_take_byte(struct reader *field, char *byte)
{
	*byte = *field->at++;
	if (*byte != '\\')
		return *byte != '\0';
	if (field->end - field->at < 3 || field->at[0] != 'x')
		return false;
	int high = nibble_value(field->at[1]), low = nibble_value(field->at[2]);
	field->at += 3;
	*byte = (char)(high * 16 + low);
	return high >= 0 && low >= 0 && *byte != '\0';
}

struct storage {
	char *bytes;
	size_t used;
};

/* Its text with the escapes undone, in the storage; NULL: it cannot be had. */
static const char *field_read(struct reader *field, struct storage *storage)
{
	size_t at = storage->used;
	const char *text = storage->bytes + at;
	for (; field->at < field->end; at++) {
		if (at + 1 >= POLICY_PEER_TEXT_MAX || !field_take_byte(field, &storage->bytes[at]))
			return NULL;
	}
	if (at == storage->used)
		return NULL;
	storage->bytes[at++] = '\0';
	storage->used = at;
	return text;
}

static void field_find(
	struct reader *reader, const char *what, struct storage *storage, const char **text)
{
	if (!reader_take(reader, what))
		return;
	struct reader field = reader_take_field(reader);
	*text = field_read(&field, storage);
}

bool policy_grants_identity(struct policy_identity *identity, const char *text, size_t length,
	char storage[static POLICY_PEER_TEXT_MAX])
{
	const char *newline = length ? memchr(text, '\n', length) : NULL;
	struct reader reader = {text, newline ? newline : text + length};
	struct storage strings = {.bytes = storage};
	*identity = (struct policy_identity){.uid = UINT32_MAX, .gid = UINT32_MAX};
	if (!reader_take(&reader, "# uid "))
		return false;
	struct reader field = reader_take_field(&reader);
	uint32_t uid;
	if (!number_parse(field.at, (size_t)(field.end - field.at), UINT32_MAX, &uid))
		return false;
	identity->uid = uid;
	field_find(&reader, ", user ", &strings, &identity->user);
	field_find(&reader, ", home ", &strings, &identity->home);
	field_find(&reader, ", unit ", &strings, &identity->unit);
	return true;
}
