# Unit tests (check), the floors, and fuzz replays: all of it `make check`.
dist_check_SCRIPTS += tests/layers.sh tests/layers_selftest.sh
TESTS += tests/layers.sh tests/layers_selftest.sh
EXTRA_DIST += tests/layers.txt
AM_TESTS_ENVIRONMENT = top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)'; export top_srcdir top_builddir;

include tests/unit/common.mk
include tests/unit/settings.mk
include tests/unit/publisher.mk
include tests/unit/streamer.mk
include tests/fuzz/fuzz.mk
