/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../authz/cel/docs.h"
#include "../../authz/cel/parse.h"
#include <stdio.h>

static void every_function_has_a_sentence(void **state)
{
    (void)state;
    for (size_t i = 0; i < cel_function_count; i++) {
        str name = {cel_functions[i].name, strlen(cel_functions[i].name)};
        if (!cel_doc_find(name)) print_error("%s\n", cel_functions[i].name);
        assert_non_null(cel_doc_find(name));
    }
    for (size_t i = 0; cel_macro_name(i); i++) {
        const char *name = cel_macro_name(i);
        bool internal = strstr(name, "cel.") && strcmp(name, "cel.bind") != 0;
        assert_true(internal || cel_doc_find((str){name, strlen(name)}));
    }
}

static void every_sentence_is_about_something(void **state)
{
    (void)state;
    arena *a = arena_new();
    for (const cel_doc *d = cel_docs; d->name; d++) {
        str shape = cel_doc_shape(a, d);
        if (!shape.n) print_error("%s\n", d->name);
        assert_true(shape.n > 0 && strchr(".?", d->text[strlen(d->text) - 1]));
    }
    arena_free(a);
}

static void signatures_read_as_they_are_written(void **state)
{
    (void)state;
    arena *a = arena_new();
    str shape = arena_dup(a, cel_doc_shape(a, cel_doc_find(S("split"))));
    assert_string_equal(shape.p, "string.split(string) -> list(string)\n"
                                 "string.split(string, int) -> list(string)");
    shape = arena_dup(a, cel_doc_shape(a, cel_doc_find(S("math.sqrt"))));
    assert_non_null(strstr(shape.p, "math.sqrt(double) -> double\n"));
    arena_free(a);
}

static void the_page_in_docs_is_the_page_printed(void **state)
{
    (void)state;
    arena *a = arena_new();
    char *text = arena_bytes(a, 1 << 20);
    FILE *f = fopen("docs/functions.md", "r");
    assert_non_null(f);
    str page = {text, fread(text, 1, 1 << 20, f)};
    (void)fclose(f);
    if (!str_eq(page, cel_docs_page(a)))
        print_error("write it anew: sallyport help functions > docs/functions.md\n");
    assert_true(str_eq(page, cel_docs_page(a)));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_has_a_sentence),
        cmocka_unit_test(every_sentence_is_about_something),
        cmocka_unit_test(the_page_in_docs_is_the_page_printed),
        cmocka_unit_test(signatures_read_as_they_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
