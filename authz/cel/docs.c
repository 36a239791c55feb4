/* SPDX-License-Identifier: Apache-2.0 */
/* docs.c - the sentences, and signatures as people read them. */
#include "docs.h"
#include "../../base/buf.h"

/* clang-format off */
const cel_doc cel_docs[] = {
    {"has", "has(x.member) -> bool", "Is the member there?", false},
    {"all", "x.all(e, condition) -> bool", "Does the condition hold for every element, or every key of a map?", true},
    {"exists", "x.exists(e, condition) -> bool", "Does the condition hold for some element, or some key of a map?", true},
    {"exists_one", "x.exists_one(e, condition) -> bool", "Does the condition hold for exactly one element?", true},
    {"existsOne", "x.existsOne(key, value, condition) -> bool", "Does the condition hold for exactly one entry?", true},
    {"filter", "x.filter(e, condition) -> list", "The elements for which the condition holds.", true},
    {"map", "x.map(e, [condition,] value) -> list", "The value made of each element, of those for which the condition holds.", true},
    {"transformList", "x.transformList(key, value, [condition,] result) -> list", "A list of what is made of each entry.", true},
    {"transformMap", "x.transformMap(key, value, [condition,] result) -> map", "A map with the same keys and what is made of each entry.", true},
    {"transformMapEntry", "x.transformMapEntry(key, value, [condition,] {k: v}) -> map", "A map of the entries made of each entry.", true},
    {"optMap", "x.optMap(v, result) -> optional", "The result for an optional's value; none if it has none.", true},
    {"optFlatMap", "x.optFlatMap(v, result) -> optional", "The optional made of an optional's value; none if it has none.", true},
    {"cel.bind", "cel.bind(name, value, body)", "The body, in which the name stands for the value.", false},
    {"size", NULL, "How many characters, bytes, elements or entries it has.", true},
    {"startsWith", NULL, "Does the text begin with the other?", true},
    {"endsWith", NULL, "Does the text end with the other?", true},
    {"contains", NULL, "Does the text have the other in it?", true},
    {"matches", NULL, "Does the pattern (RE2) match anywhere in the text? Anchor it with ^ and $, and write it as r'…'.", true},
    {"type", NULL, "The type of the value.", false},
    {"dyn", NULL, "The value, its type not checked before it is evaluated.", false},
    {"int", NULL, "The value as a whole number; a time as seconds since 1970.", false},
    {"uint", NULL, "The value as a whole number that is not negative.", false},
    {"double", NULL, "The value as a number with a fraction.", false},
    {"string", NULL, "The value as text.", false},
    {"bool", NULL, "The text \"true\" or \"false\" as a condition.", false},
    {"bytes", NULL, "The text as bytes of UTF-8.", false},
    {"timestamp", NULL, "A moment, of \"2026-01-02T15:04:05Z\" or of seconds since 1970.", false},
    {"duration", NULL, "A length of time, of \"1h30m\" for example.", false},
    {"getFullYear", NULL, "The year, in UTC or the zone given (\"Europe/Paris\", \"+02:00\").", true},
    {"getMonth", NULL, "The month from 0, in UTC or the zone given.", true},
    {"getDate", NULL, "The day of the month from 1, in UTC or the zone given.", true},
    {"getDayOfMonth", NULL, "The day of the month from 0, in UTC or the zone given.", true},
    {"getDayOfYear", NULL, "The day of the year from 0, in UTC or the zone given.", true},
    {"getDayOfWeek", NULL, "The day of the week, Sunday is 0, in UTC or the zone given.", true},
    {"getHours", NULL, "The hour, in UTC or the zone given; of a duration, all its hours.", true},
    {"getMinutes", NULL, "The minute, in UTC or the zone given; of a duration, all its minutes.", true},
    {"getSeconds", NULL, "The second; of a duration, all its seconds.", true},
    {"getMilliseconds", NULL, "The milliseconds within the second; of a duration, all of them.", true},
    {"charAt", NULL, "The character at the place; empty at the very end.", true},
    {"indexOf", NULL, "Where the other text first stands, from a place if given; -1 if nowhere.", true},
    {"lastIndexOf", NULL, "Where the other text last stands, before a place if given; -1 if nowhere.", true},
    {"substring", NULL, "The text from a place, up to another if given.", true},
    {"lowerAscii", NULL, "The text with A-Z made small.", true},
    {"upperAscii", NULL, "The text with a-z made capital.", true},
    {"trim", NULL, "The text without white space at its ends.", true},
    {"reverse", NULL, "The characters or elements in reverse order.", true},
    {"replace", NULL, "The text with one text in place of another, so many times if a number is given.", true},
    {"split", NULL, "The parts between separators, so many at most if a number is given.", true},
    {"join", NULL, "The texts one behind the other, with a separator if given.", true},
    {"strings.quote", NULL, "The text in double quotes, with escapes.", false},
    {"format", NULL, "The text with %s, %d, %f … replaced by the elements of the list.", true},
    {"base64.encode", NULL, "The bytes in base 64.", false},
    {"base64.decode", NULL, "The bytes a text in base 64 stands for.", false},
    {"ip", NULL, "The address a text stands for, or the address of a range.", true},
    {"isIP", NULL, "Does the text stand for an address?", false},
    {"ip.isCanonical", NULL, "Is the address written as RFC 5952 would?", false},
    {"family", NULL, "4 or 6.", true},
    {"isUnspecified", NULL, "Is the address 0.0.0.0 or ::?", true},
    {"isLoopback", NULL, "Is it an address of this machine alone?", true},
    {"isGlobalUnicast", NULL, "Is it an address of one interface, reachable beyond its link?", true},
    {"isLinkLocalMulticast", NULL, "Is it a multicast address of one link?", true},
    {"isLinkLocalUnicast", NULL, "Is it an address of one interface on one link?", true},
    {"cidr", NULL, "The range a text like \"10.0.0.0/8\" stands for.", false},
    {"isCIDR", NULL, "Does the text stand for a range?", false},
    {"containsIP", NULL, "Is the address in the range?", true},
    {"containsCIDR", NULL, "Is the other range in this one?", true},
    {"masked", NULL, "The range with its address cut to the prefix.", true},
    {"prefixLength", NULL, "How many bits the prefix has.", true},
    {"math.greatest", NULL, "The greatest of the numbers.", false},
    {"math.least", NULL, "The least of the numbers.", false},
    {"math.ceil", NULL, "The next whole number upwards.", false},
    {"math.floor", NULL, "The next whole number downwards.", false},
    {"math.round", NULL, "The nearest whole number; halves go away from zero.", false},
    {"math.trunc", NULL, "The number without its fraction.", false},
    {"math.sqrt", NULL, "The square root.", false},
    {"math.isNaN", NULL, "Is it no number?", false},
    {"math.isInf", NULL, "Is it infinite?", false},
    {"math.isFinite", NULL, "Is it neither infinite nor no number?", false},
    {"math.abs", NULL, "The number without its sign.", false},
    {"math.sign", NULL, "-1, 0 or 1.", false},
    {"math.bitAnd", NULL, "The bits both have.", false},
    {"math.bitOr", NULL, "The bits one of them has.", false},
    {"math.bitXor", NULL, "The bits only one of them has.", false},
    {"math.bitNot", NULL, "The bits it does not have.", false},
    {"math.bitShiftLeft", NULL, "The bits moved to the left.", false},
    {"math.bitShiftRight", NULL, "The bits moved to the right, zeros following.", false},
    {"distinct", NULL, "The elements, each once.", true},
    {"slice", NULL, "The elements from one place up to another.", true},
    {"flatten", NULL, "The elements of the lists in the list, so many levels if a number is given.", true},
    {"sort", NULL, "The elements in order.", true},
    {"first", NULL, "The first element; none of an empty list.", true},
    {"last", NULL, "The last element; none of an empty list.", true},
    {"lists.range", NULL, "The numbers from 0 up to that many.", false},
    {"sets.contains", NULL, "Does the first list have every element of the second?", false},
    {"sets.equivalent", NULL, "Do the lists have the same elements?", false},
    {"sets.intersects", NULL, "Do the lists have an element in common?", false},
    {"optional.of", NULL, "An optional that has the value.", false},
    {"optional.none", NULL, "An optional that has none.", false},
    {"optional.ofNonZeroValue", NULL, "An optional that has the value, unless it is zero, empty or false.", false},
    {"hasValue", NULL, "Does the optional have a value?", true},
    {"value", NULL, "The optional's value; an error if it has none.", true},
    {"or", NULL, "The optional itself if it has a value, else the other.", true},
    {"orValue", NULL, "The optional's value, else the other: x.?member.orValue(otherwise).", true},
    {0},
};
/* clang-format on */

const cel_doc *cel_doc_find(str name)
{
    for (const cel_doc *d = cel_docs; d->name; d++)
        if (str_eq((str){d->name, strlen(d->name)}, name)) return d;
    return NULL;
}

/* Where the first of "A, B, C" ends; commas in parentheses are not between arguments. */
static size_t first_of(str list)
{
    size_t depth = 0, at = 0;
    for (; at < list.n; at++) {
        if (list.p[at] == '(') depth++;
        if (list.p[at] == ')' && depth) depth--;
        if (list.p[at] == ',' && !depth) break;
    }
    return at;
}

/* "(A, B)" without its parentheses. */
static str inside(str s)
{
    return s.n >= 2 ? (str){s.p + 1, s.n - 2} : (str){0};
}

static void put_row(arena *a, buf *b, const cel_function *f)
{
    str signature = {f->signature, strlen(f->signature)};
    str_pair cut = str_cut(signature, '>');
    str arguments = inside(cel_signature_text(a, f->signature));
    str result = inside(cel_signature_text(a, arena_fmt(a, STR_FMT ">", STR_ARG(cut.tail)).p));
    size_t first = first_of(arguments);
    if (b->n) (void)buf_put(b, S("\n"));
    if (f->styles & CEL_METHOD) {
        str rest = str_drop(arguments, first + 2);
        (void)buf_fmt(b, STR_FMT ".%s(" STR_FMT ")", first ? (int)first : 1,
                      first ? arguments.p : "x", f->name, STR_ARG(rest));
    } else {
        (void)buf_fmt(b, "%s(" STR_FMT ")", f->name, STR_ARG(arguments));
    }
    (void)buf_fmt(b, " -> " STR_FMT, STR_ARG(result));
}

str cel_doc_shape(arena *a, const cel_doc *doc)
{
    if (doc->shape) return (str){doc->shape, strlen(doc->shape)};
    buf b = buf_new(a, 8192);
    uint16_t count;
    const cel_function *f = cel_function_find((str){doc->name, strlen(doc->name)}, &count);
    for (uint16_t i = 0; f && i < count; i++) put_row(a, &b, &f[i]);
    return buf_str(&b);
}

str cel_docs_page(arena *a)
{
    buf b = buf_new(a, 1 << 20);
    (void)buf_put(
        &b, S("# Functions and macros\n"
              "\n"
              "What an expression in a policy may call. This page is printed by `sallyport help "
              "functions`.\n"
              "`x.f(y)` is called on a value, `f(x)` on its own; a macro names its variable `e`.\n"
              "\n"
              "| | |\n"
              "|---|---|\n"));
    for (const cel_doc *d = cel_docs; d->name; d++) {
        (void)buf_put(&b, S("| "));
        for (str rest = cel_doc_shape(a, d); rest.n;) {
            str_pair cut = str_cut(rest, '\n');
            (void)buf_fmt(&b, "`" STR_FMT "`%s", STR_ARG(cut.head), cut.tail.n ? "<br>" : "");
            rest = cut.tail;
        }
        (void)buf_fmt(&b, " | %s |\n", d->text);
    }
    return buf_str(&b);
}
