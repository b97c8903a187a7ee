# Man pages and guides.
dist_man_MANS += docs/tidings-publish.8 docs/tidings-streamer.8 docs/tidings.conf.5
EXTRA_DIST += docs/PROTOCOL.md docs/INTERNALS.md

dist_check_SCRIPTS += tests/docs.sh
TESTS += tests/docs.sh
