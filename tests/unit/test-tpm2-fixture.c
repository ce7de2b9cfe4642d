/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-tpm2-fixture.h"

#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <tss2/tss2_tctildr.h>

#define HEADER_SIZE 10
#define START_TIMEOUT (10 * G_USEC_PER_SEC)

static gboolean
accepts (const char *path)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (path);
  g_autoptr (GSocketConnection) connection = g_socket_client_connect (client, G_SOCKET_CONNECTABLE (address), NULL,
                                                                      NULL);

  return connection != NULL;
}

/* A socket exists a moment before it takes connections. */
static void
wait_for_socket (const char *path)
{
  gint64 deadline = g_get_monotonic_time () + START_TIMEOUT;

  while (!accepts (path))
    {
      g_assert_cmpint (g_get_monotonic_time (), <, deadline);
      g_usleep (1000);
    }
}

/* Also where the test ends by an assertion. */
static void
die_with_the_test (gpointer user_data)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

Swtpm *
swtpm_new (gboolean started)
{
  g_autofree char *program = g_find_program_in_path ("swtpm");
  g_autofree char *socket = NULL, *state = NULL, *server = NULL, *control = NULL, *control_path = NULL;
  g_autoptr (GSubprocessLauncher) launcher = NULL;
  g_autoptr (GError) error = NULL;
  Swtpm *swtpm;

  if (program == NULL)
    {
      g_test_skip ("swtpm is not installed");
      return NULL;
    }
  swtpm = g_new0 (Swtpm, 1);
  swtpm->folder = g_dir_make_tmp ("ward-tpm2-XXXXXX", &error);
  g_assert_no_error (error);
  socket = g_build_filename (swtpm->folder, "sock", NULL);
  control_path = g_strconcat (socket, ".ctrl", NULL);
  state = g_strdup_printf ("dir=%s", swtpm->folder);
  server = g_strdup_printf ("type=unixio,path=%s", socket);
  control = g_strdup_printf ("type=unixio,path=%s", control_path);
  swtpm->transport = g_strdup_printf ("swtpm:path=%s", socket);
  launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
  g_subprocess_launcher_set_child_setup (launcher, die_with_the_test, NULL, NULL);
  swtpm->process = g_subprocess_launcher_spawn (launcher, &error, program, "socket", "--tpm2", "--tpmstate", state,
                                                "--server", server, "--ctrl", control, "--flags",
                                                started ? "not-need-init,startup-clear" : "not-need-init", NULL);
  g_assert_no_error (error);
  wait_for_socket (socket);
  wait_for_socket (control_path);
  return swtpm;
}

void
swtpm_kill (Swtpm *swtpm)
{
  g_subprocess_force_exit (swtpm->process);
  g_subprocess_wait (swtpm->process, NULL, NULL);
}

void
swtpm_reset (Swtpm *swtpm)
{
  static const guint8 init[] = { 0, 0, 0, 2, 0, 0, 0, 0 };
  g_autofree char *path = g_build_filename (swtpm->folder, "sock.ctrl", NULL);
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (path);
  g_autoptr (GSocketConnection) control = NULL;
  guint8 answer[4];
  gsize size;

  control = g_socket_client_connect (client, G_SOCKET_CONNECTABLE (address), NULL, NULL);
  g_assert_nonnull (control);
  g_assert_true (g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (control)), init, sizeof (init),
                                            NULL, NULL, NULL));
  g_assert_true (g_input_stream_read_all (g_io_stream_get_input_stream (G_IO_STREAM (control)), answer, sizeof (answer),
                                          &size, NULL, NULL));
  g_assert_cmphex (read_u32 (answer), ==, 0);
}

void
swtpm_free (Swtpm *swtpm)
{
  g_autoptr (GDir) folder = g_dir_open (swtpm->folder, 0, NULL);
  const char *name;

  swtpm_kill (swtpm);
  while ((name = g_dir_read_name (folder)) != NULL)
    {
      g_autofree char *path = g_build_filename (swtpm->folder, name, NULL);

      g_unlink (path);
    }
  g_rmdir (swtpm->folder);
  g_object_unref (swtpm->process);
  g_free (swtpm->folder);
  g_free (swtpm->transport);
  g_free (swtpm);
}

WardConnection *
swtpm_connect (Swtpm *swtpm)
{
  g_autoptr (GError) error = NULL;
  WardConnection *connection = ward_tpm2_backend.open (swtpm->transport, &error);

  g_assert_no_error (error);
  return connection;
}

void
assert_nothing_left (WardConnection *connection)
{
  static const guint32 kinds[] = { WARD_TPM2_TRANSIENT_FIRST, TPM2_LOADED_SESSION_FIRST };
  guint kept[G_N_ELEMENTS (kinds)];

  ward_tpm2_cache_count (connection->cache, &kept[0], &kept[1]);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GArray) handles = ward_tpm2_read_handles (connection, kinds[i], &error);

      g_assert_no_error (error);
      g_assert_cmpuint (handles->len, ==, kept[i]);
    }
}

static void
write_u32 (guint8 *bytes, guint32 value)
{
  value = GUINT32_TO_BE (value);
  memcpy (bytes, &value, sizeof (value));
}

void
reply_u8 (Reply *reply, guint8 value)
{
  reply_bytes (reply, &value, sizeof (value));
}

void
reply_u16 (Reply *reply, guint16 value)
{
  value = GUINT16_TO_BE (value);
  reply_bytes (reply, &value, sizeof (value));
}

void
reply_u32 (Reply *reply, guint32 value)
{
  value = GUINT32_TO_BE (value);
  reply_bytes (reply, &value, sizeof (value));
}

void
reply_bytes (Reply *reply, const void *bytes, gsize size)
{
  g_byte_array_append (reply, bytes, size);
  if (reply->len >= HEADER_SIZE)
    write_u32 (reply->data + 2, reply->len);
}

Reply *
reply_new (TPM2_RC rc)
{
  Reply *reply = g_byte_array_new ();

  reply_u16 (reply, TPM2_ST_NO_SESSIONS);
  reply_u32 (reply, 0);
  reply_u32 (reply, rc);
  return reply;
}

guint32
read_u16 (const guint8 *bytes)
{
  return (guint32)bytes[0] << 8 | bytes[1];
}

guint32
read_u32 (const guint8 *bytes)
{
  return read_u16 (bytes) << 16 | read_u16 (bytes + 2);
}

static TSS2_RC
transmit (TSS2_TCTI_CONTEXT *context, size_t size, const uint8_t *bytes)
{
  Middleman *middleman = (Middleman *)context;

  g_assert_cmpuint (size, >=, HEADER_SIZE);
  if (middleman->broken)
    return TSS2_TCTI_RC_IO_ERROR;
  middleman->command = read_u32 (bytes + 6);
  g_clear_pointer (&middleman->pending, g_byte_array_unref);
  if (middleman->answer != NULL)
    middleman->pending = middleman->answer (middleman, middleman->command, bytes, size);
  if (middleman->pending != NULL || middleman->broken)
    return TSS2_RC_SUCCESS;
  g_assert_nonnull (middleman->tpm);
  return Tss2_Tcti_Transmit (middleman->tpm, size, bytes);
}

static TSS2_RC
fetch (Middleman *middleman, int32_t timeout)
{
  guint8 bytes[4096];
  size_t size = sizeof (bytes);
  TSS2_RC rc = Tss2_Tcti_Receive (middleman->tpm, &size, bytes, timeout);

  if (rc != TSS2_RC_SUCCESS)
    return rc;
  middleman->pending = g_byte_array_append (g_byte_array_new (), bytes, size);
  if (middleman->change != NULL)
    middleman->change (middleman, middleman->command, middleman->pending);
  return TSS2_RC_SUCCESS;
}

static TSS2_RC
receive (TSS2_TCTI_CONTEXT *context, size_t *size, uint8_t *bytes, int32_t timeout)
{
  Middleman *middleman = (Middleman *)context;
  TSS2_RC rc = TSS2_RC_SUCCESS;

  if (middleman->broken)
    return TSS2_TCTI_RC_IO_ERROR;
  if (middleman->pending == NULL)
    rc = fetch (middleman, timeout);
  if (rc != TSS2_RC_SUCCESS)
    return rc;
  if (bytes != NULL)
    {
      g_assert_cmpuint (middleman->pending->len, <=, *size);
      memcpy (bytes, middleman->pending->data, middleman->pending->len);
    }
  *size = middleman->pending->len;
  if (bytes != NULL)
    g_clear_pointer (&middleman->pending, g_byte_array_unref);
  return TSS2_RC_SUCCESS;
}

Middleman *
middleman_new (const char *transport)
{
  Middleman *middleman = g_new0 (Middleman, 1);

  middleman->common.v1.magic = 0x57617264;
  middleman->common.v1.version = 2;
  middleman->common.v1.transmit = transmit;
  middleman->common.v1.receive = receive;
  if (transport != NULL)
    g_assert_cmphex (Tss2_TctiLdr_Initialize (transport, &middleman->tpm), ==, TSS2_RC_SUCCESS);
  return middleman;
}

void
middleman_free (Middleman *middleman)
{
  if (middleman->tpm != NULL)
    Tss2_TctiLdr_Finalize (&middleman->tpm);
  g_clear_pointer (&middleman->pending, g_byte_array_unref);
  g_free (middleman);
}

WardConnection *
middleman_connect_as (Middleman *middleman, const char *transport)
{
  g_autoptr (GError) error = NULL;
  WardConnection *connection = ward_tpm2_connection_new_for_tcti ((TSS2_TCTI_CONTEXT *)middleman, transport, &error);

  g_assert_no_error (error);
  return connection;
}

WardConnection *
middleman_connect (Middleman *middleman)
{
  return middleman_connect_as (middleman, "device:/dev/tpmrm7");
}
