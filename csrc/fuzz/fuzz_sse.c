/* libFuzzer target: a stream cut at fuzzed places, saved and loaded on the way, gives the same frames, offset and
 * status as the same stream whole; also where events that lie whole in a piece are found without a framer.
 *
 * Input: a byte that chooses the limit, a byte that chooses what happens at the cuts, four bytes that give the
 * sizes of the pieces in turn, then the stream.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -I csrc csrc/fuzz/fuzz_sse.c csrc/sse.c -o fuzz_sse
 *   ./fuzz_sse -max_total_time=60 -max_len=512
 */
#include "toolstream.h"

#include <stdlib.h>
#include <string.h>

enum { HEAD_SIZE = 6, PIECES = 4 };

typedef struct transcript {
    unsigned char *bytes;
    size_t size;
    size_t capacity;
} transcript;

static void put(transcript *out, const void *bytes, size_t size)
{
    if (size > out->capacity - out->size) {
        out->capacity = out->capacity * 2 + size;
        out->bytes = (unsigned char *)realloc(out->bytes, out->capacity);
        if (out->bytes == NULL) {
            abort();
        }
    }
    if (size != 0) {
        memcpy(out->bytes + out->size, bytes, size);
    }
    out->size += size;
}

static void put_text(transcript *out, const ts_sse_view *view, int64_t at, int64_t size)
{
    if (at < 0 || size < 0 || at > view->text_size || size > view->text_size - at) {
        abort();
    }
    put(out, &size, sizeof size);
    put(out, view->text + at, (size_t)size);
}

static void put_frames(transcript *out, const ts_sse_view *view)
{
    for (int64_t i = 0; i < view->frame_count; i++) {
        const ts_frame *frame = &view->frames[i];
        put_text(out, view, frame->event, frame->event_size);
        put_text(out, view, frame->data, frame->data_size);
        put_text(out, view, frame->id, frame->id_size);
        put(out, &frame->retry, sizeof frame->retry);
    }
}

static void put_end(transcript *out, ts_sse *sse)
{
    const ts_sse_view *view = ts_sse_get_view(sse);
    int32_t status = view->status < 0 ? view->status : TS_OK;
    put(out, &status, sizeof status);
    put(out, &view->offset, sizeof view->offset);
    put(out, &view->scanned, sizeof view->scanned);
    put(out, &view->retry, sizeof view->retry);
    put(out, &view->open, sizeof view->open);
    put_text(out, view, view->last_id, view->last_id_size);
    if (status == TS_OK) {
        int open = view->open;
        if ((ts_sse_flush(sse) == TS_READY) != open) {
            abort();
        }
        put_frames(out, view);
    }
}

static void feed(transcript *out, ts_sse *sse, const uint8_t *data, size_t size)
{
    /* A copy of its own size, so that ASan sees any step beyond it. */
    char *piece = (char *)malloc(size != 0 ? size : 1);
    if (piece == NULL) {
        abort();
    }
    if (size != 0) {
        memcpy(piece, data, size);
    }
    ts_sse_feed(sse, piece, size);
    free(piece);
    put_frames(out, ts_sse_get_view(sse));
}

/* Takes the events that begin data and lie whole in it, where no framer is needed. Answers how far they go. */
static size_t take_whole(transcript *out, ts_sse *sse, const uint8_t *data, size_t size, int64_t limit)
{
    size_t at = 0, taken = 1;
    while (taken != 0 && (ts_sse_is_done(sse) || ts_sse_get_view(sse)->offset == 0)) {
        char *piece = (char *)malloc(size - at != 0 ? size - at : 1);
        if (piece == NULL) {
            abort();
        }
        if (size != at) {
            memcpy(piece, data + at, size - at);
        }
        ts_frame frame;
        taken = ts_sse_whole(piece, size - at, &frame);
        taken = (int64_t)taken > limit ? 0 : taken;
        if (taken != 0) {
            ts_sse_view view = {.frames = &frame, .frame_count = 1, .text = (unsigned char *)piece, .text_size = (int64_t)taken};
            put_frames(out, &view);
            ts_sse_reuse(sse, limit, ts_sse_get_view(sse)->offset + (int64_t)taken);
        }
        free(piece);
        at += taken;
    }
    return at;
}

static ts_sse *reload(ts_sse *sse, int64_t limit)
{
    size_t size = ts_sse_save(sse, NULL, 0);
    unsigned char *saved = (unsigned char *)malloc(size);
    if (saved == NULL || ts_sse_save(sse, saved, size) != size) {
        abort();
    }
    ts_sse_free(sse);
    ts_sse *loaded = ts_sse_load(limit, saved, size);
    if (loaded == NULL) {
        abort();
    }
    free(saved);
    return loaded;
}

/* A state that the fuzzer wrote: refused or harmless. */
static void load_anything(const uint8_t *data, size_t size, int64_t limit)
{
    ts_sse *sse = ts_sse_load(limit, data, size);
    if (sse != NULL) {
        ts_sse_feed(sse, "x: y\rdata: z\n\n", 14);
        ts_sse_flush(sse);
        ts_sse_free(sse);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD_SIZE) {
        return 0;
    }
    int64_t limit = data[0] == 0 ? INT64_MAX : data[0];
    int reloads = data[1] & 1, finds_whole = data[1] & 2;
    const uint8_t *pieces = data + 2;
    const uint8_t *stream = data + HEAD_SIZE;
    size_t left = size - HEAD_SIZE;
    load_anything(stream, left, limit);

    transcript whole = {NULL, 0, 0};
    transcript cut = {NULL, 0, 0};
    ts_sse *sse = ts_sse_new(limit);
    if (sse == NULL) {
        abort();
    }
    feed(&whole, sse, stream, left);
    put_end(&whole, sse);
    ts_sse_free(sse);

    sse = ts_sse_new(limit);
    if (sse == NULL) {
        abort();
    }
    /* Sizes may be 0, but one of four moves on. */
    for (size_t turn = 0; left != 0; turn++) {
        size_t piece = turn % PIECES == 0 ? pieces[0] + 1u : pieces[turn % PIECES];
        if (piece > left) {
            piece = left;
        }
        size_t taken = finds_whole ? take_whole(&cut, sse, stream, piece, limit) : 0;
        feed(&cut, sse, stream + taken, piece - taken);
        if (reloads) {
            sse = reload(sse, limit);
        }
        stream += piece;
        left -= piece;
    }
    put_end(&cut, sse);
    ts_sse_free(sse);

    if (whole.size != cut.size || memcmp(whole.bytes, cut.bytes, whole.size) != 0) {
        abort();
    }
    free(whole.bytes);
    free(cut.bytes);
    return 0;
}
