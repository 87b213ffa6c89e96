/* toolstream core: resumable push parsers without I/O, recursion or global state.
 *
 *   ts_scanner   JSON text in fragments  -> records: "the value at P has ended", "the string at P grew"
 *   ts_sse       an SSE byte stream      -> frames (WHATWG HTML, section 9.2)
 *   ts_template  an SSE byte stream      -> the text of events that are like the one before them
 *   ts_markers   text in pieces          -> where the first of several markers stands
 *
 * This is the only header that others see; the Python binding's declarations are made from it (lines
 * that start with '#' and the word TS_API are dropped), so it holds plain C declarations only.
 *
 * Ownership: whatever a function hands out lives in the parser and is valid until the next call on that
 * parser. Input is copied, never kept. No function keeps a pointer to its arguments, but for ts_options (many
 * scanners can share them), which must outlive the scanner with all in them. One parser is used by one thread at a time.
 */
#ifndef TOOLSTREAM_H
#define TOOLSTREAM_H

#include <stddef.h>
#include <stdint.h>

#ifndef TS_API
#define TS_API extern
#endif

/* What a call can answer. Errors are negative; ts_status_text() has a sentence for each. */
enum ts_status {
    TS_OK = 0,                   /* nothing to read */
    TS_READY = 1,                /* there are reports, steps or frames to read */
    TS_PAUSED = 2,               /* as TS_READY, and not all input was taken: read, then feed the rest */

    TS_ERR_MEMORY = -1,          /* an allocation failed */
    TS_ERR_SYNTAX = -2,          /* a byte that the grammar does not allow here (RFC 8259) */
    TS_ERR_UTF8 = -3,            /* not valid UTF-8 (RFC 3629) */
    TS_ERR_CONTROL = -4,         /* a control character inside a string */
    TS_ERR_ESCAPE = -5,          /* an unknown escape, or a bad digit in one */
    TS_ERR_NUMBER = -6,          /* a number that the grammar does not allow */
    TS_ERR_LITERAL = -7,         /* neither true, false nor null */
    TS_ERR_TRAILING = -8,        /* text after the value */
    TS_ERR_DUPLICATE = -9,       /* a repeated key, see ts_options.duplicate_keys */
    TS_ERR_INCOMPLETE = -10,     /* the input ended inside the value */
    TS_ERR_DEPTH = -11,          /* nested deeper than max_depth */
    TS_ERR_BYTES = -12,          /* longer than max_bytes */
    TS_ERR_DIGITS = -13,         /* an integer with more than max_int_digits digits */
    TS_ERR_EVENT_BYTES = -14,    /* an SSE event longer than max_event_bytes */
    TS_ERR_ARGUMENT = -15        /* the caller's mistake: a bad path, a bad saved state */
};

/* The sentence for a status: static text, never NULL. */
TS_API const char *ts_status_text(int status);

/* ------------------------------------------------------------------ JSON: path subscriptions */

/* The kinds of step in a path pattern. */
enum ts_step {
    TS_STEP_KEY = 1,             /* this member */
    TS_STEP_INDEX = 2,           /* this element */
    TS_STEP_ANY_KEY = 3,         /* every member: .* */
    TS_STEP_ANY_INDEX = 4,       /* every element: [*] */
    TS_STEP_ANY = 5,             /* every member or element */
    TS_STEP_DEEP = 6             /* any number of steps, none included: ** */
};

/* What a pattern asks for. */
enum ts_want {
    TS_WANT_VALUE = 1,           /* report the end of the value */
    TS_WANT_GROWTH = 2           /* report strings as they grow, too */
};

typedef struct ts_paths ts_paths;

/* An empty set of patterns, or NULL without memory. Freed with ts_paths_free (NULL allowed). */
TS_API ts_paths *ts_paths_new(void);
TS_API void ts_paths_free(ts_paths *paths);

/* Adds a step to the pattern that is being written. key: UTF-8, key_size bytes, copied (TS_STEP_KEY
 * only, may be NULL otherwise); index: TS_STEP_INDEX only. */
TS_API int ts_paths_step(ts_paths *paths, int step, const char *key, size_t key_size, int64_t index);

/* Ends the pattern; want is an or of ts_want. A pattern without steps is TS_ERR_ARGUMENT. */
TS_API int ts_paths_end(ts_paths *paths, int want);

/* ------------------------------------------------------------------ JSON: the scanner */

/* What a repeated key does. */
enum ts_duplicates {
    TS_DUP_ERROR = 0,            /* an error where a value under the first one was reported */
    TS_DUP_LAST = 1,             /* never an error */
    TS_DUP_STRICT = 2            /* always an error */
};

typedef struct ts_options {
    const ts_paths *paths;       /* report what these ask for; may be NULL */
    int64_t depth;               /* report values 1..depth below the root, too; 0 none; -1 every one */
    int64_t max_depth;           /* containers open at once */
    int64_t max_bytes;           /* bytes in all; since the last ts_scanner_next */
    int64_t max_int_digits;      /* 0: no limit */
    uint64_t seed[2];            /* key of the hash that finds repeated keys; random for untrusted input */
    int32_t deltas;              /* report the growth of every string that depth reports */
    int32_t duplicate_keys;      /* ts_duplicates */
    int32_t keep_text;           /* keep the whole text readable in ts_view.text */
    int32_t stop_at_end;         /* pause behind the root value instead of reading on; see ts_scanner_next */
    int32_t implied;             /* write no reports of what depth asks for: a reader of the steps knows them. Not with
                                    paths, deltas or stop_at_end */
} ts_options;

/* One line of a tape: tag is a kind, or-ed with flags; a and b depend on the kind. Offsets count from
 * the start of ts_view.text. */
typedef struct ts_record {
    int64_t tag;
    int64_t a;
    int64_t b;
} ts_record;

/* Kinds of report: what the caller subscribed to, in stream order. A place in a container is a key
 * (a, b: where its text stands, quotes left out) or, with TS_F_INDEX, an element (a: its index). */
enum ts_report {
    TS_VALUE = 1,                /* the scalar at this place of the current container is final */
    TS_ENTER = 2,                /* the container at this place becomes the current one */
    TS_LEAVE = 3,                /* back to the container around it; TS_F_VALUE: the one left is reported */
    TS_STRING = 4,               /* a string whose growth is reported begins at this place */
    TS_GROW = 5                  /* it grew by text[a..b] */
};

/* Kinds of build step: how to bring the live value up to date, in order. The caller keeps a stack of
 * live containers, empty at first. */
enum ts_build {
    TS_RUN = 16,                 /* text[a..b] are whole members or elements, comma-separated, for the top */
    TS_PUSH = 17,                /* a container begins at this place of the top (the first one: the root) */
    TS_POP = 18,                 /* the top is final */
    TS_ROOT = 19                 /* the root is final and whole: text[a..b] */
};

enum ts_flag {
    TS_F_INDEX = 256,            /* the place is an index */
    TS_F_ESCAPED = 512,          /* the key or the growth holds a backslash */
    TS_F_ARRAY = 1024,           /* ENTER, PUSH: an array (else an object) */
    TS_F_VALUE = 4096,           /* LEAVE: the container's value is final and subscribed to */
    TS_F_EXACT = 2048,           /* RUN, ROOT: holds integers that may not fit 64 bits */
    TS_F_LONG = 8192             /* RUN, ROOT: holds a string of TS_LONG_STRING bytes or more */
};

/* Of a string so long, a reader that copies its text first would hold a third copy. */
#define TS_LONG_STRING 65536

/* No run is nested deeper than this: the scanner pauses in time, so a recursive parser can build it. */
#define TS_RUN_DEPTH 200

/* What a caller reads after a call. The scanner keeps it up to date; the address stays the same. */
typedef struct ts_view {
    ts_record *reports;
    ts_record *steps;
    unsigned char *text;         /* text[0] is the byte at text_start; one writable byte follows text_size */
    int64_t text_start;          /* offset in the stream of text[0] */
    int64_t text_size;
    int64_t consumed;            /* how many bytes the last feed took */
    int64_t offset;              /* bytes taken in all; after an error: the first offending byte */
    int64_t scanned;             /* bytes looked at in all: equals offset unless something was rescanned */
    int64_t value_start;         /* offset in the stream of the root value; -1 before */
    int64_t value_end;           /* ... and, once complete, of its end */
    uint32_t report_count;
    uint32_t step_count;
    int32_t status;              /* the last call's answer; an error stays */
    uint8_t complete;            /* the root value is final */
    uint8_t unsettled;           /* ts_scanner_settle may have steps to write */
} ts_view;

/* What the scanner was waiting for. */
enum ts_expect {
    TS_EXPECT_VALUE = 0,
    TS_EXPECT_VALUE_OR_END = 1,  /* after '[' */
    TS_EXPECT_KEY_OR_END = 2,    /* after '{' */
    TS_EXPECT_KEY = 3,           /* after ',' in an object */
    TS_EXPECT_COLON = 4,
    TS_EXPECT_COMMA_OR_END = 5,
    TS_EXPECT_IN_STRING = 6,
    TS_EXPECT_IN_NUMBER = 7,
    TS_EXPECT_IN_LITERAL = 8,
    TS_EXPECT_NOTHING = 9        /* the root value is complete */
};

/* Where the stream stands, for an error's message. */
typedef struct ts_place {
    int64_t line;                /* of ts_view.offset, from 1 */
    int64_t column;              /* in bytes, from 1 */
    int32_t expected;            /* what could have stood here: ts_expect */
} ts_place;

typedef struct ts_scanner ts_scanner;

/* A scanner, or NULL without memory. Freed with ts_scanner_free (NULL allowed). */
TS_API ts_scanner *ts_scanner_new(const ts_options *options);
TS_API void ts_scanner_free(ts_scanner *scanner);
/* The bytes of memory that it holds, without what its options point to. */
TS_API size_t ts_scanner_size(const ts_scanner *scanner);

TS_API const ts_view *ts_scanner_view(const ts_scanner *scanner);
TS_API const ts_options *ts_scanner_options(const ts_scanner *scanner);
TS_API void ts_scanner_place(const ts_scanner *scanner, ts_place *place);

/* Takes the next fragment; it may end anywhere. Before it returns with reports of values, it has written
 * the build steps that bring the live value up to them. After an error every later call gives that error. */
TS_API int ts_scanner_feed(ts_scanner *scanner, const char *data, size_t size);

/* What a text looks like by its quotes and brackets. */
typedef struct ts_outline {
    int64_t start, end;          /* the root object */
    int64_t members;             /* one more than the commas between its members */
    int32_t reported;            /* the root's members are subscribed to */
} ts_outline;

/* Whether data may be one whole object of which a scanner that was fed nothing would report at most the members, and
 * that holds no integer beyond 64 bits. No grammar is checked. 0: feed it. 1: feed it, or, once another parser has
 * found it valid and no key of the root twice (unless nothing is reported), take it. */
TS_API int ts_scanner_outline(const ts_scanner *scanner, const char *data, size_t size, ts_outline *outline);

/* Leaves the scanner as if data had been fed and all steps and reports of it read. Answers TS_OK or, with nothing
 * changed, TS_ERR_MEMORY. */
TS_API int ts_scanner_take(ts_scanner *scanner, const char *data, size_t size, const ts_outline *outline);

/* The input has ended: completes a number at the root, or fails with TS_ERR_INCOMPLETE. */
TS_API int ts_scanner_finish(ts_scanner *scanner);

/* Writes the build steps for all that is final so far; the caller carries them out before the next call.
 * Allowed after an error too: then up to the fault. */
TS_API int ts_scanner_settle(ts_scanner *scanner);

/* Writes into reports one record a step from the root to where the stream stands (kinds TS_ENTER): the
 * open containers that no TS_PUSH has shown yet, then the member or element in progress or awaited. */
TS_API int ts_scanner_where(ts_scanner *scanner);

/* With stop_at_end, after a pause with complete set: forgets the value and expects the next one. */
TS_API int ts_scanner_next(ts_scanner *scanner);

/* The string value in progress as far as it can be decoded: text[*start .. *end], *escaped whether it holds
 * a backslash. Answers 1, or 0 outside a string value. */
TS_API int ts_scanner_string(const ts_scanner *scanner, int64_t *start, int64_t *end, int32_t *escaped);

/* The scanner's state as bytes that another process can load. Settle first. Writes at most cap bytes and
 * answers how many it needs (0 without memory): call again if that is more than cap. */
TS_API size_t ts_scanner_save(const ts_scanner *scanner, unsigned char *out, size_t cap);

/* A scanner in the saved state, or NULL if the state is damaged or there is no memory. The options must be
 * those of the saved scanner (the seed may differ). */
TS_API ts_scanner *ts_scanner_load(const ts_options *options, const unsigned char *data, size_t size);

/* The length of the leading part of data that is plain string content: printable ASCII but '"' and '\'.
 * Two implementations that give the same results; the first uses vector instructions where it can. */
TS_API size_t ts_plain_prefix(const unsigned char *data, size_t size);
TS_API size_t ts_plain_prefix_portable(const unsigned char *data, size_t size);

/* ------------------------------------------------------------------ SSE: the framer */

/* One dispatched event; offsets count from the start of ts_sse_view.text. */
typedef struct ts_frame {
    int64_t event, event_size;   /* event_size 0: "message" */
    int64_t data, data_size;     /* lines joined with LF */
    int64_t id, id_size;         /* the last event id at dispatch; at offset 0: the same as after the last call */
    int64_t retry;               /* milliseconds, the reconnection time in force, -1: never set */
} ts_frame;

typedef struct ts_sse_view {
    const ts_frame *frames;
    const unsigned char *text;
    int64_t frame_count;
    int64_t text_size;
    int64_t offset;              /* bytes taken in all; after an error: the first byte too many */
    int64_t scanned;             /* bytes looked at in all */
    int64_t last_id, last_id_size;   /* in text, as of the last blank line */
    int64_t retry;               /* as of now; -1: never set */
    int32_t open;                /* a frame has data that no blank line has ended yet; 0 after an error */
    int32_t status;
} ts_sse_view;

typedef struct ts_sse ts_sse;

/* A framer, or NULL without memory. Freed with ts_sse_free (NULL allowed). max_event_bytes bounds one
 * event's data, id and type together with the line in progress. */
TS_API ts_sse *ts_sse_new(int64_t max_event_bytes);
TS_API void ts_sse_free(ts_sse *sse);
/* As ts_scanner_size. */
TS_API size_t ts_sse_size(const ts_sse *sse);
TS_API const ts_sse_view *ts_sse_get_view(const ts_sse *sse);

/* Takes the next chunk; TS_READY when frames were dispatched. Frames before a fault are readable. */
TS_API int ts_sse_feed(ts_sse *sse, const char *data, size_t size);

/* The stream has ended: hands out the frame that no blank line ended, if there is one with data (the
 * standard drops it; the caller decides). An unfinished last line counts as a line. */
TS_API int ts_sse_flush(ts_sse *sse);

/* Finds the frame of an event that begins data and lies whole in it, as most do: a type or none, then one line of data; lines
 * end with LF. Answers the event's size; 0 for any other, which takes a framer. Offsets count from data. A framer behind a
 * blank line, in which no id and no retry is in force, would hand out the same, if its bound is no less than that size. */
TS_API size_t ts_sse_whole(const char *data, size_t size, ts_frame *frame);

/* Whether the framer stands behind a blank line: nothing of the next event has come. */
TS_API int ts_sse_between(const ts_sse *sse);

/* Whether nothing is left of what came but how much it was: the framer stands behind a blank line, and no id and no retry
 * is in force. ts_sse_reuse makes any framer such a one, behind so many bytes (0: a new one), so that many streams can
 * share one in turn. */
TS_API int ts_sse_is_done(const ts_sse *sse);
TS_API void ts_sse_reuse(ts_sse *sse, int64_t max_event_bytes, int64_t offset);

/* As ts_scanner_save and ts_scanner_load. */
TS_API size_t ts_sse_save(const ts_sse *sse, unsigned char *out, size_t cap);
TS_API ts_sse *ts_sse_load(int64_t max_event_bytes, const unsigned char *data, size_t size);

/* ------------------------------------------------------------------ the lane for the event that repeats
 *
 * Nearly all events of a stream are one event but for the text they carry. Once such an event has been understood,
 * the next one is compared with it: bytes that are equal leave any parser in the same state, so only what differs is
 * looked at. A template is the event's bytes with slots in them. What does not match is for the framer. */

/* Where a template's bytes may differ. */
enum ts_slot {
    TS_SLOT_TEXT = 1,            /* the rest of a JSON string: the text that is wanted; one in each template */
    TS_SLOT_STRING = 2,          /* the rest of a JSON string that means nothing */
    TS_SLOT_NUMBER = 3,          /* digits that mean nothing */
    TS_SLOT_SPACE = 4            /* any number of blanks */
};

/* What a template is made of: bytes that must be equal (slot 0), or a slot (data ignored). */
typedef struct ts_part {
    int slot;
    const char *data;
    size_t size;
} ts_part;

/* It does not change, so streams whose events are alike can hold one together, though not from several threads at once. */
typedef struct ts_template ts_template;

/* Makes one, with one holder. Answers TS_OK, TS_ERR_ARGUMENT (no parts, bytes of size 0, no such slot), TS_ERR_MEMORY. */
TS_API int ts_template_new(const ts_part *parts, size_t count, ts_template **made);
/* One more holder, and one less (NULL allowed). */
TS_API ts_template *ts_template_hold(ts_template *t);
TS_API void ts_template_free(ts_template *t);
/* As ts_scanner_size; and how many hold it. */
TS_API size_t ts_template_size(const ts_template *t);
TS_API uint32_t ts_template_holders(const ts_template *t);
/* Whether two match the same, and a hash that is then the same. */
TS_API int ts_template_same(const ts_template *a, const ts_template *b);
TS_API uint32_t ts_template_hash(const ts_template *t);

/* Room for text: of capacity bytes, size are taken. Text is written by the block, so there must be spare room behind it. */
#define TS_ROOM_SPARE 32

typedef struct ts_room {
    unsigned char *bytes;
    size_t size;
    size_t capacity;
} ts_room;

/* Decodes the body of a JSON string from data[*at] on to UTF-8, which is no longer, up to a quote or the end of data; *at
 * moves there. Answers 1, or 0 where there is too little room, or it needs a closer look: half a surrogate pair, a bad
 * escape, invalid UTF-8. */
TS_API int ts_text_take(const unsigned char *data, size_t size, size_t *at, ts_room *text);

/* An event that may repeat: head, then data (a JSON object), then tail. text: the value of the string member of that
 * name, decoded. ignored: names of members with strings or numbers that mean nothing; no more than TS_LANE_IGNORED of
 * them are looked for. */
#define TS_LANE_IGNORED 7

typedef struct ts_bytes {
    const char *data;
    size_t size;
} ts_bytes;

typedef struct ts_example {
    ts_bytes head, data, tail;
    ts_bytes member, text;
    const ts_bytes *ignored;
    size_t ignored_count;
} ts_example;

/* What ts_template_match answers. */
enum ts_lane_answer {
    TS_LANE_EVENT = 1,           /* an event as in the template: *used bytes */
    TS_LANE_MORE = 2,            /* so far as in the template: call again with the same bytes and more */
    TS_LANE_OTHER = 3            /* something else */
};

/* Makes the template of an event. Answers TS_LANE_EVENT; TS_LANE_OTHER, and there is no template, where its text or what
 * means nothing cannot be told for sure; or TS_ERR_MEMORY. */
TS_API int ts_template_learn(const ts_example *example, ts_template **made);

/* As ts_template_match, and faster, for an event that is there as a whole and whose text has room: it is put there,
 * decoded. TS_LANE_MORE where that is not so, or not told for sure: then ts_template_match knows. */
TS_API int ts_template_match_whole(const ts_template *t, const unsigned char *data, size_t size, size_t *used,
                                   ts_room *text);

/* How far an event has been compared; all 0 at its beginning. */
typedef struct ts_match {
    uint32_t part;               /* the part of the template, */
    uint32_t bytes;              /* ... and where its bytes stand there */
    uint32_t part_start;         /* where it began in the event */
    uint32_t at;                 /* how far it goes so far */
    uint32_t text_start;         /* the text in the event */
    uint32_t text_end;
    uint8_t text_is_plain;
} ts_match;

/* The text of an event, which may have to be decoded. */
typedef struct ts_found {
    const unsigned char *text;
    size_t size;
    int is_plain;                /* it holds no escape, and only ASCII */
} ts_found;

/* Compares the bytes from the beginning of an event on. After TS_LANE_MORE it goes on where it stopped, else *match is at
 * an event's beginning again. */
TS_API int ts_template_match(const ts_template *t, ts_match *match, const unsigned char *data, size_t size, size_t *used,
                             ts_found *text);

/* ------------------------------------------------------------------ markers in a model's raw text */

enum { TS_MARKER_LONGEST = 4096 };

typedef struct ts_markers ts_markers;

/* An empty set of markers, or NULL without memory. Freed with ts_markers_free (NULL allowed). Once it is built it does not
 * change, and any number of threads may search with it. */
TS_API ts_markers *ts_markers_new(void);
TS_API void ts_markers_free(ts_markers *markers);

/* Adds a marker: 1 to TS_MARKER_LONGEST code points, copied. They are numbered from 0 in this order; one that is added
 * again gets a number, too, which is never found. */
TS_API int ts_markers_add(ts_markers *markers, const uint32_t *text, size_t size);

/* Ends the adding. */
TS_API int ts_markers_build(ts_markers *markers);

/* How a search stands between two pieces of its text; all 0 before the first one. */
typedef struct ts_search {
    size_t held;                 /* code points that are not decided: the next call's text begins with them */
    size_t looked;               /* code points that the last call has looked at; never the held ones again */
    size_t begins;               /* a marker has ended in them that is not the first one for sure: where it begins, */
    int32_t marker;              /* ... and its number and one; 0: none has */
    int32_t node;
} ts_search;

/* Looks for the first marker in `size` code points of `width` bytes each (1, 2 or 4); of two that begin at one place the
 * longer one counts. Answers its number, or -1 where there is none so far. *end: code points before it, or before those
 * that can still become one. final: no more text comes, so that none can. */
TS_API int ts_markers_find(const ts_markers *markers, ts_search *search, const void *text, int width, size_t size,
                           int final, size_t *end);

#endif
