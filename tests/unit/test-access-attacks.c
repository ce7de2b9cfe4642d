/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Access repair while the user tss, in a process of its own, tries to have it change a file outside of its folder. */
#include "test-access-fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define REPAIRS 200
#define BAITS 3

/* What tss does over and over, in its folder; ../../../victim is root's, as is all in ../../../victims. TRUE if it
 * could do it. */
typedef gboolean (*Attack) (void);

#define VICTIM "../../../victim"
#define VICTIMS "../../../victims"

/* One name, and it is the victim's, whenever the second is gone between the opening and the look. */
static gboolean
flap_hard_link (void)
{
  gboolean done = link (VICTIM, "x") == 0;

  unlink ("x");
  return done;
}

static gboolean
move_hard_link (void)
{
  gboolean done = (mkdir ("sub", 0700) == 0 || errno == EEXIST) && link (VICTIM, "x") == 0
                  && rename ("x", "sub/x") == 0;

  unlink ("x");
  unlink ("sub/x");
  return done;
}

static gboolean
flap_symbolic_link (void)
{
  int fd = open ("x", O_CREAT | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0644);
  gboolean done = fd >= 0;

  if (fd >= 0)
    close (fd);
  unlink ("x");
  done = done && symlink (VICTIM, "x") == 0;
  unlink ("x");
  return done;
}

static gboolean
swap_file_and_symbolic_link (void)
{
  int fd = open ("x", O_CREAT | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0644);

  if (fd >= 0)
    close (fd);
  symlink (VICTIM, "y");
  return renameat2 (AT_FDCWD, "x", AT_FDCWD, "y", RENAME_EXCHANGE) == 0;
}

static gboolean
swap_folder_and_symbolic_link (void)
{
  mkdir ("x", 0755);
  symlink (VICTIMS, "y");
  return renameat2 (AT_FDCWD, "x", AT_FDCWD, "y", RENAME_EXCHANGE) == 0;
}

/* The folder that is being walked moves away below the walk. */
static gboolean
move_folder_about (void)
{
  /* as it may have ended in between */
  unlink ("y/x/bait-0");
  rmdir ("y/x");
  mkdir ("x", 0755);
  mkdir ("y", 0755);
  symlink (VICTIM, "x/bait-0");
  return rename ("x", "y/x") == 0 && rename ("y/x", "x") == 0;
}

static pid_t
start_attacker (Machine *machine, Attack attack, volatile guint *successes)
{
  g_autofree char *folder = machine_path (machine, "/var/lib/tpm");
  pid_t test = getpid ();
  pid_t pid = fork ();

  g_assert_cmpint (pid, >=, 0);
  if (pid != 0)
    return pid;
  if (chdir (folder) < 0 || setgroups (0, NULL) < 0 || setresgid (TSS_UID, TSS_UID, TSS_UID) < 0
      || setresuid (TSS_UID, TSS_UID, TSS_UID) < 0 || prctl (PR_SET_PDEATHSIG, SIGKILL) < 0)
    _exit (1);
  while (getppid () == test)
    if (attack ())
      (*successes)++;
  _exit (0);
}

/* Something that root left in the folder and in a folder in it, as tcsd does, so that there is something to give away.
 */
static void
lay_baits (Machine *machine)
{
  machine_make_folder (machine, "/var/lib/tpm/baits", 0, 0, 0755);
  for (guint i = 0; i < BAITS; i++)
    {
      g_autofree char *path = g_strdup_printf ("/var/lib/tpm/bait-%u", i);
      g_autofree char *below = g_strdup_printf ("/var/lib/tpm/baits/bait-%u", i);

      machine_make_file (machine, path, 0, 0, 0644);
      machine_make_file (machine, below, 0, 0, 0644);
    }
}

static void
await_success (pid_t attacker, const volatile guint *successes, guint number)
{
  while (*successes < number)
    {
      g_assert_cmpint (waitpid (attacker, NULL, WNOHANG), ==, 0);
      sched_yield ();
    }
}

static void
resist (Machine *machine, Attack attack)
{
  volatile guint *successes = mmap (NULL, sizeof *successes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pid_t attacker;

  g_assert_true (successes != MAP_FAILED);
  /* what tss can read and write, it can make hard links to, even if fs.protected_hardlinks is on */
  machine_make_file (machine, "/victim", 0, 0, 0666);
  machine_make_folder (machine, "/victims", 0, 0, 0777);
  machine_make_file (machine, "/victims/bait-0", 0, 0, 0666);
  attacker = start_attacker (machine, attack, successes);
  await_success (attacker, successes, 10);

  for (guint i = 0; i < REPAIRS; i++)
    {
      guint before = *successes;

      lay_baits (machine);
      machine_repair (machine, FALSE);
      machine_assert_is (machine, "/victim", "0:0 0666");
      machine_assert_is (machine, "/victims", "0:0 0777");
      machine_assert_is (machine, "/victims/bait-0", "0:0 0666");
      machine_assert_is (machine, "/var/lib/tpm", "64321:64321 0700");
      machine_assert_is (machine, "/var/lib/tpm/baits/bait-0", "64321:64321 0600");
      machine_assert_is (machine, "/var/lib/tpm/bait-0", "64321:64321 0600");
      await_success (attacker, successes, before + 1);
    }

  g_test_message ("%u times tss could do it meanwhile", *successes);
  kill (attacker, SIGKILL);
  g_assert_cmpint (waitpid (attacker, NULL, 0), ==, attacker);
  munmap ((void *)successes, sizeof *successes);
}

static void
test_flapping_hard_link (Machine *machine)
{
  resist (machine, flap_hard_link);
}

static void
test_moving_hard_link (Machine *machine)
{
  resist (machine, move_hard_link);
}

static void
test_flapping_symbolic_link (Machine *machine)
{
  resist (machine, flap_symbolic_link);
}

static void
test_file_becomes_symbolic_link (Machine *machine)
{
  resist (machine, swap_file_and_symbolic_link);
}

static void
test_folder_becomes_symbolic_link (Machine *machine)
{
  resist (machine, swap_folder_and_symbolic_link);
}

static void
test_moving_folder (Machine *machine)
{
  resist (machine, move_folder_about);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  machine_add_test ("/access/attacks/flapping-hard-link", test_flapping_hard_link);
  machine_add_test ("/access/attacks/moving-hard-link", test_moving_hard_link);
  machine_add_test ("/access/attacks/flapping-symbolic-link", test_flapping_symbolic_link);
  machine_add_test ("/access/attacks/file-becomes-symbolic-link", test_file_becomes_symbolic_link);
  machine_add_test ("/access/attacks/folder-becomes-symbolic-link", test_folder_becomes_symbolic_link);
  machine_add_test ("/access/attacks/moving-folder", test_moving_folder);
  return g_test_run ();
}
