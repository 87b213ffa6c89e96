/* Runs a document through the scanner in given pieces and writes down what it said, in a form that must not
 * depend on the pieces: the reports with growths joined, and the document as the build steps tell it.
 *
 * Used by the tests and the fuzz target. On the way it checks what holds after every call: records point into
 * the text, steps nest, nothing is looked at twice. A broken promise aborts: no caller could go on.
 */
#ifndef TS_REPLAY_H
#define TS_REPLAY_H

#include "toolstream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPLAY_MUST(condition)                                                                                         \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #condition);                            \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

typedef struct replay_text {
    char *data;
    size_t size;
    size_t capacity;
} replay_text;

/* An open container: of the reports (name: its place) or of the build steps (count: members so far). */
typedef struct replay_level {
    size_t name;
    long count;
    int is_array;
} replay_level;

typedef struct replay_stack {
    replay_level *levels;
    size_t size;
    size_t capacity;
} replay_stack;

/* What a run said. */
typedef struct replay {
    replay_text reports;
    replay_text document;
    replay_text place;           /* the current container's path, while running */
    replay_stack entered;
    replay_stack pushed;
    int status;
    int complete;
    int64_t offset;
    int64_t line;
    int64_t column;
} replay;

/* What to do between two pieces. */
enum replay_mode {
    REPLAY_SETTLE = 1,           /* bring the value up to date */
    REPLAY_SAVE = 2,             /* save, and go on with a loaded scanner */
    REPLAY_LOOK = 4,             /* ask where the stream stands, and for the string in progress */
    REPLAY_FINISH = 8            /* say at the end that the input has ended */
};

static void replay_write(replay_text *text, const void *data, size_t size)
{
    if (size > text->capacity - text->size) {
        text->capacity = text->capacity * 2 + size + 64;
        text->data = (char *)realloc(text->data, text->capacity);
        REPLAY_MUST(text->data != NULL);
    }
    if (size != 0) {
        memcpy(text->data + text->size, data, size);
    }
    text->size += size;
}

static void replay_print(replay_text *text, const char *words)
{
    replay_write(text, words, strlen(words));
}

static void replay_level_push(replay_stack *stack, size_t name, int is_array)
{
    if (stack->size == stack->capacity) {
        stack->capacity = stack->capacity * 2 + 8;
        stack->levels = (replay_level *)realloc(stack->levels, stack->capacity * sizeof *stack->levels);
        REPLAY_MUST(stack->levels != NULL);
    }
    replay_level *level = &stack->levels[stack->size++];
    level->name = name;
    level->count = 0;
    level->is_array = is_array;
}

static void replay_free(replay *run)
{
    free(run->reports.data);
    free(run->document.data);
    free(run->place.data);
    free(run->entered.levels);
    free(run->pushed.levels);
}

static int replay_same_text(const replay_text *a, const replay_text *b)
{
    return a->size == b->size && (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
}

/* Whether two runs said the same. */
static int replay_same(const replay *a, const replay *b)
{
    return a->status == b->status && a->complete == b->complete && a->offset == b->offset && a->line == b->line &&
           a->column == b->column && replay_same_text(&a->reports, &b->reports) &&
           replay_same_text(&a->document, &b->document);
}

static void replay_show(const char *title, const replay *run)
{
    fprintf(stderr, "%s: status %d, complete %d, offset %lld, line %lld, column %lld\n%.*s\n%.*s\n", title, run->status,
            run->complete, (long long)run->offset, (long long)run->line, (long long)run->column, (int)run->reports.size,
            run->reports.data, (int)run->document.size, run->document.data);
}

static const char *replay_range(const ts_view *view, const ts_record *record, size_t *size)
{
    REPLAY_MUST(record->a >= 0 && record->a <= record->b && record->b <= view->text_size);
    *size = (size_t)(record->b - record->a);
    return (const char *)view->text + record->a;
}

/* Writes "/key" or "/3". */
static void replay_place(replay_text *out, const ts_view *view, const ts_record *record)
{
    if (record->tag & TS_F_INDEX) {
        char number[32];
        REPLAY_MUST(record->a >= 0);
        snprintf(number, sizeof number, "/%lld", (long long)record->a);
        replay_print(out, number);
        return;
    }
    size_t size = 0;
    const char *key = replay_range(view, record, &size);
    REPLAY_MUST((memchr(key, '\\', size) != NULL) == ((record->tag & TS_F_ESCAPED) != 0));
    replay_print(out, "/");
    replay_write(out, key, size);
}

static void replay_report_line(replay *run, const char *kind)
{
    replay_print(&run->reports, "\n");
    replay_print(&run->reports, kind);
    replay_write(&run->reports, run->place.data, run->place.size);
}

static void replay_report(replay *run, const ts_view *view, const ts_record *record)
{
    size_t size = 0;
    const char *text;
    switch ((int)(record->tag & 255)) {
    case TS_VALUE:
        replay_report_line(run, "value ");
        replay_place(&run->reports, view, record);
        break;
    case TS_ENTER:
        replay_level_push(&run->entered, run->place.size, (record->tag & TS_F_ARRAY) != 0);
        replay_place(&run->place, view, record);
        break;
    case TS_LEAVE:
        REPLAY_MUST(run->entered.size != 0);
        if (record->tag & TS_F_VALUE) {
            replay_report_line(run, "value ");
        }
        run->place.size = run->entered.levels[--run->entered.size].name;
        break;
    case TS_STRING:
        replay_report_line(run, "growth ");
        replay_place(&run->reports, view, record);
        replay_print(&run->reports, " ");
        break;
    default:
        REPLAY_MUST((record->tag & 255) == TS_GROW);
        text = replay_range(view, record, &size);
        REPLAY_MUST(size != 0);
        replay_write(&run->reports, text, size);
        break;
    }
}

/* A comma, if the container has members already. */
static void replay_member(replay *run)
{
    if (run->pushed.size != 0 && run->pushed.levels[run->pushed.size - 1].count++ != 0) {
        replay_print(&run->document, ",");
    }
}

/* Members or elements without the white space around them. */
static void replay_compact(replay_text *out, const char *text, size_t size)
{
    int in_string = 0;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (!in_string && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) {
            continue;
        }
        replay_write(out, &c, 1);
        if (in_string && c == '\\' && i + 1 < size) {
            replay_write(out, &text[++i], 1);
        } else if (c == '"') {
            in_string = !in_string;
        }
    }
}

/* Whether text holds an integer of 19 digits or more, which may not fit 64 bits. */
static int replay_needs_exact(const char *text, size_t size)
{
    int in_string = 0;
    size_t digits = 0;
    int is_float = 0;
    for (size_t i = 0; i <= size; i++) {
        char c = i < size ? text[i] : ',';
        int ends = !in_string && (c == ',' || c == ']' || c == '}' || c == ' ' || c == '\t' || c == '\n' || c == '\r');
        if (ends && digits >= 19 && !is_float) {
            return 1;
        }
        if (c == '"') {
            in_string = !in_string;
        }
        i += in_string && c == '\\';
        digits = ends || in_string ? 0 : digits + (c >= '0' && c <= '9');
        is_float = !ends && (is_float || c == '.' || c == 'e' || c == 'E');
    }
    return 0;
}

static void replay_push(replay *run, const ts_view *view, const ts_record *record)
{
    int is_array = (record->tag & TS_F_ARRAY) != 0;
    replay_member(run);
    if (run->pushed.size != 0 && !run->pushed.levels[run->pushed.size - 1].is_array) {
        size_t size = 0;
        REPLAY_MUST(!(record->tag & TS_F_INDEX));
        const char *key = replay_range(view, record, &size);
        replay_print(&run->document, "\"");
        replay_write(&run->document, key, size);
        replay_print(&run->document, "\":");
    } else {
        REPLAY_MUST(run->pushed.size == 0 || (record->tag & TS_F_INDEX));
    }
    replay_print(&run->document, is_array ? "[" : "{");
    replay_level_push(&run->pushed, 0, is_array);
}

static void replay_step(replay *run, const ts_view *view, const ts_record *record)
{
    size_t size = 0;
    const char *text;
    switch ((int)(record->tag & 255)) {
    case TS_RUN:
        REPLAY_MUST(run->pushed.size != 0);
        text = replay_range(view, record, &size);
        REPLAY_MUST((record->tag & TS_F_EXACT) || !replay_needs_exact(text, size));
        replay_member(run);
        replay_compact(&run->document, text, size);
        break;
    case TS_PUSH:
        replay_push(run, view, record);
        break;
    case TS_POP:
        REPLAY_MUST(run->pushed.size != 0);
        replay_print(&run->document, run->pushed.levels[--run->pushed.size].is_array ? "]" : "}");
        break;
    default:
        REPLAY_MUST((record->tag & 255) == TS_ROOT && run->pushed.size == 0);
        text = replay_range(view, record, &size);
        REPLAY_MUST((record->tag & TS_F_EXACT) || !replay_needs_exact(text, size));
        replay_compact(&run->document, text, size);
        break;
    }
}

/* Reads the tapes after a call. */
static void replay_read(replay *run, ts_scanner *scanner)
{
    const ts_view *view = ts_scanner_view(scanner);
    for (int64_t i = 0; i < view->report_count; i++) {
        replay_report(run, view, &view->reports[i]);
    }
    for (int64_t i = 0; i < view->step_count; i++) {
        replay_step(run, view, &view->steps[i]);
    }
    if (view->text != NULL) {
        unsigned char *spare = (unsigned char *)view->text + view->text_size;
        *spare = '}'; /* the promised writable byte */
    }
}

static void replay_settle(replay *run, ts_scanner *scanner)
{
    int status = ts_scanner_settle(scanner);
    REPLAY_MUST(status == TS_OK || status == TS_READY);
    replay_read(run, scanner);
}

/* Where the stream stands must be sayable, and the string in progress must lie in the text. */
static void replay_look(ts_scanner *scanner)
{
    const ts_view *view = ts_scanner_view(scanner);
    int64_t start = 0;
    int64_t end = 0;
    int32_t escaped = 0;
    if (ts_scanner_string(scanner, &start, &end, &escaped)) {
        REPLAY_MUST(start >= 0 && start <= end && end <= view->text_size);
        int slash = end > start && memchr(view->text + start, '\\', (size_t)(end - start)) != NULL;
        REPLAY_MUST(!slash || escaped);
    }
    REPLAY_MUST(ts_scanner_where(scanner) >= 0);
    for (int64_t i = 0; i < view->report_count; i++) {
        replay_text place = {0};
        REPLAY_MUST((view->reports[i].tag & 255) == TS_ENTER);
        replay_place(&place, view, &view->reports[i]);
        free(place.data);
    }
}

/* A scanner in the same state, out of exactly as many bytes as the state has. The old one is freed. */
static ts_scanner *replay_reload(ts_scanner *scanner, const ts_options *options)
{
    size_t size = ts_scanner_save(scanner, NULL, 0);
    REPLAY_MUST(size != 0);
    unsigned char *state = (unsigned char *)malloc(size);
    REPLAY_MUST(state != NULL);
    REPLAY_MUST(ts_scanner_save(scanner, state, size) == size);
    ts_scanner *loaded = ts_scanner_load(options, state, size);
    REPLAY_MUST(loaded != NULL);
    REPLAY_MUST(ts_scanner_view(loaded)->offset == ts_scanner_view(scanner)->offset);
    free(state);
    ts_scanner_free(scanner);
    return loaded;
}

/* Feeds one piece from memory of exactly its size, as often as the scanner pauses. */
static int replay_feed(replay *run, ts_scanner *scanner, const char *data, size_t size)
{
    const ts_view *view = ts_scanner_view(scanner);
    int status;
    int64_t taken = 0;
    do {
        size_t left = size - (size_t)taken;
        char *piece = (char *)malloc(left != 0 ? left : 1);
        REPLAY_MUST(piece != NULL);
        if (left != 0) {
            memcpy(piece, data + taken, left);
        }
        int64_t before = view->offset;
        status = ts_scanner_feed(scanner, left != 0 ? piece : NULL, left);
        free(piece);
        REPLAY_MUST(status == view->status);
        replay_read(run, scanner);
        if (status >= 0) {
            REPLAY_MUST(view->offset == before + view->consumed && view->scanned == view->offset);
            REPLAY_MUST(status == TS_PAUSED ? view->consumed > 0 : view->consumed == (int64_t)left);
        }
        taken += view->consumed;
    } while (status == TS_PAUSED && !view->complete && taken < (int64_t)size);
    return status;
}

/* Runs document in pieces that end at the cuts, which ascend. The result is freed with replay_free. */
static replay replay_run(const ts_options *options, const char *document, size_t size, const size_t *cuts,
                         size_t cut_count, int mode)
{
    replay run;
    memset(&run, 0, sizeof run);
    ts_scanner *scanner = ts_scanner_new(options);
    REPLAY_MUST(scanner != NULL);
    ts_options other = *options;
    other.seed[0] ^= 0x5555;
    size_t from = 0;
    int status = TS_OK;
    for (size_t i = 0; i <= cut_count && status >= 0; i++) {
        size_t to = i < cut_count ? cuts[i] : size;
        status = replay_feed(&run, scanner, document + from, to - from);
        from = to;
        if (mode & REPLAY_LOOK) {
            replay_look(scanner);
        }
        if (mode & REPLAY_SETTLE) {
            replay_settle(&run, scanner);
        }
        if ((mode & REPLAY_SAVE) && status >= 0) {
            scanner = replay_reload(scanner, &other);
        }
    }
    if ((mode & REPLAY_FINISH) && status >= 0) {
        status = ts_scanner_finish(scanner);
        replay_read(&run, scanner);
    }
    replay_settle(&run, scanner);
    const ts_view *view = ts_scanner_view(scanner);
    run.status = status < 0 ? status : TS_OK;
    run.complete = view->complete;
    run.offset = view->offset;
    ts_place place;
    ts_scanner_place(scanner, &place);
    run.line = place.line;
    run.column = place.column;
    if (status < 0) {
        /* After an error every later call gives that error. */
        REPLAY_MUST(ts_scanner_feed(scanner, "1", 1) == status);
        REPLAY_MUST(ts_scanner_finish(scanner) == status);
        REPLAY_MUST(view->offset == run.offset && view->report_count == 0);
    }
    ts_scanner_free(scanner);
    return run;
}

/* Members that the last call reported; no integer among what it built may be beyond 64 bits. */
static inline int64_t replay_members(const ts_view *view)
{
    int64_t members = 0;
    for (int64_t i = 0; i < view->report_count; i++) {
        int64_t kind = view->reports[i].tag & 0xff;
        members += kind == TS_VALUE || (kind == TS_LEAVE && (view->reports[i].tag & TS_F_VALUE));
    }
    for (int64_t i = 0; i < view->step_count; i++) {
        REPLAY_MUST(!(view->steps[i].tag & TS_F_EXACT));
    }
    return members;
}

/* What the outline of a valid document says is what the scanner finds in it. Answers whether it has one. */
static inline int replay_outline(const ts_options *options, const char *document, size_t size)
{
    ts_outline outline;
    ts_scanner *scanner = ts_scanner_new(options);
    ts_scanner *taker = ts_scanner_new(options);
    REPLAY_MUST(scanner != NULL && taker != NULL);
    int found = ts_scanner_outline(scanner, document, size, &outline);
    if (found) {
        const ts_view *view = ts_scanner_view(scanner), *taken = ts_scanner_view(taker);
        int status = TS_PAUSED;
        int64_t members = 0;
        for (size_t at = 0; status == TS_PAUSED; at += (size_t)view->consumed) {
            status = ts_scanner_feed(scanner, document + at, size - at);
            members += status >= 0 ? replay_members(view) : 0;
        }
        if (status >= 0 && view->complete) {
            ts_scanner_settle(scanner);
            replay_members(view);
            REPLAY_MUST(ts_scanner_take(taker, document, size, &outline) == TS_OK);
            ts_place fed, left;
            ts_scanner_place(scanner, &fed);
            ts_scanner_place(taker, &left);
            REPLAY_MUST(taken->offset == view->offset && left.line == fed.line && left.column == fed.column);
            REPLAY_MUST(taken->complete && left.expected == fed.expected);
            REPLAY_MUST(taken->value_end == view->value_end);
            REPLAY_MUST(!outline.reported || members == outline.members || members == 0);
            REPLAY_MUST(ts_scanner_finish(taker) == TS_OK && taken->step_count == 0 && taken->report_count == 0);
        }
    }
    ts_scanner_free(scanner);
    ts_scanner_free(taker);
    return found;
}

#endif
