#include "hook_log.h"

#include <stdio.h>
#include <string.h>

static void nothing(nw_vcpu *vcpu, uint64_t pc, uint32_t size, void *user)
{
    (void)vcpu, (void)pc, (void)size, (void)user;
}

/* A hook of code that there is not. */
static void change_hooks(struct hook_log *l)
{
    nw_hook_spec spec = {.kind = NW_HOOK_CODE, .begin = 1, .end = 1, .code = nothing};
    nw_hook *hook;

    l->failed |= nw_hook_add(l->engine, &spec, &hook) || nw_hook_remove(l->engine, hook);
}

static void act(struct hook_log *l, nw_vcpu *vcpu)
{
    uint64_t value;

    switch (l->plan.act) {
    case HOOK_WRITE_REG:
        l->failed |=
            nw_reg_read(vcpu, l->plan.reg, &value) || nw_reg_write(vcpu, l->plan.reg, value);
        break;
    case HOOK_CHANGE_HOOKS: change_hooks(l); break;
    case HOOK_STOP: nw_vcpu_stop(vcpu); break;
    case HOOK_MOVE: l->failed |= nw_reg_write(vcpu, l->plan.pc_reg, l->plan.pc) != NW_OK; break;
    default: break;
    }
}

static struct hook_event *next_event(struct hook_log *l)
{
    static struct hook_event rest;
    unsigned n = l->n++;

    return n < HOOK_LOG_MAX ? &l->event[n] : &rest;
}

static void note(nw_vcpu *vcpu, nw_hook_kind kind, uint64_t addr, uint32_t size, uint64_t value,
                 const void *data, struct hook_log *l)
{
    struct hook_event *e = next_event(l);

    *e = (struct hook_event){kind, addr, value, size, {0}};
    if (data) {
        memcpy(e->data, data, size);
        l->differs |= memcmp(&value, data, size < 8 ? size : 8) != 0;
    }
    if (l->n - 1 == l->plan.at)
        act(l, vcpu);
}

static void on_read(nw_vcpu *vcpu, nw_access access, uint64_t addr, uint32_t size, uint64_t value,
                    const void *data, void *user)
{
    struct hook_log *l = user;

    l->differs |= access != NW_ACCESS_READ || data || value;
    note(vcpu, NW_HOOK_READ, addr, size, value, NULL, l);
}

static void on_after(nw_vcpu *vcpu, nw_access access, uint64_t addr, uint32_t size, uint64_t value,
                     const void *data, void *user)
{
    struct hook_log *l = user;

    l->differs |= access != NW_ACCESS_READ;
    note(vcpu, NW_HOOK_READ_AFTER, addr, size, value, data, l);
}

static void on_write(nw_vcpu *vcpu, nw_access access, uint64_t addr, uint32_t size, uint64_t value,
                     const void *data, void *user)
{
    struct hook_log *l = user;

    l->differs |= access != NW_ACCESS_WRITE;
    note(vcpu, NW_HOOK_WRITE, addr, size, value, data, l);
}

/* TAG is the kind, SELF the log. */
static void on_piece(void *self, int tag, uint64_t addr, int size, int64_t value, void *user)
{
    struct hook_event *e = next_event(self);

    (void)user;
    *e = (struct hook_event){(nw_hook_kind)tag, addr, (uint64_t)value, (uint32_t)size, {0}};
    memcpy(e->data, &value, sizeof value);
}

static bool on_fault(nw_vcpu *vcpu, const nw_exit *fault, uint64_t value, void *user)
{
    struct hook_log *l = user;

    (void)vcpu, (void)value;
    return l->plan.act == HOOK_MEND && l->mend(l, fault);
}

static void nothing_compared(nw_vcpu *vcpu, uint64_t pc, uint64_t a, uint64_t b, uint32_t size,
                             unsigned what, void *user)
{
    (void)vcpu, (void)pc, (void)a, (void)b, (void)size, (void)what, (void)user;
}

static bool add_code(struct hook_log *l)
{
    nw_hook_spec code = {.kind = NW_HOOK_CODE, .begin = 1, .code = nothing};
    nw_hook_spec compare = {.kind = NW_HOOK_COMPARE, .begin = 1, .compare = nothing_compared};

    return nw_hook_add(l->engine, &code, &l->hook[l->nhooks++]) == NW_OK &&
           nw_hook_add(l->engine, &compare, &l->hook[l->nhooks++]) == NW_OK;
}

static bool add_fault(struct hook_log *l)
{
    nw_hook_spec spec = {.kind = NW_HOOK_FAULT, .begin = 1, .fault = on_fault, .user = l};

    return nw_hook_add(l->engine, &spec, &l->hook[l->nhooks++]) == NW_OK;
}

static bool add(struct hook_log *l, const struct hook_set *set, nw_hook_kind kind, nw_access_fn fn)
{
    nw_hook_spec spec = {
        .kind = kind, .begin = set->begin, .end = set->end, .access = fn, .user = l};

    if (set->pieces) {
        spec.pieces = true;
        spec.piece = on_piece;
        spec.self = l;
        spec.tag = (int)kind;
    }
    return nw_hook_add(l->engine, &spec, &l->hook[l->nhooks++]) == NW_OK;
}

bool hook_log_set(struct hook_log *l, const struct hook_set *set)
{
    bool ok = true;

    while (l->nhooks)
        ok &= nw_hook_remove(l->engine, l->hook[--l->nhooks]) == NW_OK;
    if (set->read)
        ok &= add(l, set, NW_HOOK_READ, on_read);
    if (set->after)
        ok &= add(l, set, NW_HOOK_READ_AFTER, on_after);
    if (set->write)
        ok &= add(l, set, NW_HOOK_WRITE, on_write);
    if (set->code)
        ok &= add_code(l);
    return add_fault(l) && ok;
}

void hook_log_begin(struct hook_log *l, const struct hook_plan *plan)
{
    l->plan = *plan;
    l->n = 0;
}

int hook_log_compare(const struct hook_log *a, const struct hook_log *b)
{
    unsigned n = a->n < b->n ? a->n : b->n;

    for (unsigned i = 0; i < n && i < HOOK_LOG_MAX; i++) {
        const struct hook_event *x = &a->event[i], *y = &b->event[i];

        if (x->kind != y->kind || x->addr != y->addr || x->size != y->size ||
            x->value != y->value || memcmp(x->data, y->data, sizeof x->data) != 0)
            return (int)i;
    }
    return a->n == b->n ? -1 : (int)n;
}

void hook_log_print(const struct hook_log *l)
{
    static const char *const names[] = {
        [NW_HOOK_READ] = "read", [NW_HOOK_READ_AFTER] = "after", [NW_HOOK_WRITE] = "write"};

    for (unsigned n = 0; n < l->n && n < 40; n++) {
        const struct hook_event *e = &l->event[n];

        printf("    %2u %-5s %#llx %2u %#llx\n", n, names[e->kind], (unsigned long long)e->addr,
               e->size, (unsigned long long)e->value);
    }
}
