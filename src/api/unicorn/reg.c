/* Registers of engines. */
#include "uc.h"

static inline uc_err check(uc_engine *uc, const void *value, const size_t *size)
{
    if (NW_UNLIKELY(!uc))
        return UC_ERR_HANDLE;
    if (NW_UNLIKELY(!value || !size))
        return UC_ERR_ARG;
    return NW_LIKELY(uc->vcpu != NULL) ? UC_ERR_OK : uc_need(uc);
}

static inline uc_err read_one(uc_engine *uc, int id, void *value, size_t *size)
{
    uc_err error = check(uc, value, size);

    if (NW_UNLIKELY(error != UC_ERR_OK))
        return error;
    return uc_guest_of(uc->arch)->reg_read(uc->vcpu, uc->mode, id, value, size);
}

static inline uc_err write_one(uc_engine *uc, int id, const void *value, size_t *size)
{
    uc_err error = check(uc, value, size);

    if (NW_UNLIKELY(error != UC_ERR_OK))
        return error;
    return uc_guest_of(uc->arch)->reg_write(uc->vcpu, uc->mode, id, value, size);
}

uc_err uc_reg_read2(uc_engine *uc, int regid, void *value, size_t *size)
{
    return read_one(uc, regid, value, size);
}

uc_err uc_reg_write2(uc_engine *uc, int regid, const void *value, size_t *size)
{
    return write_one(uc, regid, value, size);
}

uc_err uc_reg_read(uc_engine *uc, int regid, void *value)
{
    size_t size = SIZE_MAX;

    return read_one(uc, regid, value, &size);
}

uc_err uc_reg_write(uc_engine *uc, int regid, const void *value)
{
    size_t size = SIZE_MAX;

    return write_one(uc, regid, value, &size);
}

/* COUNT below 0 is 0, as the loops of old clients have it. */
static uc_err check_batch(const int *regs, const void *vals, int count)
{
    return count > 0 && (!regs || !vals) ? UC_ERR_ARG : UC_ERR_OK;
}

uc_err uc_reg_read_batch(uc_engine *uc, int const *regs, void **vals, int count)
{
    uc_err error = uc ? check_batch(regs, vals, count) : UC_ERR_HANDLE;

    for (int n = 0; n < count && error == UC_ERR_OK; n++)
        error = uc_reg_read(uc, regs[n], vals[n]);
    return error;
}

uc_err uc_reg_write_batch(uc_engine *uc, int const *regs, void *const *vals, int count)
{
    uc_err error = uc ? check_batch(regs, vals, count) : UC_ERR_HANDLE;

    for (int n = 0; n < count && error == UC_ERR_OK; n++)
        error = uc_reg_write(uc, regs[n], vals[n]);
    return error;
}

uc_err uc_reg_read_batch2(uc_engine *uc, int const *regs, void *const *vals, size_t *sizes,
                          int count)
{
    uc_err error = uc ? check_batch(regs, vals, count) : UC_ERR_HANDLE;

    if (error == UC_ERR_OK && count > 0 && !sizes)
        error = UC_ERR_ARG;
    for (int n = 0; n < count && error == UC_ERR_OK; n++)
        error = uc_reg_read2(uc, regs[n], vals[n], &sizes[n]);
    return error;
}

uc_err uc_reg_write_batch2(uc_engine *uc, int const *regs, const void *const *vals, size_t *sizes,
                           int count)
{
    uc_err error = uc ? check_batch(regs, vals, count) : UC_ERR_HANDLE;

    if (error == UC_ERR_OK && count > 0 && !sizes)
        error = UC_ERR_ARG;
    for (int n = 0; n < count && error == UC_ERR_OK; n++)
        error = uc_reg_write2(uc, regs[n], vals[n], &sizes[n]);
    return error;
}
