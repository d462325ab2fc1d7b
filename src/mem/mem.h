/* Guest memory as the vCPUs use it.
 *
 * The slow path behind every translated access, and the interpreter's only one. On failure the
 * calls record EXC_MEM in vcpu->exc, set vcpu->leave = VCPU_LEAVE_EXC and change nothing; a load
 * then gives 0. A store into translated code either is done and seen by the next fetch, or, when
 * it hits the block that is running, sets VCPU_LEAVE_STEP and is not done. */
#ifndef MEM_MEM_H
#define MEM_MEM_H

#include "exec/vcpu.h"

/* Beside the bits of a memop: the address was to be in the window, as accesses that follow take for
 * granted, and its base is not. Where the access would fault it does; else the instruction is
 * stepped. */
#define MEM_BEYOND (1u << 16)

/* MEMOP: see ir/ir.h. The value is zero- or sign-extended to 64 bits as the memop says. */
uint64_t mem_load(struct nw_vcpu *, uint64_t gva, uint32_t memop);
void mem_store(struct nw_vcpu *, uint64_t gva, uint64_t value, uint32_t memop);
/* Accesses of 16 or 32 bytes, at OUT and IN in guest order. One that fails leaves OUT as it was. */
void mem_load_wide(struct nw_vcpu *, uint64_t gva, uint32_t memop, void *out);
void mem_store_wide(struct nw_vcpu *, uint64_t gva, uint32_t memop, const void *in);
/* Could the access be made? Hooks are not told. False: the fault has been recorded; with IR_MEM_RMW
 * a store's. Devices are read. */
bool mem_probe(struct nw_vcpu *, uint64_t gva, uint32_t memop);
/* Atomic on memory, aligned or not; the old value, zero-extended. A device is read and written. */
uint64_t mem_cas(struct nw_vcpu *, uint64_t gva, uint64_t expected, uint64_t desired,
                 uint32_t memop);
/* OP: IR_atomic_add and its sisters. */
uint64_t mem_rmw(struct nw_vcpu *, uint64_t gva, uint64_t operand, uint32_t memop, uint32_t op);
/* 16 bytes, the low half first; a MEMOP of size 4. False: the access has failed, OLD is as it was.
 */
bool mem_cas16(struct nw_vcpu *, uint64_t gva, const uint64_t expected[2],
               const uint64_t desired[2], uint64_t old[2], uint32_t memop);

/* Is GVA, accessed as MEMOP says, a device's? Reading it twice may then give two values. */
bool mem_is_mmio(struct nw_vcpu *, uint64_t gva, uint32_t memop);

/* Records a fault at ADDR as mem_load and its sisters do, none of the guest's MMU. */
void mem_raise(struct nw_vcpu *, uint64_t addr, uint32_t size, nw_access, nw_fault);

/* Instruction fetch for the lifter: execute permission, no MMIO. */
bool mem_fetch(struct nw_vcpu *, uint64_t gva, void *buf, unsigned size);
/* Records the fault of a mem_fetch of SIZE bytes that has failed at GVA. */
void mem_raise_fetch(struct nw_vcpu *, uint64_t gva, uint32_t size);

#endif
