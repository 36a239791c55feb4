/* floor: base */
/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../base/metric.h"

static int setup(void **s)
{
    *s = metrics_new();
    return 0;
}

static int teardown(void **s)
{
    metrics_free(*s);
    return 0;
}

static char *text_of(metrics *m)
{
    buf out = buf_new(NULL, 1 << 20);
    metrics_write(m, &out);
    assert_true(buf_ok(&out));
    buf_put(&out, (str){"", 1});
    return out.p;
}

static void has(metrics *m, const char *want)
{
    char *text = text_of(m);
    if (!strstr(text, want)) fail_msg("%s is not in\n%s", want, text);
    free(text);
}

static void a_series_is_found_again_by_its_labels(void **s)
{
    metric *a = metric_series(*s, METRIC_REQUESTS, "mcp", "2xx");
    assert_ptr_equal(metric_series(*s, METRIC_REQUESTS, "mcp", "2xx"), a);
    assert_ptr_not_equal(metric_series(*s, METRIC_REQUESTS, "mcp", "4xx"), a);
    assert_ptr_not_equal(metric_series(*s, METRIC_REQUESTS, "llm", "2xx"), a);
    assert_ptr_not_equal(metric_series(*s, METRIC_VERDICTS, "mcp", "2xx"), a);
    assert_ptr_equal(metric_series(*s, METRIC_CONNECTIONS, NULL, NULL),
                     metric_series(*s, METRIC_CONNECTIONS, "", NULL));
}

static void the_text_is_what_prometheus_reads(void **s)
{
    metric_add(metric_series(*s, METRIC_REQUESTS, "mcp", "2xx"), 3);
    metric_add(metric_series(*s, METRIC_REQUESTS, "mcp", "4xx"), 1);
    metric *gauge = metric_series(*s, METRIC_CONNECTIONS, NULL, NULL);
    metric_add(gauge, 5);
    metric_add(gauge, -7);
    char *text = text_of(*s);
    assert_string_equal(text, "# HELP sallyport_requests_total Requests answered, by door and "
                              "status class.\n"
                              "# TYPE sallyport_requests_total counter\n"
                              "sallyport_requests_total{door=\"mcp\",status=\"2xx\"} 3\n"
                              "sallyport_requests_total{door=\"mcp\",status=\"4xx\"} 1\n"
                              "# HELP sallyport_connections Client connections that are open.\n"
                              "# TYPE sallyport_connections gauge\n"
                              "sallyport_connections -2\n");
    free(text);
}

static void label_values_are_escaped(void **s)
{
    metric_add(metric_series(*s, METRIC_RULE_ERRORS, "a\"b\\c\nd", NULL), 1);
    has(*s, "sallyport_rule_errors_total{rule=\"a\\\"b\\\\c\\nd\"} 1\n");
}

static void a_histogram_counts_each_value_in_its_bucket_and_those_above(void **s)
{
    metric *h = metric_series(*s, METRIC_REQUEST_SECONDS, "mcp", NULL);
    static const int64_t micros[] = {0, 500, 501, 60000000, 60000001, 999999};
    for (size_t i = 0; i < sizeof micros / sizeof *micros; i++) metric_observe(h, micros[i]);
    has(*s, "# TYPE sallyport_request_duration_seconds histogram\n");
    has(*s, "sallyport_request_duration_seconds_bucket{door=\"mcp\",le=\"0.0005\"} 2\n");
    has(*s, "sallyport_request_duration_seconds_bucket{door=\"mcp\",le=\"0.001\"} 3\n");
    has(*s, "sallyport_request_duration_seconds_bucket{door=\"mcp\",le=\"0.5\"} 3\n");
    has(*s, "sallyport_request_duration_seconds_bucket{door=\"mcp\",le=\"1\"} 4\n");
    has(*s, "sallyport_request_duration_seconds_bucket{door=\"mcp\",le=\"60\"} 5\n");
    has(*s, "sallyport_request_duration_seconds_bucket{door=\"mcp\",le=\"+Inf\"} 6\n");
    has(*s, "sallyport_request_duration_seconds_sum{door=\"mcp\"} 121.001001\n");
    has(*s, "sallyport_request_duration_seconds_count{door=\"mcp\"} 6\n");
}

static void *count_up(void *x)
{
    for (int i = 0; i < 10000; i++)
        metric_add(metric_series(x, METRIC_REQUESTS, "mcp", i % 2 ? "2xx" : "5xx"), 1);
    return NULL;
}

static void threads_lose_no_count(void **s)
{
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, *s), 0);
    for (size_t i = 0; i < 4; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    has(*s, "sallyport_requests_total{door=\"mcp\",status=\"2xx\"} 20000\n");
    has(*s, "sallyport_requests_total{door=\"mcp\",status=\"5xx\"} 20000\n");
}

int main(void)
{
    static const struct CMUnitTest t[] = {
        cmocka_unit_test_setup_teardown(a_series_is_found_again_by_its_labels, setup, teardown),
        cmocka_unit_test_setup_teardown(the_text_is_what_prometheus_reads, setup, teardown),
        cmocka_unit_test_setup_teardown(label_values_are_escaped, setup, teardown),
        cmocka_unit_test_setup_teardown(a_histogram_counts_each_value_in_its_bucket_and_those_above,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(threads_lose_no_count, setup, teardown),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
