/* From guest code to a block: fetch, lift, passes, emission, registration. */
#include <stdlib.h>
#include <string.h>
#include "exec/cache_find.h"
#include "exec/engine.h"
#include "ir/interp.h"
#include "ir/pass.h"
#include "mem/mem.h"
#include "mem/mmu.h"

/* Guest code can be such that the cold paths of a block grow with the square of its length: it is
 * made shorter when it needs more than this. */
#define BLOCK_CODE_MAX (128u << 10)

/* What the fetcher keeps beside the request. */
struct fetcher {
    struct nw_vcpu *vcpu;
    bool mark;        /* note the pages as code */
    bool failed;      /* some fetch failed */
    uint64_t page[2]; /* guest physical, of the request's first byte and what comes after */
    struct ir_region *region;
    struct hook_site *hooks; /* of the instructions so far, the last first */
    bool with_hooks;
    bool single;    /* see struct lift_request */
    uint32_t asked; /* instructions that HOOKED was asked about */
    bool entry;     /* the first instruction is a block's first */
    /* The rest of a granule, which counts as code as soon as its first byte does. */
    uint64_t at;
    unsigned have;
    uint8_t bytes[1 << CODE_GRANULE_BITS];
};

/* ADDR: guest physical */
static bool fetch_code(struct fetcher *f, uint64_t addr, void *buf, unsigned size)
{
    unsigned room = sizeof f->bytes - (unsigned)(addr & (sizeof f->bytes - 1));

    if (addr - f->at >= f->have || f->have - (addr - f->at) < size) {
        if (size > room)
            return space_fetch_code(f->vcpu->mem, addr, buf, size);
        f->have = 0;
        if (!space_fetch_code(f->vcpu->mem, addr, f->bytes, room))
            return false;
        f->at = addr;
        f->have = room;
    }
    memcpy(buf, f->bytes + (addr - f->at), size);
    return true;
}

/* Within one page, the Nth of the block. */
static bool fetch_in_page(struct fetcher *f, struct block_key key, uint64_t addr, unsigned n,
                          void *buf, unsigned size)
{
    uint64_t gpa = addr;

    if (f->vcpu->mmu && n == 0)
        gpa = f->page[0] | (addr & (PAGE_SIZE_ - 1));
    else if (f->vcpu->mmu && !mmu_fetch_page(f->vcpu, key.mode, addr, &gpa))
        return false;
    f->page[n] = gpa & ~(PAGE_SIZE_ - 1);
    return fetch_code(f, gpa, buf, size);
}

static bool fetch(struct lift_request *req, uint64_t addr, void *buf, unsigned size)
{
    struct fetcher *f = req->opaque;
    uint64_t first = req->key.pc & ~(PAGE_SIZE_ - 1);
    uint64_t end = addr + size - 1 - first; /* from the block's first page */
    bool ok;

    /* A block lies on at most two pages. With an MMU the second one's mapping counts only for an
     * instruction that begins in the first, which is a block of its own. */
    if (end >= 2 * PAGE_SIZE_ ||
        (f->vcpu->mmu && f->mark && end >= PAGE_SIZE_ && f->region->ninsns))
        return false;
    if (!f->mark) {
        ok = mem_fetch(f->vcpu, addr, buf, size);
    } else if (addr - first >= PAGE_SIZE_ || end < PAGE_SIZE_) {
        ok = fetch_in_page(f, req->key, addr, addr - first >= PAGE_SIZE_, buf, size);
    } else {
        unsigned part = (unsigned)(first + PAGE_SIZE_ - addr);
        ok = fetch_in_page(f, req->key, addr, 0, buf, part) &&
             fetch_in_page(f, req->key, addr + part, 1, (uint8_t *)buf + part, size - part);
    }
    f->failed |= !ok;
    return ok;
}

static void note_compares(struct lift_request *req, uint64_t pc)
{
    struct fetcher *f = req->opaque;
    struct hook_site *site;

    if (hooks_compare_at(f->vcpu->engine, pc, &site) != NW_OK)
        f->region->oom = true;
    req->compare = (uintptr_t)site;
    if (!site)
        return;
    site->next = f->hooks;
    f->hooks = site;
}

static enum lift_hooked hooked(struct lift_request *req, uint64_t pc, uint32_t size, uint32_t id)
{
    struct fetcher *f = req->opaque;
    bool first = !f->asked++;
    struct hook_site *site;

    if (hooks_at(f->vcpu->engine, pc, size, id, first && f->entry, &site) != NW_OK)
        f->region->oom = true;
    note_compares(req, pc);
    if (!site)
        return LIFT_PLAIN;
    /* Where a run may end, blocks begin. */
    if (site->stop && !first) {
        hooks_free_sites(site);
        return LIFT_END;
    }
    site->next = f->hooks;
    f->hooks = site;
    req->site = (uintptr_t)site;
    return LIFT_CALL;
}

static bool any_hooks(const struct nw_engine *engine)
{
    return engine->hooks.total || engine->hooks.stops.n;
}

static nw_status lift(struct nw_vcpu *vcpu, struct ir_builder *builder, struct ir_region *region,
                      struct block_key key, uint32_t max_insns, struct fetcher *f)
{
    struct lift_request req = {.key = key,
                               .max_insns = max_insns,
                               .vcpu = vcpu,
                               .fetch = fetch,
                               .single = f->single,
                               .opaque = f};
    nw_status status;

    f->region = region;
    if (f->with_hooks && any_hooks(vcpu->engine)) {
        req.hooked = hooked;
        req.basic = engine_wants_basic(vcpu->engine);
    }
    status = guest_lift(builder, region, &req);
    for (struct hook_site *s = f->hooks; s; s = s->next)
        if (s->entry)
            hooks_block_size(s, region->size);
    if (status != NW_OK) {
        hooks_free_sites(f->hooks);
        f->hooks = NULL;
    }
    return status;
}

union ir_vec *exec_slots(struct exec_vcpu *x, uint32_t n)
{
    if (n > x->nslots) {
        union ir_vec *slots = realloc(x->slots, n * sizeof *slots);

        if (!slots)
            return NULL;
        x->slots = slots;
        x->nslots = n;
    }
    return x->slots;
}

/* While locks are held nobody is asked where a page is, but afterwards, and then the code is lifted
 * anew. */
static void hold_fills(struct nw_vcpu *vcpu)
{
    vcpu->fill_wanted = TLB_NONE;
    vcpu->no_fill = true;
}

/* True: what was wanted is known now. */
static bool fill_wanted(struct nw_vcpu *vcpu, uint32_t mode)
{
    uint64_t gpa;

    vcpu->no_fill = false;
    return NW_UNLIKELY(vcpu->fill_wanted != TLB_NONE) &&
           mmu_fetch(vcpu, mode, vcpu->fill_wanted, &gpa);
}

static nw_status lift_locked(struct nw_vcpu *vcpu, struct block_key key, struct fetcher *f)
{
    struct exec_vcpu *x = vcpu->exec;

    if (!f->with_hooks || !any_hooks(vcpu->engine))
        return lift(vcpu, x->builder, &x->region, key, 1, f);
    struct engine_hold hold = engine_lock(vcpu->engine);
    nw_status status = lift(vcpu, x->builder, &x->region, key, 1, f);
    engine_unlock(vcpu->engine, hold);
    return status;
}

static nw_status lift_step(struct nw_vcpu *vcpu, struct block_key key, struct fetcher *f)
{
    const struct fetcher start = *f;

    vcpu->after_fill = VCPU_LEAVE_NONE;
    for (;;) {
        hold_fills(vcpu);
        nw_status status = lift_locked(vcpu, key, f);
        if (!fill_wanted(vcpu, key.mode))
            return status;
        hooks_free_sites(f->hooks);
        *f = start;
    }
}

nw_status step_one(struct nw_vcpu *vcpu, struct block_key key, bool with_hooks, bool entry)
{
    struct exec_vcpu *x = vcpu->exec;
    struct fetcher f = {.vcpu = vcpu, .with_hooks = with_hooks, .single = true, .entry = entry};
    union ir_vec *slots;

    if (!x->builder)
        x->builder = ir_builder_new();
    if (!x->builder)
        return NW_ERR_NOMEM;
    TRY(lift_step(vcpu, key, &f));
    if (NW_UNLIKELY(vcpu->after_fill) && !f.failed) {
        hooks_free_sites(f.hooks);
        vcpu->leave = VCPU_LEAVE_UNDONE;
        return NW_OK;
    }
    if (vcpu->mem->hooked && !count_in(&x->region, COUNT_ACCESSES)) {
        hooks_free_sites(f.hooks);
        return NW_ERR_NOMEM;
    }
    slots = exec_slots(x, x->region.insns.len);
    if (slots) {
        x->stepping = true;
        ir_interp(vcpu, &x->region, slots);
        x->stepping = false;
    }
    hooks_free_sites(f.hooks);
    return slots ? NW_OK : NW_ERR_NOMEM;
}

static struct block *block_new(const struct ir_region *region, struct block_key key,
                               uint8_t variant, const struct fetcher *f)
{
    struct block *b = calloc(1, sizeof *b);

    if (!b)
        return NULL;
    b->key = key;
    b->variant = variant;
    b->size = region->size;
    b->crosses = (key.pc & (PAGE_SIZE_ - 1)) + region->size > PAGE_SIZE_;
    memcpy(b->page, f->page, sizeof b->page);
    b->ninsns = region->ninsns;
    b->falls = region->falls;
    b->hooks = f->hooks;
    b->nexits = region->exits.len;
    if (!b->nexits)
        return b;
    b->exits = calloc(b->nexits, sizeof *b->exits);
    if (!b->exits) {
        free(b);
        return NULL;
    }
    for (uint32_t i = 0; i < b->nexits; i++) {
        b->exits[i].block = b;
        b->exits[i].target =
            (struct block_key){.pc = region->exits.at[i].pc, .mode = region->exits.at[i].mode};
    }
    return b;
}

/* The interpreter's block keeps the region. */
static nw_status keep_region(struct nw_engine *engine, struct block *b)
{
    size_t size = engine->region.insns.len * sizeof engine->region.insns.at[0];
    struct ir_region *r;

    /* As in emit: a block that alone takes too much is made shorter. */
    if (size > engine->code_size / 4)
        return NW_ERR_NOMEM;
    r = malloc(sizeof *r);
    if (!r)
        return NW_ERR_NOMEM;
    *r = engine->region;
    ir_region_init(&engine->region);
    struct ir_insn *fitting = realloc(r->insns.at, size);
    if (fitting) {
        r->insns.at = fitting;
        r->insns.cap = r->insns.len;
    }
    b->region = r;
    engine->cache.region_bytes += sizeof *b + size;
    return engine->cache.region_bytes > engine->code_size ? NW_ERR_RANGE : NW_OK;
}

static void log_code(struct nw_engine *engine, const struct block *b)
{
    struct nw_log *log = engine->log;

    if (log_wants(engine, NW_LOG_OUT_ASM) && log->code)
        log->code(log->opaque, NW_LOG_OUT_ASM, engine->guest->arch,
                  (uintptr_t)engine->code.buf.rx + b->code, b->key.mode,
                  engine->code.buf.rx + b->code, b->code_size);
}

struct host_options engine_host_options(const struct nw_engine *engine)
{
    return (struct host_options){.fastmem = engine->mem.arena != NULL && !engine->mem.left,
                                 .window = engine->mem.window,
                                 .share_checks = !engine->mem.beyond,
                                 .chain = engine->chain,
                                 .paged = engine->mmu};
}

static nw_status emit(struct nw_engine *engine, struct block *b)
{
    struct code_buffer *code = &engine->code;
    struct host_code out = {.exits = b->exits};
    uint32_t at = (code->used + 31) & ~31u;
    struct host_options options = engine_host_options(engine);
    nw_status status = NW_ERR_RANGE;

    options.chain &= block_may_chain(b);
    uint32_t most = code->buf.size / 4 < BLOCK_CODE_MAX ? code->buf.size / 4 : BLOCK_CODE_MAX;

    if (at < code->buf.size) {
        uint32_t rest = code->buf.size - at, size = rest < most ? rest : most;
        struct host_buffer part = {code->buf.rw + at, code->buf.rx + at, size};

        status = host_emit(engine->emitter, engine->guest, &engine->region, &options,
                           &code->runtime, at, part, &out);
        if (status == NW_ERR_RANGE && size == most)
            status = NW_ERR_NOMEM;
    }
    VEC_FREE(&out.insn_offsets);
    b->sites = out.sites.at;
    b->nsites = out.sites.len;
    if (status != NW_OK)
        return status;
    b->code = at;
    b->code_size = out.size;
    if (b->nsites && !(b->site_hits = calloc(b->nsites, 1)))
        return NW_ERR_NOMEM;
    code->used = at + (out.size > 32 ? out.size : 32);
    engine->stats.code_bytes += out.size;
    log_code(engine, b);
    return NW_OK;
}

static void log_guest_code(struct nw_vcpu *vcpu, const struct ir_region *r)
{
    struct nw_log *log = vcpu->engine->log;
    uint8_t bytes[BLOCK_MAX_INSNS * 16];
    uint32_t size = r->size < sizeof bytes ? r->size : (uint32_t)sizeof bytes;

    if (log_wants(vcpu->engine, NW_LOG_IN_ASM) && log->code && size &&
        mem_fetch(vcpu, r->pc, bytes, size))
        log->code(log->opaque, NW_LOG_IN_ASM, vcpu->guest->arch, r->pc, r->mode, bytes, size);
}

static nw_status prepare(struct nw_engine *engine)
{
    TRY(cache_init(engine));
    if (!engine->builder && !(engine->builder = ir_builder_new()))
        return NW_ERR_NOMEM;
    if (engine->interp)
        return NW_OK;
    if (!engine->emitter && !(engine->emitter = host_emitter_new()))
        return NW_ERR_NOMEM;
    return codebuf_open(engine);
}

static bool counts(uint8_t variant)
{
    return (variant & ~BLOCK_INNER) != BLOCK_PLAIN;
}

static uint32_t most_insns(uint8_t variant)
{
    unsigned kind = variant & ~BLOCK_INNER;

    return kind == BLOCK_PLAIN || kind == BLOCK_COUNTED ? BLOCK_MAX_INSNS : 1u << (kind - 1);
}

static nw_status optimise(struct nw_engine *engine, uint8_t variant)
{
    struct ir_region *r = &engine->region;
    unsigned what = (counts(variant) ? COUNT_INSNS : 0u) |
                    ((variant & ~BLOCK_INNER) == BLOCK_COUNTED ? COUNT_CHECK : 0u) |
                    (engine->mem.hooked ? COUNT_ACCESSES : 0u) |
                    (engine->hooks.count[NW_HOOK_TRANSLATE] ? COUNT_BLOCKS : 0u);

    log_ir(engine, r, "lifted");
    if (what && !count_in(r, what))
        return NW_ERR_NOMEM;
    r->hooked = hooks_everywhere(engine);
    TRY(ir_run_passes(r));
    log_ir(engine, r, "optimised");
    return NW_OK;
}

void engine_note_float(struct nw_engine *engine)
{
    if (engine->float_used)
        return;
    engine->float_used = true;
    /* Who is in translated code may not have entered it with the guest's MXCSR. */
    cache_forget(engine, 0, UINT64_MAX);
    for (struct nw_vcpu *v = engine->vcpus; v; v = v->next)
        v->mxcsr_counts = v->mxcsr_switch = 0x3f;
}

static bool has_float(const struct ir_region *r)
{
    for (uint32_t n = 0; n < r->insns.len; n++)
        if (ir_rows[r->insns.at[n].op].effects & (IR_E_FPFLAGS | IR_E_FPENV))
            return true;
    return false;
}

/* The first code with floating point: what there was is forgotten, with its marks, so that it is
 * lifted again. */
static nw_status lift_marked(struct nw_vcpu *vcpu, struct block_key key, uint32_t max,
                             struct fetcher *f)
{
    struct nw_engine *engine = vcpu->engine;
    const struct fetcher start = *f;

    TRY(lift(vcpu, engine->builder, &engine->region, key, max, f));
    if (NW_LIKELY(engine->float_used) || !has_float(&engine->region))
        return NW_OK;
    engine_note_float(engine);
    hooks_free_sites(f->hooks);
    *f = start;
    return lift(vcpu, engine->builder, &engine->region, key, max, f);
}

/* A block of at most MAX instructions; null in *OUT: see translate. */
static nw_status build_block(struct nw_vcpu *vcpu, struct block_key key, uint8_t variant,
                             uint64_t page, uint32_t max, struct block **out)
{
    struct nw_engine *engine = vcpu->engine;
    struct fetcher f = {.vcpu = vcpu,
                        .mark = true,
                        .with_hooks = true,
                        .entry = !(variant & BLOCK_INNER),
                        .single = counts(variant),
                        .page = {page, page + PAGE_SIZE_}};
    struct block *b;
    nw_status status;

    TRY(lift_marked(vcpu, key, max, &f));
    if (f.failed && engine->region.ninsns <= 1) {
        hooks_free_sites(f.hooks);
        return NW_OK;
    }
    log_guest_code(vcpu, &engine->region);
    status = optimise(engine, variant);
    b = status == NW_OK ? block_new(&engine->region, key, variant, &f) : NULL;
    if (!b) {
        hooks_free_sites(f.hooks);
        return NW_ERR_NOMEM;
    }
    status = engine->interp ? keep_region(engine, b) : emit(engine, b);
    if (status == NW_OK)
        status = cache_add(engine, b);
    if (status != NW_OK) {
        block_free(b);
        return status;
    }
    engine->stats.blocks_translated++;
    engine->stats.insns_translated += b->ninsns;
    *out = b;
    return NW_OK;
}

/* With the lock held. */
static nw_status make_block(struct nw_vcpu *vcpu, struct block_key key, uint8_t variant,
                            uint64_t page, struct block **out)
{
    struct nw_engine *engine = vcpu->engine;
    uint32_t max = most_insns(variant);
    nw_status status;

    TRY(prepare(engine));
    *out = cache_find(vcpu, key, variant, page);
    if (*out)
        return NW_OK;
    /* Guest code can have more values live at a time than the back end has places for, or need too
     * much host code; that is said to be out of memory, and a shorter block has less of both. */
    do {
        status = build_block(vcpu, key, variant, page, max, out);
        max /= 2;
    } while (status == NW_ERR_NOMEM && max);
    return status;
}

/* The buffer is full: when nobody is in translated code any more, starts over. The block is made
 * before the others go on, so that they cannot fill the buffer first. */
static nw_status make_room(struct nw_vcpu *vcpu, struct block_key key, uint8_t variant,
                           uint64_t page, uint64_t flushes)
{
    struct nw_engine *engine = vcpu->engine;
    struct block *ignored;
    enum vcpu_place place = (enum vcpu_place)atomic_load(&vcpu->exec->place);
    nw_status status;

    sync_quiesce(engine, vcpu);
    pthread_mutex_lock(&engine->lock);
    if (atomic_load(&engine->cache.flushes) == flushes)
        cache_clear(engine);
    hold_fills(vcpu);
    status = make_block(vcpu, key, variant, page, &ignored);
    vcpu->no_fill = false;
    pthread_mutex_unlock(&engine->lock);
    sync_release(engine);
    sync_move(vcpu, place);
    return status;
}

nw_status translate(struct nw_vcpu *vcpu, struct block_key key, uint8_t variant, uint64_t page,
                    struct block **out)
{
    struct nw_engine *engine = vcpu->engine;
    bool cleared = false;

    for (;;) {
        uint64_t flushes = atomic_load(&engine->cache.flushes);
        struct engine_hold hold = engine_lock(engine);
        nw_status status;

        *out = NULL;
        hold_fills(vcpu);
        status = make_block(vcpu, key, variant, page, out);
        engine_unlock(engine, hold);
        if (fill_wanted(vcpu, key.mode))
            continue;
        if (status != NW_ERR_RANGE)
            return status;
        /* Blocks that a callback came from must stay. */
        if (vcpu->frame || vcpu->exec->outer)
            return NW_OK;
        /* RANGE in an empty buffer: this block will never fit. */
        status = make_room(vcpu, key, variant, page, flushes);
        if (status != NW_OK && (status != NW_ERR_RANGE || cleared))
            return status == NW_ERR_RANGE ? NW_ERR_NOMEM : status;
        cleared = true;
    }
}
