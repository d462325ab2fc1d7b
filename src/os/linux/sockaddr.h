/* Socket addresses between guest and host; their layout is the same, their lengths are hostile. */
#ifndef OS_LINUX_SOCKADDR_H
#define OS_LINUX_SOCKADDR_H

#include <sys/socket.h>
#include "os/linux/task.h"

/* Fetches LEN bytes; -EINVAL when negative or longer than any address, -EFAULT. */
int64_t linux_sockaddr_in(struct linux_task *, uint64_t gva, uint64_t len,
                          struct sockaddr_storage *);
/* Gives an address of GOT bytes to a caller whose room is at LEN_GVA, cut as the kernel cuts it,
 * and stores its true length there. */
int64_t linux_sockaddr_out(struct linux_task *, uint64_t gva, uint64_t len_gva,
                           const struct sockaddr_storage *, socklen_t got);

#endif
