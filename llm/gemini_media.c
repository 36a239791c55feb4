/* SPDX-License-Identifier: Apache-2.0 */
/* gemini_media.c - files in a Gemini message: bytes inline, or a place that Google reads itself. */
#include "gemini.h"

typedef struct {
    const char *ending, *mime;
} ending_row;
/* clang-format off */
static const ending_row endings[] = {
    {"png", "image/png"},   {"jpg", "image/jpeg"},  {"jpeg", "image/jpeg"}, {"gif", "image/gif"},
    {"webp", "image/webp"}, {"heic", "image/heic"}, {"pdf", "application/pdf"}, {"txt", "text/plain"},
    {"mp3", "audio/mpeg"},  {"wav", "audio/wav"},   {"flac", "audio/flac"}, {"ogg", "audio/ogg"},
    {"mp4", "video/mp4"},   {"mov", "video/quicktime"}, {"webm", "video/webm"}, {"mpeg", "video/mpeg"},
    {0},
};
static const name_row details[] = {{"low", 1}, {"medium", 2}, {"high", 3}, {"auto", 4}, {0}};
static const str levels[] = {
    {0}, {"MEDIA_RESOLUTION_LOW", 20}, {"MEDIA_RESOLUTION_MEDIUM", 23}, {"MEDIA_RESOLUTION_HIGH", 21},
    {"MEDIA_RESOLUTION_UNSPECIFIED", 28},
};
/* clang-format on */

/* By the ending of the URL's path; else what is likeliest for its kind. */
static str mime_of(const llm_part *p)
{
    if (p->media.mime.n) return p->media.mime;
    str path = str_cut(p->media.value, '?').head;
    const char *dot = path.n ? memrchr(path.p, '.', path.n) : NULL;
    str ending = dot ? str_drop(path, (size_t)(dot - path.p) + 1) : (str){0};
    for (const ending_row *r = endings; dot && r->ending; r++)
        if (header_name_is(ending, (str){r->ending, strlen(r->ending)}))
            return (str){r->mime, strlen(r->mime)};
    switch (p->kind) {
    case PART_AUDIO: return S("audio/mpeg");
    case PART_VIDEO: return S("video/mp4");
    case PART_DOCUMENT: return S("application/pdf");
    default: return S("image/jpeg");
    }
}

static const err *put_resolution(arena *a, const llm_part *p, const gemini_traits *t, jnode *out)
{
    if (!p->detail.n || !t->v3) return NULL;
    int detail = name_value(details, p->detail, 0);
    if (!detail)
        return err_new(a, ERR_MALFORMED, "Gemini knows no image detail '" STR_FMT "'",
                       STR_ARG(str_take(p->detail, 40)));
    jn_set_text(jn_open(out, S("mediaResolution")), "level", levels[detail]);
    return NULL;
}

const err *gemini_media(arena *a, const llm_part *p, const gemini_traits *t, jnode **out)
{
    const media *m = &p->media;
    *out = jn_object(a);
    if (m->from == MEDIA_TEXT) {
        jn_set_text(*out, "text", m->value);
        return NULL;
    }
    if (m->from == MEDIA_DATA) {
        jnode *data = jn_open(*out, S("inlineData"));
        jn_set_text(data, "mimeType", mime_of(p));
        jn_set_text(data, "data", m->value);
    } else {
        bool is_place = str_starts(m->value, S("https://")) || str_starts(m->value, S("http://")) ||
                        str_starts(m->value, S("gs://"));
        if (m->from != MEDIA_URL || !is_place)
            return err_new(a, ERR_UNSUPPORTED,
                           "Gemini takes the bytes of a file or its http(s):// or gs:// place");
        jnode *file = jn_open(*out, S("fileData"));
        jn_set_text(file, "mimeType", mime_of(p));
        jn_set_text(file, "fileUri", m->value);
    }
    return put_resolution(a, p, t, *out);
}

const err *gemini_part(arena *a, const llm_part *p, jnode **out)
{
    const gemini_traits plain = {0};
    if (p->kind != PART_TEXT) return gemini_media(a, p, &plain, out);
    if (!p->text.n) return NULL;
    *out = jn_object(a);
    jn_set_text(*out, "text", p->text);
    return NULL;
}
