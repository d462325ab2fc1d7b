#include "base/status.h"

const char *nw_status_text(nw_status status)
{
    switch (status) {
    case NW_OK: return "no error";
    case NW_ERR_NOMEM: return "the host is out of memory or address space";
    case NW_ERR_ARG: return "an argument is null, unaligned or out of range";
    case NW_ERR_RANGE: return "the address range wraps or leaves the guest address space";
    case NW_ERR_OVERLAP: return "the range overlaps a mapping";
    case NW_ERR_UNMAPPED: return "the range is not wholly mapped memory";
    case NW_ERR_ARCH: return "the architecture is not built in";
    case NW_ERR_CPU: return "the CPU model is unknown";
    case NW_ERR_HOST:
        return "the host lacks something that is needed (AVX2, BMI2, LZCNT and FMA; executable "
               "memory)";
    case NW_ERR_BUSY: return "the vCPU is running";
    case NW_ERR_FAULT: return "a guest access failed";
    case NW_ERR_INTERNAL: return "internal error";
    }
    return "unknown status";
}
