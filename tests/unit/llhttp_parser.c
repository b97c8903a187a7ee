/* llhttp_parser: the parser of the llhttp package, for test_llhttp. The package brings sources and
 * no library; its two halves declare the same functions in two ways, so each is an object of its
 * own. */
#include <llhttp.c>
