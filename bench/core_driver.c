/* The C core alone under the instruction counter: feeds a file in fragments to the scanner, or to the SSE framer.
 *
 * Arguments: json or sse, the file, bytes in a fragment, how many times, and for json the depth that is reported.
 * `python -m bench.instructions` builds and runs it.
 */
#include "toolstream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t feed_json(const char *text, size_t size, size_t step, int64_t depth)
{
    ts_options options;
    memset(&options, 0, sizeof options);
    options.depth = depth;
    options.max_depth = 512;
    options.max_bytes = INT64_MAX / 2;
    ts_scanner *scanner = ts_scanner_new(&options);
    int64_t count = 0;
    for (size_t at = 0; at < size; at += step) {
        if (ts_scanner_feed(scanner, text + at, size - at < step ? size - at : step) < 0) {
            exit(2);
        }
        count += ts_scanner_view(scanner)->report_count;
    }
    ts_scanner_free(scanner);
    return count;
}

static int64_t feed_sse(const char *text, size_t size, size_t step)
{
    ts_sse *sse = ts_sse_new(1 << 20);
    int64_t count = 0;
    for (size_t at = 0; at < size; at += step) {
        if (ts_sse_feed(sse, text + at, size - at < step ? size - at : step) < 0) {
            exit(2);
        }
        count += ts_sse_get_view(sse)->frame_count;
    }
    ts_sse_free(sse);
    return count;
}

int main(int argc, char **argv)
{
    static char text[1 << 20];
    FILE *file = argc < 6 ? NULL : fopen(argv[2], "rb");
    if (file == NULL) {
        fprintf(stderr, "usage: core_driver json|sse FILE STEP TIMES DEPTH\n");
        return 2;
    }
    size_t size = fread(text, 1, sizeof text, file);
    size_t step = (size_t)atol(argv[3]);
    int64_t count = 0;
    fclose(file);
    for (long times = atol(argv[4]); times > 0; times--) {
        count += strcmp(argv[1], "json") == 0 ? feed_json(text, size, step, atol(argv[5])) : feed_sse(text, size, step);
    }
    printf("%lld\n", (long long)count);
    return 0;
}
