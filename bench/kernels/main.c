#include "kernel.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    unsigned reps = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 0) : kernel_reps;
    printf("%016llx\n", (unsigned long long)kernel(reps));
    return 0;
}
