/* The tokens of JSON: strings, keys, numbers and literals, each stopping and resuming at any byte.
 *
 * Where a token ends, what follows from that is the scanner's (ts_scalar_end, ts_member_match). Strict RFC 8259 and
 * RFC 3629; a lone surrogate escape follows json.loads.
 */
#include "internal.h"
#include "plain.h"

/* ------------------------------------------------------------------ keys */

static uint32_t four_digits(const unsigned char *text)
{
    return (ts_hex_digit(text[0]) << 12) | (ts_hex_digit(text[1]) << 8) | (ts_hex_digit(text[2]) << 4) | ts_hex_digit(text[3]);
}

static unsigned char simple_escape(unsigned char c)
{
    switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return c;
    }
}

/* Decodes the escapes of a key that the scanner has already checked. It never grows. */
static size_t key_decode(const unsigned char *text, size_t size, unsigned char *out)
{
    size_t written = 0;
    for (size_t at = 0; at < size;) {
        if (text[at] != '\\') {
            out[written++] = text[at++];
        } else if (text[at + 1] != 'u') {
            out[written++] = simple_escape(text[at + 1]);
            at += 2;
        } else {
            uint32_t code = four_digits(text + at + 2);
            at += 6;
            if (code >= 0xd800 && code < 0xdc00 && size - at >= 6 && text[at] == '\\' && text[at + 1] == 'u') {
                uint32_t low = four_digits(text + at + 2);
                if (low >= 0xdc00 && low < 0xe000) {
                    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                    at += 6;
                }
            }
            written += ts_utf8_write(out + written, code);
        }
    }
    return written;
}

/* Looks whether the object has had this key. */
static int key_check(ts_scanner *s, ts_level *level, const unsigned char *key, size_t size)
{
    uint32_t at = 0;
    int found = 0;
    if (ts_keys_again(&s->keys, s->level_count, key, size)) {
        level->key = s->keys.count - 1;
        return TS_OK;
    }
    int status = ts_keys_add(&s->keys, s->options->seed, level->key_mark, s->level_count, key, size, &at, &found);
    if (status != TS_OK) {
        return status;
    }
    level->key = at;
    if (!found) {
        return TS_OK;
    }
    int mode = s->options->duplicate_keys;
    int reported = s->keys.keys[at].reported != 0;
    if (mode == TS_DUP_STRICT || (mode == TS_DUP_ERROR && reported)) {
        return ts_fail(s, TS_ERR_DUPLICATE, level->place + level->key_size);
    }
    s->keys.keys[at].reported = 0;
    return reported ? TS_PAUSED : TS_OK; /* the reader must see the value before another replaces it */
}

int ts_key_known(ts_scanner *s, ts_level *level, int escaped)
{
    const unsigned char *key = s->view.text + (level->place - s->view.text_start);
    size_t size = level->key_size;
    if (escaped) {
        if (!ts_reserve((void **)&s->scratch, &s->scratch_capacity, 0, size, 16, 1)) {
            return TS_ERR_MEMORY;
        }
        size = key_decode(key, size, s->scratch);
        key = s->scratch;
    }
    int status = key_check(s, level, key, size);
    if (status >= 0) {
        member_match(s, level, key, size);
    }
    return status;
}

/* A key's closing quote is at `at`. */
static int key_end(ts_scanner *s, int64_t at)
{
    ts_level *level = top_level(s);
    int64_t size = at - (s->token + 1);
    if (size > UINT32_MAX) {
        return TS_ERR_MEMORY; /* the width of ts_level.key_size */
    }
    level->place = s->token + 1;
    level->key_size = (uint32_t)size;
    level->flags |= s->escaped ? LV_KEY_ESCAPED : 0;
    s->state = ST_COLON;
    return key_known(s, level, s->escaped);
}

/* ------------------------------------------------------------------ strings */

int ts_string_begin(ts_scanner *s, int64_t at, int is_key)
{
    s->state = ST_IN_STRING;
    s->string = STR_BODY;
    s->is_key = is_key;
    s->token = at;
    s->escaped = 0;
    s->hold = -1;
    s->growing = !is_key && (s->want & TS_WANT_GROWTH) ? 1 : 0;
    s->grown = at + 1;
    return TS_OK;
}

/* A byte from 0x80 on begins a sequence. */
static int utf8_begin(ts_scanner *s, unsigned char c, int64_t at)
{
    if (c < 0xc2 || c > 0xf4) {
        return ts_fail(s, TS_ERR_UTF8, at);
    }
    s->utf8_need = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    s->utf8_low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    s->utf8_high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    s->hold = at;
    s->string = STR_UTF8;
    return TS_OK;
}

static int utf8_continue(ts_scanner *s, unsigned char c, int64_t at)
{
    if (c < s->utf8_low || c > s->utf8_high) {
        return ts_fail(s, TS_ERR_UTF8, at);
    }
    s->utf8_low = 0x80;
    s->utf8_high = 0xbf;
    if (--s->utf8_need == 0) {
        s->hold = -1;
        s->string = STR_BODY;
    }
    return TS_OK;
}

/* The letter behind a '\' that is no \u of a pair. */
static int escape_letter(ts_scanner *s, unsigned char c, int64_t at)
{
    switch (c) {
    case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
        s->hold = -1;
        s->string = STR_BODY;
        return TS_OK;
    case 'u':
        s->code = 0;
        s->digits = 0;
        s->string = STR_HEX;
        return TS_OK;
    default:
        return ts_fail(s, TS_ERR_ESCAPE, at);
    }
}

/* A digit of \uXXXX. What the four of them mean depends on whether a high surrogate came before, exactly as
 * in json.loads: a pair is one character, anything else stands alone. */
static int escape_digit(ts_scanner *s, unsigned char c, int64_t at)
{
    unsigned digit = ts_hex_digit(c);
    if (digit > 15) {
        return ts_fail(s, TS_ERR_ESCAPE, at);
    }
    s->code = (s->code << 4) | digit;
    if (++s->digits < 4) {
        return TS_OK;
    }
    if (s->code >= 0xd800 && s->code < 0xdc00) {
        s->hold = s->escape;
        s->string = STR_HIGH;
    } else {
        s->hold = -1;
        s->string = STR_BODY;
    }
    return TS_OK;
}

/* The closing quote is at `at`. */
static int string_end(ts_scanner *s, int64_t at)
{
    s->hold = -1;
    if (s->is_key) {
        return key_end(s, at);
    }
    if (s->growing) {
        int status = ts_report_growth(s, at);
        if (status != TS_OK) {
            return status;
        }
    }
    return ts_scalar_end(s, at + 1, at - s->token > TS_LONG_STRING ? LV_LONG : 0);
}

/* A byte in the body that is not plain. */
static int string_special(ts_scanner *s, unsigned char c, int64_t at)
{
    if (c == '"') {
        return string_end(s, at);
    }
    if (c == '\\') {
        s->hold = at;
        s->escape = at;
        s->escaped = 1;
        s->string = STR_ESCAPE;
        return TS_OK;
    }
    if (c < 0x20) {
        return ts_fail(s, TS_ERR_CONTROL, at);
    }
    return utf8_begin(s, c, at);
}

/* One byte in any state but STR_BODY. */
static int string_byte(ts_scanner *s, unsigned char c, int64_t at)
{
    switch (s->string) {
    case STR_UTF8: return utf8_continue(s, c, at);
    case STR_ESCAPE: return escape_letter(s, c, at);
    case STR_HEX: return escape_digit(s, c, at);
    case STR_HIGH: /* before a '\\': the high surrogate is still held */
        s->escape = at;
        s->string = STR_HIGH_ESCAPE;
        return TS_OK;
    default: /* STR_HIGH_ESCAPE; if this is no \u, the high surrogate stands alone */
        return escape_letter(s, c, at);
    }
}

static int is_simple_escape(unsigned char c)
{
    return c == '"' || c == '\\' || c == '/' || c == 'b' || c == 'f' || c == 'n' || c == 'r' || c == 't';
}

size_t ts_string_body(const unsigned char *text, size_t at, size_t end, uint8_t *escaped)
{
    for (;;) {
        if (at < end && ts_is_plain(text[at])) { /* a block that has just been written could not be read at once */
            at = ts_plain_end(text, at, end);
        }
        if (end - at < 2) {
            return at;
        }
        if (text[at] == '\\' && is_simple_escape(text[at + 1])) {
            *escaped = 1;
            at += 2;
            continue;
        }
        size_t whole = text[at] >= 0x80 ? ts_utf8_prefix(text + at, end - at) : 0;
        if (whole == 0) {
            return at;
        }
        at += whole;
    }
}

/* Scans string content from `at` on; answers where it stopped. */
size_t ts_string_scan(ts_scanner *s, size_t at, size_t end, int *status)
{
    const unsigned char *text = s->view.text;
    while (at < end && s->state == ST_IN_STRING && *status == TS_OK) {
        if (s->string == STR_BODY) {
            at = ts_string_body(text, at, end, &s->escaped);
            if (at == end) {
                break;
            }
            *status = string_special(s, text[at], position(s, at));
            at += *status >= 0;
        } else if (s->string == STR_HIGH && text[at] != '\\') {
            s->hold = -1; /* no pair: the surrogate stands alone */
            s->string = STR_BODY;
        } else {
            *status = string_byte(s, text[at], position(s, at));
            at += *status >= 0;
        }
    }
    return at;
}

/* ------------------------------------------------------------------ numbers and literals */

/* The state behind byte c, or -1: the byte does not belong to the number. */
static int number_next(int state, unsigned char c)
{
    switch (state) {
    case NUM_MINUS: return c == '0' ? NUM_ZERO : is_digit(c) ? NUM_INT : -1;
    case NUM_ZERO:
    case NUM_INT:
        if (is_digit(c)) {
            return state == NUM_INT ? NUM_INT : -1;
        }
        return c == '.' ? NUM_DOT : (c | 0x20) == 'e' ? NUM_E : -1;
    case NUM_DOT: return is_digit(c) ? NUM_FRACTION : -1;
    case NUM_FRACTION: return is_digit(c) ? NUM_FRACTION : (c | 0x20) == 'e' ? NUM_E : -1;
    case NUM_E: return is_digit(c) ? NUM_EXPONENT : c == '+' || c == '-' ? NUM_SIGN : -1;
    default: return is_digit(c) ? NUM_EXPONENT : -1; /* NUM_SIGN, NUM_EXPONENT */
    }
}

int ts_number_is_whole(int state)
{
    return state == NUM_ZERO || state == NUM_INT || state == NUM_FRACTION || state == NUM_EXPONENT;
}

/* The number in progress has ended before `end`. */
int ts_number_end(ts_scanner *s, int64_t end)
{
    uint32_t traits = 0;
    if (s->number == NUM_INT) {
        int64_t digits = end - s->token - (s->view.text[s->token - s->view.text_start] == '-');
        if (s->options->max_int_digits > 0 && digits > s->options->max_int_digits) {
            return ts_fail(s, TS_ERR_DIGITS, s->token);
        }
        traits = digits > 18 ? LV_EXACT : 0; /* may not fit 64 bits, where other parsers answer a float */
    }
    return ts_scalar_end(s, end, traits);
}

size_t ts_number_scan(ts_scanner *s, size_t at, size_t end, int *status)
{
    const unsigned char *text = s->view.text;
    int state = s->number;
    while (at < end) {
        if (ts_number_is_run(state)) { /* by far the most bytes */
            while (at < end && is_digit(text[at])) {
                at++;
            }
            if (at == end) {
                break;
            }
        }
        unsigned char c = text[at];
        int next = number_next(state, c);
        if (next < 0) {
            s->number = state;
            int whole = ts_number_is_whole(state) && !(state == NUM_ZERO && is_digit(c));
            *status = whole ? ts_number_end(s, position(s, at)) : ts_fail(s, TS_ERR_NUMBER, position(s, at));
            return at;
        }
        state = next;
        at++;
    }
    s->number = state;
    return at;
}

static const char *const words[] = {"true", "false", "null"};

int ts_literal_goes_on(ts_scanner *s, unsigned char c)
{
    const char *word = words[s->literal] + s->matched;
    int is_inner = c == (unsigned char)word[0] && word[1] != '\0';
    s->matched = (uint8_t)(s->matched + is_inner);
    return is_inner;
}

size_t ts_literal_scan(ts_scanner *s, size_t at, size_t end, int *status)
{
    const char *word = words[s->literal];
    while (at < end) {
        if (s->view.text[at] != (unsigned char)word[s->matched]) {
            *status = ts_fail(s, TS_ERR_LITERAL, position(s, at));
            return at;
        }
        at++;
        if (word[++s->matched] == '\0') {
            *status = ts_scalar_end(s, position(s, at), 0);
            return at;
        }
    }
    return at;
}
