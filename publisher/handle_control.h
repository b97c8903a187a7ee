/* handle_control: the second step of a request that controls listeners, when its body is there. */
#ifndef TIDINGS_PUBLISHER_HANDLE_CONTROL_H
#define TIDINGS_PUBLISHER_HANDLE_CONTROL_H

#include "publisher/handle.h"

/* As handle_body, for a token that has the right to control. */
void handle_control(const struct publish_log *log, const struct request *request,
		    const struct handle_step *step, struct response *r);

#endif
