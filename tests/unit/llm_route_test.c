/* floor: llm */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "../../llm/endpoint.h"
#include "../../llm/route.h"
#include "../../llm/schema.h"
#include "../../llm/usage.h"

static const str wild[] = {{"*.ai.test", 9}, {0}}, exact[] = {{"a.ai.test", 9}, {0}};
static const str shorter[] = {{"*.test", 6}, {0}};
static const str gpt[] = {{"gpt-4o", 6}, {"gpt-*", 5}, {0}}, claude[] = {{"claude-*", 8}, {0}};
static const llm_backend one = {.name = {"one", 3}}, two = {.name = {"two", 3}},
                         spare = {.name = {"spare", 5}};
static const llm_target targets[] = {
    {.backend = &one, .weight = 3},
    {.backend = &two, .weight = 1},
    {.backend = &spare, .weight = 1, .priority = 1},
};
static const llm_route routes[] = {
    {.name = {"any", 3}, .to = targets, .target_count = 3},
    {.name = {"short", 5}, .hosts = shorter, .to = targets, .target_count = 3},
    {.name = {"wild", 4}, .hosts = wild, .models = gpt, .to = targets, .target_count = 3},
    {.name = {"exact", 5}, .hosts = exact, .models = claude, .to = targets, .target_count = 3},
};
static const llm_config config = {.routes = routes, .route_count = 4};

static const llm_route *found(const char *host, const char *model)
{
    question q = {.kind = SUBJECT_MODEL, .http.host = {host, strlen(host)}};
    q.llm.model = (str){model, strlen(model)};
    return route_find(&config, &q, NULL); /* no conditions here: no scratch */
}

static void expect(const char *host, const char *model, const char *name)
{
    const llm_route *r = found(host, model);
    assert_non_null(r);
    if (!str_eq(r->name, (str){name, strlen(name)}))
        fail_msg("%s %s: got " STR_FMT ", wanted %s", host, model, STR_ARG(r->name), name);
}

static void exact_hosts_come_before_wildcards_and_those_before_none(void **s)
{
    (void)s;
    expect("b.ai.test", "gpt-4o", "wild");
    expect("b.ai.test:8080", "gpt-5", "wild");
    expect("a.ai.test", "claude-x", "exact");
    expect("A.AI.TEST", "claude-x", "exact");
    expect("ai.test", "gpt-4o", "short");
    expect("elsewhere.example", "gpt-4o", "any");
}

static void a_host_with_routes_of_its_own_has_no_others(void **s)
{
    (void)s;
    assert_null(found("a.ai.test", "gpt-4o"));
    assert_null(found("b.ai.test", "other"));
    assert_true(route_serves_host(&config, &routes[3], S("a.ai.test:80")));
    assert_true(route_serves_host(&config, &routes[3], S("A.ai.test.:80")));
    assert_false(route_serves_host(&config, &routes[0], S("a.ai.test.")));
    assert_false(route_serves_host(&config, &routes[2], S("a.ai.test")));
    assert_false(route_serves_host(&config, &routes[1], S("b.ai.test")));
    assert_false(route_serves_host(&config, &routes[0], S("b.ai.test")));
    assert_true(route_serves_host(&config, &routes[0], S("elsewhere.example")));
}

static void a_wildcard_is_exactly_one_label(void **s)
{
    (void)s;
    expect("x.b.ai.test", "gpt-4o", "any");
    expect(".ai.test", "gpt-4o", "any");
}

static const header blue[] = {{{"x-team", 6}, {"blue-*", 6}}, {{0}, {0}}};
static const header two_headers[] = {{{"x-team", 6}, {"*", 1}},
                                     {{"x-env", 5}, {"prod", 4}},
                                     {{0}, {0}}};
static const header sent_blue[] = {{{"X-Team", 6}, {"blue-1", 6}}, {{0}, {0}}};
static const header sent_both[] = {{{"X-Team", 6}, {"red", 3}},
                                   {{"x-env", 5}, {"prod", 4}},
                                   {{0}, {0}}};
static const header sent_twice[] = {{{"X-Team", 6}, {"blue-1", 6}},
                                    {{"x-team", 6}, {"red", 3}},
                                    {{0}, {0}}};

static str taken_by(const llm_config *c, const header *sent, bool listing, arena *a)
{
    question q = {.kind = SUBJECT_MODEL, .http.headers = sent, .listing = listing};
    q.llm.model = S("gpt-4o");
    const llm_route *r = route_find(c, &q, a);
    return r ? r->name : (str){0};
}

static void a_route_takes_only_what_its_headers_name(void **s)
{
    (void)s;
    const llm_route some[] = {{.name = S("blue"), .match = blue},
                              {.name = S("both"), .match = two_headers},
                              {.name = S("exact"), .models = gpt, .match = blue},
                              {.name = S("rest")}};
    const llm_config all = {.routes = some, .route_count = 4},
                     none = {.routes = some, .route_count = 1};
    arena *a = arena_new();
    assert_true(str_eq(taken_by(&all, sent_blue, false, a), S("exact")));
    assert_true(str_eq(taken_by(&all, sent_both, false, a), S("both")));
    assert_true(str_eq(taken_by(&all, sent_twice, false, a), S("rest")));
    assert_true(str_eq(taken_by(&all, NULL, false, a), S("rest")));
    assert_null(taken_by(&none, sent_both, false, a).p);
    arena_free(a);
}

static const policy_when *condition(arena *a, const char *text)
{
    problems out;
    const policy_source source = {.name = S("f"), .text = {text, strlen(text)}};
    yaml_node *n = NULL;
    problems_init(&out, a, S("f"));
    assert_null(yaml_parse(a, S("f"), source.text, &n));
    const policy_when *w = policy_when_read(a, &source, n, NULL, &out);
    if (!w) fail_msg(STR_FMT, STR_ARG(out.first->text));
    return w;
}

static void a_condition_that_errs_does_not_hold(void **s)
{
    (void)s;
    arena *a = arena_new();
    const llm_route some[] =
        {{.name = S("errs"), .when = condition(a, "'http.headers[\"x-none\"] != \"x\"'")},
         {.name = S("long"), .when = condition(a, "'size(llm.model) > 10'")},
         {.name = S("blue"), .match = blue, .when = condition(a, "llm.model.startsWith('gpt')")},
         {.name = S("rest")}};
    const llm_config all = {.routes = some, .route_count = 4};
    assert_true(str_eq(taken_by(&all, NULL, false, a), S("rest")));
    assert_true(str_eq(taken_by(&all, sent_blue, false, a), S("blue")));
    arena_free(a);
}

/* Whatever a call could take, its list can find; and no more of what one route takes for sure. */
static void a_list_finds_every_route_that_a_call_could_take(void **s)
{
    (void)s;
    arena *a = arena_new();
    const llm_route some[] =
        {{.name = S("rest")},
         {.name = S("blue"), .match = blue},
         {.name = S("exact"), .models = gpt, .when = condition(a, "http.headers['x-a'] == 'b'")},
         {.name = S("no"), .models = gpt, .when = condition(a, "llm.model == 'other'")}};
    const llm_config all = {.routes = some, .route_count = 4};
    question q = {.kind = SUBJECT_MODEL, .listing = true};
    q.llm.model = S("gpt-4o");
    const llm_route *r = route_find(&all, &q, a);
    assert_ptr_equal(r, &some[2]);
    r = route_after(&all, &q, r, a);
    assert_ptr_equal(r, &some[0]);
    assert_null(route_after(&all, &q, r, a));
    arena_free(a);
}

static void weights_are_kept_and_spares_come_last(void **s)
{
    (void)s;
    int count[2] = {0};
    assert_int_equal(route_best(&routes[0], ~(uint64_t)0), 3);
    assert_int_equal(route_best(&routes[0], ~(uint64_t)3), 4);
    for (uint64_t turn = 0; turn < 400; turn++) count[route_pick(&routes[0], 3, turn)]++;
    assert_int_equal(count[0], 300);
    assert_int_equal(count[1], 100);
    for (uint64_t turn = 0; turn < 9; turn++) assert_int_equal(route_pick(&routes[0], 2, turn), 1);
    assert_true(route_has_more(&routes[0], 3));
    assert_false(route_has_more(&routes[0], 7));
}

/* Of what is left when one target is gone, nothing else moves; and weights are kept. */
static void a_key_stays_where_it_is(void **s)
{
    (void)s;
    enum { KEYS = 4000 };
    int count[2] = {0};
    for (int i = 0; i < KEYS; i++) {
        char text[16];
        const str key = {text, (size_t)snprintf(text, sizeof text, "key-%d", i)};
        size_t all = route_pick_by(&routes[0], 7, key), again = route_pick_by(&routes[0], 7, key),
               less = route_pick_by(&routes[0], 3, key);
        assert_int_equal(all, again);
        if (all != 2) assert_int_equal(less, all);
        count[less]++;
    }
    assert_in_range(count[0], KEYS * 72 / 100, KEYS * 78 / 100);
}

static void every_endpoint_states_what_it_needs(void **s)
{
    (void)s;
    for (const llm_endpoint *e = llm_endpoints; e->path; e++) {
        assert_int_not_equal(e->needs, ENDPOINT_NEEDS_UNSET);
        assert_non_null(e->steps);
    }
    assert_null(llm_endpoint_find(S("/v1/chat/completions/"), S("POST")));
    assert_null(llm_endpoint_find(S("/v1/models/"), S("GET")));
    assert_non_null(llm_endpoint_find(S("/v1/models/a/b"), S("GET")));
}

static void usage_is_disjoint_and_read_from_any_cut_of_the_stream(void **s)
{
    (void)s;
    static const char in[] =
        "data: {\"choices\":[],\"usage\":null}\n\n"
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":11,\"completion_tokens\":3,"
        "\"prompt_tokens_details\":{\"cached_tokens\":4}}}\r\n\r\ndata: [DONE]\n\n";
    for (size_t cut = 0; cut < sizeof in; cut++) {
        arena *a = arena_new();
        usage_tap *t = usage_tap_new(a, &openai_chat, 4096);
        usage_tap_feed(t, (str){in, cut < sizeof in - 1 ? cut : sizeof in - 1});
        usage_tap_feed(t, (str){in + cut,
                                sizeof in - 1 - (cut < sizeof in - 1 ? cut : sizeof in - 1)});
        const llm_usage *u = usage_tap_total(t);
        assert_true(usage_known(u));
        assert_int_equal(u->input.v, 7);
        assert_int_equal(u->cache_read.v, 4);
        assert_int_equal(u->output.v, 3);
        arena_free(a);
    }
}

static frame_sense tapped(arena *a, const llm_dialect *d, const char *in, llm_usage *u)
{
    usage_tap *t = usage_tap_new(a, d, 4096);
    usage_tap_feed(t, (str){in, strlen(in)});
    usage_tap_end(t);
    *u = *usage_tap_total(t);
    return usage_tap_sense(t);
}

static void events_that_lack_the_empty_line_between_them_are_counted(void **s)
{
    (void)s;
    static const char in[] =
        "event: message_start\n"
        "data: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":15}}}\n"
        "event: message_delta\n"
        "data: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":5}}\n"
        "event: message_stop\n"
        "data: {\"type\":\"message_stop\"}\n";
    arena *a = arena_new();
    llm_usage u;
    assert_int_equal(tapped(a, &anthropic_messages, in, &u), FRAME_END);
    assert_int_equal(u.input.v, 15);
    assert_int_equal(u.output.v, 5);
    arena_free(a);
}

static void a_last_event_counts_when_it_is_whole(void **s)
{
    (void)s;
    static const struct {
        const char *in;
        frame_sense seen;
    } rows[] = {
        {"data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: [DONE]", FRAME_END},
        {"data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: [DON", FRAME_CONTENT},
        {"event: message_stop\ndata: {\"type\":\"message_stop\"}", FRAME_END},
        {"event: message_stop\ndata: {\"type\":\"mess", FRAME_PREAMBLE},
        {"data: {\"type\":\"message_start\"}\nevent: message_stop\ndata: {", FRAME_PREAMBLE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        arena *a = arena_new();
        llm_usage u;
        const llm_dialect *d = strstr(rows[i].in, "[DON") ? &openai_chat : &anthropic_messages;
        assert_int_equal(tapped(a, d, rows[i].in, &u), rows[i].seen);
        arena_free(a);
    }
}

static void a_beginning_that_claude_never_sends_is_not_held_back(void **s)
{
    (void)s;
    static const struct {
        const char *data;
        frame_sense sense;
    } rows[] = {
        {"{\"type\":\"message_start\",\"message\":{\"usage\":{}}}", FRAME_PREAMBLE},
        {"{\"type\":\"message_start\"}", FRAME_CONTENT},
        {"{broken", FRAME_CONTENT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const llm_frame f = {.type = S("message_start"),
                             .data = {rows[i].data, strlen(rows[i].data)}};
        assert_int_equal(anthropic_messages.sense(f), rows[i].sense);
    }
}

static void a_role_is_no_content_however_it_is_spaced(void **s)
{
    (void)s;
    static const struct {
        const char *data;
        frame_sense sense;
    } rows[] = {
        {"{\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}", FRAME_PREAMBLE},
        {"{\"choices\": [{\"delta\": {\"role\": \"assistant\", \"content\": \"\"}}]}",
         FRAME_PREAMBLE},
        {"{\"choices\": [{\"delta\": {\"role\": \"assistant\", \"content\": null}}]}",
         FRAME_PREAMBLE},
        {"{ \"choices\" : [ ] }", FRAME_PREAMBLE},
        {"{\"choices\": [{\"delta\": {\"content\": \" \"}}]}", FRAME_CONTENT},
        {"{\"choices\": [{\"delta\": {\"content\": \"a \\\"content\\\": \\\"\\\"\"}}]}",
         FRAME_CONTENT},
        {"{\"choices\": [{\"delta\": {}, \"finish_reason\": \"stop\"}]}", FRAME_STOP},
        {"{\"choices\": [{\"delta\": {}, \"finish_reason\": null}]}", FRAME_PREAMBLE},
        {"{ \"error\": {}}", FRAME_ERROR},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const llm_frame f = {.data = {rows[i].data, strlen(rows[i].data)}};
        if (openai_chat.sense(f) != rows[i].sense) print_error("%s\n", rows[i].data);
        assert_int_equal(openai_chat.sense(f), rows[i].sense);
    }
}

static void paths_move_with_their_prefixes(void **s)
{
    (void)s;
    const llm_prefixes usual = {{0}, {"/anthropic", 10}, {"/cohere", 7}};
    const llm_prefixes moved = {{"/oai", 4}, {"/claude", 7}, {"/cohere", 7}};
    static const struct {
        const char *path;
        bool moved, usual;
    } cases[] = {
        {"/v1/chat/completions", false, true},
        {"/oai/v1/chat/completions", true, false},
        {"/anthropic/v1/messages", false, true},
        {"/claude/v1/messages", true, false},
        {"/v1/messages", true, true},
        {"/oai/v1/messages", false, false},
        {"/v1/messages/count_tokens", true, true},
        {"/claude/v1/models/a", true, false},
        {"/oai/v1/models", true, false},
        {"/cohere/v2/rerank", true, true},
        {"/oaiv1/models", false, false},
        {"/v2/rerank", true, true},
    };
    arena *a = arena_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        str path = {cases[i].path, strlen(cases[i].path)};
        if (llm_path(a, &moved, path) != cases[i].moved ||
            llm_path(a, &usual, path) != cases[i].usual)
            fail_msg("%s", cases[i].path);
        assert_int_equal(llm_path(a, &(llm_prefixes){0}, path), cases[i].usual);
    }
    arena_free(a);
}

int main(void)
{
    static const struct CMUnitTest t[] = {
        cmocka_unit_test(exact_hosts_come_before_wildcards_and_those_before_none),
        cmocka_unit_test(a_host_with_routes_of_its_own_has_no_others),
        cmocka_unit_test(paths_move_with_their_prefixes),
        cmocka_unit_test(a_wildcard_is_exactly_one_label),
        cmocka_unit_test(a_route_takes_only_what_its_headers_name),
        cmocka_unit_test(a_condition_that_errs_does_not_hold),
        cmocka_unit_test(a_list_finds_every_route_that_a_call_could_take),
        cmocka_unit_test(weights_are_kept_and_spares_come_last),
        cmocka_unit_test(a_key_stays_where_it_is),
        cmocka_unit_test(every_endpoint_states_what_it_needs),
        cmocka_unit_test(usage_is_disjoint_and_read_from_any_cut_of_the_stream),
        cmocka_unit_test(events_that_lack_the_empty_line_between_them_are_counted),
        cmocka_unit_test(a_last_event_counts_when_it_is_whole),
        cmocka_unit_test(a_beginning_that_claude_never_sends_is_not_held_back),
        cmocka_unit_test(a_role_is_no_content_however_it_is_spaced),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
