/* auth_complaint: what the auth URL does wrong, on the log, in words that help whoever set it up;
 * once a minute, since every listener may provoke it. */
#ifndef TIDINGS_STREAMER_AUTH_COMPLAINT_H
#define TIDINGS_STREAMER_AUTH_COMPLAINT_H

struct auth_http_answer;

/* All zeros: nothing was said yet. */
struct auth_complaint {
	double said_at; /* clock_seconds */
};

/* An answer that is none: neither 2xx, 401 nor 403, or cut short. */
void auth_complain(struct auth_complaint *c, const struct auth_http_answer *answer);

/* A 2xx to a batch: it is of another form, or left topics out. */
void auth_complain_of_form(struct auth_complaint *c, const struct auth_http_answer *answer);
void auth_complain_of_gaps(struct auth_complaint *c);

/* A 2xx whose X-SSE-User or X-SSE-Expires can't be one. */
void auth_complain_of_grant(struct auth_complaint *c);

#endif
