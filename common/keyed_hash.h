/* keyed_hash: uthash with a hash that strangers cannot aim at. Topic names and client addresses
 * come from outside, so every table hashes with a random seed of the process (XXH3) and uthash's
 * own hash is never used: give the value of keyed_hash() to HASH_FIND_BYHASHVALUE and
 * HASH_ADD_KEYPTR_BYHASHVALUE. */
#ifndef TIDINGS_COMMON_KEYED_HASH_H
#define TIDINGS_COMMON_KEYED_HASH_H

#include <stddef.h>
#include <stdint.h>

/* uthash's own allocation failures are reported instead of ending the program: the added object is
 * then not in the table (its hh.tbl is NULL). */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* A fresh random seed (getrandom); a table keeps one beside its head. */
uint64_t keyed_hash_seed(void);

unsigned keyed_hash(uint64_t seed, const void *key, size_t len);

/* All bits of it, for tables that are no uthash. */
uint64_t keyed_hash_wide(uint64_t seed, const void *key, size_t len);

#endif
