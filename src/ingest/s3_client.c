#include "ingest/s3_client.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "ingest/s3_answer.h"

enum {
    TRIES = 5,
    CONNECT_S = 10,
    SILENT_S = 60,  /* without a byte */
    PAUSE_MS = 100, /* before the second try; four times as long before each further one */
    SLICE_MS = 50,  /* between two looks at `cancelled` */
    HEADER_MAX = 6000,
};

struct s3_client {
    CURL *easy;
    const char *region;
    const atomic_bool *cancelled;
    long limit_s;             /* 0: none; else a request is tried once */
    struct s3_answer *answer; /* of the request at hand */
    char why[CURL_ERROR_SIZE];
};

int s3_client_global_init(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -EIO;
}

struct s3_client *s3_client_new(const char *region, const atomic_bool *cancelled)
{
    struct s3_client *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->region = region;
    c->cancelled = cancelled;
    c->easy = curl_easy_init();
    if (c->easy)
        return c;
    free(c);
    return NULL;
}

void s3_client_free(struct s3_client *c)
{
    if (!c)
        return;
    curl_easy_cleanup(c->easy);
    free(c);
}

void s3_client_limit(struct s3_client *c, long seconds)
{
    c->cancelled = NULL;
    c->limit_s = seconds;
}

static bool is_cancelled(const struct s3_client *c)
{
    return c->cancelled && atomic_load(c->cancelled);
}

/* ---- libcurl's calls ---- */

static size_t take_body(char *bytes, size_t size, size_t n, void *ctx)
{
    struct s3_answer *a = ctx;
    size_t len = size * n, room = sizeof a->body - a->len;
    size_t take = len < room ? len : room; /* the rest of an oversized answer is of no use */

    memcpy(a->body + a->len, bytes, take);
    a->len += take;
    return len;
}

static size_t take_header(char *bytes, size_t size, size_t n, void *ctx)
{
    struct s3_answer *a = ctx;
    size_t len = size * n, from = 5, end = len;

    if (len <= from || strncasecmp(bytes, "etag:", from) != 0)
        return len;
    while (from < end && bytes[from] == ' ')
        from++;
    while (end > from && (unsigned char)bytes[end - 1] <= ' ')
        end--;
    if (end - from < sizeof a->etag) {
        memcpy(a->etag, bytes + from, end - from);
        a->etag[end - from] = 0;
    }
    return len;
}

static int look(void *ctx, curl_off_t a, curl_off_t b, curl_off_t d, curl_off_t e)
{
    (void)a;
    (void)b;
    (void)d;
    (void)e;
    return is_cancelled(ctx);
}

/* ---- one try ---- */

static bool add(struct curl_slist **list, const char *name, const char *value)
{
    char line[HEADER_MAX];
    struct curl_slist *grown;

    if (snprintf(line, sizeof line, "%s: %s", name, value) >= (int)sizeof line ||
        !(grown = curl_slist_append(*list, line)))
        return false;
    *list = grown;
    return true;
}

/* Host, hash, date, token and those of the request, in the order of their names. */
static unsigned sort_headers(const struct s3_request *q, const struct s3_header *own,
                             unsigned n_own, struct s3_header *out)
{
    unsigned n = 0, i = 0, k = 0;

    while (i < n_own || k < q->n_more) {
        bool takes_own = k == q->n_more || (i < n_own && strcmp(own[i].name, q->more[k].name) < 0);
        out[n++] = takes_own ? own[i++] : q->more[k++];
    }
    return n;
}

/* The headers to send, signed; NULL: no memory, or something is too long. */
static struct curl_slist *make_headers(const struct s3_client *c, const struct s3_identity *who,
                                       const struct s3_request *q)
{
    char date[S3_DATE], sha[S3_HEX], authorization[1024];
    const char *host = strstr(q->origin, "://");
    struct s3_header own[] = {{"host", host ? host + 3 : q->origin},
                              {"x-amz-content-sha256", sha},
                              {"x-amz-date", date},
                              {"x-amz-security-token", who->token}};
    struct s3_header all[S3_SIGN_HEADERS];
    struct curl_slist *list = NULL;

    s3_date((int64_t)time(NULL), date);
    if (s3_sha256(q->body ? q->body : "", q->body_len, sha) != 0)
        return NULL;
    struct s3_to_sign sign = {.method = q->method,
                              .path = q->path,
                              .query = q->query,
                              .headers = all,
                              .n_headers = sort_headers(q, own, who->token[0] ? 4 : 3, all),
                              .payload_sha = sha,
                              .region = c->region,
                              .service = q->service,
                              .date = date};
    bool ok = s3_sign(&sign, who->access_key, who->secret_key, authorization,
                      sizeof authorization) == 0 &&
              add(&list, "Authorization", authorization) && add(&list, "Expect", "") &&
              (!q->content_type || add(&list, "Content-Type", q->content_type));
    for (unsigned i = 0; i < sign.n_headers && ok; i++)
        ok = add(&list, all[i].name, all[i].value);
    if (ok)
        return list;
    curl_slist_free_all(list);
    return NULL;
}

static void set_options(struct s3_client *c, const struct s3_request *q, const char *url,
                        struct curl_slist *headers)
{
    CURL *e = c->easy;

    curl_easy_reset(e); /* keeps connections */
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_URL, url);
    curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, q->method);
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->why);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (long)SILENT_S);
    curl_easy_setopt(e, CURLOPT_TIMEOUT, c->limit_s);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, c->answer);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, c->answer);
    curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, look);
    curl_easy_setopt(e, CURLOPT_XFERINFODATA, c);
    curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
    if (strcmp(q->method, "PUT") == 0 || strcmp(q->method, "POST") == 0) {
        curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body_len);
        curl_easy_setopt(e, CURLOPT_POSTFIELDS, q->body ? q->body : "");
    }
}

/* One try: 0 with an answer, -ECANCELED, -ENOMEM, -EIO with c->why. */
static int try_once(struct s3_client *c, const struct s3_identity *who, const struct s3_request *q)
{
    char url[S3_PATH_MAX + S3_HOST_MAX + 1024];
    struct curl_slist *headers = make_headers(c, who, q);

    if (!headers)
        return -ENOMEM;
    c->answer->status = 0;
    c->answer->len = 0;
    c->answer->etag[0] = c->why[0] = 0;
    snprintf(url, sizeof url, "%s%s%s%s", q->origin, q->path, *q->query ? "?" : "", q->query);
    set_options(c, q, url, headers);
    CURLcode code = curl_easy_perform(c->easy);
    curl_slist_free_all(headers);
    if (code == CURLE_OK) {
        curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &c->answer->status);
        return 0;
    }
    if (!c->why[0])
        snprintf(c->why, sizeof c->why, "%s", curl_easy_strerror(code));
    return code == CURLE_ABORTED_BY_CALLBACK ? -ECANCELED : -EIO;
}

static bool is_passing(int rc, const struct s3_answer *a)
{
    char code[80];

    if (rc != 0)
        return rc == -EIO;
    if (a->status == 200) /* the end of a long upload may fail after its status was sent */
        return s3_answer_text(a->body, a->len, "Code", code, sizeof code) &&
               (strcmp(code, "InternalError") == 0 || strcmp(code, "SlowDown") == 0);
    return a->status >= 500 || a->status == 429 || a->status == 408;
}

static bool is_done(const struct s3_answer *a)
{
    char code[80];

    return a->status >= 200 && a->status < 300 &&
           !s3_answer_text(a->body, a->len, "Code", code, sizeof code);
}

static void pause_before(const struct s3_client *c, unsigned next_try)
{
    for (long left = (long)PAUSE_MS << (2 * (next_try - 1)); left > 0 && !is_cancelled(c);
         left -= SLICE_MS)
        (void)poll(NULL, 0, SLICE_MS);
}

int s3_client_ask(struct s3_client *c, const struct s3_identity *who, const struct s3_request *q,
                  struct s3_answer *answer, struct error_info *err)
{
    unsigned tries = c->limit_s ? 1 : TRIES;
    char text[400];
    int rc = -EIO;

    c->answer = answer;
    for (unsigned i = 0; i < tries && !is_cancelled(c); i++) {
        if (i)
            pause_before(c, i);
        rc = try_once(c, who, q);
        if (!is_passing(rc, answer))
            break;
    }
    /* What the store has done is done, whoever cancels it now. */
    if (rc == 0 && is_done(answer))
        return 0;
    if (is_cancelled(c) || rc == -ECANCELED)
        return error_set(err, -ECANCELED, 1317, "Query execution was interrupted");
    if (rc == -ENOMEM)
        return error_set(err, rc, 1041, "Out of memory: a request to %.100s", q->origin);
    if (rc != 0)
        return error_set(err, rc, 1105, "%s: %s", q->origin, c->why);
    s3_answer_error(answer->status, answer->body, answer->len, text, sizeof text);
    return error_set(err, -EIO, 1105, "%s: %s", q->origin, text);
}
