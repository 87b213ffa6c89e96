/* Finds repeated keys: the first few of an object are compared one by one, more of them share one hash table for all
 * open objects. See ts_keys in internal.h.
 *
 * Keys come from a model, hence perhaps from an attacker: the hash is SipHash-1-3 (Aumasson, Bernstein) under
 * a secret seed, so that nobody can choose keys that collide.
 */
#include "internal.h"

#include <string.h>

/* An object's keys are compared one by one up to so many: that is cheaper than a hash, and bounded. */
#define FEW 8

/* So many keys, and so many bytes of them, are made room for at least. */
#define KEY_STEP 2
#define TEXT_STEP 16

static uint64_t rotate(uint64_t v, int by)
{
    return (v << by) | (v >> (64 - by));
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static uint64_t sip_hash(const uint64_t seed[2], uint32_t level, const unsigned char *text, size_t size)
{
    uint64_t v[4] = {seed[0] ^ UINT64_C(0x736f6d6570736575), seed[1] ^ UINT64_C(0x646f72616e646f6d),
                     seed[0] ^ UINT64_C(0x6c7967656e657261), seed[1] ^ UINT64_C(0x7465646279746573)};
    uint64_t word = level; /* the object is a first block of its own */
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
    size_t at = 0;
    for (; size - at >= 8; at += 8) {
        word = 0;
        for (int i = 7; i >= 0; i--) {
            word = (word << 8) | text[at + (size_t)i];
        }
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    word = (uint64_t)(size & 0xff) << 56;
    for (size_t i = 0; at + i < size; i++) {
        word |= (uint64_t)text[at + i] << (8 * i);
    }
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
    v[2] ^= 0xff;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void ts_keys_free(ts_keys *keys)
{
    TS_FREE(keys->keys);
    TS_FREE(keys->text);
    TS_FREE(keys->slots);
}

static void slot_insert(ts_keys *keys, size_t at)
{
    size_t mask = keys->slot_count - 1;
    size_t slot = keys->keys[at].hash & mask;
    while (keys->slots[slot] != 0) {
        slot = (slot + 1) & mask;
    }
    keys->slots[slot] = (uint32_t)(at + 1);
}

static int slots_build(ts_keys *keys)
{
    size_t slot_count = 16;
    while (slot_count < (size_t)keys->count * 2 + 2) {
        slot_count *= 2;
    }
    if (slot_count > UINT32_MAX) {
        return TS_ERR_MEMORY;
    }
    if (slot_count > keys->slot_count) {
        uint32_t *slots = (uint32_t *)ts_resize_array(keys->slots, slot_count, sizeof *slots);
        if (slots == NULL) {
            return TS_ERR_MEMORY;
        }
        keys->slots = slots;
        keys->slot_count = (uint32_t)slot_count;
    }
    memset(keys->slots, 0, keys->slot_count * sizeof *keys->slots);
    for (size_t at = 0; at < keys->count; at++) {
        if (keys->keys[at].hashed) {
            slot_insert(keys, at);
        }
    }
    return TS_OK;
}

static const unsigned char *key_text(const ts_keys *keys, const ts_key *key)
{
    return key->size == 0 ? NULL : keys->text + key->text;
}

static void key_hash(ts_keys *keys, const uint64_t *seed, size_t at)
{
    ts_key *key = &keys->keys[at];
    key->hash = (uint32_t)sip_hash(seed, key->level, key_text(keys, key), key->size);
    key->hashed = 1;
}

/* Puts the keys from index first on into the table. They come behind all that are in it. */
static int slots_add(ts_keys *keys, const uint64_t *seed, size_t first)
{
    int has_room = (size_t)keys->count * 2 <= keys->slot_count;
    for (size_t at = first; at < keys->count; at++) {
        if (!keys->keys[at].hashed) {
            key_hash(keys, seed, at);
            if (has_room) {
                slot_insert(keys, at);
            }
        }
    }
    return has_room ? TS_OK : slots_build(keys);
}

int ts_keys_restore(ts_keys *keys, const uint64_t *seed)
{
    for (size_t first = 0, end = 0; first < keys->count; first = end) {
        while (end < keys->count && keys->keys[end].level == keys->keys[first].level) {
            end++; /* the keys of one object stand together */
        }
        for (size_t at = first; at < end && end - first > FEW; at++) {
            key_hash(keys, seed, at);
        }
    }
    return slots_build(keys);
}

static int same_text(const ts_keys *keys, const ts_key *key, const unsigned char *text, size_t size)
{
    if (key->size != size || size == 0) {
        return key->size == size;
    }
    const unsigned char *own = keys->text + key->text;
    return *own == *text && memcmp(own, text, size) == 0; /* most keys differ at once, and a call is dear */
}

static int key_append(ts_keys *keys, uint32_t level, const unsigned char *text, size_t size)
{
    if (size > UINT32_MAX - keys->text_size || keys->count >= UINT32_MAX / 4 || level > TS_KEY_LEVEL_MAX) {
        return TS_ERR_MEMORY; /* the widths of ts_key and of the slots */
    }
    if (!ts_reserve_small((void **)&keys->keys, &keys->capacity, keys->count, 1, KEY_STEP, sizeof *keys->keys) ||
        !ts_reserve_small((void **)&keys->text, &keys->text_capacity, keys->text_size, size, TEXT_STEP, 1)) {
        return TS_ERR_MEMORY;
    }
    ts_key *key = &keys->keys[keys->count];
    key->hash = 0;
    key->hashed = 0;
    key->text = keys->text_size;
    key->size = (uint32_t)size;
    key->level = level & TS_KEY_LEVEL_MAX;
    key->reported = 0;
    if (size != 0) {
        memcpy(keys->text + keys->text_size, text, size);
    }
    keys->text_size += (uint32_t)size;
    keys->count++;
    keys->past_end = 0;
    return TS_OK;
}

/* The index of the key among those in the table, or TS_NO_KEY. */
static uint32_t slots_find(const ts_keys *keys, const uint64_t *seed, uint32_t level, const unsigned char *text,
                           size_t size)
{
    uint32_t hash = (uint32_t)sip_hash(seed, level, text, size);
    size_t mask = keys->slot_count - 1;
    for (size_t slot = hash & mask; keys->slots[slot] != 0; slot = (slot + 1) & mask) {
        const ts_key *key = &keys->keys[keys->slots[slot] - 1];
        if (key->hash == hash && key->level == level && same_text(keys, key, text, size)) {
            return keys->slots[slot] - 1;
        }
    }
    return TS_NO_KEY;
}

/* The index of the key among those from index mark on, or TS_NO_KEY. */
static uint32_t few_find(const ts_keys *keys, uint32_t mark, const unsigned char *text, size_t size)
{
    for (uint32_t at = mark; at < keys->count; at++) {
        if (same_text(keys, &keys->keys[at], text, size)) {
            return at;
        }
    }
    return TS_NO_KEY;
}

int ts_keys_add(ts_keys *keys, const uint64_t *seed, uint32_t mark, uint32_t level, const unsigned char *text,
                size_t size, uint32_t *at, int *found)
{
    size_t own = keys->count - mark;
    *at = own > FEW ? slots_find(keys, seed, level, text, size) : few_find(keys, mark, text, size);
    *found = *at != TS_NO_KEY;
    if (*found) {
        return TS_OK;
    }
    *at = keys->count;
    int status = key_append(keys, level, text, size);
    if (status != TS_OK || own < FEW) {
        return status;
    }
    return slots_add(keys, seed, own == FEW ? mark : *at);
}

/* Takes the newest key out of the table. */
static void slot_remove(ts_keys *keys, size_t at)
{
    size_t mask = keys->slot_count - 1;
    size_t slot = keys->keys[at].hash & mask;
    while (keys->slots[slot] != (uint32_t)(at + 1)) {
        slot = (slot + 1) & mask;
    }
    keys->slots[slot] = 0;
}

void ts_keys_drop(ts_keys *keys, uint32_t mark)
{
    if (keys->count <= mark) {
        return;
    }
    keys->past_end = keys->count - mark > FEW ? mark + FEW : keys->count; /* more are in the table */
    do {
        keys->count--;
        if (keys->keys[keys->count].hashed) {
            slot_remove(keys, keys->count);
        }
    } while (keys->count > mark);
    keys->text_size = keys->keys[mark].text;
}
