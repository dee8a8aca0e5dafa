/* SPDX-License-Identifier: MIT */
/*
 * Times in words, to microseconds. Must never guess: who reads a log from the wrong time on takes
 * what is missing for what was never asked for.
 */
#include "since.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
/* As long as systemd.time(7) says: 30.44 and 365.25 days. */
#define MONTH (2629800 * SECOND)
#define YEAR (31557600 * SECOND)

static const struct unit {
	const char *name;
	int64_t usec;
} units[] = {
	{"s", SECOND},
	{"sec", SECOND},
	{"second", SECOND},
	{"seconds", SECOND},
	{"m", MINUTE},
	{"min", MINUTE},
	{"minute", MINUTE},
	{"minutes", MINUTE},
	{"h", HOUR},
	{"hr", HOUR},
	{"hour", HOUR},
	{"hours", HOUR},
	{"d", DAY},
	{"day", DAY},
	{"days", DAY},
	{"w", 7 * DAY},
	{"week", 7 * DAY},
	{"weeks", 7 * DAY},
	{"M", MONTH},
	{"month", MONTH},
	{"months", MONTH},
	{"y", YEAR},
	{"year", YEAR},
	{"years", YEAR},
};

static bool byte_is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool byte_is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static const char *skip_blanks(const char *at, const char *end)
{
	while (at < end && *at == ' ')
		at++;
	return at;
}

/* ---- how long ago ---- */

static bool unit_find(const char *name, size_t length, int64_t *usec)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strlen(units[i].name) == length && memcmp(units[i].name, name, length) == 0) {
			*usec = units[i].usec;
			return true;
		}
	}
	return false;
}

/* A number and its unit. Returns what follows; NULL: it is none, or too long. */
static const char *amount_read(const char *at, const char *end, int64_t *usec)
{
	int64_t number = 0, unit;
	const char *start = at;

	for (; at < end && byte_is_digit(*at); at++) {
		if (__builtin_mul_overflow(number, 10, &number) ||
			__builtin_add_overflow(number, *at - '0', &number))
			return NULL;
	}
	if (at == start)
		return NULL;
	start = skip_blanks(at, end);
	for (at = start; at < end && byte_is_letter(*at);)
		at++;
	if (!unit_find(start, (size_t)(at - start), &unit) ||
		__builtin_mul_overflow(number, unit, usec))
		return NULL;
	return at;
}

/* "1h 30min" before now. */
static bool ago_read(const char *at, const char *end, int64_t now_usec, int64_t *time_usec)
{
	int64_t amount;

	*time_usec = now_usec;
	at = skip_blanks(at, end);
	do {
		at = amount_read(at, end, &amount);
		if (at == NULL || __builtin_sub_overflow(*time_usec, amount, time_usec))
			return false;
		at = skip_blanks(at, end);
	} while (at < end);
	return true;
}

/* ---- dates ---- */

/* Exactly so many digits. Returns what follows; NULL: there are not, or it is more than that. */
static const char *digits_read(const char *at, int count, int most, int *number)
{
	*number = 0;
	for (; count > 0; count--, at++) {
		if (!byte_is_digit(*at))
			return NULL;
		*number = *number * 10 + (*at - '0');
	}
	return *number <= most ? at : NULL;
}

/* The same, with this before it. */
static const char *part_read(const char *at, char before, int most, int *number)
{
	return *at == before ? digits_read(at + 1, 2, most, number) : NULL;
}

/* YYYY-MM-DD */
static const char *date_read(const char *at, struct tm *date)
{
	at = digits_read(at, 4, 9999, &date->tm_year);
	if (at != NULL)
		at = part_read(at, '-', 12, &date->tm_mon);
	if (at != NULL)
		at = part_read(at, '-', 31, &date->tm_mday);
	date->tm_year -= 1900;
	date->tm_mon--;
	return at;
}

/* HH:MM[:SS[.FRACTION]] */
static const char *clock_read(const char *at, struct tm *date, int64_t *usec)
{
	at = digits_read(at, 2, 23, &date->tm_hour);
	if (at != NULL)
		at = part_read(at, ':', 59, &date->tm_min);
	if (at == NULL || *at != ':')
		return at;
	at = part_read(at, ':', 59, &date->tm_sec);
	if (at == NULL || *at != '.')
		return at;
	for (int64_t unit = SECOND / 10; byte_is_digit(*++at); unit /= 10)
		*usec += (*at - '0') * unit;
	return byte_is_digit(at[-1]) ? at : NULL;
}

static bool zone_is_utc(const char *at)
{
	return strcmp(at, "Z") == 0 || strcmp(at, " UTC") == 0 || strcmp(at, " Z") == 0;
}

/* timegm() and mktime() make the 2nd of March of a 30th of February. */
static bool date_convert(const struct tm *date, bool is_utc, int64_t *time_usec)
{
	struct tm normal = *date;
	time_t seconds = is_utc ? timegm(&normal) : mktime(&normal);

	*time_usec = (int64_t)seconds * SECOND;
	return normal.tm_year == date->tm_year && normal.tm_mon == date->tm_mon &&
	       normal.tm_mday == date->tm_mday;
}

/* Today, local time, as of midnight. */
static struct tm today(int64_t now_usec)
{
	time_t seconds = (time_t)(now_usec / SECOND);
	struct tm date = {0};

	localtime_r(&seconds, &date);
	date.tm_hour = date.tm_min = date.tm_sec = 0;
	date.tm_isdst = -1; /* as of that time */
	return date;
}

static bool moment_read(const char *text, int64_t now_usec, int64_t *time_usec)
{
	struct tm date = {.tm_isdst = -1};
	int64_t usec = 0;
	const char *at = date_read(text, &date), *clock = text;

	if (at == NULL) {
		date = today(now_usec);
	} else {
		clock = *at == 'T' || (*at == ' ' && byte_is_digit(at[1])) ? at + 1 : NULL;
	}
	if (clock != NULL)
		at = clock_read(clock, &date, &usec);
	if (at == NULL || (*at != '\0' && !zone_is_utc(at)) ||
		!date_convert(&date, *at != '\0', time_usec))
		return false;
	*time_usec += usec;
	return true;
}

bool since_read(const char *text, int64_t now_usec, int64_t *time_usec)
{
	static const char ago[] = " ago";
	size_t length = strlen(text), ago_length = sizeof(ago) - 1;
	struct tm date = today(now_usec);

	*time_usec = now_usec;
	if (strcmp(text, "now") == 0)
		return true;
	if (strcmp(text, "today") == 0 || strcmp(text, "yesterday") == 0) {
		date.tm_mday -= text[0] == 'y';
		*time_usec = mktime(&date) * SECOND;
		return true;
	}
	if (text[0] == '-')
		return ago_read(text + 1, text + length, now_usec, time_usec);
	if (length > ago_length && strcmp(text + length - ago_length, ago) == 0)
		return ago_read(text, text + length - ago_length, now_usec, time_usec);
	return moment_read(text, now_usec, time_usec);
}
