/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a process has open is known by what the kernel says of the descriptor: its number of a device, whatever it is
 * called in that process' view of the file system. But nothing is asked of a file system, which may be a user's (FUSE)
 * or a server's that is gone, and would let us wait for ever: the kernel is asked for the path first, which it knows by
 * itself, and only what is called like a TPM is looked at. */
#include "ward-holders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "ward-dependent.h"

#define MAX_LINK 4096
#define MAX_STATUS 4096

typedef struct
{
  char *path; /* "/dev/tpm0" */
  guint major, minor;
} Node;

typedef struct
{
  GArray *nodes; /* of Node */
  GVariantBuilder holders;
  guint n_holders;
  guint n_descriptors; /* looked at */
  gint64 deadline;     /* of the monotonic clock */
} Search;

static void
clear_node (gpointer node)
{
  g_free (((Node *)node)->path);
}

/* The nodes of a class, "tpm" or "tpmrm", by what the kernel shows. */
static void
add_nodes (GArray *nodes, const char *root, const char *class_name)
{
  g_autofree char *path = g_strdup_printf ("%s/sys/class/%s", root, class_name);
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  const char *name;

  while (folder && (name = g_dir_read_name (folder)))
    {
      g_autofree char *file = g_build_filename (path, name, "dev", NULL);
      g_autofree char *numbers = NULL;
      Node node;
      guint64 major, minor;
      char *end;

      if (!g_file_get_contents (file, &numbers, NULL, NULL))
        continue;
      major = g_ascii_strtoull (numbers, &end, 10);
      minor = *end == ':' ? g_ascii_strtoull (end + 1, NULL, 10) : G_MAXUINT64;
      if (major == 0 || major > G_MAXUINT32 || minor > G_MAXUINT32)
        continue;
      node = (Node){ .path = g_strconcat ("/dev/", name, NULL), .major = (guint)major, .minor = (guint)minor };
      g_array_append_val (nodes, node);
    }
}

static gboolean
is_within_bounds (const Search *self)
{
  return self->n_holders < WARD_HOLDERS_MAX && self->n_descriptors < WARD_HOLDERS_MAX_DESCRIPTORS
         && g_get_monotonic_time () < self->deadline;
}

static gboolean
is_number (const char *name)
{
  return *name != '\0' && strspn (name, "0123456789") == strlen (name);
}

/* The start of a small file of a process; "" if it cannot be read. */
static char *
read_start (int process, const char *name)
{
  g_autofree char *text = g_malloc0 (MAX_STATUS + 1);
  int fd = openat (process, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

  if (fd < 0)
    return g_strdup ("");
  if (TEMP_FAILURE_RETRY (read (fd, text, MAX_STATUS)) < 0)
    text[0] = '\0';
  close (fd);
  return g_steal_pointer (&text);
}

static void
add_holder (Search *self, const Node *node, int process, guint pid)
{
  g_autofree char *status = read_start (process, "status");
  g_autofree char *name = g_strchomp (read_start (process, "comm"));
  g_autofree char *command = ward_text_printable (name);
  const char *uid = strstr (status, "\nUid:\t");

  if (!uid) /* it is gone */
    return;
  self->n_holders++;
  g_variant_builder_open (&self->holders, G_VARIANT_TYPE ("a{sv}"));
  g_variant_builder_add (&self->holders, "{sv}", "device", g_variant_new_string (node->path));
  g_variant_builder_add (&self->holders, "{sv}", "pid", g_variant_new_uint32 (pid));
  g_variant_builder_add (&self->holders, "{sv}", "uid",
                         g_variant_new_uint32 ((guint32)g_ascii_strtoull (uid + strlen ("\nUid:\t"), NULL, 10)));
  g_variant_builder_add (&self->holders, "{sv}", "command", g_variant_new_string (command));
  g_variant_builder_close (&self->holders);
}

/* The index among the nodes of what a descriptor of a process leads to; -1 if it is none of them. */
static int
find_node (const Search *self, int descriptors, const char *name)
{
  char path[MAX_LINK + 1];
  struct statx is;
  gssize length = readlinkat (descriptors, name, path, MAX_LINK);

  if (length <= 0)
    return -1;
  path[length] = '\0';
  if (!strstr (path, "tpm") || statx (descriptors, name, AT_STATX_DONT_SYNC, STATX_TYPE, &is) < 0
      || !S_ISCHR (is.stx_mode))
    return -1;
  for (guint i = 0; i < self->nodes->len; i++)
    {
      const Node *node = &g_array_index (self->nodes, Node, i);

      if (node->major == is.stx_rdev_major && node->minor == is.stx_rdev_minor)
        return (int)i;
    }
  return -1;
}

static void
search_descriptors (Search *self, int process, guint pid, DIR *descriptors)
{
  g_autofree gboolean *holds = g_new0 (gboolean, self->nodes->len);
  const struct dirent *entry;

  while (is_within_bounds (self) && (entry = readdir (descriptors)))
    {
      int node = is_number (entry->d_name) ? find_node (self, dirfd (descriptors), entry->d_name) : -1;

      self->n_descriptors++;
      if (node >= 0 && !holds[node])
        add_holder (self, &g_array_index (self->nodes, Node, node), process, pid);
      if (node >= 0)
        holds[node] = TRUE;
    }
}

/* A process may end at any time: what is gone holds nothing. */
static void
search_process (Search *self, int processes, const char *name)
{
  int process = openat (processes, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  int fd = process < 0 ? -1 : openat (process, "fd", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *descriptors = fd < 0 ? NULL : fdopendir (fd);

  if (descriptors)
    {
      search_descriptors (self, process, (guint)g_ascii_strtoull (name, NULL, 10), descriptors);
      closedir (descriptors);
    }
  else if (fd >= 0)
    close (fd);
  if (process >= 0)
    close (process);
}

GVariant *
ward_holders_find (const char *root)
{
  Search self = { .deadline = g_get_monotonic_time () + WARD_HOLDERS_MAX_SECONDS * G_USEC_PER_SEC };
  g_autoptr (GArray) nodes = g_array_new (FALSE, FALSE, sizeof (Node));
  g_autofree char *path = g_strconcat (root, "/proc", NULL);
  const struct dirent *entry;
  DIR *processes = NULL;

  g_array_set_clear_func (nodes, clear_node);
  add_nodes (nodes, root, "tpm");
  add_nodes (nodes, root, "tpmrm");
  self.nodes = nodes;
  g_variant_builder_init (&self.holders, G_VARIANT_TYPE ("aa{sv}"));
  if (nodes->len > 0)
    processes = opendir (path);
  while (processes && is_within_bounds (&self) && (entry = readdir (processes)))
    if (is_number (entry->d_name))
      search_process (&self, dirfd (processes), entry->d_name);
  if (processes)
    closedir (processes);
  return g_variant_builder_end (&self.holders);
}
