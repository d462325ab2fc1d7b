/* The instructions of UC_HOOK_INSN. */
#ifndef API_UNICORN_INSN_H
#define API_UNICORN_INSN_H

#include "uc.h"

/* Numbers with this bit are the native ones, of uc_ctl UC_CTL_NW_INSN_ID. */
#define UC_INSN_NATIVE (1 << 30)

/* Can instruction INSN be hooked? */
bool uc_insn_known(const uc_engine *, int insn);
/* Connects what its hooks need beside themselves. */
uc_err uc_insn_prepare(uc_engine *, int insn);
/* The native number; 0: the hook is called from elsewhere. */
uint32_t uc_insn_native(const uc_engine *, int insn);
/* Does the hook always stand for the instruction? Else it says so. */
bool uc_insn_replaces(uc_arch, int insn);

#endif
