/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-nv-attributes.h"

#include <glib/gi18n.h>

static const struct
{
  const char *name;
  const char *description;
} attributes[] = {
  { "ppwrite", N_ ("The firmware may write to it") },
  { "ownerwrite", N_ ("The TPM’s owner may write to it") },
  { "authwrite", N_ ("Who knows its password may write to it") },
  { "policywrite", N_ ("Who fulfills its policy may write to it") },
  { "nt=0x1", N_ ("It is a counter") },
  { "nt=0x2", N_ ("It is a field of bits, which are only ever set") },
  { "nt=0x4", N_ ("It is extended as a register (PCR) is") },
  { "nt=0x8", N_ ("It counts wrong PINs") },
  { "nt=0x9", N_ ("It counts uses of a PIN") },
  { "policydelete", N_ ("Only a policy can undefine it") },
  { "writelocked", N_ ("It is locked against writing") },
  { "writeall", N_ ("It is written as a whole only") },
  { "writedefine", N_ ("It can be locked against writing for good") },
  { "write_stclear", N_ ("It can be locked against writing until the next start") },
  { "globallock", N_ ("It is locked against writing along with others") },
  { "ppread", N_ ("The firmware may read it") },
  { "ownerread", N_ ("The TPM’s owner may read it") },
  { "authread", N_ ("Who knows its password may read it") },
  { "policyread", N_ ("Who fulfills its policy may read it") },
  { "no_da", N_ ("Wrong passwords are not counted") },
  { "orderly", N_ ("It is kept in volatile memory, and stored when the computer is shut down") },
  { "clear_stclear", N_ ("What was written is forgotten at each start") },
  { "readlocked", N_ ("It is locked against reading until the next start") },
  { "written", N_ ("Something was written to it") },
  { "platformcreate", N_ ("The firmware has defined it") },
  { "read_stclear", N_ ("It can be locked against reading until the next start") },
};

const char *
ward_gui_nv_attribute_describe (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (attributes); i++)
    if (g_ascii_strcasecmp (attributes[i].name, name) == 0)
      return _ (attributes[i].description);
  return name;
}

const WardGuiNvChoice ward_gui_nv_choices[] = {
  { "no_da", N_ ("Do Not Count Wrong Passwords"),
    N_ ("Nobody can lock the TPM by guessing, but a weak password can be guessed"), FALSE },
  { "writeall", N_ ("Written as a Whole Only"), N_ ("So that a part of it is never of another time than the rest"),
    TRUE },
  { "clear_stclear", N_ ("Forgotten at Each Start"), N_ ("What was written is gone when the computer starts"), FALSE },
  { "orderly", N_ ("In Volatile Memory"),
    N_ ("For what is written often: it wears nothing out, but is lost when the power fails"), FALSE },
  { "write_stclear", N_ ("Can Be Write-Locked Until Restart"),
    N_ ("A program can forbid writing until the computer starts anew"), TRUE },
  { "read_stclear", N_ ("Can Be Read-Locked Until Restart"),
    N_ ("A program can forbid reading until the computer starts anew"), TRUE },
  { "globallock", N_ ("Write-Locked Along with Others"),
    N_ ("A program can forbid writing to all such indices at once, until the computer starts anew"), TRUE },
  { "writedefine", N_ ("Can Be Write-Locked for Good"),
    N_ ("A program can forbid writing for ever; the index can only be undefined then"), TRUE },
  { NULL, NULL, NULL, FALSE },
};
