// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/PatientTest.h"

#include <memory>
#include <utility>

namespace dtlsd::test {

/**
 * Enters a test class into the program that it is linked into: `PROGRAM tst_limits ARGUMENTS...`
 * runs TestLimits as a program of its own would. Many classes share a program because linking, and
 * moc's output, cost more than the classes do.
 */
class TestEntry
{
public:
    using Maker = std::unique_ptr<QObject> (*)();

    TestEntry(const QMetaObject &testClass, Maker maker);

    /** nullptr if the program has no such test. @p name is the file's: tst_limits. */
    static std::unique_ptr<QObject> make(const QString &name);

private:
    const QMetaObject &m_class;
    const Maker m_make;
    const TestEntry *const m_next;
};

} // namespace dtlsd::test

/** Beside `#include "tst_x.moc"`, where QTEST_GUILESS_MAIN() would stand. */
#define DTLSD_TEST(TestClass)                                                                      \
    static const ::dtlsd::test::TestEntry enter##TestClass(                                        \
        TestClass::staticMetaObject,                                                               \
        []() -> std::unique_ptr<QObject> { return std::make_unique<TestClass>(); });
