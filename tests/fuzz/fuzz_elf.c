/* Any bytes as a program: the ELF headers, and scripts, as execve finds them. */
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>
#include "os/linux/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct elf_image image;
    const struct linux_abi *abi = NULL;
    char why[512] = "";
    int fd = memfd_create("elf", MFD_CLOEXEC);

    if (fd < 0)
        return 0;
    if (size && write(fd, data, size) != (ssize_t)size) {
        close(fd);
        return 0;
    }
    if (elf_read(fd, &abi, &image, why) == 0) {
        FUZZ_CHECK(abi && image.low < image.high && image.phnum && image.phnum <= ELF_MAX_PHDRS,
                   "image");
        FUZZ_CHECK(image.high <= abi->task_size + 4096, "high %#lx", (long)image.high);
        FUZZ_CHECK(memchr(image.interp, 0, sizeof image.interp), "interpreter");
    } else {
        FUZZ_CHECK(why[0] && memchr(why, 0, sizeof why), "no reason");
    }
    elf_is_foreign(NULL, data, size);
    close(fd);
    return 0;
}
