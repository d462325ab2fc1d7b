/* uc_ctl: the control word says what, which way, and how many arguments there are. */
#include <stdlib.h>
#include <string.h>
#include "ctl.h"

static uc_err give_int(struct uc_request *r, int value)
{
    int *out = va_arg(r->args, int *);

    if (!out)
        return UC_ERR_ARG;
    *out = value;
    return UC_ERR_OK;
}

static uc_err give_u32(struct uc_request *r, uint32_t value)
{
    uint32_t *out = va_arg(r->args, uint32_t *);

    if (!out)
        return UC_ERR_ARG;
    *out = value;
    return UC_ERR_OK;
}

static uc_err get_mode(struct uc_request *r)
{
    return give_int(r, r->uc->mode);
}

static uc_err page_size(struct uc_request *r)
{
    uc_engine *uc = r->uc;

    if (r->direction == UC_CTL_IO_READ)
        return give_u32(r, uc->page_size);
    uint32_t size = va_arg(r->args, uint32_t);
    /* Only ARM's can be chosen, and before anything is done. */
    if (uc->vcpu || uc->arch != UC_ARCH_ARM || (size && size < UC_PAGE_SIZE_MIN) ||
        size & (size - 1))
        return UC_ERR_ARG;
    uc->page_size = size ? size : uc_guest_arm.page_size;
    return UC_ERR_OK;
}

static uc_err get_arch(struct uc_request *r)
{
    return give_int(r, r->uc->arch);
}

static uc_err get_timeout(struct uc_request *r)
{
    uint64_t *out = va_arg(r->args, uint64_t *);

    if (!out)
        return UC_ERR_ARG;
    *out = r->uc->timeout * 1000; /* in nanoseconds, as Unicorn has it */
    return UC_ERR_OK;
}

/* ---- exits ---- */

static uc_err use_exits(struct uc_request *r)
{
    r->uc->use_exits = va_arg(r->args, int) != 0;
    if (!r->uc->use_exits)
        r->uc->nexits = 0;
    return UC_ERR_OK;
}

static uc_err count_exits(struct uc_request *r)
{
    size_t *out = va_arg(r->args, size_t *);

    if (!out || !r->uc->use_exits)
        return UC_ERR_ARG;
    *out = r->uc->nexits;
    return UC_ERR_OK;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* Ascending, each once. */
static size_t in_order(uint64_t *exits, size_t n)
{
    size_t kept = 0;

    if (n)
        qsort(exits, n, sizeof *exits, compare);
    for (size_t i = 0; i < n; i++)
        if (!kept || exits[kept - 1] != exits[i])
            exits[kept++] = exits[i];
    return kept;
}

static uc_err set_exits(uc_engine *uc, const uint64_t *from, size_t n)
{
    uint64_t *copy = NULL;

    if (n && (!from || n > SIZE_MAX / sizeof *copy || !(copy = malloc(n * sizeof *copy))))
        return from ? UC_ERR_NOMEM : UC_ERR_ARG;
    for (size_t i = 0; i < n; i++)
        copy[i] = uc_guest_of(uc->arch)->until(from[i]);
    n = in_order(copy, n);
    free(uc->exits);
    uc->exits = copy;
    uc->nexits = n;
    /* Those of a run that is under way. */
    uc->stops_until = false;
    if (uc->depth)
        return uc_from_status(nw_vcpu_set_stops(uc->vcpu, copy, n));
    return UC_ERR_OK;
}

static uc_err exits(struct uc_request *r)
{
    uc_engine *uc = r->uc;
    uint64_t *buffer = va_arg(r->args, uint64_t *);
    size_t n = va_arg(r->args, size_t);

    if (!uc->use_exits)
        return UC_ERR_ARG;
    if (r->direction == UC_CTL_IO_WRITE)
        return set_exits(uc, buffer, n);
    if (!buffer || n < uc->nexits)
        return UC_ERR_ARG;
    if (uc->nexits)
        memcpy(buffer, uc->exits, uc->nexits * sizeof *buffer);
    return UC_ERR_OK;
}

/* ---- the CPU ---- */

static uc_err cpu_model(struct uc_request *r)
{
    uc_engine *uc = r->uc;
    const struct uc_guest *guest = uc_guest_of(uc->arch);

    if (r->direction == UC_CTL_IO_READ)
        return give_int(r, uc->cpu_model);
    int model = va_arg(r->args, int);
    if (uc->core->engine || model < 0 || model >= guest->models || !guest->cpu_name(model))
        return UC_ERR_ARG;
    model = guest->model(uc->mode, model);
    if (model < 0)
        return UC_ERR_ARG;
    uc->cpu_model = model;
    return UC_ERR_OK;
}

/* ---- translated code ---- */

static uc_err request_block(struct uc_request *r)
{
    uint64_t address = va_arg(r->args, uint64_t);
    uc_tb *out = va_arg(r->args, uc_tb *);
    uc_err error = uc_need(r->uc);
    nw_block block = {0};

    if (error != UC_ERR_OK)
        return error;
    error = uc_from_status(
        nw_vcpu_translate_block(r->uc->vcpu, uc_guest_of(r->uc->arch)->address(address), &block));
    if (error == UC_ERR_EXCEPTION)
        return UC_ERR_FETCH_UNMAPPED;
    if (error == UC_ERR_OK && out)
        *out = (uc_tb){block.pc, (uint16_t)block.insns, (uint16_t)block.size};
    return error;
}

static uc_err remove_blocks(struct uc_request *r)
{
    uint64_t begin = va_arg(r->args, uint64_t), end = va_arg(r->args, uint64_t);

    if (end <= begin)
        return UC_ERR_ARG;
    if (r->uc->core->engine)
        nw_engine_forget_code(r->uc->core->engine, begin, end - begin);
    return UC_ERR_OK;
}

static uc_err flush_blocks(struct uc_request *r)
{
    if (r->uc->core->engine)
        nw_engine_forget_code(r->uc->core->engine, 0, UINT64_MAX);
    return UC_ERR_OK;
}

static uc_err flush_tlb(struct uc_request *r)
{
    if (r->uc->vcpu)
        nw_vcpu_flush_tlb(r->uc->vcpu);
    return flush_blocks(r);
}

static uc_err buffer_size(struct uc_request *r)
{
    uc_engine *uc = r->uc;

    if (r->direction == UC_CTL_IO_READ)
        return give_u32(r, uc->buffer_size ? uc->buffer_size : UC_BUFFER_DEFAULT);
    uint32_t size = va_arg(r->args, uint32_t);
    if (size < UC_BUFFER_MIN)
        size = UC_BUFFER_MIN;
    uc->buffer_size = size > UC_BUFFER_MAX ? UC_BUFFER_MAX : size;
    return UC_ERR_OK;
}

static uc_err tlb_type(struct uc_request *r)
{
    int type = va_arg(r->args, int);

    if (type != UC_TLB_CPU && type != UC_TLB_VIRTUAL)
        return UC_ERR_ARG;
    return uc_tlb_set(r->uc, (uc_tlb_type)type);
}

static uc_err context_mode(struct uc_request *r)
{
    int mode = va_arg(r->args, int);

    if (mode & ~(UC_CTL_CONTEXT_CPU | UC_CTL_CONTEXT_MEMORY))
        return UC_ERR_ARG;
    r->uc->context_mode = mode;
    return UC_ERR_OK;
}

static const struct uc_control controls[] = {
#define R  CONTROL_R
#define W  CONTROL_W
#define RW CONTROL_RW
    [UC_CTL_UC_MODE] = {get_mode, R, 1},
    [UC_CTL_UC_PAGE_SIZE] = {page_size, R | W, 1},
    [UC_CTL_UC_ARCH] = {get_arch, R, 1},
    [UC_CTL_UC_TIMEOUT] = {get_timeout, R, 1},
    [UC_CTL_UC_USE_EXITS] = {use_exits, W, 1},
    [UC_CTL_UC_EXITS_CNT] = {count_exits, R, 1},
    [UC_CTL_UC_EXITS] = {exits, R | W, 2},
    [UC_CTL_CPU_MODEL] = {cpu_model, R | W, 1},
    [UC_CTL_TB_REQUEST_CACHE] = {request_block, RW, 2},
    [UC_CTL_TB_REMOVE_CACHE] = {remove_blocks, W, 2},
    [UC_CTL_TB_FLUSH] = {flush_blocks, W, 0},
    [UC_CTL_TLB_FLUSH] = {flush_tlb, W, 0},
    [UC_CTL_TLB_TYPE] = {tlb_type, W, 1},
    [UC_CTL_TCG_BUFFER_SIZE] = {buffer_size, R | W, 1},
    [UC_CTL_CONTEXT_MODE] = {context_mode, W, 1},
#undef R
#undef W
#undef RW
};

uc_err uc_ctl(uc_engine *uc, uc_control_type control, ...)
{
    uint32_t word = (uint32_t)control, type = word & 0xffff;
    struct uc_request r = {.uc = uc, .direction = word >> 30};
    const struct uc_control *c;
    uc_err error;

    if (!uc)
        return UC_ERR_HANDLE;
    c = type < sizeof controls / sizeof controls[0] ? &controls[type] : uc_control_nw(type);
    if (!c || !(c->directions >> r.direction & 1) || (word >> 26 & 15) != c->args)
        return UC_ERR_ARG;
    va_start(r.args, control);
    error = c->serve(&r);
    va_end(r.args);
    return error;
}
