/* Markers in text: an automaton that looks at each code point once (Aho and Corasick's).
 *
 * The markers stand in a tree, one node for each of their beginnings. A search stands at the node for the longest end of the
 * text so far that begins a marker; where the next code point leads nowhere from there, it goes on at the next shorter
 * such end (`fall`). So what a search holds back is what can still become a marker, and never more.
 *
 * A marker that has ended is not the first one for sure as long as the text behind it may complete one that begins before
 * it, or a longer one at the same place. Until then it is remembered. */
#include "memory.h"
#include "toolstream.h"

#include <string.h>

#define ROOT 0
#define NONE (-1)
#define NONE_YET 0               /* of ts_search.marker, which is a marker's number and one */
/* Code points below this find their place at the root in a table. */
#define TABLE 256

/* Each node but the root is found from its parent: the first child, then each child's next sibling. */
typedef struct node {
    uint32_t code;               /* the code point that leads here */
    int32_t child, sibling;      /* ROOT: none */
    int32_t fall;                /* the longest proper end of this beginning that begins a marker, too */
    int32_t parent;
    int32_t depth;               /* code points from the root */
    int32_t marker;              /* the longest marker that ends here, or NONE */
    int32_t size;                /* of that marker */
    int32_t open;                /* code points, at the end of what leads here, that may become a longer marker */
} node;

struct ts_markers {
    node *nodes;
    size_t count;
    size_t capacity;
    int32_t marker_count;
    int32_t is_built;
    int32_t table[TABLE];        /* the root's child for each of these code points, or ROOT */
};

ts_markers *ts_markers_new(void)
{
    ts_markers *markers = (ts_markers *)TS_MALLOC(sizeof *markers);
    if (markers == NULL) {
        return NULL;
    }
    memset(markers, 0, sizeof *markers);
    if (!ts_reserve((void **)&markers->nodes, &markers->capacity, 0, 1, 0, sizeof *markers->nodes)) {
        TS_FREE(markers);
        return NULL;
    }
    memset(&markers->nodes[ROOT], 0, sizeof markers->nodes[ROOT]);
    markers->nodes[ROOT].marker = NONE;
    markers->count = 1;
    return markers;
}

void ts_markers_free(ts_markers *markers)
{
    if (markers != NULL) {
        TS_FREE(markers->nodes);
        TS_FREE(markers);
    }
}

/* The node behind `from` for a code point, or ROOT. */
static int32_t child_of(const ts_markers *markers, int32_t from, uint32_t code)
{
    if (from == ROOT && code < TABLE) {
        return markers->table[code];
    }
    int32_t child = markers->nodes[from].child;
    while (child != ROOT && markers->nodes[child].code != code) {
        child = markers->nodes[child].sibling;
    }
    return child;
}

/* A new node behind `from`; room for it is there. */
static int32_t child_new(ts_markers *markers, int32_t from, uint32_t code)
{
    int32_t at = (int32_t)markers->count++;
    node *made = &markers->nodes[at];
    memset(made, 0, sizeof *made);
    made->code = code;
    made->sibling = markers->nodes[from].child;
    made->parent = from;
    made->depth = markers->nodes[from].depth + 1;
    made->marker = NONE;
    markers->nodes[from].child = at;
    if (from == ROOT && code < TABLE) {
        markers->table[code] = at;
    }
    return at;
}

int ts_markers_add(ts_markers *markers, const uint32_t *text, size_t size)
{
    if (size == 0 || size > TS_MARKER_LONGEST || markers->is_built || markers->count > INT32_MAX / 2) {
        return TS_ERR_ARGUMENT;
    }
    if (!ts_reserve((void **)&markers->nodes, &markers->capacity, markers->count, size, 0, sizeof *markers->nodes)) {
        return TS_ERR_MEMORY;
    }
    int32_t at = ROOT;
    for (size_t i = 0; i < size; i++) {
        int32_t child = child_of(markers, at, text[i]);
        at = child != ROOT ? child : child_new(markers, at, text[i]);
    }
    node *last = &markers->nodes[at];
    if (last->marker == NONE) {
        last->marker = markers->marker_count;
        last->size = last->depth;
    }
    markers->marker_count++;
    return TS_OK;
}

/* The node that a search at `from` goes to with the next code point. */
static int32_t step(const ts_markers *markers, int32_t from, uint32_t code)
{
    int32_t to = child_of(markers, from, code);
    while (to == ROOT && from != ROOT) {
        from = markers->nodes[from].fall;
        to = child_of(markers, from, code);
    }
    return to;
}

/* What is known of a node once it is known of all shorter ones. */
static void node_finish(ts_markers *markers, int32_t at)
{
    node *self = &markers->nodes[at];
    self->fall = self->parent == ROOT ? ROOT : step(markers, markers->nodes[self->parent].fall, self->code);
    const node *shorter = &markers->nodes[self->fall];
    if (self->marker == NONE) {
        self->marker = shorter->marker;
        self->size = shorter->size;
    }
    self->open = self->child != ROOT ? self->depth : shorter->open;
}

int ts_markers_build(ts_markers *markers)
{
    if (markers->is_built) {
        return TS_ERR_ARGUMENT;
    }
    int32_t *queue = (int32_t *)ts_resize_array(NULL, markers->count, sizeof *queue);
    if (queue == NULL) {
        return TS_ERR_MEMORY;
    }
    size_t count = 0;
    queue[count++] = ROOT;
    for (size_t i = 0; i < count; i++) { /* by depth */
        if (queue[i] != ROOT) {
            node_finish(markers, queue[i]);
        }
        for (int32_t child = markers->nodes[queue[i]].child; child != ROOT; child = markers->nodes[child].sibling) {
            queue[count++] = child;
        }
    }
    TS_FREE(queue);
    markers->is_built = 1;
    return TS_OK;
}

static uint32_t code_at(const unsigned char *text, int width, size_t at)
{
    if (width == 1) {
        return text[at];
    }
    if (width == 2) {
        uint16_t narrow;
        memcpy(&narrow, text + at * 2, sizeof narrow);
        return narrow;
    }
    uint32_t wide;
    memcpy(&wide, text + at * 4, sizeof wide);
    return wide;
}

/* The first place from `at` on where a marker may begin. */
static size_t next_head(const ts_markers *markers, const unsigned char *text, int width, size_t at, size_t size)
{
    if (width == 1) {
        while (at < size && markers->table[text[at]] == ROOT) {
            at++;
        }
        return at;
    }
    while (at < size && child_of(markers, ROOT, code_at(text, width, at)) == ROOT) {
        at++;
    }
    return at;
}

int ts_markers_find(const ts_markers *markers, ts_search *search, const void *text, int width, size_t size, int final,
                    size_t *end)
{
    const unsigned char *codes = (const unsigned char *)text;
    if (search->held > size) {
        memset(search, 0, sizeof *search); /* of another text */
    }
    int32_t at = search->node;
    int32_t marker = search->marker;
    size_t begins = search->begins; /* where that marker does */
    size_t i = search->held;
    size_t looked = 0;
    memset(search, 0, sizeof *search);
    while (i < size) {
        if (at == ROOT) {
            size_t head = next_head(markers, codes, width, i, size);
            looked += head - i;
            i = head;
            if (i == size) {
                break;
            }
        }
        at = step(markers, at, code_at(codes, width, i++));
        looked++;
        const node *here = &markers->nodes[at];
        if (here->marker != NONE) {
            size_t start = i - (size_t)here->size;
            if (marker == NONE_YET || start <= begins) {
                marker = here->marker + 1;
                begins = start;
            }
        }
        if (marker != NONE_YET && i - (size_t)here->open > begins) {
            break;
        }
    }
    search->looked = looked;
    size_t open = final ? 0 : (size_t)markers->nodes[at].open;
    if (marker != NONE_YET && i - open > begins) {
        *end = begins;
        return marker - 1;
    }
    *end = i - open;
    search->held = open;
    search->node = at;
    search->marker = marker;
    search->begins = marker == NONE_YET ? 0 : begins - *end;
    return NONE;
}
