/* SPDX-License-Identifier: MIT */
#include "json-text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "set.h"

json_t *json_text(const char *bytes, size_t length)
{
	_cleanup_free_ char *text = NULL;
	size_t used = 0;

	if (bytes == NULL)
		return json_null();
	text = malloc(length * strlen("\\xHH") + 1);
	if (text == NULL)
		return NULL;
	for (size_t i = 0; i < length;) {
		size_t size = text_character(bytes + i, length - i);

		if (size == 0) {
			used += (size_t)sprintf(text + used, "\\x%02x", (unsigned char)bytes[i++]);
			continue;
		}
		if (bytes[i] == '\\')
			text[used++] = '\\';
		memcpy(text + used, bytes + i, size);
		used += size;
		i += size;
	}
	return json_stringn(text, used);
}

json_t *json_word(const char *text)
{
	return json_text(text, text != NULL ? strlen(text) : 0);
}

bool json_add(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new(object, key, value) == 0;
}

bool json_append(json_t *array, json_t *value)
{
	return json_array_append_new(array, value) == 0;
}

void json_release(json_t *const *value)
{
	json_decref(*value);
}
