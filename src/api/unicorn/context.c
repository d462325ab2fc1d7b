/* Contexts: a header and the native state, flat, so that clients may copy the bytes. */
#include <stdlib.h>
#include <string.h>
#include "uc.h"

#define MAGIC 0x54435755u /* "UWCT" */

struct uc_context {
    uint32_t magic;
    uint32_t arch, mode;
    int32_t cpu_model;
    uint64_t size;     /* of all of it */
    uint64_t snapshot; /* level of memory, or 0 */
    uint64_t state[];
};

size_t uc_context_size(uc_engine *uc)
{
    if (!uc || uc_need(uc) != UC_ERR_OK)
        return 0;
    return sizeof(struct uc_context) + nw_state_size(uc->vcpu);
}

uc_err uc_context_alloc(uc_engine *uc, uc_context **context)
{
    size_t size;

    if (!uc)
        return UC_ERR_HANDLE;
    if (!context)
        return UC_ERR_ARG;
    size = uc_context_size(uc);
    *context = size ? calloc(1, size) : NULL;
    if (!*context)
        return UC_ERR_NOMEM;
    **context = (struct uc_context){.arch = uc->arch, .mode = uc->mode, .size = size};
    return UC_ERR_OK;
}

uc_err uc_context_free(uc_context *context)
{
    free(context);
    return UC_ERR_OK;
}

uc_err uc_context_save(uc_engine *uc, uc_context *context)
{
    if (!uc || !context)
        return UC_ERR_HANDLE;
    uc_err error = uc_need(uc);
    if (error != UC_ERR_OK)
        return error;
    context->magic = MAGIC;
    context->arch = uc->arch;
    context->mode = uc->mode;
    context->cpu_model = uc->cpu_model;
    context->size = uc_context_size(uc);
    context->snapshot = 0;
    if (uc->context_mode & UC_CTL_CONTEXT_MEMORY)
        error = uc_snapshot_save(uc, 0, &context->snapshot);
    if (error == UC_ERR_OK && uc->context_mode & UC_CTL_CONTEXT_CPU)
        error = uc_from_status(nw_state_save(uc->vcpu, context->state));
    return error;
}

/* The bytes may be anybody's. */
static bool fits(uc_engine *uc, const uc_context *c)
{
    return c->magic == MAGIC && c->arch == (uint32_t)uc->arch && c->mode == (uint32_t)uc->mode &&
           c->size == uc_context_size(uc);
}

uc_err uc_context_restore(uc_engine *uc, uc_context *context)
{
    if (!uc || !context)
        return UC_ERR_HANDLE;
    uc_err error = uc_need(uc);
    if (error != UC_ERR_OK)
        return error;
    if (!fits(uc, context))
        return UC_ERR_ARG;
    if (uc->context_mode & UC_CTL_CONTEXT_MEMORY && context->snapshot)
        error = uc_snapshot_restore(uc, context->snapshot);
    if (error == UC_ERR_OK && uc->context_mode & UC_CTL_CONTEXT_CPU)
        error = uc_from_status(nw_state_load(uc->vcpu, context->state));
    return error;
}

/* ---- registers of a context: on a vCPU that is made for it ---- */

struct borrowed {
    nw_engine *engine;
    nw_vcpu *vcpu;
    const struct uc_guest *guest;
};

static void give_back(struct borrowed *b)
{
    nw_engine_close(b->engine);
}

static uc_err borrow(const uc_context *c, struct borrowed *b)
{
    nw_config config = {.exceptions = NW_EXC_BARE};
    uc_err error;

    *b = (struct borrowed){0};
    b->guest = uc_guest_of((uc_arch)c->arch);
    if (c->magic != MAGIC || !b->guest)
        return UC_ERR_ARG;
    config.arch = b->guest->native((uc_mode)c->mode);
    config.cpu = b->guest->cpu_name(c->cpu_model);
    error = uc_from_status(nw_engine_open(&config, &b->engine));
    if (error == UC_ERR_OK)
        error = uc_from_status(nw_vcpu_create(b->engine, &b->vcpu));
    if (error == UC_ERR_OK)
        error = uc_from_status(nw_state_load(b->vcpu, c->state));
    if (error != UC_ERR_OK)
        give_back(b);
    return error;
}

/* What is read INTO memory or written FROM it, not both; the sizes are asked for where SIZED. */
struct batch {
    int const *regs;
    void *const *into;
    const void *const *from;
    bool sized;
    size_t *sizes;
    int count;
};

static uc_err one(const struct borrowed *b, uc_mode mode, const struct batch *x, int n)
{
    size_t whole = SIZE_MAX, *size = x->sized ? &x->sizes[n] : &whole;

    if (x->into)
        return x->into[n] ? b->guest->reg_read(b->vcpu, mode, x->regs[n], x->into[n], size)
                          : UC_ERR_ARG;
    return x->from[n] ? b->guest->reg_write(b->vcpu, mode, x->regs[n], x->from[n], size)
                      : UC_ERR_ARG;
}

static uc_err transfer(uc_context *c, const struct batch *x)
{
    struct borrowed b;
    uc_err error;

    if (!c)
        return UC_ERR_HANDLE;
    if (x->count > 0 && (!x->regs || (!x->into && !x->from) || (x->sized && !x->sizes)))
        return UC_ERR_ARG;
    error = borrow(c, &b);
    if (error != UC_ERR_OK)
        return error;
    for (int n = 0; n < x->count && error == UC_ERR_OK; n++)
        error = one(&b, (uc_mode)c->mode, x, n);
    if (error == UC_ERR_OK && x->from)
        error = uc_from_status(nw_state_save(b.vcpu, c->state));
    give_back(&b);
    return error;
}

uc_err uc_context_reg_read(uc_context *ctx, int regid, void *value)
{
    return transfer(ctx, &(struct batch){.regs = &regid, .into = &value, .count = 1});
}

uc_err uc_context_reg_write(uc_context *ctx, int regid, const void *value)
{
    return transfer(ctx, &(struct batch){.regs = &regid, .from = &value, .count = 1});
}

uc_err uc_context_reg_read2(uc_context *ctx, int regid, void *value, size_t *size)
{
    return transfer(ctx, &(struct batch){&regid, &value, NULL, true, size, 1});
}

uc_err uc_context_reg_write2(uc_context *ctx, int regid, const void *value, size_t *size)
{
    return transfer(ctx, &(struct batch){&regid, NULL, &value, true, size, 1});
}

uc_err uc_context_reg_read_batch(uc_context *ctx, int const *regs, void **vals, int count)
{
    return transfer(ctx, &(struct batch){.regs = regs, .into = vals, .count = count});
}

uc_err uc_context_reg_write_batch(uc_context *ctx, int const *regs, void *const *vals, int count)
{
    return transfer(
        ctx, &(struct batch){.regs = regs, .from = (const void *const *)vals, .count = count});
}

uc_err uc_context_reg_read_batch2(uc_context *ctx, int const *regs, void *const *vals,
                                  size_t *sizes, int count)
{
    return transfer(ctx, &(struct batch){regs, vals, NULL, true, sizes, count});
}

uc_err uc_context_reg_write_batch2(uc_context *ctx, int const *regs, const void *const *vals,
                                   size_t *sizes, int count)
{
    return transfer(ctx, &(struct batch){regs, NULL, vals, true, sizes, count});
}
