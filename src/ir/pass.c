/* The passes, in order. */
#include "ir/pass.h"

#ifdef NW_VERIFY
#define CHECK(region) (ir_verify(region, NULL, 0) ? NW_OK : NW_ERR_INTERNAL)
#else
#define CHECK(region) NW_OK
#endif

nw_status ir_run_passes(struct ir_region *r)
{
    if (r->oom)
        return NW_ERR_NOMEM;
    TRY(CHECK(r));
    TRY(ir_pass_dead(r));
    TRY(CHECK(r));
    return NW_OK;
}
