/* handle_publish: the second step of a request that publishes events, when its body is there. */
#ifndef TIDINGS_PUBLISHER_HANDLE_PUBLISH_H
#define TIDINGS_PUBLISHER_HANDLE_PUBLISH_H

#include "publisher/handle.h"

/* As handle_body. */
void handle_publish(const struct handle_config *config, const struct publish_log *log,
		    const struct request *request, const struct handle_step *step,
		    struct response *r);

#endif
