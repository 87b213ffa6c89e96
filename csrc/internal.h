/* What the parts of the scanner share. Nothing outside csrc/ includes this. */
#ifndef TS_INTERNAL_H
#define TS_INTERNAL_H

#include "memory.h"
#include "noinline.h"
#include "plain.h"
#include "toolstream.h"

/* ------------------------------------------------------------------ keys: which keys an open object has had
 *
 * All open objects share one list, and a table for the keys of those that have many. Objects nest, so their keys come and
 * go like a stack: the keys of the innermost one are the last in the list, and removing the newest first leaves a
 * linear-probing table exactly as it was before that key came, without tombstones. */

typedef struct ts_key {
    uint32_t hash;               /* of the decoded key and the number of its object, if hashed */
    uint32_t text;               /* where the decoded key stands in ts_keys.text */
    uint32_t size;
    uint32_t level : 30;         /* the object: how many containers are open around its members */
    uint32_t reported : 1;       /* a value under this key was reported */
    uint32_t hashed : 1;         /* it is in the table */
} ts_key;

#define TS_KEY_LEVEL_MAX ((UINT32_C(1) << 30) - 1)

typedef struct ts_keys {
    ts_key *keys;                /* in order of arrival */
    unsigned char *text;
    uint32_t *slots;             /* index into keys, plus one; 0: free. Size: a power of two */
    uint32_t count;
    uint32_t capacity;
    uint32_t text_size;
    uint32_t text_capacity;
    uint32_t slot_count;
    uint32_t past_end;           /* up to here stand the keys of the object that ended last, behind those in use */
} ts_keys;

#define TS_NO_KEY UINT32_MAX

void ts_keys_free(ts_keys *keys);
/* Adds the key to an object at level where it is the one that had the same place in an object before, and all before it
 * were, too: what was no repetition there is none here. Most objects are like the one before them. */
static inline int ts_keys_again(ts_keys *keys, uint32_t level, const unsigned char *text, size_t size)
{
    if (keys->count >= keys->past_end) {
        return 0;
    }
    ts_key *key = &keys->keys[keys->count];
    if (key->level != level || key->size != size || !ts_is_same(keys->text + key->text, text, size)) {
        return 0;
    }
    key->reported = 0;
    key->hashed = 0;
    keys->text_size = key->text + key->size;
    keys->count++;
    return 1;
}

/* Finds the key in the innermost object, which is at level and has the keys from index mark on, or adds it. *at: its
 * index; *found: whether it was there. seed: two words, the same for all of the scanner's keys. */
int ts_keys_add(ts_keys *keys, const uint64_t *seed, uint32_t mark, uint32_t level, const unsigned char *text,
                size_t size, uint32_t *at, int *found);
/* Forgets all keys from index mark on. */
void ts_keys_drop(ts_keys *keys, uint32_t mark);
/* Computes the hashes and slots from the other fields, after a load. */
int ts_keys_restore(ts_keys *keys, const uint64_t *seed);

/* ------------------------------------------------------------------ paths: sets of positions in the patterns */

typedef struct ts_step_data {
    int64_t index;
    size_t key;                  /* where the name stands in ts_paths.text */
    size_t key_size;
    int32_t kind;                /* ts_step; 0: the end of a pattern */
    int32_t want;                /* ts_want, at the end of a pattern */
} ts_step_data;

struct ts_paths {
    ts_step_data *steps;         /* pattern after pattern, each closed by a step of kind 0 */
    size_t count;
    size_t capacity;
    unsigned char *text;
    size_t text_size;
    size_t text_capacity;
    size_t begun;                /* index of the first step of the pattern that is being written */
};

/* Words of a set of positions. */
size_t ts_paths_words(const ts_paths *paths);
/* The bits of a set's last word that stand for a position. */
uint64_t ts_paths_last_word(const ts_paths *paths);
/* The set before any step. */
void ts_paths_start(const ts_paths *paths, uint64_t *set);
/* Moves the set over one step: a key (NULL for an element) or an index. to may not be from. Answers whether
 * anything below can still match; *want is an or of what matches right here. */
int ts_paths_move(const ts_paths *paths, const uint64_t *from, uint64_t *to, const unsigned char *key,
                  size_t key_size, int64_t index, int *want);

/* ------------------------------------------------------------------ the scanner */

/* Where the grammar stands. */
enum ts_state {
    ST_VALUE,                    /* a value must follow: at the root, after ':' or ',' */
    ST_FIRST_ELEMENT,            /* after '[' */
    ST_FIRST_KEY,                /* after '{' */
    ST_KEY,                      /* after ',' in an object */
    ST_COLON,                    /* after a key */
    ST_AFTER_VALUE,              /* ',' or a closing bracket */
    ST_END,                      /* the root value is complete */
    ST_IN_STRING,                /* from here on: inside a token; see ts_string_state */
    ST_IN_NUMBER,                /* see ts_number_state */
    ST_IN_LITERAL,
    ST_STATE_COUNT
};

/* Where a string stands. */
enum ts_string_state {
    STR_BODY,
    STR_UTF8,                    /* inside a multi-byte sequence */
    STR_ESCAPE,                  /* after '\' */
    STR_HEX,                     /* inside \uXXXX */
    STR_HIGH,                    /* after the escape of a high surrogate: is its pair next? */
    STR_HIGH_ESCAPE,             /* and then '\' */
    STR_STATE_COUNT
};

/* Where a number stands. */
enum ts_number_state {
    NUM_MINUS,
    NUM_ZERO,
    NUM_INT,
    NUM_DOT,
    NUM_FRACTION,
    NUM_E,
    NUM_SIGN,
    NUM_EXPONENT,
    NUM_STATE_COUNT
};

enum ts_level_flag {
    LV_ARRAY = 1,
    LV_INNER = 2,                /* something in it may be reported */
    LV_WANTED = 4,               /* its own end is reported */
    LV_EXACT = 8,                /* the run holds integers that may not fit 64 bits */
    LV_KEY_ESCAPED = 16,         /* the current key holds a backslash */
    LV_REPORTED = 32,            /* something in the current member was reported */
    LV_LONG = 64,                /* the run holds a long string: see TS_F_LONG */
    LV_TRAITS = LV_EXACT | LV_LONG
};

/* An open container. Offsets are those of the stream. */
typedef struct ts_level {
    int64_t run_start;           /* the first member that no TS_RUN has shown; -1: none until the next ',' */
    int64_t run_end;             /* behind the last member that is final and not a container of its own */
    int64_t place;               /* where the current key begins, behind its quote; of an array: the current index */
    uint32_t key_size;           /* its bytes, quotes left out */
    uint32_t key_mark;           /* ts_keys.count before the first key of this object */
    uint32_t key;                /* the current key in ts_keys, or TS_NO_KEY */
    uint32_t flags;
} ts_level;

/* How much of the text before the current byte is kept for error messages. */
#define TEXT_CONTEXT 32

/* Of these there is one for each stream that waits for its next byte: numbers are as narrow as they may be. */
struct ts_scanner {
    ts_view view;                /* what callers see, and the only place where that stands */
    const ts_options *options;
    uint32_t report_capacity;
    uint32_t step_capacity;

    size_t text_capacity;        /* of view.text: the bytes that are still needed, and one spare byte */
    int64_t keep_from;           /* no byte before this one is needed any more */

    ts_level *levels;
    uint64_t *sets;              /* one set of pattern positions a level, and one for the member */
    uint32_t level_count;
    uint32_t level_capacity;
    uint32_t pushed;             /* how many of them a TS_PUSH has shown */
    uint32_t words;              /* of a set */

    ts_keys keys;
    unsigned char *scratch;      /* a key without its escapes */
    size_t scratch_capacity;

    int64_t counted_from;        /* max_bytes counts from here */
    int64_t line;
    int64_t line_start;
    int64_t token;               /* where the token in progress begins */
    int64_t member_start;        /* behind the last ',' or the opening bracket */
    int64_t grown;               /* the string in progress is reported up to here */
    int64_t hold;                /* an unfinished escape, pair or sequence begins here, or -1 */
    int64_t escape;              /* the escape in progress begins here */
    uint32_t code;               /* its digits so far */
    uint8_t digits;              /* ... and how many */

    uint8_t state;
    uint8_t root_shown;          /* by TS_PUSH or TS_ROOT */
    uint8_t root_traits;         /* LV_TRAITS of a root that ended before it was shown */
    uint8_t value_due;           /* a report of this call needs the live value */
    uint8_t text_freed;          /* much of a long text may be needed no more */

    uint8_t want;                /* what is asked of the member in progress: ts_want */
    uint8_t inner;               /* something below it may be reported */

    uint8_t string;              /* ts_string_state */
    uint8_t is_key;
    uint8_t escaped;             /* the string in progress holds a backslash */
    uint8_t growing;             /* its growth is reported: 1, and 2 once TS_STRING was written */
    uint8_t utf8_need;           /* continuation bytes to come */
    uint8_t utf8_low;            /* bounds of the next one */
    uint8_t utf8_high;

    uint8_t number;              /* ts_number_state */
    uint8_t literal;             /* 0 true, 1 false, 2 null */
    uint8_t matched;             /* letters of it so far */
};

/* How many bytes of data are whole, valid multi-byte sequences. */
size_t ts_utf8_prefix(const unsigned char *data, size_t size);

/* The value of a hexadecimal digit; 16 for anything else. */
unsigned ts_hex_digit(unsigned char c);
/* Writes a code point as UTF-8, lone surrogates as three bytes; answers how many. */
size_t ts_utf8_write(unsigned char *out, uint32_t code);

/* ------------------------------------------------------------------ scanner.c: what tokens lead to */

/* Scans up to text[end]: more text that has been copied, of which the state machine has not seen text[at .. end). Counts in the
 * view what was taken. */
int ts_text_scan(ts_scanner *s, size_t at, size_t end);

/* The offset in the stream of text[at]. */
static inline int64_t position(const ts_scanner *s, size_t at)
{
    return s->view.text_start + (int64_t)at;
}

/* How many bytes of text there are. */
static inline size_t text_size(const ts_scanner *s)
{
    return (size_t)s->view.text_size;
}

/* The innermost open container, NULL at the root. */
static inline ts_level *top_level(ts_scanner *s)
{
    return s->level_count == 0 ? NULL : &s->levels[s->level_count - 1];
}

static inline int is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static inline int is_space(unsigned char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* Ends the scanner's life: the offending byte is at `offset` of the stream. Answers status. */
int ts_fail(ts_scanner *s, int status, int64_t offset);
/* A scalar has ended before `end`; traits: of LV_TRAITS. */
int ts_scalar_end(ts_scanner *s, int64_t end, uint32_t traits);
/* Asks the paths, too, what is asked of the member that begins. key: decoded, NULL in an array. */
void ts_paths_match(ts_scanner *s, const unsigned char *key, size_t key_size);

/* Decides what is asked of the member that begins: want and inner. Most containers hold nothing that was asked for. */
static inline void member_match(ts_scanner *s, const ts_level *level, const unsigned char *key, size_t key_size)
{
    s->want = 0;
    s->inner = 0;
    if (level->flags & LV_INNER) {
        uint64_t depth = (uint64_t)s->options->depth; /* no number is greater than that of all depths */
        if (s->level_count <= depth) {
            s->want = s->options->deltas ? TS_WANT_VALUE | TS_WANT_GROWTH : TS_WANT_VALUE;
        }
        s->inner = s->level_count < depth;
        if (s->words != 0) {
            ts_paths_match(s, key, key_size);
        }
    }
}

/* ------------------------------------------------------------------ tokens.c
 *
 * The scans begin at text[at], answer where they stopped, and set *status where that is not the end. */

/* The current key is known, where that matters: looks whether it repeats, and decides what is asked of its value. */
int ts_key_known(ts_scanner *s, ts_level *level, int escaped);

/* As ts_key_known, for any object: in most of them nothing was asked for. */
static inline int key_known(ts_scanner *s, ts_level *level, int escaped)
{
    s->want = 0;
    s->inner = 0;
    if ((level->flags & LV_INNER) || s->options->duplicate_keys == TS_DUP_STRICT) {
        return ts_key_known(s, level, escaped);
    }
    return TS_OK;
}

int ts_string_begin(ts_scanner *s, int64_t at, int is_key);
/* Where string content ends or needs a closer look, from text[at] on, which is its body: plain characters, short escapes
 * and whole UTF-8 sequences. *escaped is set if there is an escape. TS_BLOCK bytes from text[end] on are readable. */
size_t ts_string_body(const unsigned char *text, size_t at, size_t end, uint8_t *escaped);
size_t ts_string_scan(ts_scanner *s, size_t at, size_t end, int *status);
size_t ts_number_scan(ts_scanner *s, size_t at, size_t end, int *status);
size_t ts_literal_scan(ts_scanner *s, size_t at, size_t end, int *status);
/* Takes the next letter of the literal in progress, if that is not its last. */
int ts_literal_goes_on(ts_scanner *s, unsigned char c);
/* Whether another digit changes nothing. */
static inline int ts_number_is_run(int state)
{
    return state == NUM_INT || state == NUM_FRACTION || state == NUM_EXPONENT;
}

/* Whether a number may end in this state. */
int ts_number_is_whole(int state);
/* The number in progress has ended before `end`. */
int ts_number_end(ts_scanner *s, int64_t end);

/* ------------------------------------------------------------------ tape.c */

/* The two lists of records that grow. */
enum tape {
    TAPE_REPORTS,
    TAPE_STEPS
};

int ts_tape_append(ts_scanner *s, enum tape tape, int64_t tag, int64_t a, int64_t b);
/* Gives back the room of both. */
void ts_tapes_free(ts_scanner *s);

/* Appends a record about the current member of a container: its key or index. */
int ts_place_append(ts_scanner *s, enum tape tape, int64_t tag, const ts_level *level);
/* Notes that something in the members in progress was reported: their keys must not come again. */
void ts_members_reported(ts_scanner *s);

/* The current member of the innermost container, level, is final and reported. */
static inline void value_reported(ts_scanner *s, const ts_level *level)
{
    s->value_due = 1;
    if (s->words != 0) {
        ts_members_reported(s);
    } else if (level->key != TS_NO_KEY) {
        s->keys.keys[level->key].reported = 1; /* those around it are reported, too, before their keys can come again */
    }
}
int ts_report_leave(ts_scanner *s, int wanted);
/* Reports what the string in progress grew by, up to the first byte that is not yet decided. */
int ts_report_growth(ts_scanner *s, int64_t end);
/* Shows what the level holds that was not shown yet. */
int ts_run_append(ts_scanner *s, ts_level *level);
/* Writes the build steps for all that is final. */
int ts_settle(ts_scanner *s);

/* ------------------------------------------------------------------ memory and the view */

/* Makes room for `needed` sets of positions and levels. */
int ts_levels_reserve(ts_scanner *scanner, size_t needed);
/* Makes room for size more bytes of text and the spare one. */
int ts_text_reserve(ts_scanner *scanner, size_t size);
/* A text of up to so many bytes is only looked through when it is full. */
#define TS_TEXT_SMALL 4096

/* No byte before offset is needed any more. */
static inline void keep_text_from(ts_scanner *s, int64_t offset)
{
    s->keep_from = offset;
    s->text_freed = s->text_capacity > TS_TEXT_SMALL;
}
/* Tells the view whether the root is complete. */
void ts_complete_update(ts_scanner *scanner);

#endif
