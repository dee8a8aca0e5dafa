/* SPDX-License-Identifier: MIT */
/*
 * What a peer may have, in the words of the policy: its blocks with their rules as they are
 * written, in a form that could be a policy file again. Must never show what is said about others:
 * a block that does not concern the peer, a `from` line, the name of a file.
 */
#include "peer.h"

#include <stdarg.h>
#include <stdio.h>

/* What does not fit is counted all the same. */
struct writer {
	char *text;
	size_t size, length;
};

static void write_bytes(struct writer *writer, const char *bytes, size_t length)
{
	if (writer->length <= writer->size && length <= writer->size - writer->length && length)
		memcpy(writer->text + writer->length, bytes, length);
	writer->length += length;
}

static void write_text(struct writer *writer, const char *text)
{
	write_bytes(writer, text, strlen(text));
}

/* Numbers, and other short things. */
__attribute__((format(printf, 2, 3))) static void write_format(
	struct writer *writer, const char *format, ...)
{
	char text[32];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	write_text(writer, text);
}

static bool byte_is_control(uint8_t byte)
{
	return byte < 0x20 || byte == 0x7f;
}

/* So that it neither ends the line nor joins the next one to it, nor ends what the mark ends. */
static void write_escaped(struct writer *writer, const char *bytes, size_t length, char mark)
{
	for (size_t i = 0; i < length; i++) {
		uint8_t byte = (uint8_t)bytes[i];
		if (byte_is_control(byte) || byte == '\\' || byte == '"' || bytes[i] == mark)
			write_format(writer, "\\x%02x", byte);
		else
			write_bytes(writer, bytes + i, 1);
	}
}

static bool name_is_plain(const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_.@";
	return name[strspn(name, plain)] == '\0';
}

/* A word of the language. */
static void write_name(struct writer *writer, const char *name)
{
	if (name_is_plain(name)) {
		write_text(writer, name);
		return;
	}
	write_text(writer, "\"");
	write_escaped(writer, name, strlen(name), '"');
	write_text(writer, "\"");
}

/* A comma is where the next one begins (grants-identity.c), so that there is none within. */
static void write_known(
	struct writer *writer, const char *what, const struct policy_peer *peer, uint8_t offset)
{
	struct variable known = peer_text(peer, offset);
	if (!offset)
		return;
	write_text(writer, what);
	write_escaped(writer, known.text, known.length, ',');
}

static void write_peer(struct writer *writer, const struct policy_peer *peer)
{
	write_format(writer, "# uid %u", peer->uid);
	write_known(writer, ", user ", peer, peer->user);
	write_known(writer, ", home ", peer, peer->home);
	write_known(writer, ", unit ", peer, peer->unit);
	write_text(writer, "\n");
}

static void write_amount(
	struct writer *writer, const char *name, uint32_t amount, const char *suffix)
{
	if (amount == UINT32_MAX)
		return;
	write_format(writer, " %s %u%s", name, amount, suffix);
}

static void write_quota(struct writer *writer, const struct policy_quota *quota)
{
	if ((quota->sessions & quota->requests & quota->unread) == UINT32_MAX)
		return;
	write_text(writer, "\tlimit");
	write_amount(writer, "sessions", quota->sessions, "");
	write_amount(writer, "requests", quota->requests, "/s");
	write_amount(writer, "unread", quota->unread, "");
	write_text(writer, "\n");
}

static void write_block(
	struct writer *writer, const struct policy_image *image, const struct image_block *block)
{
	const struct image_rule *rules = image_rules(image) + block->first_rule;
	write_text(writer, "client ");
	write_name(writer, image_text(image, block->name));
	write_text(writer, block->is_only ? " only {\n" : " {\n");
	for (uint32_t i = 0; i < block->rule_count; i++) {
		/* A line may be two rules. */
		if (i && rules[i].text == rules[i - 1].text)
			continue;
		write_text(writer, "\t");
		write_text(writer, image_text(image, rules[i].text));
		write_text(writer, "\n");
	}
	write_quota(writer, &block->quota);
	write_text(writer, "}\n");
}

/* The lines of one set; a client wrote them. */
static void write_set(struct writer *writer, const char *set, size_t length)
{
	write_text(writer, length ? "# narrowed to:\n" : "# narrowed to nothing\n");
	for (size_t at = 0; at < length;) {
		const char *end = memchr(set + at, '\n', length - at);
		size_t size = end ? (size_t)(end - set) - at : length - at;
		write_text(writer, "#\t");
		write_escaped(writer, set + at, size, '\n');
		write_text(writer, "\n");
		at += size + 1;
	}
}

static void write_limits(struct writer *writer, const struct policy_limits *limits)
{
	for (size_t at = 0; limits && at < limits->length;) {
		size_t size = strnlen(limits->text + at, limits->length - at);
		write_set(writer, limits->text + at, size);
		at += size + 1;
	}
}

void image_measure_grants(struct policy_image *image)
{
	struct image_block *blocks = (void *)((char *)image + image->sections[TABLE_BLOCKS].offset);
	for (uint64_t i = 0; i < image->sections[TABLE_BLOCKS].count; i++) {
		struct writer counter = {.size = 0};
		write_block(&counter, image, &blocks[i]);
		blocks[i].grants_length = (uint32_t)counter.length;
	}
}

static void write_blocks(
	struct writer *writer, const struct policy_image *image, const struct policy_peer *peer)
{
	if (!peer->block_count)
		write_text(writer, "# no client block of the policy is for it\n");
	for (uint32_t i = 0; i < peer->block_count && i < POLICY_PEER_BLOCKS_MAX; i++) {
		const struct image_block *block = &image_blocks(image)[peer->blocks[i]];
		if (writer->text)
			write_block(writer, image, block);
		else
			writer->length += block->grants_length;
	}
}

size_t policy_grants_write(const struct policy_image *image, const struct policy_peer *peer,
	const struct policy_limits *limits, char *text, size_t size)
{
	struct writer writer = {.text = text, .size = size};
	write_peer(&writer, peer);
	write_blocks(&writer, image, peer);
	write_limits(&writer, limits);
	return writer.length;
}
