/* Looking a block up, inline: every way between blocks that are not linked goes through here. */
#ifndef EXEC_CACHE_FIND_H
#define EXEC_CACHE_FIND_H

#include "exec/engine.h"
#include "mem/mmu.h"

static inline uint32_t cache_hash(struct block_key key, uint8_t variant, uint64_t page)
{
    uint64_t h = key.pc ^ ((uint64_t)key.mode << 32) ^ ((uint64_t)variant << 56) ^ (page << 12);

    return (uint32_t)((h * 0x9e3779b97f4a7c15ull) >> 32);
}

/* Is the second page that BLOCK was made from the one that is there now? */
static inline bool block_same_end(struct nw_vcpu *vcpu, const struct block *b)
{
    uint64_t gpa, next = (b->key.pc & ~(PAGE_SIZE_ - 1)) + PAGE_SIZE_;

    return !vcpu->mmu || !b->crosses ||
           (mmu_fetch_page(vcpu, b->key.mode, next, &gpa) && gpa == b->page[1]);
}

static inline bool block_is(struct nw_vcpu *vcpu, const struct block *b, struct block_key key,
                            uint8_t variant, uint64_t page)
{
    return b->key.pc == key.pc && b->key.mode == key.mode && b->variant == variant &&
           b->page[0] == page && block_same_end(vcpu, b);
}

/* PAGE: guest physical, where key.pc lies now. Null: none. No lock is needed. */
static inline struct block *cache_find(struct nw_vcpu *vcpu, struct block_key key, uint8_t variant,
                                       uint64_t page)
{
    struct block_cache *c = &vcpu->engine->cache;
    struct block_table *t = atomic_load_explicit(&c->table, memory_order_acquire);

    if (NW_UNLIKELY(!t))
        return NULL;
    uint32_t slot = cache_hash(key, variant, page) & (t->size - 1);
    struct block *b = atomic_load_explicit(&t->slot[slot], memory_order_acquire);
    while (b && !block_is(vcpu, b, key, variant, page))
        b = atomic_load_explicit(&b->hash_next, memory_order_acquire);
    return b;
}

#endif
