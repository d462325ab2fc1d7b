/* Any ARM bytes under any mode word: lifted, verified, optimised, printed and emitted, not run.
 */
#include "lift.h"

#include "guest/arm/state.h"
#include "mutate.h"

#define HEADER 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const cpus[] = {NULL, "arm926", "arm1176"};
    static struct lift_bench *b;
    static nw_vcpu *vcpus[3];
    struct input in = {data, size};
    uint8_t choice = take8(&in), max = take8(&in);

    if (!b) {
        b = lift_bench_new(&arm_guest);
        for (unsigned i = 0; i < 3; i++) {
            vcpus[i] = lift_vcpu(NW_ARCH_ARM, cpus[i]);
            if (!vcpus[i])
                vcpus[i] = vcpus[0];
        }
    }
    take16(&in);
    uint32_t mode = take32(&in);
    lift_fuzz(b, vcpus[(choice & 3) % 3], mode, &in, choice, 1 + max % 64);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    return mutate_code(data, size, max_size, HEADER, size > 4 && data[4] & ARM_KEY_THUMB, seed);
}
