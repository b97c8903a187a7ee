/* cpu: what processes have used, as Linux's scheduler counts it: in ns, where /proc/PID/stat has
 * hundredths of a second. */
#ifndef TIDINGS_BENCH_CPU_H
#define TIDINGS_BENCH_CPU_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* ns of all threads that live, of all these processes; a process that is gone counts as 0. */
uint64_t cpu_used_ns(const pid_t *pids, size_t n);

#endif
