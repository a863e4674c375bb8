// SPDX-License-Identifier: Apache-2.0
//
// Qt Test, with the patience of these tests: of itself, QTRY_VERIFY() and its kin give up after
// five seconds, which is too soon on a busy machine.
#pragma once

#include "support/Patience.h"

#include <QTest>

#undef QTRY_VERIFY
#define QTRY_VERIFY(condition) QTRY_VERIFY_WITH_TIMEOUT(condition, ::dtlsd::test::qtPatience)

#undef QTRY_VERIFY2
#define QTRY_VERIFY2(condition, message)                                                           \
    QTRY_VERIFY2_WITH_TIMEOUT(condition, message, ::dtlsd::test::qtPatience)

#undef QTRY_COMPARE
#define QTRY_COMPARE(actual, expected)                                                             \
    QTRY_COMPARE_WITH_TIMEOUT(actual, expected, ::dtlsd::test::qtPatience)
