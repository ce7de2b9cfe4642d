/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-manufacturer.h"

#include <glib.h>

typedef struct
{
  const char *id;
  const char *name;
} Manufacturer;

/* The TCG TPM Vendor ID Registry, capability vendor IDs of families 1.2 and 2.0. VMware's is not registered, but in
 * use. */
static const Manufacturer manufacturers[] = {
  { "AMD", "AMD" },
  { "ANT", "Ant Group" },
  { "ATML", "Atmel" },
  { "BRCM", "Broadcom" },
  { "CSCO", "Cisco" },
  { "ETHZ", "ETH Zürich" },
  { "FLYS", "Flyslice Technologies" },
  { "GOOG", "Google" },
  { "HISI", "Huawei" },
  { "HPE", "HPE" },
  { "HPI", "HPI" },
  { "IBM", "IBM" },
  { "IFX", "Infineon" },
  { "INTC", "Intel" },
  { "LEN", "Lenovo" },
  { "MSFT", "Microsoft" },
  { "NSG", "NSING" },
  { "NSM", "National Semiconductor" },
  { "NTC", "Nuvoton Technology" },
  { "NTZ", "Nationz" },
  { "QCOM", "Qualcomm" },
  { "ROCC", "Fuzhou Rockchip" },
  { "SEAL", "WISeKey" },
  { "SECE", "SecEdge" },
  { "SIM0", "Simulator 0" },
  { "SIM1", "Simulator 1" },
  { "SIM2", "Simulator 2" },
  { "SIM3", "Simulator 3" },
  { "SIM4", "Simulator 4" },
  { "SIM5", "Simulator 5" },
  { "SIM6", "Simulator 6" },
  { "SIM7", "Simulator 7" },
  { "SMSC", "SMSC" },
  { "SMSN", "Samsung" },
  { "SNS", "Sinosun" },
  { "STM", "STMicroelectronics" },
  { "TXN", "Texas Instruments" },
  { "VMW", "VMware" },
  { "WEC", "Winbond" },
};

const char *
ward_manufacturer_get_name (const char *manufacturer)
{
  for (guint i = 0; i < G_N_ELEMENTS (manufacturers); i++)
    if (g_str_equal (manufacturers[i].id, manufacturer))
      return manufacturers[i].name;
  return "";
}
