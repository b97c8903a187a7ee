# Example files for the web servers.

# The settings file, every setting at its default.
examplesdir = $(docdir)/examples
dist_examples_DATA = conf/tidings.conf
