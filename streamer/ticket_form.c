/* ticket_form: see ticket_form.h. Apart from ticket.c, so that finding a ticket needs no
 * cryptography. */
#include "streamer/ticket_form.h"

static bool base64url(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

bool ticket_form_fits(struct span token)
{
	size_t dots = 0, part = 0;

	for (size_t i = 0; i < token.len; i++) {
		if (base64url(token.at[i])) {
			part++;
			continue;
		}
		if (token.at[i] != '.' || part == 0)
			return false;
		dots++;
		part = 0;
	}
	return dots == 2;
}
