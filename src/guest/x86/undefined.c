#include "guest/x86/undefined.h"

const struct x86_undefined *x86_undefined_of(const struct x86_model *model)
{
    static const struct x86_undefined rows[] = {
        [X86_VENDOR_INTEL] = {0},
        [X86_VENDOR_AMD] = {.shift_af = true,
                            .multiply_keeps = true,
                            .divide_sets = true,
                            .count_keeps_of = true,
                            .bextr_af = true,
                            .compare_fault = true,
                            .far_offset32 = true,
                            .gather_keeps = true,
                            .shift16_source = true,
                            .loop_prefix = true,
                            .prefetch_reg = true},
    };
    return &rows[model->vendor];
}
