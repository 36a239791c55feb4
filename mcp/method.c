/* SPDX-License-Identifier: Apache-2.0 */
/* method.c - the table. The busiest rows come first; the search stops at them. */
#include "method.h"
#include "corridor.h"

#define ROW(n, e, needed, s, act, f)                                                               \
    {                                                                                              \
        .name = {"" n, sizeof(n) - 1}, .eras = (e), .needs = (needed),                             \
        .subject = {"" s, sizeof(s) - 1}, .acting = {"" act, sizeof(act) - 1}, .served = (f)       \
    }

/* clang-format off */
const mcp_method mcp_methods[] = {
    /*  name                       eras           needs          subject   acting            served */
    ROW("tools/call",              ERA_IS_ANY,    NEEDS_RULE,    "name",   "tools/call",     &corridor_tools_call),
    ROW("tools/list",              ERA_IS_ANY,    NEEDS_FILTER,  "",       "tools/call",     &corridor_tools_list),
    ROW("ping",                    ERA_IS_LEGACY, NEEDS_CALLER,  "",       "",               &corridor_ping),
    ROW("initialize",              ERA_IS_LEGACY, NEEDS_CALLER,  "",       "",               &corridor_initialize),
    ROW("server/discover",         ERA_IS_MODERN, NEEDS_CALLER,  "",       "",               &corridor_discover),
    ROW("prompts/list",            ERA_IS_ANY,    NEEDS_FILTER,  "",       "prompts/get",    &corridor_prompts_list),
    ROW("prompts/get",             ERA_IS_ANY,    NEEDS_RULE,    "name",   "prompts/get",    &corridor_prompts_get),
    ROW("resources/list",          ERA_IS_ANY,    NEEDS_FILTER,  "",       "resources/read", &corridor_resources_list),
    ROW("resources/templates/list", ERA_IS_ANY,   NEEDS_FILTER,  "",       "resources/read", &corridor_templates_list),
    ROW("resources/read",          ERA_IS_ANY,    NEEDS_RULE,    "uri",    "resources/read", &corridor_resources_read),
    ROW("resources/subscribe",     ERA_IS_LEGACY, NEEDS_RULE,    "uri",    "resources/read", &corridor_subscribe),
    ROW("resources/unsubscribe",   ERA_IS_LEGACY, NEEDS_CALLER,  "uri",    "",               &corridor_unsubscribe),
    ROW("completion/complete",     ERA_IS_ANY,    NEEDS_RULE,    "ref",    "",               &corridor_complete),
    ROW("logging/setLevel",        ERA_IS_LEGACY, NEEDS_CALLER,  "",       "",               &corridor_set_level),
    ROW("subscriptions/listen",    ERA_IS_MODERN, NEEDS_FILTER,  "",       "",               &corridor_listen),
    ROW("tasks/get",               ERA_IS_MODERN, NEEDS_RULE,    "taskId", "tools/call",     &corridor_task),
    ROW("tasks/update",            ERA_IS_MODERN, NEEDS_RULE,    "taskId", "tools/call",     &corridor_task),
    ROW("tasks/cancel",            ERA_IS_MODERN, NEEDS_RULE,    "taskId", "tools/call",     &corridor_task),
    ROW("tasks/result",            ERA_IS_LEGACY, NEEDS_RULE,    "taskId", "",               NULL),
    ROW("tasks/list",              ERA_IS_LEGACY, NEEDS_FILTER,  "",       "",               NULL),
    {.name = {0}},
};
/* clang-format on */

const mcp_method *mcp_method_find(str name, unsigned era)
{
    for (const mcp_method *m = mcp_methods; m->name.p; m++)
        if (str_eq(m->name, name)) return m->eras & era ? m : NULL;
    return NULL;
}

bool mcp_method_is_served(const mcp_method *m)
{
    return m && m->served && m->needs != NEEDS_UNSET;
}
