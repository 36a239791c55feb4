/* SPDX-License-Identifier: Apache-2.0 */
/* schema_maker.h - random input schemas over the arguments of call_maker.h, some kept, some not. */
#ifndef SP_TEST_SCHEMA_MAKER_H
#define SP_TEST_SCHEMA_MAKER_H
#include "call_maker.h"

#include "../../authz/policy/schema.h"

static inline const char *property_facts(maker *m)
{
    /* clang-format off */
    static const char *const facts[] = {
        "", "", "\"enum\":[1,2]", "\"enum\":[\"a\",\"ab\",7]", "\"const\":1", "\"const\":\"a\"", "\"const\":1.5",
        "\"maximum\":3", "\"minimum\":2", "\"exclusiveMaximum\":2", "\"exclusiveMinimum\":1,\"maximum\":5", "\"enum\":[true,false]",
        "\"enum\":[null,true,\"c\"]", "\"type\":\"string\",\"minLength\":2", "\"minimum\":1,\"maximum\":1", "\"enum\":[5,[1],{}]",
        "\"description\":\"the \\u0022n\\u0022\",\"maximum\":1.5,\"minimum\":-1",
        /* clang-format on */
    };
    return ONE_OF(m, facts);
}

static inline js_value input_schema(maker *m)
{
    static const char *const names[] = {"n", "s", "b", "l"};
    buf b = buf_new(m->a, 2000), required = buf_new(m->a, 200);
    bool any = false;
    (void)buf_put(&b, S("{\"type\":\"object\",\"properties\":{"));
    for (size_t i = 0; i < 4; i++) {
        if (!pick(m, 4)) (void)buf_fmt(&required, "%s\"%s\"", required.n ? "," : "", names[i]);
        if (!pick(m, 3)) continue;
        (void)buf_fmt(&b, "%s\"%s\":{%s}", any ? "," : "", names[i], property_facts(m));
        any = true;
    }
    (void)buf_fmt(&b, "},\"required\":[" STR_FMT "]%s}", STR_ARG(buf_str(&required)),
                  pick(m, 3) ? "" : ",\"additionalProperties\":false");
    js_value v = {0};
    const err *e = js_check(m->a, buf_str(&b), 16, &v);
    assert_null(e);
    return v;
}
#endif
