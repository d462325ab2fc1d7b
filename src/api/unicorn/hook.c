/* Adding and removing hooks; each type is a native hook, or is called when a run has come out. */
#include "uc.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "insn.h"

#define FAULT_TYPES UC_HOOK_MEM_INVALID

static uc_engine *engine_of(nw_vcpu *vcpu)
{
    return nw_vcpu_user(vcpu);
}

/* ---- what the core calls ---- */

static void on_code(nw_vcpu *vcpu, uint64_t pc, uint32_t size, void *user)
{
    const struct uc_hook_entry *h = user;

    ((uc_cb_hookcode_t)h->callback)(engine_of(vcpu), pc, size, h->user);
}

static void on_fetch(nw_vcpu *vcpu, uint64_t pc, uint32_t size, void *user)
{
    const struct uc_hook_entry *h = user;

    ((uc_cb_hookmem_t)h->callback)(engine_of(vcpu), UC_MEM_FETCH, pc, (int)size, 0, h->user);
}

static bool on_insn(nw_vcpu *vcpu, uint64_t pc, uint32_t size, void *user)
{
    const struct uc_hook_entry *h = user;
    uc_engine *uc = engine_of(vcpu);

    (void)pc, (void)size;
    if (uc_insn_replaces(uc->arch, h->insn)) {
        ((uc_cb_insn_syscall_t)h->callback)(uc, h->user);
        return true;
    }
    return ((uc_cb_insn_cpuid_t)h->callback)(uc, h->user) != 0;
}

/* With several vCPUs the first argument is not known before. */
static void on_access(nw_vcpu *vcpu, nw_access access, uint64_t addr, uint32_t size, uint64_t value,
                      const void *data, void *user)
{
    const struct uc_hook_entry *h = user;
    uc_mem_type type = access == NW_ACCESS_WRITE ? UC_MEM_WRITE
                       : data                    ? UC_MEM_READ_AFTER
                                                 : UC_MEM_READ;
    uint64_t part = value;

    for (uint32_t at = 0; at < size; at += 8) {
        if (data && size > 8)
            memcpy(&part, (const uint8_t *)data + at, 8);
        ((uc_cb_hookmem_t)h->callback)(engine_of(vcpu), type, addr + at, size < 8 ? (int)size : 8,
                                       (int64_t)part, h->user);
    }
}

static bool on_fault(nw_vcpu *vcpu, const nw_exit *fault, uint64_t value, void *user)
{
    static const uc_mem_type types[3][2] = {
        [NW_ACCESS_READ] = {UC_MEM_READ_UNMAPPED, UC_MEM_READ_PROT},
        [NW_ACCESS_WRITE] = {UC_MEM_WRITE_UNMAPPED, UC_MEM_WRITE_PROT},
        [NW_ACCESS_FETCH] = {UC_MEM_FETCH_UNMAPPED, UC_MEM_FETCH_PROT},
    };
    const struct uc_hook_entry *h = user;
    bool prot = fault->fault == NW_FAULT_PERM;
    bool byte = fault->access == NW_ACCESS_FETCH && engine_of(vcpu)->arch == UC_ARCH_X86;
    int size = byte ? 1 : (int)fault->size;

    return ((uc_cb_eventmem_t)h->callback)(engine_of(vcpu), types[fault->access][prot], fault->addr,
                                           size, (int64_t)value, h->user);
}

static void on_translate(nw_vcpu *vcpu, const nw_block *block, const nw_block *previous, void *user)
{
    const struct uc_hook_entry *h = user;
    uc_tb now = {block->pc, (uint16_t)block->insns, (uint16_t)block->size}, before = {0};

    if (!previous)
        return;
    before = (uc_tb){previous->pc, (uint16_t)previous->insns, (uint16_t)previous->size};
    ((uc_hook_edge_gen_t)h->callback)(engine_of(vcpu), &now, &before, h->user);
}

/* Unicorn's comparisons are what sets flags: on x86 without keeping the difference. */
static void on_compare(nw_vcpu *vcpu, uint64_t pc, uint64_t a, uint64_t b, uint32_t size,
                       unsigned what, void *user)
{
    const struct uc_hook_entry *h = user;
    uc_engine *uc = engine_of(vcpu);
    bool compares = uc->arch == UC_ARCH_X86 ? what == NW_COMPARE_FLAGS : what & NW_COMPARE_FLAGS;

    if ((h->op_flags & UC_TCG_OP_FLAG_CMP && !compares) ||
        (h->op_flags & UC_TCG_OP_FLAG_DIRECT && compares))
        return;
    ((uc_hook_tcg_op_2)h->callback)(uc, pc, a, b, size * 8, h->user);
}

/* ---- adding ---- */

/* Bits of nw_hook_spec.faults. */
static uint32_t faults_of(int type)
{
    static const struct {
        int type;
        unsigned access, fault;
    } rows[] = {
        {UC_HOOK_MEM_READ_UNMAPPED, NW_ACCESS_READ, NW_FAULT_UNMAPPED},
        {UC_HOOK_MEM_WRITE_UNMAPPED, NW_ACCESS_WRITE, NW_FAULT_UNMAPPED},
        {UC_HOOK_MEM_FETCH_UNMAPPED, NW_ACCESS_FETCH, NW_FAULT_UNMAPPED},
        {UC_HOOK_MEM_READ_PROT, NW_ACCESS_READ, NW_FAULT_PERM},
        {UC_HOOK_MEM_WRITE_PROT, NW_ACCESS_WRITE, NW_FAULT_PERM},
        {UC_HOOK_MEM_FETCH_PROT, NW_ACCESS_FETCH, NW_FAULT_PERM},
    };
    uint32_t faults = 0;

    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++)
        if (type & rows[n].type)
            faults |= 1u << (rows[n].access * 8 + rows[n].fault);
    return faults;
}

/* With one vCPU the callback, which differs in its first argument alone, is called without a
 * detour. */
static void code_spec(const struct uc_hook_entry *h, nw_hook_spec *s)
{
    if (!h->alone) {
        s->code = on_code;
        return;
    }
    s->code = (nw_code_fn)(uintptr_t)h->callback;
    s->self = h->uc;
    s->user = h->user;
}

static void access_spec(const struct uc_hook_entry *h, nw_hook_spec *s, nw_hook_kind kind,
                        uc_mem_type type)
{
    s->kind = kind;
    s->first_byte = true;
    s->pieces = h->alone;
    s->tag = type;
    if (!h->alone) {
        s->access = on_access;
        return;
    }
    s->piece = (nw_piece_fn)(uintptr_t)h->callback;
    s->self = h->uc;
    s->user = h->user;
}

static bool spec_of(const struct uc_hook_entry *h, int type, nw_hook_spec *s)
{
    switch (type) {
    case UC_HOOK_CODE: s->kind = NW_HOOK_CODE, code_spec(h, s); break;
    case UC_HOOK_BLOCK: s->kind = NW_HOOK_BLOCK, code_spec(h, s); break;
    case UC_HOOK_MEM_FETCH: s->kind = NW_HOOK_FETCH, s->code = on_fetch; break;
    case UC_HOOK_MEM_READ: access_spec(h, s, NW_HOOK_READ, UC_MEM_READ); break;
    case UC_HOOK_MEM_READ_AFTER: access_spec(h, s, NW_HOOK_READ_AFTER, UC_MEM_READ_AFTER); break;
    case UC_HOOK_MEM_WRITE: access_spec(h, s, NW_HOOK_WRITE, UC_MEM_WRITE); break;
    case UC_HOOK_EDGE_GENERATED: s->kind = NW_HOOK_TRANSLATE, s->translate = on_translate; break;
    case UC_HOOK_TCG_OPCODE: s->kind = NW_HOOK_COMPARE, s->compare = on_compare; break;
    case UC_HOOK_INSN:
        s->insn = uc_insn_native(h->uc, h->insn);
        if (!s->insn) /* the port callbacks look for it */
            return false;
        s->kind = NW_HOOK_INSN, s->insn_fn = on_insn;
        break;
    default:
        if (!(type & FAULT_TYPES))
            return false;
        s->kind = NW_HOOK_FAULT, s->fault = on_fault;
        s->faults = faults_of(h->type);
        break;
    }
    return true;
}

static uc_err connect(struct uc_hook_entry *h, unsigned bit, int type)
{
    nw_hook_spec spec = {.begin = h->begin, .end = h->end, .user = h};

    if (!spec_of(h, type, &spec))
        return UC_ERR_OK;
    return uc_from_status(nw_hook_add(h->uc->core->engine, &spec, &h->native[bit]));
}

static void disconnect(struct uc_hook_entry *h)
{
    for (unsigned bit = 0; bit < sizeof h->native / sizeof h->native[0]; bit++) {
        if (h->native[bit])
            nw_hook_remove(h->uc->core->engine, h->native[bit]);
        h->native[bit] = NULL;
    }
}

static uc_err connect_all(struct uc_hook_entry *h)
{
    bool faults = false;
    uc_err error = UC_ERR_OK;

    for (unsigned bit = 0; bit < 18 && error == UC_ERR_OK; bit++) {
        int type = h->type & 1 << bit;

        if (!type || (type & FAULT_TYPES && faults))
            continue;
        faults |= type & FAULT_TYPES;
        error = connect(h, bit, type);
    }
    return error;
}

uc_err uc_hooks_share(struct uc_core *c)
{
    uc_err error = UC_ERR_OK;

    for (struct uc_hook_entry *h = c->first; h && error == UC_ERR_OK; h = h->next) {
        if (!h->alone)
            continue;
        disconnect(h);
        h->alone = false;
        error = connect_all(h);
    }
    return error;
}

void uc_hooks_inherit(struct uc_core *c, const uc_engine *gone, uc_engine *heir)
{
    for (struct uc_hook_entry *h = c->first; h; h = h->next)
        if (h->uc == gone)
            h->uc = heir;
}

/* ---- numbers ---- */

static struct uc_hook_entry *new_entry(struct uc_core *c, bool busy)
{
    struct uc_hook_entry *h;

    if (c->free && !busy) {
        h = c->free;
        c->free = h->free;
        return h;
    }
    if (c->nhooks == c->hooks_cap) {
        uint32_t cap = c->hooks_cap ? 2 * c->hooks_cap : 16;
        struct uc_hook_entry **grown = realloc(c->hooks, cap * sizeof *grown);

        if (!grown)
            return NULL;
        c->hooks = grown;
        c->hooks_cap = cap;
    }
    h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->number = c->nhooks;
    c->hooks[c->nhooks++] = h;
    return h;
}

/* Handles are never 0, and those of removed hooks are not used again soon. */
static uc_hook handle_of(const struct uc_hook_entry *h)
{
    return (uc_hook)h->generation << 32 | (h->number + 1u);
}

static struct uc_hook_entry *entry_of(const struct uc_core *c, uc_hook handle)
{
    uint32_t number = (uint32_t)handle - 1u;

    if (number >= c->nhooks || !c->hooks[number]->used || handle_of(c->hooks[number]) != handle)
        return NULL;
    return c->hooks[number];
}

static void enlist(struct uc_core *c, struct uc_hook_entry *h)
{
    h->next = NULL;
    h->prev = c->last;
    *(c->last ? &c->last->next : &c->first) = h;
    c->last = h;
}

static void delist(struct uc_core *c, struct uc_hook_entry *h)
{
    *(h->prev ? &h->prev->next : &c->first) = h->next;
    *(h->next ? &h->next->prev : &c->last) = h->prev;
}

/* What is like WHAT, in the list, to be connected; null: there is no memory. */
static struct uc_hook_entry *add_entry(uc_engine *uc, const struct uc_hook_entry *what)
{
    struct uc_hook_entry *h = new_entry(uc->core, uc->depth != 0);
    uint32_t number, generation;

    if (!h)
        return NULL;
    number = h->number;
    generation = h->generation;
    *h = *what;
    h->uc = uc;
    h->used = true;
    h->number = number;
    h->generation = generation;
    enlist(uc->core, h);
    return h;
}

static void remove_entry(struct uc_core *c, struct uc_hook_entry *h)
{
    disconnect(h);
    delist(c, h);
    h->used = false;
    h->generation++;
    h->free = c->free;
    c->free = h;
}

/* Gives out the handle, unless connecting H has ended with an error. */
static uc_err settle(struct uc_hook_entry *h, uc_err error, uc_hook *out)
{
    if (error == UC_ERR_OK)
        *out = handle_of(h);
    else
        remove_entry(h->uc->core, h);
    return error;
}

/* ---- the calls ---- */

static uc_err check(uc_engine *uc, int type, int insn, int flags)
{
    if (type & UC_HOOK_INSN && !uc_insn_known(uc, insn))
        return UC_ERR_HOOK;
    if (type & UC_HOOK_TCG_OPCODE &&
        (insn != UC_TCG_OP_SUB || flags == (UC_TCG_OP_FLAG_CMP | UC_TCG_OP_FLAG_DIRECT)))
        return UC_ERR_HOOK;
    return UC_ERR_OK;
}

uc_err uc_hook_add(uc_engine *uc, uc_hook *hh, int type, void *callback, void *user_data,
                   uint64_t begin, uint64_t end, ...)
{
    struct uc_hook_entry *h;
    va_list args;
    uc_err error;
    int first = 0, second = 0;

    if (!uc)
        return UC_ERR_HANDLE;
    if (!hh || !callback)
        return UC_ERR_ARG;
    va_start(args, end);
    if (type & (UC_HOOK_INSN | UC_HOOK_TCG_OPCODE))
        first = va_arg(args, int);
    if (type & UC_HOOK_TCG_OPCODE)
        second = va_arg(args, int);
    va_end(args);
    error = uc_need(uc);
    if (error == UC_ERR_OK)
        error = check(uc, type, first, second);
    if (error != UC_ERR_OK)
        return error;
    if (type & UC_HOOK_INSN)
        error = uc_insn_prepare(uc, first);
    if (error != UC_ERR_OK)
        return error;
    h = add_entry(uc, &(struct uc_hook_entry){.alone = uc->core->handles == 1,
                                              .type = type,
                                              .callback = callback,
                                              .user = user_data,
                                              .begin = begin,
                                              .end = end,
                                              .insn = first,
                                              .op_flags = second});
    return h ? settle(h, connect_all(h), hh) : UC_ERR_NOMEM;
}

uc_err uc_hook_add_native(uc_engine *uc, const nw_hook_spec *spec, uc_hook *out)
{
    struct uc_hook_entry *h;
    uc_err error = uc_need(uc);

    if (error != UC_ERR_OK)
        return error;
    h = add_entry(uc, &(struct uc_hook_entry){0});
    if (!h)
        return UC_ERR_NOMEM;
    error = uc_from_status(nw_hook_add(uc->core->engine, spec, &h->native[0]));
    return settle(h, error, out);
}

uc_err uc_hook_del(uc_engine *uc, uc_hook hh)
{
    struct uc_hook_entry *h;

    if (!uc)
        return UC_ERR_HANDLE;
    h = entry_of(uc->core, hh);
    if (h)
        remove_entry(uc->core, h);
    return UC_ERR_OK;
}

void uc_hooks_free(struct uc_core *c)
{
    for (uint32_t n = 0; n < c->nhooks; n++)
        free(c->hooks[n]);
    free(c->hooks);
}
