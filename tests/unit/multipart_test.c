/* floor: transport */
/* SPDX-License-Identifier: Apache-2.0 */
/* multipart_test.c - the form is cut everywhere; its parts must not notice. */
#include "own_arena.h"

#include "../../base/buf.h"
#include "../../transport/multipart.h"

#define TYPE "multipart/form-data; boundary=B"
#define HEAD "Content-Disposition: form-data; name="

typedef struct {
    buf log, passed;
} witness;

static void on_part(void *ctx, const multipart_part *p)
{
    witness *w = ctx;
    buf_fmt(&w->log, "[" STR_FMT "%s=", STR_ARG(p->name), p->is_file ? "@" : "");
}

static void on_bytes(void *ctx, str bytes, bool value)
{
    witness *w = ctx;
    if (value) buf_put(&w->log, bytes);
    buf_put(&w->passed, bytes);
}

static void on_part_end(void *ctx)
{
    witness *w = ctx;
    buf_put(&w->log, S("]"));
}

static str text(const char *p)
{
    return (str){p, strlen(p)};
}

static const multipart_events events = {on_part, on_bytes, on_part_end};

/* An exact heap copy, so that a read past a feed is seen; freed at once, so that a kept view is. */
static const err *feed(multipart *m, str bytes)
{
    char *exact = malloc(bytes.n ? bytes.n : 1);
    assert_non_null(exact);
    for (size_t i = 0; i < bytes.n; i++) exact[i] = bytes.p[i];
    const err *e = multipart_feed(m, (str){exact, bytes.n});
    free(exact);
    return e;
}

static const err *read_cut(const char *type, str in, size_t cut, witness *w)
{
    multipart *m = NULL;
    *w = (witness){buf_new(a, 1 << 20), buf_new(a, 1 << 20)};
    const err *e = multipart_new(a, text(type), &events, w, &m);
    if (!e) e = feed(m, str_take(in, cut));
    if (!e) e = feed(m, str_drop(in, cut));
    return e ? e : multipart_end(m);
}

static void every_cut_of_a_form_gives_the_same_parts(void **st)
{
    static const struct {
        const char *type, *in, *want;
    } forms[] = {
        {TYPE, "--B\r\n" HEAD "\"model\"\r\n\r\nwhisper-1\r\n--B--\r\n", "[model=whisper-1]"},
        {TYPE, "--B\r\n" HEAD "\"a\"\r\n\r\n\r\n--B--", "[a=]"},
        {TYPE, "--B\r\n" HEAD "a\r\n\r\n1\r\n--B\r\n" HEAD "\"a\"\r\n\r\n2\r\n--B--\r\n",
         "[a=1][a=2]"},
        {"multipart/form-data; charset=utf-8; boundary=\"B c\"",
         "--B c\r\n" HEAD "\"f\"; filename=\"b\xc3\xafg %22q%22.wav\"\r\nContent-Type: "
         "audio/wav\r\n\r\nR\r\n\r\r\n--B \r\n-\r\n--B c--\r\n",
         "[f@=R\r\n\r\r\n--B \r\n-]"},
        {"Multipart/Form-Data;boundary=B",
         "--B\r\ncontent-disposition: form-data;name=x; filename*=utf-8''a%20b;\r\n"
         "Content-Transfer-Encoding: binary\r\n\r\n\r\n--\r\n--B--\r\n",
         "[x@=\r\n--]"},
        {TYPE, "--B\r\n" HEAD "\"a[]\"\r\n\r\n--B--\r\n--B--\r\n", "[a[]=--B--]"},
    };
    (void)st;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        str in = text(forms[i].in), want = text(forms[i].want);
        for (size_t cut = 0; cut <= in.n; cut++) {
            witness w;
            const err *e = read_cut(forms[i].type, in, cut, &w);
            if (e) print_message("%s\n", e->text.p);
            assert_null(e);
            assert_true(str_eq(buf_str(&w.log), want));
            assert_true(str_eq(buf_str(&w.passed), in));
        }
    }
}

static void what_two_could_read_in_two_ways_is_refused(void **st)
{
#define BODY(head) "--B\r\n" head "\r\n\r\nx\r\n--B--\r\n"
    static const struct {
        const char *type, *in, *why;
    } forms[] = {
        {"application/json", "", "must be multipart/form-data"},
        {"multipart/mixed; boundary=B", "", "must be multipart/form-data"},
        {"multipart/form-data", "", "no usable boundary"},
        {"multipart/form-data; boundary=", "", "no usable boundary"},
        {"multipart/form-data; boundary=B; x", "", "no usable boundary"},
        {"multipart/form-data; boundary=\"a \"", "", "no usable boundary"},
        {"multipart/form-data; boundary=B; boundary=C", "", "two boundaries"},
        {TYPE, "", "ends before"},
        {TYPE, "--B", "ends before"},
        {TYPE, "--B--\r", "ends before"},
        {TYPE, "x--B--", "does not begin"},
        {TYPE, "\r\n--B--", "does not begin"},
        {TYPE, "--B \r\n", "behind a boundary"},
        {TYPE, "--B\n" HEAD "a\n\nx\n--B--", "behind a boundary"},
        {TYPE, "--B--\r\nmore", "behind its end"},
        {TYPE, "--B\r\n" HEAD "a\r\n\r\nx\r\n--B", "ends before"},
        {TYPE, BODY("X: y"), "no Content-Disposition"},
        {TYPE, "--B\r\n\r\nx\r\n--B--", "no Content-Disposition"},
        {TYPE, BODY("Content-Disposition: attachment; name=a"), "no form-data"},
        {TYPE, BODY("Content-Disposition: form-data"), "no plain name"},
        {TYPE, BODY(HEAD "\"\""), "no plain name"},
        {TYPE, BODY(HEAD "\"mod\\el\""), "no plain name"},
        {TYPE, BODY(HEAD "a; name=b"), "two names"},
        {TYPE, BODY(HEAD "a; name*=utf-8''b"), "name is encoded"},
        {TYPE, BODY(HEAD "a; filename=\"x\\\"; name=\"b\""), "not well formed"},
        {TYPE, BODY(HEAD "a; filename=\"x"), "not well formed"},
        {TYPE, BODY(HEAD "a b"), "not well formed"},
        {TYPE, BODY(HEAD "a\r\n" HEAD "b"), "two Content-Dispositions"},
        {TYPE, BODY(HEAD "a\r\n folded: x"), "no header"},
        {TYPE, BODY(HEAD "a\r\nX: \rname=b"), "control character"},
        {TYPE, BODY(HEAD "a\r\nX: \nname=b"), "control character"},
        {TYPE, BODY(HEAD "a\r\nContent-Transfer-Encoding: base64"), "is encoded"},
        {TYPE, BODY(HEAD "a\r\nContent-Type: multipart/mixed; boundary=C"), "of its own"},
    };
    (void)st;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        str in = text(forms[i].in);
        for (size_t cut = 0; cut <= in.n; cut++) {
            witness w;
            const err *e = read_cut(forms[i].type, in, cut, &w);
            if (!e) print_message("%s\n", forms[i].in);
            assert_non_null(e);
            assert_int_equal(e->kind, ERR_MALFORMED);
            if (!strstr(e->text.p, forms[i].why)) print_message("%s\n", e->text.p);
            assert_non_null(strstr(e->text.p, forms[i].why));
        }
    }
}

static void a_head_and_the_number_of_parts_have_a_limit(void **st)
{
    (void)st;
    buf in = buf_new(a, 1 << 20);
    witness w;
    buf_put(&in, S("--B\r\nX: "));
    for (int i = 0; i < MULTIPART_HEAD; i++) buf_put(&in, S("y"));
    const err *e = read_cut(TYPE, buf_str(&in), 10, &w);
    assert_non_null(e);
    assert_int_equal(e->kind, ERR_TOO_LARGE);
    in.n = 0;
    buf_put(&in, S("--B"));
    for (int i = 0; i <= MULTIPART_PARTS; i++) buf_put(&in, S("\r\n" HEAD "a\r\n\r\n\r\n--B"));
    e = read_cut(TYPE, buf_str(&in), 10, &w);
    assert_non_null(e);
    assert_int_equal(e->kind, ERR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(every_cut_of_a_form_gives_the_same_parts),
        ARENA_TEST(what_two_could_read_in_two_ways_is_refused),
        ARENA_TEST(a_head_and_the_number_of_parts_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
