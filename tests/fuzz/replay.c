/* Runs a fuzz target over files, and over the files of directories, without libFuzzer. */
#include "fuzz.h"

#include <dirent.h>
#include <sys/stat.h>

/* For the mutators, which nobody calls here. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
    (void)data;
    return size < max_size ? size : max_size;
}

static const uint8_t none; /* where an empty input lies */

static bool run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = NULL;
    size_t size = 0, n;
    char part[4096];

    if (!f)
        return false;
    while ((n = fread(part, 1, sizeof part, f)) > 0) {
        uint8_t *more = realloc(data, size + n);

        if (!more)
            break;
        data = more;
        memcpy(data + size, part, n);
        size += n;
    }
    fclose(f);
    fprintf(stderr, "%s\n", path);
    LLVMFuzzerTestOneInput(data ? data : &none, size);
    free(data);
    return true;
}

static bool run_path(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *d;
    bool ok = true;

    if (!dir)
        return run_file(path);
    while ((d = readdir(dir))) {
        char file[4096];

        if (d->d_name[0] == '.')
            continue;
        snprintf(file, sizeof file, "%s/%s", path, d->d_name);
        ok &= run_file(file);
    }
    closedir(dir);
    return ok;
}

int main(int argc, char **argv)
{
    bool ok = true;

    LLVMFuzzerTestOneInput(&none, 0);
    for (int i = 1; i < argc; i++) {
        if (!run_path(argv[i])) {
            fprintf(stderr, "%s: cannot be read\n", argv[i]);
            ok = false;
        }
    }
    return ok ? 0 : 1;
}
