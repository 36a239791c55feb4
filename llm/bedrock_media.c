/* SPDX-License-Identifier: Apache-2.0 */
/* bedrock_media.c - files in a Converse message.
 *
 * The kind of block follows from the file's type, whatever the client called it. Converse takes
 * bytes and S3 places, never URLs: those are refused with these words, not fetched. */
#include "bedrock.h"

enum { NAME_MOST = 100 };

/* clang-format off */
typedef struct {
    const char *mime, *block, *format;
} media_row;
static const media_row media_rows[] = {
    {"image/png", "image", "png"},   {"image/jpeg", "image", "jpeg"}, {"image/jpg", "image", "jpeg"},
    {"image/gif", "image", "gif"},   {"image/webp", "image", "webp"},
    {"application/pdf", "document", "pdf"},     {"text/csv", "document", "csv"},
    {"text/plain", "document", "txt"},          {"text/html", "document", "html"},
    {"text/markdown", "document", "md"},        {"application/msword", "document", "doc"},
    {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "document", "docx"},
    {"application/vnd.ms-excel", "document", "xls"},
    {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "document", "xlsx"},
    {"video/mp4", "video", "mp4"},   {"video/webm", "video", "webm"}, {"video/quicktime", "video", "mov"},
    {"video/x-matroska", "video", "mkv"},       {"video/mpeg", "video", "mpeg"},
    {"video/x-flv", "video", "flv"}, {"video/x-ms-wmv", "video", "wmv"}, {"video/3gpp", "video", "three_gp"},
    {"audio/wav", "audio", "wav"},   {"audio/x-wav", "audio", "wav"}, {"audio/mpeg", "audio", "mp3"},
    {"audio/mp3", "audio", "mp3"},   {"audio/flac", "audio", "flac"}, {"audio/ogg", "audio", "ogg"},
    {0},
};
/* clang-format on */

static str lit(const char *s)
{
    return (str){s, strlen(s)};
}

static const media_row *media_row_of(const media *m)
{
    str mime = str_cut(m->mime, ';').head;
    const char *dot = m->from == MEDIA_URL && m->value.n ? memrchr(m->value.p, '.', m->value.n) : 0;
    str ending = dot ? str_drop(m->value, (size_t)(dot - m->value.p) + 1) : (str){0};
    for (const media_row *r = media_rows; r->mime; r++)
        if (header_name_is(mime, lit(r->mime)) ||
            (!mime.n && header_name_is(ending, lit(r->format))))
            return r;
    return NULL;
}

static bool may_stand_in_name(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '(' || c == ')' || c == '[' || c == ']';
}

/* Converse demands a name and takes few letters in it; what it refuses becomes '-'. */
static str document_name(arena *a, str name)
{
    name = str_take(name, NAME_MOST);
    const char *dot = name.n ? memrchr(name.p, '.', name.n) : NULL;
    if (dot && dot > name.p) name.n = (size_t)(dot - name.p);
    char *out = arena_bytes(a, name.n + 1);
    for (size_t i = 0; i < name.n; i++) {
        out[i] = '-';
        if (may_stand_in_name(name.p[i])) out[i] = name.p[i];
    }
    return name.n ? (str){out, name.n} : S("document");
}

static const err *media_source(arena *a, const media *m, jnode **out)
{
    *out = jn_object(a);
    if (m->from == MEDIA_DATA) {
        jn_set_text(*out, "bytes", m->value);
    } else if (m->from == MEDIA_TEXT) {
        jn_set_text(*out, "text", m->value);
    } else if (m->from == MEDIA_URL && str_starts(m->value, S("s3://"))) {
        jnode *place = jn_object(a);
        jn_set_text(place, "uri", m->value);
        jn_set(*out, "s3Location", place);
    } else {
        return err_new(a, ERR_UNSUPPORTED,
                       "Bedrock takes the bytes of a file or its s3:// place, no other URL or id");
    }
    return NULL;
}

const err *bedrock_media(arena *a, const llm_part *p, jnode **out)
{
    static const media_row plain_text = {"", "document", "txt"};
    const media_row *r =
        p->media.from == MEDIA_TEXT && !p->media.mime.n ? &plain_text : media_row_of(&p->media);
    if (!r)
        return err_new(a, ERR_UNSUPPORTED, "Bedrock takes no file of the type '" STR_FMT "'",
                       STR_ARG(str_take(p->media.mime, 80)));
    jnode *source = NULL, *m = jn_object(a);
    const err *e = media_source(a, &p->media, &source);
    if (e) return e;
    jn_set_text(m, "format", lit(r->format));
    if (strcmp(r->block, "document") == 0) jn_set_text(m, "name", document_name(a, p->name));
    jn_set(m, "source", source);
    *out = jn_object(a);
    jn_set(*out, r->block, m);
    return NULL;
}
