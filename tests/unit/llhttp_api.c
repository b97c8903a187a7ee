/* llhttp_api: what the parser of llhttp_parser.c calls, and what calls it. */
#include <api.c>
#include <http.c>
