/* settings_forms: the forms that textual values of settings have. Each takes a value (or one item
 * of a list), blanks around it trimmed, with its NUL, and returns NULL when it is well formed, else
 * static words that say what is wrong, for people. They look at the text alone: no file, no name,
 * no network. */
#ifndef TIDINGS_COMMON_SETTINGS_FORMS_H
#define TIDINGS_COMMON_SETTINGS_FORMS_H

typedef const char *settings_form_fn(const char *value);

settings_form_fn settings_form_redis_url, settings_form_topic_prefix, settings_form_endpoint,
	settings_form_admin_listen, settings_form_sse_path, settings_form_auth_url,
	settings_form_header_name, settings_form_cookie_name, settings_form_renew_url,
	settings_form_origin, settings_form_proxy, settings_form_path;

#endif
