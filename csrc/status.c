/* The sentence for each status. */
#include "toolstream.h"

const char *ts_status_text(int status)
{
    switch (status) {
    case TS_OK: return "nothing to read";
    case TS_READY: return "records to read";
    case TS_PAUSED: return "records to read before the rest is fed";
    case TS_ERR_MEMORY: return "out of memory";
    case TS_ERR_SYNTAX: return "unexpected character";
    case TS_ERR_UTF8: return "invalid UTF-8";
    case TS_ERR_CONTROL: return "control character in a string";
    case TS_ERR_ESCAPE: return "invalid escape";
    case TS_ERR_NUMBER: return "invalid number";
    case TS_ERR_LITERAL: return "invalid literal";
    case TS_ERR_TRAILING: return "text after the value";
    case TS_ERR_DUPLICATE: return "repeated key";
    case TS_ERR_INCOMPLETE: return "the input ended inside the value";
    case TS_ERR_DEPTH: return "nested too deep";
    case TS_ERR_BYTES: return "too long";
    case TS_ERR_DIGITS: return "integer with too many digits";
    case TS_ERR_EVENT_BYTES: return "SSE event too long";
    case TS_ERR_ARGUMENT: return "invalid argument";
    default: return "unknown status";
    }
}
