/* SPDX-License-Identifier: Apache-2.0 */
#include "re2_shim.h"

#include <cstdio>
#include <new>
#include <re2/re2.h>

struct re2_pattern {
    re2::RE2 re;
    re2_pattern(const re2::StringPiece &s, const re2::RE2::Options &o) : re(s, o) {}
};

static void tell(char *why, size_t size, const char *text)
{
    if (size) (void)std::snprintf(why, size, "%s", text);
}

re2_pattern *re2_pattern_new(const char *pattern, size_t n, char *why, size_t why_size)
{
    try {
        re2::RE2::Options options;
        options.set_log_errors(false);
        options.set_max_mem(1 << 20); /* program and state cache; over it: slower, or refused */
        options.set_never_capture(true);
        re2_pattern *p = new re2_pattern(re2::StringPiece(pattern, n), options);
        if (p->re.ok()) return p;
        tell(why, why_size, p->re.error().c_str());
        delete p;
    } catch (...) {
        tell(why, why_size, "out of memory");
    }
    return nullptr;
}

void re2_pattern_free(re2_pattern *p)
{
    delete p;
}

int re2_pattern_search(const re2_pattern *p, const char *text, size_t n)
{
    try {
        return p->re.Match(re2::StringPiece(text, n), 0, n, re2::RE2::UNANCHORED, nullptr, 0) ? 1
                                                                                              : 0;
    } catch (...) {
        return -1;
    }
}

int re2_pattern_find(const re2_pattern *p, const char *text, size_t n, size_t from, size_t *begin,
                     size_t *end)
{
    try {
        re2::StringPiece whole(text, n), found;
        if (!p->re.Match(whole, from, n, re2::RE2::UNANCHORED, &found, 1)) return 0;
        *begin = static_cast<size_t>(found.data() - text);
        *end = *begin + found.size();
        return 1;
    } catch (...) {
        return -1;
    }
}
