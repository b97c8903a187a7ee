/* redis_reader: hiredis makes each reply through functions that its user may give it; ours take the
 * memory from blocks that start anew with each whole reply. Owns the parser and the blocks, of
 * which it keeps one. */
#include "streamer/redis_reader.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)16 * 1024)
#define MAX_ELEMENTS                                                                               \
	65536 /* of one array: room is made for all of them before the first one comes */

#if HIREDIS_MAJOR >= 1
typedef size_t element_count;
#else
typedef int element_count;
#endif

struct block {
	struct block *next; /* the one before it */
	size_t size, used;
	alignas(max_align_t) char bytes[];
};

struct redis_reader {
	redisReader *parser;
	redisReplyObjectFunctions makers;
	struct block *block; /* the one that is being filled */
};

/* ---- memory ---- */

static struct block *add_block(struct redis_reader *r, size_t least)
{
	size_t size = least > BLOCK_BYTES ? least : BLOCK_BYTES;
	struct block *b = malloc(sizeof(*b) + size);

	if (!b)
		return NULL;
	*b = (struct block){.next = r->block, .size = size};
	r->block = b;
	return b;
}

static void *take(struct redis_reader *r, size_t n)
{
	struct block *b = r->block;

	n = (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if ((!b || b->size - b->used < n) && !(b = add_block(r, n)))
		return NULL;
	void *at = b->bytes + b->used;
	b->used += n;
	return at;
}

/* The oldest block stays, unless it was made for something large. */
static void start_anew(struct redis_reader *r)
{
	while (r->block && (r->block->next || r->block->size > BLOCK_BYTES)) {
		struct block *b = r->block;
		r->block = b->next;
		free(b);
	}
	if (r->block)
		r->block->used = 0;
}

/* ---- what hiredis calls ---- */

static redisReply *make(const redisReadTask *task, int type)
{
	redisReply *o = take(task->privdata, sizeof(*o));

	if (!o)
		return NULL;
	memset(o, 0, sizeof(*o));
	o->type = type;
	if (task->parent)
		((redisReply *)task->parent->obj)->element[task->idx] = o;
	return o;
}

static void *make_string(const redisReadTask *task, char *text, size_t len)
{
	redisReply *o = make(task, task->type);
	char *copy = o ? take(task->privdata, len + 1) : NULL;

	if (!copy)
		return NULL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	o->str = copy;
	o->len = len;
	return o;
}

static void *make_array(const redisReadTask *task, element_count n)
{
	redisReply *o = (size_t)n <= MAX_ELEMENTS ? make(task, task->type) : NULL;

	if (!o)
		return NULL;
	o->element = take(task->privdata, (size_t)n * sizeof(redisReply *));
	if (!o->element)
		return NULL;
	memset(o->element, 0, (size_t)n * sizeof(redisReply *));
	o->elements = (size_t)n;
	return o;
}

static void *make_integer(const redisReadTask *task, long long value)
{
	redisReply *o = make(task, REDIS_REPLY_INTEGER);

	if (o)
		o->integer = value;
	return o;
}

static void *make_nil(const redisReadTask *task)
{
	return make(task, REDIS_REPLY_NIL);
}

#if HIREDIS_MAJOR >= 1
/* Of RESP3, which is not spoken here: whoever says it all the same has said nothing. */
static void *make_double(const redisReadTask *task, double value, char *text, size_t len)
{
	(void)value, (void)text, (void)len;
	return make(task, REDIS_REPLY_NIL);
}

static void *make_bool(const redisReadTask *task, int value)
{
	(void)value;
	return make(task, REDIS_REPLY_NIL);
}
#endif

static void let_go(void *object)
{
	(void)object;
}

/* ---- life ---- */

struct redis_reader *redis_reader_new(void)
{
	struct redis_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->makers.createString = make_string;
	r->makers.createArray = make_array;
	r->makers.createInteger = make_integer;
	r->makers.createNil = make_nil;
	r->makers.freeObject = let_go;
#if HIREDIS_MAJOR >= 1
	r->makers.createDouble = make_double;
	r->makers.createBool = make_bool;
#endif
	r->parser = redisReaderCreateWithFunctions(&r->makers);
	if (!r->parser) {
		free(r);
		return NULL;
	}
	r->parser->privdata = r;
	return r;
}

void redis_reader_free(struct redis_reader *r)
{
	if (!r)
		return;
	redisReaderFree(r->parser);
	while (r->block) {
		struct block *b = r->block;
		r->block = b->next;
		free(b);
	}
	free(r);
}

int redis_reader_feed(struct redis_reader *r, const char *bytes, size_t len)
{
	return redisReaderFeed(r->parser, bytes, len) == REDIS_OK ? 0 : -ENOMEM;
}

int redis_reader_next(struct redis_reader *r, struct redisReply **reply)
{
	void *found = NULL;

	if (r->parser->ridx < 0) /* no reply is half made */
		start_anew(r);
	if (redisReaderGetReply(r->parser, &found) != REDIS_OK)
		return -EPROTO;
	*reply = found;
	return 0;
}

size_t redis_reader_left(const struct redis_reader *r)
{
	return r->parser->len - r->parser->pos;
}
