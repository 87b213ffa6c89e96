/* What the scanner writes: reports of what was subscribed to, and the build steps by which a live value catches up.
 *
 * A report or step points into the text; a place in a container is given by its key's text or its index. See the
 * records in toolstream.h.
 */
#include "internal.h"

/* A tape has room for so many records at first, and grows by so many at least. */
#define TAPE_FIRST 4
#define TAPE_STEP 8

int ts_tape_append(ts_scanner *s, enum tape tape, int64_t tag, int64_t a, int64_t b)
{
    ts_record **records = tape == TAPE_REPORTS ? &s->view.reports : &s->view.steps;
    uint32_t *count = tape == TAPE_REPORTS ? &s->view.report_count : &s->view.step_count;
    uint32_t *capacity = tape == TAPE_REPORTS ? &s->report_capacity : &s->step_capacity;
    size_t step = *capacity == 0 ? TAPE_FIRST : TAPE_STEP;
    if (!ts_reserve_small((void **)records, capacity, *count, 1, step, sizeof **records)) {
        return TS_ERR_MEMORY;
    }
    ts_record *record = &(*records)[(*count)++];
    record->tag = tag;
    record->a = a;
    record->b = b;
    return TS_OK;
}

void ts_tapes_free(ts_scanner *s)
{
    TS_FREE(s->view.reports);
    TS_FREE(s->view.steps);
    s->view.reports = s->view.steps = NULL;
    s->report_capacity = s->step_capacity = 0;
}

/* Appends a record about the current member of a container: its key or index. */
int ts_place_append(ts_scanner *s, enum tape tape, int64_t tag, const ts_level *level)
{
    if (level->flags & LV_ARRAY) {
        return ts_tape_append(s, tape, tag | TS_F_INDEX, level->place, 0);
    }
    if (level->flags & LV_KEY_ESCAPED) {
        tag |= TS_F_ESCAPED;
    }
    int64_t start = level->place - s->view.text_start;
    return ts_tape_append(s, tape, tag, start, start + level->key_size);
}

/* ------------------------------------------------------------------ reports */

void ts_members_reported(ts_scanner *s)
{
    for (size_t i = s->level_count; i-- > 0;) {
        ts_level *level = &s->levels[i];
        if (level->flags & LV_REPORTED) {
            return; /* so all containers around it are marked, too */
        }
        level->flags |= LV_REPORTED;
        if (level->key != TS_NO_KEY) {
            s->keys.keys[level->key].reported = 1;
        }
    }
}

/* The container around is the top again. Its key may have been dropped from the text by now, so the end of a
 * wanted container has no place: the reader has it from TS_ENTER. */
int ts_report_leave(ts_scanner *s, int wanted)
{
    if (wanted) {
        value_reported(s, top_level(s));
    }
    return s->options->implied ? TS_OK : ts_tape_append(s, TAPE_REPORTS, wanted ? TS_LEAVE | TS_F_VALUE : TS_LEAVE, 0, 0);
}

/* Reports what the string in progress grew by, up to the first byte that is not yet decided. */
int ts_report_growth(ts_scanner *s, int64_t end)
{
    if (s->hold >= 0 && s->hold < end) {
        end = s->hold;
    }
    if (end <= s->grown) {
        return TS_OK;
    }
    if (s->growing == 1) {
        ts_members_reported(s);
        int status = ts_place_append(s, TAPE_REPORTS, TS_STRING, top_level(s));
        if (status != TS_OK) {
            return status;
        }
        s->growing = 2;
    }
    int64_t tag = s->escaped ? TS_GROW | TS_F_ESCAPED : TS_GROW;
    int64_t start = s->grown;
    s->grown = end;
    return ts_tape_append(s, TAPE_REPORTS, tag, start - s->view.text_start, end - s->view.text_start);
}

/* ------------------------------------------------------------------ build steps */

/* The flags of a run or a root that holds such values. */
static int64_t trait_flags(uint32_t traits)
{
    return ((traits & LV_EXACT) ? TS_F_EXACT : 0) | ((traits & LV_LONG) ? TS_F_LONG : 0);
}

/* Shows what the level holds that was not shown yet. */
int ts_run_append(ts_scanner *s, ts_level *level)
{
    if (level->run_start < 0 || level->run_end <= level->run_start) {
        return TS_OK;
    }
    int64_t tag = TS_RUN | trait_flags(level->flags);
    level->flags &= ~(uint32_t)LV_TRAITS;
    return ts_tape_append(s, TAPE_STEPS, tag, level->run_start - s->view.text_start, level->run_end - s->view.text_start);
}

/* Whether the stream stands before or in a member, not behind a whole one. */
static int member_is_open(const ts_scanner *s)
{
    return s->state != ST_AFTER_VALUE && s->state != ST_END;
}

/* Shows a root that ended before any of it was shown: a scalar, or a container as a whole. */
static int root_append(ts_scanner *s)
{
    if (s->state != ST_END || s->root_shown) {
        return TS_OK;
    }
    int64_t tag = TS_ROOT | trait_flags(s->root_traits);
    s->root_shown = 1;
    return ts_tape_append(s, TAPE_STEPS, tag, s->view.value_start - s->view.text_start, s->view.value_end - s->view.text_start);
}

/* The live value shows all open containers, as it mostly does: only the innermost may have grown. */
static int top_settle(ts_scanner *s, ts_level *top)
{
    int status = ts_run_append(s, top);
    top->run_start = member_is_open(s) ? s->member_start : -1;
    keep_text_from(s, top->run_start >= 0 ? top->run_start - 1 : s->view.offset);
    s->view.unsettled = status != TS_OK;
    return status;
}

static int all_settle(ts_scanner *s)
{
    int status = root_append(s);
    size_t first = s->pushed == 0 ? 0 : s->pushed - 1;
    for (size_t i = first; i < s->level_count && status == TS_OK; i++) {
        ts_level *level = &s->levels[i];
        if (i >= s->pushed) {
            int64_t tag = TS_PUSH | ((level->flags & LV_ARRAY) ? TS_F_ARRAY : 0);
            status = i == 0 ? ts_tape_append(s, TAPE_STEPS, tag, 0, 0) : ts_place_append(s, TAPE_STEPS, tag, &s->levels[i - 1]);
        }
        if (status == TS_OK) {
            status = ts_run_append(s, level);
        }
        int is_top = i + 1 == s->level_count;
        level->run_start = is_top && member_is_open(s) ? s->member_start : -1;
    }
    if (status != TS_OK) {
        return status;
    }
    s->view.unsettled = 0;
    s->pushed = s->level_count;
    s->root_shown |= s->pushed != 0;
    const ts_level *top = top_level(s);
    if (top != NULL) {
        keep_text_from(s, top->run_start >= 0 ? top->run_start - 1 : s->view.offset);
    } else if (s->state == ST_END) {
        keep_text_from(s, s->view.offset);
    }
    return TS_OK;
}

int ts_settle(ts_scanner *s)
{
    return s->pushed != 0 && s->pushed == s->level_count ? top_settle(s, top_level(s)) : all_settle(s);
}
