/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The measuring loops of ./dev bench. tests/bench/bench runs them and says what their results mean. */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

#define MAX_COUNT 1000000

static const char usage[]
    = "usage: ward-bench raw TCTI COUNT | bus COUNT | keys | sign COUNT | list COUNT | callers COUNT | "
      "signer-client COUNT | activation | echo | signer TCTI | watch NAME | fill STATE_DIR COUNT | "
      "process NAME COUNT COMMAND…";

static gboolean
run_counted (const char *verb, guint count, GError **error)
{
  static const struct
  {
    const char *verb;
    gboolean (*run) (guint count, GError **error);
  } verbs[] = { { "bus", bench_run_bus },
                { "sign", bench_run_sign },
                { "list", bench_run_list },
                { "callers", bench_run_callers },
                { "signer-client", bench_run_signer_client } };

  for (guint i = 0; i < G_N_ELEMENTS (verbs); i++)
    if (g_str_equal (verb, verbs[i].verb))
      return verbs[i].run (count, error);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, usage);
  return FALSE;
}

static gboolean
run_simple (const char *verb, GError **error)
{
  if (g_str_equal (verb, "keys"))
    return bench_make_keys (error);
  if (g_str_equal (verb, "activation"))
    return bench_run_activation (error);
  if (g_str_equal (verb, "echo"))
    return bench_run_echo (error);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, usage);
  return FALSE;
}

static gboolean
run (int argc, char **argv, GError **error)
{
  const char *verb = argc > 1 ? argv[1] : "";
  guint64 count = 0;

  if (argc == 2)
    return run_simple (verb, error);
  if (argc == 3 && g_str_equal (verb, "signer"))
    return bench_run_signer (argv[2], error);
  if (argc == 3 && g_str_equal (verb, "watch"))
    return bench_run_watch (argv[2], error);
  if (argc < 3 || !g_ascii_string_to_unsigned (argv[argc == 3 ? 2 : 3], 10, 1, MAX_COUNT, &count, error))
    {
      g_prefix_error (error, "%s: ", usage);
      return FALSE;
    }
  if (argc == 3)
    return run_counted (verb, count, error);
  if (argc == 4 && g_str_equal (verb, "raw"))
    return bench_run_raw (argv[2], count, error);
  if (argc == 4 && g_str_equal (verb, "fill"))
    return bench_fill_store (argv[2], count, error);
  if (argc > 4 && g_str_equal (verb, "process"))
    return bench_run_process (argv[2], count, argv + 4, error);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, usage);
  return FALSE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  setvbuf (stdout, NULL, _IOLBF, 0);
  if (run (argc, argv, &error))
    return EXIT_SUCCESS;
  g_printerr ("ward-bench: %s\n", error != NULL ? error->message : usage);
  return EXIT_FAILURE;
}
