#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tests of the lint itself: that it sees what it is to see."""

import unittest

import budgets
import source

SHORT = """/* SPDX-License-Identifier: LGPL-2.1-or-later */
static const int table[] = {
  1,
};

static void
short_one (int a,
           int b)
{
  use (a, b);
}
"""


def long_function(lines):
    return "void\nlong_one (void)\n{\n" + "  work ();\n" * (lines - 2) + "}\n"


class Budgets(unittest.TestCase):
    def findings(self, text):
        return "\n".join(budgets.check_c("x.c", text))

    def test_functions_are_found_by_name_and_lines(self):
        self.assertEqual(list(source.functions(SHORT)), [("short_one", 9, 11)])

    def test_a_function_may_have_sixty_lines_and_not_one_more(self):
        self.assertEqual(self.findings(long_function(60)), "")
        self.assertIn("long_one has 61 lines", self.findings(long_function(61)))

    def test_banned_calls_are_found_in_code_only(self):
        self.assertIn("strcpy", self.findings("void\nf (void)\n{\n  strcpy (a, b);\n}\n"))
        self.assertIn("goto", self.findings("void\nf (void)\n{\n  goto out;\n}\n"))
        self.assertIn("g_usleep", self.findings("void\nf (void)\n{\n  g_usleep (1);\n}\n"))
        self.assertEqual(self.findings('/* goto, sprintf (x) */ const char *a = "system (";\n'), "")
        self.assertEqual(self.findings("void\nf (void)\n{\n  g_strdup_printf (a);\n}\n"), "")

    def test_copies_into_a_tpm2b_are_found(self):
        self.assertIn("TPM2B", self.findings("void\nf (void)\n{\n  memcpy (auth.buffer, a, n);\n}\n"))


class Nesting(unittest.TestCase):
    def test_levels_count_with_and_without_braces(self):
        self.assertEqual(source.nesting("{ a (); }"), 0)
        self.assertEqual(source.nesting("{ if (a) b (); else c (); }"), 1)
        self.assertEqual(source.nesting("{ for (;;) if (a) { while (b) c (); } d (); }"), 3)
        self.assertEqual(source.nesting("{ do { if (a) b (); } while (c); if (d) e (); }"), 2)

    def test_else_if_is_no_level(self):
        self.assertEqual(source.nesting("{ if (a) b (); else if (c) d (); else if (e) f (); else g (); }"), 1)

    def test_switches_and_initialisers_are_understood(self):
        self.assertEqual(source.nesting("{ switch (a) { case B: if (c) d (); break; default: } if (e) f (); }"), 2)
        self.assertEqual(source.nesting("{ int a[] = { 1, 2 }; struct b c = { .d = { 1 } }; if (e) f (); }"), 1)


if __name__ == "__main__":
    unittest.main()
