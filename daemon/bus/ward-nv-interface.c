/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-call-options.h"
#include "ward-error.h"
#include "ward-tpm-nv.h"
#include "ward-tpm-object.h"

static const WardOption read_options[] = {
  { "auth", WARD_OPTION_AUTH },
  { "owner", WARD_OPTION_BOOLEAN },
  { "owner-auth", WARD_OPTION_AUTH },
  { "offset", WARD_OPTION_UINT },
  { "size", WARD_OPTION_UINT },
  { "output", WARD_OPTION_OUTPUT },
  { NULL, 0 },
};

static const WardOption write_options[] = {
  { "auth", WARD_OPTION_AUTH },
  { "owner", WARD_OPTION_BOOLEAN },
  { "owner-auth", WARD_OPTION_AUTH },
  { "offset", WARD_OPTION_UINT },
  { "data", WARD_OPTION_DATA },
  { "force", WARD_OPTION_BOOLEAN },
  { NULL, 0 },
};

static const WardOption define_options[] = {
  { "owner-auth", WARD_OPTION_AUTH },
  { "auth", WARD_OPTION_AUTH },
  { "force", WARD_OPTION_BOOLEAN },
  { NULL, 0 },
};

static const WardOption undefine_options[] = {
  { "owner-auth", WARD_OPTION_AUTH },
  { "force", WARD_OPTION_BOOLEAN },
  { NULL, 0 },
};

typedef struct
{
  guint32 index;
  WardOptions *options;
  WardNvAccess access;     /* Read and Write */
  WardSecret *data;        /* to write */
  WardNvTemplate template; /* Define */
  GStrv attributes;
} Request;

static void
request_free (gpointer data)
{
  Request *request = data;

  g_clear_pointer (&request->options, ward_options_free);
  g_clear_pointer (&request->data, ward_secret_unref);
  g_strfreev (request->attributes);
  g_free (request);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Request, request_free)

/* The first argument is the index, the last one the options. */
static Request *
request_new (GVariant *parameters, GUnixFDList *fds, const WardOption *known, GError **error)
{
  g_autoptr (Request) request = g_new0 (Request, 1);
  g_autoptr (GVariant) dictionary = g_variant_get_child_value (parameters, g_variant_n_children (parameters) - 1);

  g_variant_get_child (parameters, 0, "u", &request->index);
  request->options = ward_options_new (dictionary, fds, known, error);
  if (!request->options || !ward_options_check_auth (request->options, "auth", error)
      || !ward_options_check_auth (request->options, "owner-auth", error))
    return NULL;
  return g_steal_pointer (&request);
}

static gboolean
refuse (GError **error, const char *message)
{
  g_set_error_literal (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT, message);
  return FALSE;
}

/* An auth that is given, be it empty, tells whose it is. */
static gboolean
take_access (Request *request, GError **error)
{
  WardOptions *options = request->options;
  gboolean by_index = ward_options_has (options, "auth");
  gboolean by_owner = ward_options_has (options, "owner-auth") || ward_options_get_boolean (options, "owner");

  if (by_index && by_owner)
    return refuse (error, "The options “auth” and “owner” or “owner-auth” are two ways to authorize one access. Give "
                          "one of them.");
  if (ward_options_has (options, "owner-auth") && ward_options_has (options, "owner")
      && !ward_options_get_boolean (options, "owner"))
    return refuse (error, "The options “owner-auth” and “owner” contradict each other. Leave one of them out.");

  request->access.index = request->index;
  request->access.offset = ward_options_get_uint (options, "offset", 0);
  request->access.force = ward_options_get_boolean (options, "force");
  request->access.right = by_owner ? WARD_NV_BY_OWNER : WARD_NV_BY_ANY;
  if (by_index || (ward_options_has (options, "owner") && !by_owner))
    request->access.right = WARD_NV_BY_INDEX;
  request->access.auth = ward_options_get_auth (options, by_owner ? "owner-auth" : "auth");
  return TRUE;
}

static gboolean
parse_read (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  g_autoptr (Request) read = request_new (parameters, fds, read_options, error);

  if (!read || !take_access (read, error))
    return FALSE;
  if (ward_options_has (read->options, "size") && ward_options_get_uint (read->options, "size", 0) == 0)
    return refuse (error, "The option “size” is 0, so there is nothing to read. Leave it out to read all.");
  read->access.size = ward_options_get_uint (read->options, "size", 0);

  *request = g_steal_pointer (&read);
  return TRUE;
}

/* Takes the data from wherever it came. */
static gboolean
take_data (Request *request, GVariant *bytes, GError **error)
{
  WardSecret *data = ward_options_get_secret (request->options, "data");
  gsize size;
  gconstpointer plain = g_variant_get_fixed_array (bytes, &size, 1);

  if (data && size > 0)
    return refuse (error, "There is data both as an argument and as the option “data”. Give one of them.");
  size = data ? ward_secret_get_size (data) : size;
  if (size == 0)
    return refuse (error, "There is no data to write. Give at least 1 byte.");
  if (size > WARD_MAX_NV_SIZE)
    return refuse (error, "The data is longer than any NV index can be. Seal it instead, and keep it in a file.");
  request->data = data ? ward_secret_ref (data) : ward_secret_new_from (plain, size);
  return TRUE;
}

static gboolean
parse_write (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  g_autoptr (GVariant) bytes = g_variant_get_child_value (parameters, 1);
  g_autoptr (Request) write = request_new (parameters, fds, write_options, error);

  if (!write || !take_access (write, error) || !take_data (write, bytes, error))
    return FALSE;
  *request = g_steal_pointer (&write);
  return TRUE;
}

static gboolean
parse_define (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  g_autoptr (Request) define = request_new (parameters, fds, define_options, error);

  if (!define)
    return FALSE;
  g_variant_get_child (parameters, 1, "u", &define->template.size);
  g_variant_get_child (parameters, 2, "^as", &define->attributes);
  define->template.index = define->index;
  define->template.attributes = (const char *const *)define->attributes;
  define->template.auth = ward_options_get_auth (define->options, "auth");
  define->template.force = ward_options_get_boolean (define->options, "force");

  *request = g_steal_pointer (&define);
  return TRUE;
}

static gboolean
parse_undefine (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  *request = request_new (parameters, fds, undefine_options, error);
  return *request != NULL;
}

static gboolean
check_index (WardTpm *tpm, gpointer request, GError **error)
{
  return ward_tpm_nv_check_index (tpm, ((Request *)request)->index, error);
}

static gboolean
check_template (WardTpm *tpm, gpointer request, GError **error)
{
  return ward_tpm_nv_check_template (tpm, &((Request *)request)->template, error);
}

static void
describe (gpointer request, GVariantBuilder *details)
{
  g_autofree char *index = g_strdup_printf ("0x%08x", ((Request *)request)->index);

  g_variant_builder_add (details, "{ss}", "index", index);
}

static void
add_index (GVariantBuilder *builder, const WardNvIndex *index)
{
  g_variant_builder_open (builder, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (builder, "{sv}", "index", g_variant_new_uint32 (index->index));
  g_variant_builder_add (builder, "{sv}", "size", g_variant_new_uint32 (index->size));
  g_variant_builder_add (builder, "{sv}", "attributes",
                         g_variant_new_strv ((const char *const *)index->attributes, -1));
  g_variant_builder_add (builder, "{sv}", "written", g_variant_new_boolean (index->written));
  g_variant_builder_add (builder, "{sv}", "description", g_variant_new_string (index->purpose));
  g_variant_builder_close (builder);
}

static void
on_listed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  g_autoptr (GPtrArray) indices = ward_tpm_nv_list_finish (WARD_TPM (source), result, &error);
  GVariantBuilder builder;

  if (!indices)
    {
      ward_call_fail (user_data, error);
      return;
    }
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("(aa{sv})"));
  g_variant_builder_open (&builder, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < indices->len; i++)
    add_index (&builder, indices->pdata[i]);
  g_variant_builder_close (&builder);
  ward_call_return (user_data, g_variant_builder_end (&builder));
}

static void
run_list (WardCall *call)
{
  ward_tpm_nv_list_async (call->tpm, &call->ticket, on_listed, call);
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardCall *call = user_data;
  const Request *request = call->request;
  GError *error = NULL;
  g_autoptr (WardSecret) data = ward_tpm_nv_read_finish (WARD_TPM (source), result, &error);

  if (data)
    ward_call_return_secret (call, request->options, data);
  else
    ward_call_fail (call, error);
}

static void
run_read (WardCall *call)
{
  ward_tpm_nv_read_async (call->tpm, &call->ticket, &((Request *)call->request)->access, on_read, call);
}

static void
on_changed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  gboolean done = ward_tpm_nv_change_finish (WARD_TPM (source), result, &error);

  ward_call_conclude (user_data, done, error);
}

static void
run_define (WardCall *call)
{
  const Request *request = call->request;

  ward_tpm_nv_define_async (call->tpm, &call->ticket, &request->template,
                            ward_options_get_auth (request->options, "owner-auth"), on_changed, call);
}

static void
run_write (WardCall *call)
{
  const Request *request = call->request;

  ward_tpm_nv_write_async (call->tpm, &call->ticket, &request->access, request->data, on_changed, call);
}

static void
run_undefine (WardCall *call)
{
  const Request *request = call->request;

  ward_tpm_nv_undefine_async (call->tpm, &call->ticket, request->index,
                              ward_options_get_auth (request->options, "owner-auth"),
                              ward_options_get_boolean (request->options, "force"), on_changed, call);
}

static const WardMethod methods[] = {
  { .name = "List", .signal = "handle-list", .run = run_list },
  { .name = "Read",
    .signal = "handle-read",
    .takes_descriptors = TRUE,
    .parse = parse_read,
    .request_free = request_free,
    .check = check_index,
    .describe = describe,
    .run = run_read },
  { .name = "Define",
    .signal = "handle-define",
    .takes_descriptors = TRUE,
    .parse = parse_define,
    .request_free = request_free,
    .check = check_template,
    .describe = describe,
    .run = run_define },
  { .name = "Write",
    .signal = "handle-write",
    .takes_descriptors = TRUE,
    .parse = parse_write,
    .request_free = request_free,
    .check = check_index,
    .describe = describe,
    .run = run_write },
  { .name = "Undefine",
    .signal = "handle-undefine",
    .takes_descriptors = TRUE,
    .parse = parse_undefine,
    .request_free = request_free,
    .check = check_index,
    .describe = describe,
    .run = run_undefine },
  { .name = NULL },
};

WardDbusNv *
ward_nv_interface_new (WardGate *gate, WardTpm *tpm)
{
  WardDbusNv *skeleton = ward_dbus_nv_skeleton_new ();

  ward_gate_guard (gate, G_DBUS_INTERFACE_SKELETON (skeleton), methods, tpm);
  return skeleton;
}
