/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The prefix of the service's D-Bus error names. */
#define WARD_ERROR_PREFIX "org.tpmward1.Error."

/* Every error that leaves the service: the constant's suffix and the last part of its D-Bus name. The service and its
 * clients make their enumeration and their registration with GDBus from this list, so that they cannot differ. New ones
 * are added at the end. */
#define WARD_ERROR_LIST(X)                                                                                             \
  X (NOT_AUTHORIZED, "NotAuthorized")                                                                                  \
  X (AUTHENTICATION_FAILED, "AuthenticationFailed")                                                                    \
  X (LOCKED_OUT, "LockedOut")                                                                                          \
  X (POLICY_MISMATCH, "PolicyMismatch")                                                                                \
  X (WOULD_BREAK, "WouldBreak")                                                                                        \
  X (NOT_OWNED, "NotOwned")                                                                                            \
  X (ALREADY_OWNED, "AlreadyOwned")                                                                                    \
  X (DISABLED, "Disabled")                                                                                             \
  X (UNREACHABLE, "Unreachable")                                                                                       \
  X (NOT_SUPPORTED, "NotSupported")                                                                                    \
  X (NOT_FOUND, "NotFound")                                                                                            \
  X (EXISTS, "Exists")                                                                                                 \
  X (INVALID_ARGUMENT, "InvalidArgument")                                                                              \
  X (CORRUPT, "Corrupt")                                                                                               \
  X (BUSY, "Busy")                                                                                                     \
  X (NO_SPACE, "NoSpace")                                                                                              \
  X (CANCELLED, "Cancelled")                                                                                           \
  X (FAILED, "Failed")
