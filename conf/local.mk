# Example files; `make install` puts them below the documentation, to be copied from there.
examplesdir = $(docdir)/examples
dist_examples_DATA = \
	conf/tidings.conf \
	conf/nginx-http.conf conf/nginx.conf \
	conf/lighttpd.conf \
	conf/apache-events.conf conf/apache-fcgid.conf conf/apache-proxy-fcgi.conf conf/apache-cgid.conf \
	conf/haproxy.cfg

# What web servers answer for the streamer while it is away.
dist_pkgdata_SCRIPTS = conf/sse-busy.cgi
