/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file descriptor that closes itself when it leaves its scope. */
typedef int WardFd;

static inline void
ward_fd_close (WardFd fd)
{
  close (fd);
}

G_DEFINE_AUTO_CLEANUP_FREE_FUNC (WardFd, ward_fd_close, -1)

/* Opens what is at a path relative to folder, as openat(2): flags beside O_CLOEXEC. It cannot lead out of the folder,
 * over a symbolic link, or onto another file system. -1 with errno. */
int ward_folder_open_beneath (int folder, const char *path, int flags);

/* Opens what is at an absolute path as seen from root; links lead nowhere out of it. -1 with errno. */
int ward_folder_open_in_root (int root, const char *path, int flags);

/* Up to max bytes of the regular file at a path relative to folder, with its status; NULL when there is none, it is no
 * regular file or cannot be read. It waits for nobody: not for a pipe's writer, nor for who holds a lease on the file.
 * Its time of access stays, where the system allows that. */
GBytes *ward_folder_read_file (int folder, const char *path, gsize max, struct stat *status);

/* Up to max bytes of what fd stands for, from its present position. */
GBytes *ward_fd_read (int fd, gsize max);

/* The same as text, which ends at the first zero byte; "" for nothing. */
char *ward_bytes_to_text (GBytes *bytes);
