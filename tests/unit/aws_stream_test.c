/* floor: transport */
/* SPDX-License-Identifier: Apache-2.0 */
/* aws_stream_test.c - frames are cut everywhere, and broken everywhere. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
// clang-format on
#include "../../base/json.h"
#include "../../transport/aws_stream.h"
#include "aws_frame.h"

static int setup(void **s)
{
    *s = arena_new();
    return 0;
}

static int teardown(void **s)
{
    arena_free(*s);
    return 0;
}

static void note(void *ctx, aws_frame f)
{
    static const char *const kinds[] = {"event", "exception", "error"};
    buf_fmt(ctx, "[%s " STR_FMT "|" STR_FMT "|" STR_FMT "]", kinds[f.kind], STR_ARG(f.name),
            STR_ARG(f.message), STR_ARG(f.payload));
}

/* An exact heap copy, so that a read past a feed is seen; freed at once, so that a kept view is. */
static const err *feed(aws_stream *s, str piece)
{
    char *exact = malloc(piece.n ? piece.n : 1);
    assert_non_null(exact);
    for (size_t i = 0; i < piece.n; i++) exact[i] = piece.p[i];
    const err *e = aws_stream_feed(s, (str){exact, piece.n});
    free(exact);
    return e;
}

static str text_of(arena *a, const char *kind, const char *name_header, const char *name)
{
    buf b = buf_new(a, 4096);
    if (kind) frame_header(&b, S(":message-type"), (str){kind, strlen(kind)});
    if (name_header)
        frame_header(&b, (str){name_header, strlen(name_header)}, (str){name, strlen(name)});
    return buf_str(&b);
}

static str three_frames(arena *a)
{
    buf b = buf_new(a, 1 << 16);
    frame_put(&b, text_of(a, "event", ":event-type", "messageStart"),
              S("{\"role\":\"assistant\"}"));
    frame_put(&b, text_of(a, NULL, NULL, NULL), S(""));
    frame_put(&b, text_of(a, "exception", ":exception-type", "throttlingException"), S("{}"));
    return buf_str(&b);
}

static void every_cut_gives_the_same_frames(void **state)
{
    arena *a = *state;
    str in = three_frames(a);
    for (size_t at = 0; at <= in.n; at++) {
        for (size_t then = at; then <= in.n; then += 7) {
            buf log = buf_new(a, 4096);
            aws_stream *s = aws_stream_new(a, 4096, note, &log);
            assert_null(feed(s, str_take(in, at)));
            assert_null(feed(s, str_take(str_drop(in, at), then - at)));
            assert_null(feed(s, str_drop(in, then)));
            assert_true(aws_stream_idle(s));
            assert_true(str_eq(buf_str(&log), S("[event messageStart||{\"role\":\"assistant\"}]"
                                                "[event ||][exception throttlingException||{}]")));
        }
    }
}

static void a_frame_that_is_not_whole_is_not_idle(void **state)
{
    arena *a = *state;
    str in = three_frames(a);
    buf log = buf_new(a, 4096);
    aws_stream *s = aws_stream_new(a, 4096, note, &log);
    assert_null(feed(s, str_take(in, 5)));
    assert_false(aws_stream_idle(s));
    assert_int_equal(log.n, 0);
}

static void every_flipped_bit_is_refused(void **state)
{
    arena *a = *state;
    buf b = buf_new(a, 4096);
    frame_put(&b, text_of(a, "event", ":event-type", "metadata"), S("{\"usage\":{}}"));
    for (size_t bit = 0; bit < b.n * 8; bit++) {
        arena *one = arena_new();
        buf log = buf_new(one, 4096);
        aws_stream *s = aws_stream_new(one, 4096, note, &log);
        b.p[bit / 8] = (char)(b.p[bit / 8] ^ 1 << bit % 8);
        const err *e = feed(s, buf_str(&b));
        b.p[bit / 8] = (char)(b.p[bit / 8] ^ 1 << bit % 8);
        assert_non_null(e);
        assert_int_equal(log.n, 0);
        assert_ptr_equal(feed(s, buf_str(&b)), e); /* and it stays refused */
        arena_free(one);
    }
}

static void a_frame_over_the_limit_is_refused_by_its_prelude(void **state)
{
    arena *a = *state;
    buf b = buf_new(a, 4096), log = buf_new(a, 4096);
    frame_put(&b, S(""), S("0123456789"));
    aws_stream *s = aws_stream_new(a, b.n - 1, note, &log);
    assert_null(feed(s, str_take(buf_str(&b), 11)));
    const err *e = feed(s, str_take(str_drop(buf_str(&b), 11), 1));
    assert_non_null(e);
    assert_int_equal(e->kind, ERR_TOO_LARGE);
}

static void malformed_headers_are_refused(void **state)
{
    arena *a = *state;
    static const struct {
        const char *bytes;
        size_t n;
    } cases[] = {
        {"\0\0", 2},         /* a name without a letter */
        {"\1a", 2},          /* no type */
        {"\5ab\0", 4},       /* a name past the end */
        {"\1a\12", 3},       /* a type that does not exist */
        {"\1a\4\0\0\0", 6},  /* an int of three bytes */
        {"\1a\7\0\2x", 6},   /* a string past the end */
        {"\1a\7\0", 4},      /* half of a string's length */
        {"\1a\11012345", 9}, /* a short uuid */
        {"\15:message-type\7\0\4odd?", 21},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf b = buf_new(a, 4096), log = buf_new(a, 4096);
        frame_put(&b, (str){cases[i].bytes, cases[i].n}, S("{}"));
        aws_stream *s = aws_stream_new(a, 4096, note, &log);
        const err *e = feed(s, buf_str(&b));
        assert_non_null(e);
        assert_int_equal(e->kind, ERR_UPSTREAM);
        assert_int_equal(log.n, 0);
    }
}

static void an_error_frame_carries_its_code_and_message(void **state)
{
    arena *a = *state;
    buf headers = buf_new(a, 4096), b = buf_new(a, 4096), log = buf_new(a, 4096);
    frame_header(&headers, S(":error-code"), S("InternalFailure"));
    frame_header(&headers, S(":error-message"), S("oops"));
    frame_header(&headers, S(":message-type"), S("error"));
    frame_put(&b, buf_str(&headers), S(""));
    assert_null(feed(aws_stream_new(a, 4096, note, &log), buf_str(&b)));
    assert_true(str_eq(buf_str(&log), S("[error InternalFailure|oops|]")));
}

struct stopper {
    aws_stream *s;
    int n;
};
static void stop_at_once(void *ctx, aws_frame f)
{
    (void)f;
    struct stopper *it = ctx;
    it->n++;
    aws_stream_stop(it->s);
}

static void a_stopped_stream_says_no_more(void **state)
{
    struct stopper it = {0};
    it.s = aws_stream_new(*state, 4096, stop_at_once, &it);
    assert_null(feed(it.s, three_frames(*state)));
    assert_null(feed(it.s, S("anything")));
    assert_int_equal(it.n, 1);
}

/* The vectors made with AWS's own codec, where they are at hand. */

static json_t *vectors(arena *a)
{
    json_t *all = json_load_file("../shared/conformance/llm/aws-vectors.json", 0, NULL);
    if (all) arena_own(a, (void (*)(void *))json_decref, all);
    return json_object_get(all, "eventstream");
}

static str text_at(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    return (str){json_string_value(v), json_string_length(v)};
}

static str from_hex(arena *a, str hex)
{
    char *out = arena_bytes(a, hex.n / 2 + 1);
    for (size_t i = 0; i + 1 < hex.n; i += 2) {
        char two[3] = {hex.p[i], hex.p[i + 1], 0};
        out[i / 2] = (char)strtoul(two, NULL, 16);
    }
    return (str){out, hex.n / 2};
}

struct vector {
    arena *a;
    const json_t *want;
    int frames;
};

static void same_value(struct vector *v, const aws_header *h, const json_t *want)
{
    static const char *const names[AWS_TYPES] = {"boolean",   "boolean", "byte",   "short",
                                                 "integer",   "long",    "binary", "string",
                                                 "timestamp", "uuid"};
    const json_t *value = json_object_get(want, "value");
    assert_string_equal(json_string_value(json_object_get(want, "type")), names[h->type]);
    if (h->type == AWS_TRUE || h->type == AWS_FALSE)
        assert_int_equal(json_is_true(value), h->type == AWS_TRUE);
    else if (h->type == AWS_TIMESTAMP)
        assert_int_equal(h->number, 1700000000000); /* 2023-11-14T22:13:20.000Z */
    else if (json_is_integer(value))
        assert_int_equal(h->number, json_integer_value(value));
    else if (h->type == AWS_STRING)
        assert_true(str_eq(h->bytes, (str){json_string_value(value), json_string_length(value)}));
    else if (h->type == AWS_BYTES)
        assert_true(str_eq(h->bytes, from_hex(v->a, S("0001ff"))));
    else
        assert_true(str_eq(h->bytes, from_hex(v->a, S("00112233445566778899aabbccddeeff"))));
}

static void compare(void *ctx, aws_frame f)
{
    struct vector *v = ctx;
    v->frames++;
    assert_true(str_eq(f.payload, text_at(v->want, "body")));
    const json_t *headers = json_object_get(v->want, "headers");
    size_t n = 0;
    aws_header h;
    for (; aws_header_next(&f.headers, &h); n++) {
        const char *name = arena_dup(v->a, h.name).p;
        assert_non_null(json_object_get(headers, name));
        same_value(v, &h, json_object_get(headers, name));
    }
    assert_int_equal(n, json_object_size(headers));
}

static void frames_of_another_codec_are_understood(void **state)
{
    arena *a = *state;
    json_t *all = vectors(a), *one;
    if (!all) skip();
    size_t i;
    json_array_foreach(all, i, one)
    {
        struct vector v = {.a = a, .want = one};
        aws_stream *s = aws_stream_new(a, 1 << 20, compare, &v);
        const err *e = feed(s, from_hex(a, text_at(one, "frame_hex")));
        bool invalid = json_is_true(json_object_get(one, "invalid"));
        assert_true(invalid == (e != NULL));
        assert_int_equal(v.frames, !invalid);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_cut_gives_the_same_frames, setup, teardown),
        cmocka_unit_test_setup_teardown(a_frame_that_is_not_whole_is_not_idle, setup, teardown),
        cmocka_unit_test_setup_teardown(every_flipped_bit_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_frame_over_the_limit_is_refused_by_its_prelude, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(malformed_headers_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(an_error_frame_carries_its_code_and_message, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_stopped_stream_says_no_more, setup, teardown),
        cmocka_unit_test_setup_teardown(frames_of_another_codec_are_understood, setup, teardown),
    };
    return cmocka_run_group_tests_name("aws_stream", tests, NULL, NULL);
}
