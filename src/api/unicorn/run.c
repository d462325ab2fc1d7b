/* Running: from uc_emu_start to the native exits and what becomes of them. */
#include "timer.h"
#include "uc.h"

/* ---- exits ---- */

static uc_err fault_error(const nw_exit *x)
{
    static const uc_err errors[3][3] = {
        [NW_ACCESS_READ] = {UC_ERR_READ_UNMAPPED, UC_ERR_READ_PROT, UC_ERR_READ_UNALIGNED},
        [NW_ACCESS_WRITE] = {UC_ERR_WRITE_UNMAPPED, UC_ERR_WRITE_PROT, UC_ERR_WRITE_UNALIGNED},
        [NW_ACCESS_FETCH] = {UC_ERR_FETCH_UNMAPPED, UC_ERR_FETCH_PROT, UC_ERR_FETCH_UNALIGNED},
    };

    /* A hook has said that it had mended it. */
    if (x->code)
        return UC_ERR_MAP;
    switch (x->fault) {
    case NW_FAULT_PERM: return errors[x->access][1];
    case NW_FAULT_ALIGN: return errors[x->access][2];
    case NW_FAULT_TRANSLATE: return UC_ERR_EXCEPTION;
    default: return errors[x->access][0];
    }
}

/* True: the run goes on. */
static bool serve(uc_engine *uc, const nw_exit *x)
{
    switch (x->reason) {
    case NW_EXIT_STOP:
    case NW_EXIT_LIMIT:
    case NW_EXIT_STOP_POINT: return false;
    case NW_EXIT_FAULT:
        if (x->fault == NW_FAULT_ALIGN && x->access != NW_ACCESS_FETCH)
            return uc_guest_of(uc->arch)->serve(uc, x);
        uc->error = fault_error(x);
        return false;
    case NW_EXIT_ERROR: uc->error = uc_from_status(x->status); return false;
    default: return uc_guest_of(uc->arch)->serve(uc, x);
    }
}

static inline void run(uc_engine *uc, size_t count)
{
    uint64_t left = count;
    nw_exit x;
    bool same;

    do {
        nw_status status = nw_vcpu_run(uc->vcpu, left, &x);
        if (status != NW_OK) {
            uc->error = uc_from_status(status);
            return;
        }
        /* What a hook has served counts, even if it does not get on. */
        same = x.left == left;
        left = x.left - (same && left);
    } while (serve(uc, &x) && uc->error == UC_ERR_OK && !atomic_load(&uc->stop) &&
             (!count || left));
}

static NW_RARE uc_err tell_stops(uc_engine *uc)
{
    nw_status status;

    uc->stops_until = false;
    if (uc->use_exits)
        return uc_from_status(nw_vcpu_set_stops(uc->vcpu, uc->exits, uc->nexits));
    status = nw_vcpu_set_stops(uc->vcpu, &uc->until, 1);
    uc->stops_until = status == NW_OK;
    uc->stop_at = uc->until;
    return uc_from_status(status);
}

/* Runs most often end where the last one did. */
static inline uc_err set_stops(uc_engine *uc)
{
    bool known = uc->stops_until && uc->stop_at == uc->until && !uc->use_exits;

    return NW_LIKELY(known) ? UC_ERR_OK : tell_stops(uc);
}

static NW_RARE void run_timed(uc_engine *uc, uint64_t timeout, size_t count)
{
    struct timer timer;

    if (timer_start(&timer, uc, timeout)) {
        run(uc, count);
        timer_stop(&timer);
    } else {
        uc->error = UC_ERR_RESOURCE;
    }
}

static inline uc_err start(uc_engine *uc, uint64_t timeout, size_t count)
{
    uc_err error = set_stops(uc);

    if (error != UC_ERR_OK)
        return error;
    if (NW_UNLIKELY(timeout))
        run_timed(uc, timeout, count);
    else
        run(uc, count);
    return uc->error;
}

/* Only this thread writes it. */
static unsigned depth_of(const uc_engine *uc)
{
    return atomic_load_explicit(&uc->depth, memory_order_relaxed);
}

/* A stop of another thread's that sees the depth comes after what was before this. */
static void set_depth(uc_engine *uc, unsigned depth)
{
    atomic_store_explicit(&uc->depth, depth, memory_order_release);
}

static void forget_stop(uc_engine *uc)
{
    atomic_store_explicit(&uc->stop, false, memory_order_relaxed);
}

static inline uc_err run_at(uc_engine *uc, unsigned depth, uint64_t begin, uint64_t until,
                            uint64_t timeout, size_t count)
{
    const struct uc_guest *guest = uc_guest_of(uc->arch);
    uc_err error;

    uc->error = UC_ERR_OK;
    uc->timed_out = false;
    forget_stop(uc);
    set_depth(uc, depth + 1);
    uc->timeout = timeout;
    uc->until = guest->until(until);
    guest->set_pc(uc, begin);
    error = start(uc, timeout, count);
    set_depth(uc, depth);
    return error;
}

/* In a callback of another run, whose own are not changed by this one. */
static NW_RARE uc_err run_inner(uc_engine *uc, uint64_t begin, uint64_t end, uint64_t limit,
                                size_t count)
{
    uint64_t until = uc->until, timeout = uc->timeout, pc = uc_guest_of(uc->arch)->pc(uc);
    uc_err outer_error = uc->error, error;
    unsigned depth = depth_of(uc);

    if (depth >= UC_DEPTH_MAX)
        return UC_ERR_RESOURCE;
    error = run_at(uc, depth, begin, end, limit, count);
    uc->until = until;
    uc->timeout = timeout;
    uc->error = outer_error;
    uc_guest_of(uc->arch)->set_pc(uc, pc);
    set_stops(uc);
    forget_stop(uc);
    return error;
}

uc_err uc_emu_start(uc_engine *uc, uint64_t begin, uint64_t until, uint64_t timeout, size_t count)
{
    uc_err error;

    if (!uc)
        return UC_ERR_HANDLE;
    if (NW_UNLIKELY(depth_of(uc)))
        return run_inner(uc, begin, until, timeout, count);
    error = uc_need(uc);
    if (error != UC_ERR_OK)
        return error;
    nw_vcpu_cancel_stop(uc->vcpu); /* one that came too late for the last run */
    return run_at(uc, 0, begin, until, timeout, count);
}

uc_err uc_emu_stop(uc_engine *uc)
{
    if (!uc)
        return UC_ERR_HANDLE;
    /* One before a run is lost. */
    if (!uc->depth || !uc->vcpu)
        return UC_ERR_OK;
    atomic_store(&uc->stop, true);
    nw_vcpu_stop(uc->vcpu);
    return UC_ERR_OK;
}
