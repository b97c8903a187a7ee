/* settings_table: what is known of each setting, in one row. Parser, checks, --print-config, the
 * example file and the manual all read it; nothing about a setting is said anywhere else. */
#ifndef TIDINGS_COMMON_SETTINGS_TABLE_H
#define TIDINGS_COMMON_SETTINGS_TABLE_H

#include "common/settings.h"
#include "common/settings_forms.h"

enum setting_type {
	SETTING_TEXT,
	SETTING_NUMBER,
	SETTING_WORD,
	SETTING_WORDS, /* a list of words: their positions as bits */
	SETTING_LIST,
};

#define SETTING_MAX_WORDS 4

struct setting_row {
	const char *name;
	enum setting_type type;
	const char *initial; /* the default as text; NULL: must be set by those in must_for */
	const char *allowed; /* in words, for people */
	const char *help;    /* one line */

	uint64_t min, max;                    /* of numbers */
	bool zero;                            /* 0 is allowed too, below min */
	bool with_auto;                       /* so is the word `auto` */
	const char *words[SETTING_MAX_WORDS]; /* of settings of words */
	settings_form_fn *form;               /* of texts, and of each item of a list */
	bool required;                        /* a list must have an item, a text a character */
	bool secret;                          /* a password may stand in it */
	unsigned must_for;                    /* enum settings_program */
	const char *advice;                   /* what to set it to, for those in must_for */

	/* The one value besides the default that works in this version, while others are not
	 * available yet; NULL: all do. */
	const char *available;
};

extern const struct setting_row settings_table[SET_COUNT];

#endif
