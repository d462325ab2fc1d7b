/* uc_ctl from within: tables of controls. */
#ifndef API_UNICORN_CTL_H
#define API_UNICORN_CTL_H

#include <stdarg.h>
#include "uc.h"

struct uc_request {
    uc_engine *uc;
    unsigned direction; /* UC_CTL_IO_* */
    va_list args;
};

struct uc_control {
    uc_err (*serve)(struct uc_request *);
    uint8_t directions; /* bits 1 << UC_CTL_IO_* */
    uint8_t args;
};

#define CONTROL_R  (1 << UC_CTL_IO_READ)
#define CONTROL_W  (1 << UC_CTL_IO_WRITE)
#define CONTROL_RW (1 << UC_CTL_IO_READ_WRITE)

/* The control of TYPE, beyond Unicorn's, or null. */
const struct uc_control *uc_control_nw(uint32_t type);

#endif
