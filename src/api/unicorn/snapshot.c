/* Memory contexts: levels of snapshots. */
#include "uc.h"

uc_err uc_snapshot_save(uc_engine *uc, uint64_t *level)
{
    (void)uc, (void)level;
    return UC_ERR_ARG;
}

uc_err uc_snapshot_restore(uc_engine *uc, uint64_t level)
{
    (void)uc, (void)level;
    return UC_ERR_ARG;
}
